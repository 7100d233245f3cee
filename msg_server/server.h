/* SPDX-License-Identifier: MIT */
/*
 * struct server: everything a msg_server process owns hangs here. The path of
 * a message through it is drawn at the head of client.c.
 */
#ifndef MSG_SERVER_SERVER_H
#define MSG_SERVER_SERVER_H

#include "msg_server/auth.h"
#include "msg_server/follow/relay.h"
#include "msg_server/follow/room.h"
#include "msg_server/settings.h"
#include "shared/base/slab.h"
#include "shared/svc/admin.h"
#include "shared/svc/topology.h"

#define SERVER_STATS(X)                                                        \
	X(CONNECTIONS, STAT_GAUGE, "msg_connections", "open WebSocket connections") \
	X(SESSIONS, STAT_GAUGE, "msg_sessions", "logged in sessions")          \
	X(USERS, STAT_GAUGE, "msg_users", "users with a session here")         \
	X(ROOMS, STAT_GAUGE, "msg_rooms", "rooms with a member here")          \
	X(ACCEPTED, STAT_COUNTER, "msg_accepted_total", "connections accepted") \
	X(REFUSED, STAT_COUNTER, "msg_refused_total", "connections refused")   \
	X(FRAMES_IN, STAT_COUNTER, "msg_frames_in_total", "WebSocket frames received") \
	X(COMMANDS, STAT_COUNTER, "msg_commands_total", "commands run")        \
	X(ERRORS, STAT_COUNTER, "msg_errors_total", "error answers")           \
	X(ITEMS_IN, STAT_COUNTER, "msg_items_in_total", "items received from the log") \
	X(DELIVERIES, STAT_COUNTER, "msg_deliveries_total", "frames queued to clients") \
	X(TURNS, STAT_COUNTER, "msg_turns_total", "times a room's items were given to its members") \
	X(TURNS_HELD, STAT_COUNTER, "msg_turns_held_total", "loop turns that left a room gathering") \
	X(APPENDS, STAT_COUNTER, "msg_appends_total", "items sent to the log") \
	X(EDITS, STAT_COUNTER, "msg_edits_total", "edits asked by clients")    \
	X(RECALLS, STAT_COUNTER, "msg_recalls_total", "recalls asked by clients") \
	X(REACTS, STAT_COUNTER, "msg_reacts_total", "reactions asked by clients") \
	X(TITLES, STAT_COUNTER, "msg_titles_total", "titles of rooms asked by clients and back ends") \
	X(REPAIRS, STAT_COUNTER, "msg_gap_repairs_total", "gaps read back from the log") \
	X(DELIVERED, STAT_COUNTER, "msg_delivered_total", "positions of users in their private traffic said to the log") \
	X(WAITED, STAT_COUNTER, "msg_waited_total", "logins of version 1 for whom private messages had waited") \
	X(GROUP_CHANGES, STAT_COUNTER, "msg_group_changes_total", "groups to be made or added to") \
	X(GROUP_REFUSED, STAT_COUNTER, "msg_group_refused_total", "sessions that are no members and asked to come into a group") \
	X(INBOXES, STAT_COUNTER, "msg_inboxes_total", "pages of conversations asked by clients") \
	X(TYPING, STAT_COUNTER, "msg_typing_total", "who is typing, sent to the active proxy")	\
	X(TYPING_DROPPED, STAT_COUNTER, "msg_typing_dropped_total", "typing that came too soon or too often, and was not told") \
	X(GET_MARKS, STAT_COUNTER, "msg_get_marks_total", "questions who has read a message") \
	X(LAGGED, STAT_COUNTER, "msg_lag_total", "sessions put into lag mode") \
	X(RECENT_HITS, STAT_COUNTER, "msg_recent_hits_total", "pages served from recent items in memory") \
	X(RECENT_MISSES, STAT_COUNTER, "msg_recent_misses_total", "pages asked of the log") \
	X(RECENT_SHARED, STAT_COUNTER, "msg_recent_shared_total", "cursors that shared a page asked of the log for another") \
	X(ROOM_FAST, STAT_COUNTER, "msg_room_rate_total", "messages refused because their room was too fast") \
	X(ROOMS_REFUSED, STAT_COUNTER, "msg_rooms_new_refused_total", "new rooms refused, too many of one user") \
	X(VIOLATIONS, STAT_COUNTER, "msg_ws_violations_total", "connections closed for breaking the protocol") \
	X(DRAINING, STAT_GAUGE, "msg_draining", "1 while clients are sent elsewhere") \
	X(MOVES, STAT_COUNTER, "msg_moves_total", "clients told to move to another server") \
	X(DRAIN_CLOSED, STAT_COUNTER, "msg_drain_closed_total", "connections closed by a drain") \
	X(MOVES_IN, STAT_COUNTER, "msg_moved_logins_total", "logins of clients that another server had sent") \
	X(DROPPED_IN, STAT_COUNTER, "msg_dropped_in_total", "messages of older systems' clients dropped without a word") \
	X(COMETS, STAT_GAUGE, "msg_comet_sessions", "sessions that poll by HTTP") \
	X(MOVE_KEYS_BAD, STAT_COUNTER, "msg_move_keys_refused_total", "logins with a key that was none, or too old")

