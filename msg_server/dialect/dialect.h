/* SPDX-License-Identifier: MIT */
/*
 * A dialect turns one wire protocol into struct command and struct event back
 * into bytes: one const struct and one file each. It knows JSON and its
 * protocol's quirks; it touches no room, no socket, no log. Chosen once per
 * connection, by its first frame among those the listener lists.
 */
#ifndef MSG_SERVER_DIALECT_DIALECT_H
#define MSG_SERVER_DIALECT_DIALECT_H

#include "msg_server/command.h"
#include "msg_server/event.h"
#include "shared/base/buf.h"
#include "shared/proto/json.h"

enum { DIALECT_MAX = 7 };

/* what the core does otherwise for a dialect */
enum dialect_trait {
	DIALECT_OLD = 1,        /* of an older system: a name may be missing */
	DIALECT_PACE = 2,       /* level 1: v1_interval between messages, no bucket */
	DIALECT_ECHO = 4,       /* level 1: sees on its own socket what it said in a room */
	DIALECT_HEARS_OUT = 8,  /* level 1: newUser once a user and offline, each by itself, in rooms of any size */
	DIALECT_PEOPLE = 16,    /* EVENT_LOGIN says who is in the room */
	DIALECT_FD_UID = 32,    /* a session is a person of its own: its uid is its number */
	DIALECT_NO_KILL = 64,   /* silence ends no connection: it is pinged again */
	DIALECT_AT_ONCE = 128,  /* where it is listed first, any handshake is its own */
	DIALECT_GROUPS = 256,   /* a session is in all groups of its user, and a login under another uid makes it his */
	DIALECT_WAITS = 512,    /* its clients connect first and log in when they like */
	DIALECT_NO_GRACE = 1024, /* who is gone is gone at once */
	DIALECT_FORMS = 4096,   /* its page brings pictures by forms, without a key (upload/upload.h) */
	DIALECT_NEWEST = 2048   /* of a user's sessions only the newest one hears */
};

/* small state a dialect may keep per session, zeroed at connect */
struct dialect_ctx {
	uint8_t level;       /* as the client's first login asked: 0 before it, then 1 or 2 */
	uint8_t rid_is_num : 1; /* in its last login */
	uint8_t in : 1;      /* logged in: the level stays (set by cmd_login) */
};

struct dialect {
	const char *name;
	uint8_t index; /* 0..DIALECT_MAX-1, for tables */
	uint16_t traits; /* of enum dialect_trait */
	uint16_t silence_s; /* silence that ends a connection, unasked; 0: none does */
	uint16_t ping_s; /* silence after which EVENT_PING is said; 0: WebSocket pings by the setting `ping` */
	/* is this first frame of a connection mine? */
	bool (*guess)(struct str text);
	/* is a connection mine by the path and the query of its handshake? NULL: its first frame says */
	bool (*at_open)(struct str path, struct str query);
	/* such a connection is open: commands and an answer, as decode() */
	void (*open)(struct dialect_ctx *ctx, struct str path, struct str query,
	    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err);
	/*
	 * One text frame -> zero or more commands through emit, or an answer of its own
	 * (malformed input) appended to err, a complete JSON text to send back. Never closes.
	 */
	void (*decode)(struct dialect_ctx *ctx, struct str text,
	    void (*emit)(void *arg, const struct command *), void *arg, struct buf *err);
	/* one event -> one JSON text appended to out; nothing appended: this dialect can't say it */
	void (*encode)(const struct event *ev, unsigned level, enum view view, struct buf *out);
	/*
	 * An EVENT_ITEM of a room as VIEW_SELF, made from what encode() said of it as
	 * VIEW_OTHER, and the same as encode() would say; NULL: it is encoded twice.
	 */
	void (*own)(const struct event *ev, unsigned level, struct str other, struct buf *out);
	/* a second text, a frame of its own behind the first, for an event to many that is no item; NULL: never */
	void (*also)(const struct event *ev, unsigned level, enum view view, struct buf *out);
};

/* d NULL: not known yet, it has none */
static inline bool
dialect_has(const struct dialect *d, enum dialect_trait t)
{
	return d != NULL && (d->traits & t) != 0;
}

/* dialects in the order in which they are asked */
struct dialect_set {
	const struct dialect *list[DIALECT_MAX];
	unsigned n;
};

/* whose first frame that is; the first of the set when nobody's; cchat is asked
 * last, for it takes whatever has a cmd */
const struct dialect *dialect_guess(const struct dialect_set *set, struct str text);
/* whose handshake that is; NULL: the first frame will say */
const struct dialect *dialect_at_open(const struct dialect_set *set, struct str path, struct str query);

extern const struct dialect dialect_cchat, dialect_meteor, dialect_sok;
/* PHPWebIM of 2016, and what the classic one and that of 2019 do otherwise */
extern const struct dialect dialect_webim, dialect_webim_2014, dialect_webim_2019;
extern const struct dialect dialect_workerman;

/* all of them, NULL-ended */
extern const struct dialect *const dialects[];
const struct dialect *dialect_by_name(struct str name);

#endif
