/* SPDX-License-Identifier: MIT */
/*
 * The objects of presence, shared by presence.c (who is there), presence_room.c
 * (what rooms are told) and presence_who.c (answers).
 *
 *	node --< session >-- user
 *	            |          |
 *	           seat >--- member >-- room
 *
 * A seat is a session in a room, a member is a user in a room. A member with
 * no seat is held until due_ms.
 */
#ifndef PROXY_SERVER_PRESENCE_PRIV_H
#define PROXY_SERVER_PRESENCE_PRIV_H

#include "proxy_server/presence.h"
#include "shared/base/map.h"
#include "shared/net/timer.h"
#include "shared/proc/log.h"

struct pres_node {
	UT_hash_handle hh; /* presence->nodes by no */
	uint32_t no;
	char name[ID_MAX + 1];
	struct pres_session *sessions; /* owned list */
	uint32_t n_sessions;
	bool known;	  /* a snapshot of it was complete once */
	bool in_snapshot; /* between BEGIN and END */
};

struct pres_session {
	UT_hash_handle hh; /* presence->sessions by cn */
	uint64_t cn;
	int64_t since_ms;
	struct pres_user *user;
	struct pres_node *node;
	struct pres_session *prev, *next; /* of the node */
	struct pres_session *prev_of_user, *next_of_user;
	struct pres_seat *seats; /* owned list */
	uint16_t n_seats;
	uint8_t level, dialect;
	bool away, num_rid;
	char *name, *avatar; /* owned; may be NULL */
	char dev[ID_MAX + 1];
};

struct pres_seat {
	struct pres_seat *next; /* of the session */
	struct pres_member *member;
};

struct pres_user {
	UT_hash_handle hh; /* presence->users by uid */
	struct pres_session *sessions;
	struct pres_member *members;
	uint32_t n_sessions;
	int64_t last_ms;     /* wall clock of the last change */
	char *name, *avatar; /* owned; as last announced */
	char uid[ID_MAX + 1];
};

struct pres_member {
	struct pres_user *user;
	struct pres_room *room;
	struct pres_member *prev, *next; /* of the room */
	struct pres_member *prev_of_user, *next_of_user;
	struct pres_member *prev_held, *next_held; /* of presence */
	uint32_t n_seats;			   /* 0: held */
	bool by_link; /* held because a link was lost */
	int64_t due_ms;
	/* seats lost with a link: so many may come back in silence until then */
	uint32_t n_owed;
	int64_t owed_ms;
};

/* seats of a room by server */
struct pres_share {
	struct pres_share *next;
	struct pres_node *node;
	uint32_t n;
};

enum pres_change_kind { CHANGE_IN, CHANGE_AGAIN, CHANGE_OUT };

/* not yet told; owned copies, the user may be gone by then */
struct pres_change {
	struct pres_change *prev, *next;
	enum pres_change_kind kind;
	bool num_rid;
	uint64_t cn;
	int64_t at_ms;
	char *name, *avatar;
	char uid[ID_MAX + 1];
};

struct pres_room {
	UT_hash_handle hh; /* presence->rooms by rid */
	struct pres_member *members;
	struct pres_share *shares;
	uint32_t n_members;
	uint32_t n_changes;
	struct pres_change *changes; /* owned list, oldest first */
	int64_t told_ms;	     /* last frame of a big room */
	struct pres_room *prev_dirty, *next_dirty;
	char rid[ID_MAX + 1];
};

struct presence {
	struct net *net;
	const struct presence_ops *ops;
	void *arg;
	int64_t grace_ms;
	struct net_turn turn;
	struct timer timer;
	struct pres_node *nodes;
	struct pres_session *sessions;
	struct pres_user *users;
	struct pres_room *rooms;
	struct pres_member *held; /* oldest first: one grace for all */
	struct pres_room *dirty;  /* rooms with changes */
	int64_t quiet_until_ms;
	bool active;
	uint64_t updates, refused;
	struct log_limit limit;
};

/* --- presence_room.c --- */
void presence_change(struct presence *pr, struct pres_room *room,
    enum pres_change_kind kind, const struct pres_user *user, uint64_t cn);
/* tells what is due: in a turn small rooms, by the clock big ones */
void presence_flush(struct presence *pr);
void presence_forget_changes(struct presence *pr, struct pres_room *room);

/* --- presence.c --- */
struct pres_user *presence_user(struct presence *pr, struct str uid);
struct pres_room *presence_room(struct presence *pr, struct str rid);
/* frees a room that nobody is in and nothing is to be told about */
void presence_room_rest(struct presence *pr, struct pres_room *room);

#endif
