/* SPDX-License-Identifier: MIT */
/*
 * One event to many sessions. The frame is built once per (dialect, level,
 * view), header in front of the payload in one blob, and shared by reference:
 * nothing is allocated, hashed or copied per recipient but a queue entry.
 */
#include "msg_server/follow/fanout.h"
#include "msg_server/server.h"
#include "shared/proto/ws.h"

enum { FANOUT_FRAME_MAX = 512 * 1024 };

void
fanout_begin(struct fanout *f, const struct event *ev)
{
	memset(f, 0, sizeof *f);
	f->ev = ev;
}

/* one frame, or two joined; NULL: there are no words for it */
static struct blob *
fanout_make(const struct event *ev, const struct dialect *d, unsigned level,
    enum view view)
{
	struct blob *made = NULL;
	struct buf text, more, both;

	buf_init(&text, FANOUT_FRAME_MAX);
	d->encode(ev, level, view, &text);
	if (!buf_len(&text) || !buf_ok(&text)) {
		buf_fini(&text);
		return NULL;
	}
	buf_init(&more, FANOUT_FRAME_MAX);
	if (d->also)
		d->also(ev, level, view, &more);
	if (buf_len(&more) && buf_ok(&more)) {
		buf_init(&both, 2 * FANOUT_FRAME_MAX + 64);
		ws_put_header(&both, buf_len(&text));
		buf_putstr(&both, buf_str(&text));
		ws_put_header(&both, buf_len(&more));
		buf_putstr(&both, buf_str(&more));
		made = blob_take(&both);
		buf_fini(&both);
	} else {
		made = ws_text(buf_p(&text), buf_len(&text));
	}
	buf_fini(&more);
	buf_fini(&text);
	return made;
}

void
fanout_send(struct fanout *f, struct session *s, enum view view)
{
	const struct dialect *d = s->dialect;
	unsigned level = s->level > 1;
	struct blob **made = &f->made[d->index][level][view];

	if (f->empty[d->index][level][view])
		return;
	if (!*made) {
		*made = fanout_make(f->ev, d, s->level, view);
		if (!*made) {
			f->empty[d->index][level][view] = 1;
			return;
		}
		if (f->dialects <= d->index)
			f->dialects = (uint8_t)(d->index + 1);
	}
	session_send(s, *made);
}

void
fanout_end(struct fanout *f)
{
	for (unsigned d = 0; d < f->dialects; d++)
		for (unsigned l = 0; l < 2; l++)
			for (unsigned v = 0; v < VIEW_COUNT; v++)
				blob_unref(f->made[d][l][v]);
}
