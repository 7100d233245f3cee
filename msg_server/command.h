/* SPDX-License-Identifier: MIT */
/*
 * struct command: what a client wants, whatever dialect it spoke. A dialect's
 * decode() makes it, command_run() checks it against the one table (state?
 * right? rate? sizes?) and calls the handler in cmd/. Handlers answer through
 * reply.h, never with bytes. All strings are borrowed until command_run returns.
 */
#ifndef MSG_SERVER_COMMAND_H
#define MSG_SERVER_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/id.h"

struct server;
struct session;

/*      enum          name in JSON   handler           allowed  level */
#define COMMAND_TABLE(X)                                                       \
	X(CMD_LOGIN,       "login",      cmd_login,       ST_ANY, 1)           \
	X(CMD_MESSAGE,     "message",    cmd_message,     ST_ANY, 1)           \
	X(CMD_EDIT,        "edit",       cmd_edit,        ST_IN,  2)           \
	X(CMD_RECALL,      "recall",     cmd_recall,      ST_IN,  2)           \
	X(CMD_REACT,       "react",      cmd_react,       ST_IN,  2)           \
	X(CMD_TITLE,       "title",      cmd_title,       ST_IN,  2)           \
	X(CMD_JOIN,        "join",       cmd_join,        ST_IN,  2)           \
	X(CMD_LEAVE,       "leave",      cmd_leave,       ST_IN,  2)           \
	X(CMD_GET_HISTORY, "getHistory", cmd_get_history, ST_IN,  2)           \
	X(CMD_GET_ONLINE,  "getOnline",  cmd_get_online,  ST_IN,  2)           \
	X(CMD_INBOX,       "inbox",      cmd_inbox,       ST_IN,  2)           \
	X(CMD_MARK,        "mark",       cmd_mark,        ST_IN,  2)           \
	X(CMD_GET_MARKS,   "getMarks",   cmd_get_marks,   ST_IN,  2)           \
	X(CMD_TYPING,      "typing",     cmd_typing,      ST_IN,  2)           \
	X(CMD_WATCH,       "watch",      cmd_watch,       ST_IN,  2)           \
	X(CMD_STATUS,      "status",     cmd_status,      ST_IN,  2)           \
	X(CMD_AUTH,        "auth",        cmd_auth,        ST_IN,  2)           \
	X(CMD_PING,        "ping",       cmd_ping,        ST_ANY, 2)           \
	X(CMD_PONG,        "pong",       cmd_pong,        ST_ANY, 2)           \
	X(CMD_BYE,         "bye",        cmd_bye,         ST_ANY, 2)

/* ST_ANY: the handler judges itself (v1's order of checks); ST_IN: 401 before login */
enum command_state { ST_ANY, ST_IN };

enum command_kind {
#define X(kind, name, handler, state, level) kind,
	COMMAND_TABLE(X)
#undef X
	CMD_COUNT
};

enum msg_type { MSG_TEXT, MSG_AUDIO, MSG_PIC, MSG_FILE };

/* a client's position in a conversation */
struct pos_arg {
	struct str rid; /* "@" for all private traffic */
	struct str ep;
	uint64_t seq;
};

enum { POS_MAX = 129, UIDS_MAX = 200, NOTE_MAX = 16384 };

struct command {
	enum command_kind kind;
	struct str cid; /* absent: no answer wanted beyond the documented ones */
	struct str rid, tid; /* tid "" (level 1 only): to the room, but said */
	/* rid absent: login to the setting `lobby`, message to the room of the last login */
	bool rid_is_num; /* v1 echoes the JSON type that came */
	struct str msg;
	bool msg_is_json; /* msg is compact JSON (an old client sent a non-string) */
	bool msg_is_push; /* and a push object (shared/proto/push.h) */
	enum msg_type type;
	uint64_t re; /* seq this message answers to, 0: none */
	struct str at; /* uids it calls, with commas between, or absent */
	/* edit (its words are in msg), recall, react: seq of the message meant */
	uint64_t ref;
	struct str emo; /* react */
	bool on;        /* react: false takes it back; typing */
	struct str title; /* of a room, "": none from now on */
	uint64_t to_cn; /* private, to whoever's session that is, instead of tid; 0: not so */
	struct str note; /* at most NOTE_MAX bytes that come back with the answer (event.h), or absent */
	/* login */
	struct str uid, name, avatar, token, dev, from_key;
	unsigned level; /* 1, or 2 with "v":2 */
	bool inbox, batch;
	bool moves; /* when it is in already: out of the room of its last login, into this one, with this name */
	bool no_room; /* into none */
	bool by_credentials; /* uid and token are those of sok (push/login.h) */
	bool proven; /* that he is uid is known */
	const struct pos_arg *pos; /* login: many; join: one or none */
	size_t n_pos;
	/* getHistory */
	uint64_t before, after, around, limit;
	bool has_before, has_after, has_around;
	/* getOnline, inbox, getMarks */
	struct str next;
	/* getOnline */
	const struct str *uids;
	size_t n_uids;
	/* mark */
	uint64_t read, recv;
	/* getMarks */
	uint64_t seq;
	/* status */
	struct str status;
	/* ping */
	int64_t t;
};

/* from a dialect, once per decoded command */
void command_run(struct server *srv, struct session *s, const struct command *cmd);

#define X(kind, name, handler, state, level)                                   \
	void handler(struct server *srv, struct session *s, const struct command *cmd);
COMMAND_TABLE(X)
#undef X

#endif
