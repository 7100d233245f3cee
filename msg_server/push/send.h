/* SPDX-License-Identifier: MIT */
/*
 * A push as the log has it: a private message from one uid to another, kept
 * until he has been given it (who is away finds it at his next login), and the
 * answer to the one question a back end asks of it: is he there now?
 *
 * A caller embeds struct push_send and frees what it is in from done, which
 * comes exactly once, maybe before push_send() returns.
 */
#ifndef MSG_SERVER_PUSH_SEND_H
#define MSG_SERVER_PUSH_SEND_H

#include "msg_server/follow/relay.h"
#include "msg_server/server.h"

/* the sender of what names none */
#define PUSH_NOBODY "push"

struct push_send {
	/* stored: 200, else a code of relay.h; online is told in any case */
	void (*done)(struct push_send *, unsigned code, bool online);
	struct server *srv;
	struct relay_append append;
	struct relay_who who;
	uint8_t waiting;
	bool online;
	unsigned code;
};

struct push_message {
	struct str from, to; /* uids */
	struct str body;     /* push_body() */
	bool json;           /* it is an object */
	struct str id;       /* makes a repeat safe for ten minutes, or absent */
};

void push_send(struct server *srv, const struct push_message *m, struct push_send *call);
/* only the question; code is 200 or 503 */
void push_ask(struct server *srv, struct str uid, struct push_send *call);

#endif
