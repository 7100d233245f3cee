/* SPDX-License-Identifier: MIT */
/*
 * struct event: what clients are to see, whatever dialect they speak. Made by
 * the core, turned into bytes by a dialect's encode(). Events for many are
 * encoded once per (dialect, level, view) by fanout; answers to one session go
 * through reply.h. Strings are borrowed until the call returns.
 */
#ifndef MSG_SERVER_EVENT_H
#define MSG_SERVER_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "msg_server/command.h"
#include "shared/proto/frames_state.h"

enum event_kind {
	/* to many */
	EVENT_ITEM,     /* a log item of a room or a private pair */
	EVENT_NEW_USER, /* user came into room rid */
	EVENT_OFFLINE,  /* last device of user left room rid */
	EVENT_PRESENCE, /* batch for big rooms */
	EVENT_MARK,     /* read mark of a peer, or of myself on another device */
	EVENT_TYPING,   /* uid is writing something in a conversation, or no longer: on */
	EVENT_STATUS,
	EVENT_NOTICE,
	/* to one: answers and the session's own life */
	EVENT_LOGIN, EVENT_OK, EVENT_ERROR, EVENT_HISTORY, EVENT_ONLINE, EVENT_MARKS, EVENT_INBOX, EVENT_SYNCED, EVENT_GAP, EVENT_PONG, EVENT_PING, EVENT_AUTH,
	EVENT_MOVE,
	EVENT_PUSH /* text of a back end, for this session */
};

/*
 * For whom the bytes are:
 * VIEW_OTHER  somebody else's socket
 * VIEW_SELF   a socket of the sender's uid (v2: with cid; v1: other sockets of the sender see it as VIEW_OTHER)
 */
enum view { VIEW_OTHER, VIEW_SELF, VIEW_COUNT };

struct event_pos { /* one entry of "pos" in login and join answers */
	struct str rid; /* or "@" */
	struct str ep;
	uint64_t seq, from, n;
	bool full;
	struct str title; /* of the room, or absent */
};

struct event {
	enum event_kind kind;
	struct str cid;
	struct str rid, tid; /* conversation as the recipient names it; tid set: private with tid */
	bool rid_is_num;
	struct str uid, name, avatar, dev; /* whom it is about */
	uint64_t cn; /* his session: EVENT_NEW_USER, EVENT_OFFLINE, EVENT_LOGIN, EVENT_OK (message); an item has its own */
	struct str note; /* EVENT_OK and EVENT_ERROR of a message, EVENT_LOGIN of a login that had one */
	struct str text; /* EVENT_PUSH */
	/* EVENT_ITEM */
	const struct item *item;
	bool missed; /* came while the reader was not there, or behind */
	/* EVENT_ERROR: v1 text and code are chosen by the dialect from `why`; v2 sends code */
	unsigned code;
	const char *why;      /* short English, for v2; may be NULL */
	unsigned v1_code;     /* 50, 101, 102 */
	const char *v1_text;  /* recorded text */
	int64_t retry_ms;     /* 0: permanent */
	/* EVENT_LOGIN */
	struct str token, sid, srv;
	int64_t now, exp;
	unsigned ping_s, retry_base, retry_max, msg_max, rooms_max, rate, rate_burst;
	const struct str *alt;
	size_t n_alt;
	struct str up_url, up_key; /* of uploads; absent: there are none */
	const uint64_t *up_max; /* bytes of a picture, of sound, of a file */
	/* EVENT_LOGIN, EVENT_OK (join) */
	const struct event_pos *pos;
	size_t n_pos;
	/* EVENT_OK (message) */
	uint64_t seq, useq;
	int64_t ts;
	struct str chan; /* mid = chan/seq */
	bool dup;
	bool unkept; /* ok: acknowledged, but kept nowhere (keep_days 0) */
	/* EVENT_INBOX: page: n_items of frames_inbox_next(); uid: whose; next */
	/* EVENT_HISTORY: a page, ascending; items of the frame `rest`, frames_page_next() n_items times */
	struct str page;
	uint64_t first, last;
	size_t n_items;
	bool reversed; /* page runs newest first: encode it turned round */
	bool more;
	struct str ep;
	/* EVENT_ONLINE, EVENT_PRESENCE */
	uint32_t count;
	/* EVENT_LOGIN with DIALECT_PEOPLE, EVENT_ONLINE of old dialects: [{"cn","uid","name","avatar"?}] */
	struct str list; /* complete JSON array */
	struct str next;
	const struct room_user *in, *out; /* EVENT_PRESENCE */
	size_t n_in, n_out;
	/* EVENT_PRESENCE: further people changed, who are not in the lists */
	bool more_people;
	/* EVENT_STATUS: ts: when an absent one left, 0: not known */
	uint8_t status; /* enum user_status */
	/* EVENT_GAP */
	uint64_t gap_from, gap_to;
	/* EVENT_MARK */
	uint64_t read, recv;
	/* EVENT_MARKS: seq asked of; count: who have read it, of this page; list:
	 * their uids; next; read: of a private conversation, how far the peer is */
	/* EVENT_TYPING */
	bool on;
	/* EVENT_PONG, EVENT_PING */
	int64_t t;
	/* EVENT_MOVE; url absent: the same as now */
	struct str url, key;
	int64_t in_ms;
};

#endif
