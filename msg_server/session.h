/* SPDX-License-Identifier: MIT */
/*
 * struct session: who is talking. Embedded in its client (one allocation per
 * connection); holds no bytes and no JSON. Found by cn (session number of the
 * cluster: node << 32 | counter) from everything that answers later.
 *
 * Kept small, as all there is one of for each connection (performance.md 7,
 * row 10): strings live in one packed allocation, what is seldom needed
 * is allocated while it is. tests/unit/msg_server/test_sizes.c holds the sizes.
 */
#ifndef MSG_SERVER_SESSION_H
#define MSG_SERVER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "msg_server/dialect/dialect.h"
#include "shared/base/blob.h"
#include "shared/base/table.h"

struct server;
struct user;
struct member;
struct follow;

/*
 * Where a session stands in one channel. Live: gets items as they come. Not
 * live: behind (resume, lag) and paged from the log by replay.c until it is level
 * with the channel, and is then live in that same turn: no hole, no double.
 * 48 bits of seq are 89 years of 100,000 items a second.
 */
struct cursor {
	uint64_t pos : 48;     /* last seq (u: channels: useq) given to the session */
	uint64_t page : 14;    /* low bits of the number of the last page asked for it */
	uint64_t live : 1;
	uint64_t waiting : 1;  /* the session was not told its position yet (replay.h) */
};

/* leaky bucket, in 1/1000 tokens; 12 bytes */
struct bucket {
	uint32_t milli;
	uint32_t t_ms; /* low bits of the monotonic clock */
};

/* what a session has from what it says until that counts no more */
struct session_busy {
	struct bucket send;
	struct follow *follows; /* joins and attaches not yet synced */
	uint32_t v1_last_s; /* second of the last accepted v1 message + 1; 0: none */
};

struct session {
	uint64_t cn;
	struct table_link by_cn;    /* server->sessions */
	const struct dialect *dialect; /* NULL until the first frame */
	struct user *user;          /* borrowed; NULL before login */
	struct session *next_of_user;
	struct member *members;     /* owned; rooms joined, linked by next_of_session */
	char *name;                 /* owned, packed "name\0avatar\0dev\0rooms\0" */
	struct session_busy *busy;  /* NULL for who is silent; see session_busy() */
	struct cursor priv;         /* in its u: channel: private traffic */
	uint64_t exp_ms : 44;       /* token expiry, 0 never */
	uint64_t level : 2;         /* 0 before login, 1, 2 */
	uint64_t logging_in : 1;    /* login under way: a second one is refused 409 */
	uint64_t away : 1, batch : 1, silent : 1;
	uint64_t paging : 1;  /* a page is under way */
	uint64_t given : 1;   /* what it has of its user's channel it was given (delivered.h) */
	uint64_t looking : 1; /* a look at the queue after its flush is under way */
	uint64_t said : 1;    /* it was told that it is the newest of its user (newest.h) */
	uint64_t passed : 1;  /* and another one is now: it hears nothing */
	uint64_t adm : 1;     /* its token says so: it may give rooms titles */
	uint64_t anew : 1;    /* it was in as somebody else, and this login is under way */
	uint64_t unsaid : 1;  /* the proxies hear of it with the room it is entering */
	uint16_t n_rooms;
	uint16_t page;              /* pages asked for, of all its cursors; at most one is under way */
	uint8_t pending;            /* appends not yet acked, <= 64 */
	uint8_t asks;               /* questions not yet answered; 255: or more */
	struct dialect_ctx ctx;
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct session) <= 88,
    "an idle user takes more than he need to");

/* the key of server->sessions */
static inline struct str
session_key(const struct table_link *e)
{
	const struct session *s = container_of(e, const struct session, by_cn);

	return str_n((const char *)&s->cn, sizeof s->cn);
}

/*
 * Goes through all sessions in no order: the next one after s, NULL at the end;
 * the first after NULL. Asked for before s goes; none may come meanwhile.
 */
static inline struct session *
session_next(const struct table *t, const struct session *s)
{
	struct table_link *e = s ? table_next(t, &s->by_cn, session_key) : table_first(t);

	return e ? container_of(e, struct session, by_cn) : NULL;
}

#define SESSION_EACH(t, s, after)                                  \
	for ((s) = session_next((t), NULL);                        \
	     (s) != NULL && ((after) = session_next((t), (s)), 1); \
	     (s) = (after))

/* an item of a room that it has sent itself is not for it (version 1, per socket) */
static inline bool
session_is_silent_to_itself(const struct session *s)
{
	return s->level < 2 && !dialect_has(s->dialect, DIALECT_ECHO);
}

struct str session_name(const struct session *s);
struct str session_avatar(const struct session *s); /* absent when empty */
struct str session_dev(const struct session *s);
struct str session_uid(const struct session *s); /* absent before login */
void session_set_strings(struct session *s, struct str name, struct str avatar, struct str dev);
void session_drop_strings(struct session *s);
/* of its token, 0 never; what is beyond the year 2500 is never, too */
static inline void
session_set_expiry(struct session *s, uint64_t exp_ms)
{
	s->exp_ms = exp_ms >> 44 == 0 ? exp_ms : 0;
}

/* the only rooms it may be in, a blank behind each; absent: any */
void session_set_rooms(struct session *s, struct str rooms);
bool session_may_join(const struct session *s, struct str rid);
struct session *session_find(struct server *srv, uint64_t cn);
/* token bucket: true when one may pass; else *retry_ms */
bool bucket_take(struct bucket *b, uint32_t rate_per_s, uint32_t burst, int64_t *retry_ms);
/* nothing is in it: as good as a fresh one */
bool bucket_is_empty(const struct bucket *b, uint32_t rate_per_s);
/* one has passed, whatever was in it */
void bucket_pour(struct bucket *b, uint32_t rate_per_s, uint32_t burst);

/* --- provided by client.c --- */
/* makes it if need be; goes when nothing in it counts any more */
struct session_busy *session_busy(struct session *s);
/* the way out. Queue only; nothing is written inside. */
void session_send(struct session *s, struct blob *frame);
/* n frames joined to one block, shared or not */
void session_send_block(struct session *s, struct blob *block, unsigned n);
/* counts a refusal for which its dialect has no words */
void session_refused(struct session *s);
/* WebSocket close with one of our codes (protocol.md 6); "retry=<ms>" when retry_ms > 0; deferred */
void session_close(struct session *s, unsigned code, const char *why, int64_t retry_ms);
/* the end without a WebSocket close: after what is queued, or at once */
void session_cut(struct session *s, bool at_once);
/* bytes waiting in this session's output queue */
uint32_t session_queued(const struct session *s);
bool session_is_open(const struct session *s);
/* nothing waits for it, neither here nor in the kernel: its machine has all */
bool session_has_all(const struct session *s);

#endif