enum server_stat {
#define X(name, kind, text, help) S_##name,
	SERVER_STATS(X)
#undef X
	S_COUNT
};

struct client;
struct client_busy;
struct comets;
struct drain;
struct fronts;
struct gateway;
struct registrar;
struct gateway;
struct registrar;
struct udp_push;
struct uploads;
struct gate;
struct marks;
struct typing;
struct told;
struct watch;
struct delivered;
struct turns;
struct recent;
struct replay_line;

struct server {
	struct net *net;
	struct settings set;
	uint64_t stats[S_COUNT];
	uint32_t node_no, inc, next_session;
	struct table sessions;    /* by cn */
	struct table rooms;       /* by rid */
	struct table users;       /* by uid */
	struct table titles;      /* of rooms, by rid (follow/room_title.h) */
	struct relay *relay;
	struct recent *recent;    /* newest items of the channels followed; NULL: none */
	struct replay_line *replays; /* those served from it in turn (replay.c) */
	struct topology *topology;
	struct gateway *gateway; /* GatewayClients (door/gateway/gateway.h) */
	struct registrar *registrar; /* NULL: off */
	void (*on_gone)(struct server *, const struct session *); /* a session ends; may be NULL */
	struct auth auth;
	struct httpd httpd;       /* public and direct listeners */
	struct listener public_listener, direct_listener;
	struct udp_push *udp_push; /* NULL: off */
	struct uploads *uploads;  /* upload/upload.h; NULL: off */
	struct fronts *fronts;    /* what they speak, and further ones (door/front.h) */
	struct admin admin;
	struct wheel wheel;       /* login, ping and expiry deadlines of clients */
	struct slab slab;         /* what there is one of for each of many */
	struct client_busy *not_logged_in; /* list, oldest first */
	struct client_busy *logging_in; /* those whose first login is under way */
	struct client *due;       /* singly linked: to be detached, or to run what they held */
	struct gate *gate;        /* who may connect */
	struct marks *marks;      /* read marks on their way */
	struct typing *typing;    /* who said of late that he is typing */
	struct told *told;        /* what rooms heard of people */
	int64_t promoted_ms; /* when an active proxy was last met anew */
	struct watch *watch;      /* whom sessions watch */
	struct delivered *delivered; /* how far users have their private traffic */
	struct drain *drain;      /* the end, and what can be taken back of it */
	uint32_t n_clients, n_not_logged_in;
	uint32_t n_anew; /* sessions that are becoming somebody else */
	struct turns *turns;      /* items on their way to the members of rooms (follow/turn.h) */
	uint32_t n_dying; /* detached, their last bytes on the way */
	struct statics *statics;
	struct comets *comets;    /* sessions that poll (door/webim/comet.h); NULL: never one */
	char direct_url[ADDR_TEXT_MAX + 8], public_url[ADDR_TEXT_MAX + 8];
	uint64_t next_cid;  /* for messages without a cid of their own */
	uint32_t max_clients;
	uint32_t max_rooms; /* known at a time; 0: any number */
	struct net_turn turn;
	struct timer wake, tick;
	uint64_t last_deliveries, last_bytes_out, last_lagged; /* at the last beat, for rates */
	int64_t tick_us; /* when the last one-second tick came */
	uint32_t tick_clients, trim_clients; /* at the last tick; when the heap was last trimmed */
	uint32_t loop_us; /* how late it was: what a turn of the loop costs others */
	int64_t last_beat_ms, started_ms;
	char api_key[129];  /* "": POST is off */
	struct link_id self;
	uint8_t link_key[32];
	void (*on_quit)(struct server *); /* all is said: leave the loop */
	unsigned draining : 1; /* takes no clients: set by drain.c */
};

/* opens everything; ends the program with one line where it can't */
void server_start(struct server *srv);
/* the polite end: clients are sent elsewhere in slots, then on_quit (drain.h) */
void server_stop(struct server *srv);
/* all of them at once; again: without waiting for what is under way */
void server_hurry(struct server *srv, bool again);
/* the page is read again */
void server_reload(struct server *srv);
/* ws URLs of the other msg_servers that are up, for "alt"; borrowed from the topology */
size_t server_alt_urls(const struct server *srv, struct str *out, size_t max);

#endif
