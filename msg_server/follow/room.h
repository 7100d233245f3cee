/* SPDX-License-Identifier: MIT */
/*
 * Rooms with local members, and users with local sessions: who gets an item.
 * The cursor of a member (session.h) is one mechanism for replay at login, lag
 * mode and joining without a gap (replay.h).
 *
 * A private item is delivered as three events: to level 1 sessions (tid = the
 * addressee, as recorded), to the sender's own sockets (tid = the other one)
 * and to the addressee's (tid = the sender): a dialect just writes ev->tid.
 */
#ifndef MSG_SERVER_FOLLOW_ROOM_H
#define MSG_SERVER_FOLLOW_ROOM_H

#include "msg_server/follow/channel.h"
#include "msg_server/event.h"
#include "msg_server/session.h"

/* rooms known at a time, those just left included: what a proxy lets a link
 * follow is bounded, and over that bound it ends the link. One more is 503. */
enum { ROOMS_MAX = 500000 };

struct room;

/* how far a user has been given his private traffic; see delivered.h */
struct delivering {
	struct user_busy *prev, *next; /* while on the list */
	struct user *user;
	uint64_t useq; /* given; at rest what was told, too */
	int64_t told_ms;
	bool listed;
};

struct member {
	struct session *session;
	struct room *room;
	struct member *next_of_session;
	struct cursor cursor;
	uint32_t index; /* in room->members */
	uint32_t since_s : 30; /* announced then (monotonic), 0: not yet */
	uint32_t home : 1; /* of its session's last login */
	uint32_t told : 1; /* the room has heard of it */
};

struct room {
	struct channel channel;
	struct table_link by_rid; /* server->rooms */
	struct member **members; /* owned array */
	uint32_t n_members, cap;
	struct bucket rate; /* what is said in it, by anybody (room_rate) */
	int64_t entered_ms; /* when somebody here was in it first, since it is followed; 0: nobody yet */
	struct turn *turn;       /* owned; items not yet given to the members (turn.h) */
	int64_t rest_us;         /* given then, or rests until then; monotonic */
	uint32_t people;         /* of a group: its members, 0: not known (marks_group.c) */
	uint16_t classes;        /* bits of (dialect, level) members have had */
	uint8_t together;        /* items that came together of late */
	char name[];             /* the channel's: r:<rid> */
};

/* what a user has from the first that he says, opens or is given on */
struct user_busy {
	struct bucket send; /* 10/s a uid and server */
	struct bucket typing; /* follow/typing.h */
	uint32_t made_s; /* rooms opened in the minute from here on: */
	uint32_t n_made, n_back; /* by who came anew, by who said he is back */
	struct delivering at;
};

struct user {
	struct channel channel;
	struct table_link by_uid; /* server->users */
	struct session *sessions;
	struct user_busy *busy; /* owned; NULL for who has only come */
	uint64_t told;       /* how far he has it, and the log knows (delivered.h) */
	uint32_t n_sessions; /* one uid may have them all */
	char name[]; /* the channel's: u:<uid> */
};

static inline const char *
room_rid(const struct room *room)
{
	return channel_id(&room->channel);
}

/* makes it if need be */
static inline struct user_busy *
user_busy(struct user *u)
{
	if (!u->busy) {
		u->busy = xcalloc(1, sizeof *u->busy);
		u->busy->at.user = u;
	}
	return u->busy;
}

static inline const char *
user_uid(const struct user *u)
{
	return channel_id(&u->channel);
}

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
 * Joining a room again: on_joined at once (later turn) with the present position, nothing is replayed; on_synced when
 * what is still to come of the first join has come.
 */
void room_join(struct server *srv, struct session *s, struct str rid, struct str ep, uint64_t from, bool silent, struct follow_call *call);
void room_leave(struct server *srv, struct session *s, struct str rid);
struct member *room_member(struct session *s, struct str rid); /* NULL: not joined (joining counts as not) */
/* makes the session one of uid's: s->user set at once; private traffic flows from `from` on (useq) or from the head */
void user_attach(struct server *srv, struct session *s, struct str uid, struct str ep, uint64_t from, struct follow_call *call);
/* the session ends: leaves all rooms and its user; bye: presence drops without grace */
void room_detach(struct server *srv, struct session *s, bool bye);
/* the room of its last login, with which it is named without a name; NULL: none */
struct member *room_home(struct session *s);
void room_set_home(struct session *s, struct str rid);
/* who is in it says so once more, with the name he has now */
void room_again(struct server *srv, struct member *m);
struct user *user_find(struct server *srv, struct str uid);
struct str user_key(const struct table_link *e); /* of server->users */
void user_detach(struct server *srv, struct session *s);
/* relay_ops.on_room and on_snapshot */
void room_on_people(struct server *srv, struct channel *c, const struct f_room *f);
void room_snapshot(struct server *srv, void (*put)(void *arg, const struct f_pres *), void *arg);
/* output of s has drained: page on what lags */
void room_on_drain(struct server *srv, struct session *s);
/* the presence line of a session, for PRES frames: snapshot and delta */
void room_presence_fill(const struct session *s, struct f_pres *out);
/* it waits for the log before it is in one of its rooms */
bool room_is_entering(const struct session *s);
/* to the proxies: here he is, in no new room */
void room_announce_none(struct server *srv, struct session *s, bool silent);

#endif
