/* SPDX-License-Identifier: MIT */
/*
 * The list of a user's conversations (protocol.md section 3, `inbox`): asked
 * of the log, a page at a time, and given to one session. Unread is counted
 * there and stored nowhere.
 *
 * After a login with "inbox":true the first page comes behind `synced`, with
 * the login's cid; further ones are asked for by the command with `next`. A
 * room that the session may not join now is left out. A page that a recall of
 * what the session hears has overtaken is asked for again, three times at most.
 */
#ifndef MSG_SERVER_INBOX_H
#define MSG_SERVER_INBOX_H

#include "msg_server/server.h"

enum { INBOX_PAGE = 50 };

/* answered later: an EVENT_INBOX, or 503; at NULL: from the beginning */
void inbox_ask(struct server *srv, struct session *s, struct str cid,
    const struct f_inbox_at *at);
/* what a client gave as `next`; at's key points into it. ERR_INVALID */
int inbox_next_parse(struct str next, struct f_inbox_at *at) MUST_CHECK;

#endif
