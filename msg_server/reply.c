/* SPDX-License-Identifier: MIT */
/*
 * One event to one session. It picks the level the answer is spoken in, lets
 * the dialect write the text and queues the frame.
 */
#include "msg_server/reply.h"
#include "msg_server/server.h"
#include "shared/proto/ws.h"

enum {
	REPLY_MAX = 8 * 1024 * 1024, /* a page of 200 items at msg_max */
	REPLY_KEPT = 8192	     /* of the buffer, from one to the next */
};

/* before login only a client that shows it knows level 2 is answered in it */
static unsigned
reply_level(const struct session *s, const struct event *ev)
{
	if (s->level != 0)
		return s->level;
	return s->ctx.level == 2 || str_is_set(ev->cid) ? 2 : 1;
}

void
reply_event(struct session *s, const struct event *ev)
{
	static struct buf text = {.max = REPLY_MAX};
	struct blob *frame;

	if (s->dialect == NULL || !session_is_open(s))
		return;
	s->dialect->encode(ev, reply_level(s, ev), VIEW_SELF, &text);
	if (buf_ok(&text) && buf_len(&text) > 0) {
		frame = ws_text(buf_p(&text), buf_len(&text));
		session_send(s, frame);
		blob_unref(frame);
	} else if (ev->kind == EVENT_ERROR &&
		   dialect_has(s->dialect, DIALECT_OLD)) {
		session_refused(s);
	}
	if (text.cap > REPLY_KEPT)
		buf_fini(&text);
	buf_reset(&text);
}

void
reply_ok(struct session *s, struct str cid)
{
	struct event ev = {.kind = EVENT_OK, .cid = cid};

	if (str_is_set(cid))
		reply_event(s, &ev);
}

void
reply_error(struct session *s, struct str cid, unsigned code, const char *why,
    int64_t retry_ms, unsigned v1_code, const char *v1_text)
{
	struct event ev = {.kind = EVENT_ERROR,
	    .cid = cid,
	    .code = code,
	    .why = why,
	    .retry_ms = retry_ms,
	    .v1_code = v1_code,
	    .v1_text = v1_text};

	reply_event(s, &ev);
}
