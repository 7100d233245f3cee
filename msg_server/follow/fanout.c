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

void
fanout_send(struct fanout *f, struct session *s, enum view view)
{
	const struct dialect *d = s->dialect;
	unsigned level = s->level > 1;
	struct blob **made = &f->made[d->index][level][view];

	if (f->empty[d->index][level][view])
		return;
	if (!*made) {
		struct buf text;

		buf_init(&text, FANOUT_FRAME_MAX);
		d->encode(f->ev, s->level, view, &text);
		if (buf_len(&text) && buf_ok(&text))
			*made = ws_text(buf_p(&text), buf_len(&text));
		else
			f->empty[d->index][level][view] = 1;
		buf_fini(&text);
		if (!*made)
			return;
	}
	session_send(s, *made);
}

void
fanout_end(struct fanout *f)
{
	for (unsigned d = 0; d < DIALECT_MAX; d++)
		for (unsigned l = 0; l < 2; l++)
			for (unsigned v = 0; v < VIEW_COUNT; v++)
				blob_unref(f->made[d][l][v]);
}
