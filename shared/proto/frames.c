/* SPDX-License-Identifier: MIT */
/*
 * Frames of a link's own life: ACTIVE, PING, PONG, CREDIT, ERROR, and the two
 * without fields. The other families: frames_log.c, frames_pres.c,
 * frames_topo.c.
 */
#include "shared/proto/frames.h"

#include "shared/proto/frames_priv.h"

void
frames_end(struct buf *b, size_t mark)
{
	if (link_end(b, mark) != 0)
		b->failed = true;
}

void
put_active(struct buf *b, const struct f_active *f)
{
	size_t mark = link_begin(b, F_ACTIVE, 0);

	wire_put_u64(b, f->gen);
	wire_put_str(b, f->ep);
	wire_put_u8(b, f->active);
	frames_end(b, mark);
}

int
get_active(struct str body, struct f_active *f)
{
	struct fields in;

	fields_init(&in, body);
	f->gen = wire_u64(&in.w);
	f->ep = fields_ep(&in, true);
	f->active = fields_bool(&in);
	/* who is active has a history */
	if (f->active && !str_is_set(f->ep))
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_ping(struct buf *b, uint8_t type, const struct f_ping *f)
{
	size_t mark = link_begin(b, type, 0);

	wire_put_u64(b, (uint64_t)f->t);
	wire_put_u64(b, f->items_sent);
	frames_end(b, mark);
}

int
get_ping(struct str body, struct f_ping *f)
{
	struct fields in;

	fields_init(&in, body);
	f->t = (int64_t)wire_u64(&in.w);
	f->items_sent = wire_u64(&in.w);
	return fields_end(&in);
}

void
put_credit(struct buf *b, uint32_t bytes)
{
	size_t mark = link_begin(b, F_CREDIT, 0);

	wire_put_u32(b, bytes);
	frames_end(b, mark);
}

int
get_credit(struct str body, uint32_t *bytes)
{
	struct fields in;

	fields_init(&in, body);
	*bytes = wire_u32(&in.w);
	return fields_end(&in);
}

void
put_error(struct buf *b, const struct f_error *f)
{
	size_t mark = link_begin(b, F_ERROR, 0);

	wire_put_u16(b, f->code);
	wire_put_str(b, f->text);
	frames_end(b, mark);
}

int
get_error(struct str body, struct f_error *f)
{
	struct fields in;

	fields_init(&in, body);
	f->code = wire_u16(&in.w);
	f->text = fields_text(&in, TEXT_MAX, true);
	return fields_end(&in);
}

void
put_empty(struct buf *b, uint8_t type)
{
	frames_end(b, link_begin(b, type, 0));
}
