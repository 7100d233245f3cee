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

enum { DIALECT_MAX = 5 };

/* small state a dialect may keep per session, zeroed at connect */
struct dialect_ctx {
	uint8_t level;       /* as the client's first login asked: 0 before it, then 1 or 2 */
	uint8_t rid_is_num : 1; /* in its last login */
	uint8_t in : 1;      /* logged in: the level stays (set by cmd_login) */
};

struct dialect {
	const char *name;
	uint8_t index; /* 0..DIALECT_MAX-1, for tables */
	/* is this first frame of a connection mine? */
	bool (*guess)(struct str text);
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
	unsigned ws_ping; /* 1: kept alive by WebSocket pings, never by a JSON frame */
};

extern const struct dialect dialect_cchat;

/* all of them, NULL-ended */
extern const struct dialect *const dialects[];
const struct dialect *dialect_by_name(struct str name);

#endif
