/* SPDX-License-Identifier: MIT */
/*
 * Rooms with local members, and users with local sessions: who gets an item.
 *
 * Member cursor: `pos` is the last seq this session was given. A live member
 * gets items as they come; one that is behind (resume, lag) is skipped by the
 * live fan-out and paged from the log (200 items or 64 KiB a page, the next page when
 * its output queue is below half) until pos == channel.last, and is then live
 * again in that same turn: no hole, no double. This one mechanism serves
 * replay at login, lag mode and gap-free joining.
 */
#ifndef MSG_SERVER_ROOM_H
#define MSG_SERVER_ROOM_H

#include "msg_server/channel.h"
#include "msg_server/event.h"
#include "msg_server/session.h"

struct room;

struct member {
	struct session *session;
	struct room *room;
	struct member *next_of_session;
	uint64_t pos;
	uint32_t index; /* in room->members */
	unsigned live : 1, reading : 1, joining : 1;
	struct follow_call *call; /* join not yet synced; owned by the caller */
};

struct room {
	struct channel channel;
	UT_hash_handle hh; /* server->rooms by rid */
	struct member **members; /* owned array */
	uint32_t n_members, cap;
	char rid[ID_MAX + 1];
};

struct user {
	struct channel channel; /* u:<uid> */
	UT_hash_handle hh;      /* server->users by uid */
	struct session *sessions;
	struct bucket send;     /* 10/s a uid and server */
	uint16_t n_sessions;
	char uid[ID_MAX + 1];
};

/* what becoming a follower gave: for "pos" in the answer */
struct follow_result {
	unsigned code; /* 200; 403 too many rooms; 503 no relay */
	char ep[EP_LEN + 1];
	uint64_t head, from, n;
	bool full;
};

/*
 * A join or attach under way; embedded in the caller's context, which is freed
 * in on_synced (or in on_joined with code != 200; or on_lost).
 * Order: on_joined (answer now), then the missed items, then on_synced.
 */
struct follow_call {
	uint64_t cn;
	void (*on_joined)(struct follow_call *, struct session *, const struct follow_result *);
	void (*on_synced)(struct follow_call *, struct session *);
	void (*on_lost)(struct follow_call *); /* the session is gone, or left the room meanwhile */
};

/*
 * from: the client's position (ep absent: live from the head). silent: presence tells nobody.
 * Joining a room again: on_joined at once (later turn) with the present position, nothing is replayed.
 */
void room_join(struct server *srv, struct session *s, struct str rid, struct str ep, uint64_t from, bool silent, struct follow_call *call);
void room_leave(struct server *srv, struct session *s, struct str rid);
struct member *room_member(struct session *s, struct str rid); /* NULL: not joined (joining counts as not) */
/* makes the session one of uid's: s->user set at once; private traffic flows from `from` on (useq) or from the head */
void user_attach(struct server *srv, struct session *s, struct str uid, struct str ep, uint64_t from, struct follow_call *call);
/* the session ends: leaves all rooms and its user; bye: presence drops without grace */
void room_detach(struct server *srv, struct session *s, bool bye);
struct user *user_find(struct server *srv, struct str uid);
/* output of s has drained: page on what lags */
void room_on_drain(struct server *srv, struct session *s);
/* the presence line of a session, for PRES frames: snapshot and delta */
void room_presence_fill(const struct session *s, struct f_pres *out);

#endif
