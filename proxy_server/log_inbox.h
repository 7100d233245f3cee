/* SPDX-License-Identifier: MIT */
/*
 * A user's conversations (frames_state.h INBOX), read from messages.db on the
 * reader's thread, within a read transaction of the caller's. What it costs
 * does not grow with what a user has: his newest INBOX_WINDOW pointers are
 * looked at, of each conversation its newest INBOX_UNREAD items are counted,
 * and a page ends at INBOX_LOOK rows or INBOX_BYTES of bodies.
 *
 * A conversation stands where its newest pointer was when the first page was
 * asked for. What the pages before have given is found again from the cursor,
 * so nothing has to be remembered from page to page.
 */
#ifndef PROXY_SERVER_LOG_INBOX_H
#define PROXY_SERVER_LOG_INBOX_H

#include "proxy_server/log_sqlite.h"
#include "shared/proto/frames_state.h"

enum {
	INBOX_WINDOW = 5000,
	INBOX_UNREAD = 1000, /* more than that is not counted */
	INBOX_LOOK = 10000,
	INBOX_BYTES = 65536,
	INBOX_LAST = 20 /* items among which the newest message is looked for */
};

/* a whole INBOXED frame, the caller's; or an error of the database */
int log_inbox_page(struct logdb *db, const struct f_inbox *q,
    struct blob **frame) MUST_CHECK;
/* the frame that says 503 */
struct blob *log_inbox_failed(const struct f_inbox *q);

#endif
