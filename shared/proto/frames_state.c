/* SPDX-License-Identifier: MIT */
/*
 * Frames about what stands beside the items: RAISE, GET, GOT (single state
 * records), STATES and STATED (pages of them), INBOX and INBOXED (a user's
 * conversations). Field order is the
 * order of the structs in frames_state.h.
 */
#include "shared/proto/frames_state.h"
#include "shared/proto/frames_priv.h"

static struct str
frames_get_key(struct fields *in)
{
	struct str key = fields_text(in, STATE_KEY_MAX, false);

	if (key.len == 0)
		fields_fail(in, ERR_PROTO);
	return key;
}

void
put_raise(struct buf *b, const struct f_raise *f)
{
	size_t mark = link_begin(b, F_RAISE, 0);

	wire_put_str(b, f->chan);
	wire_put_str(b, f->key);
	wire_put_u64(b, f->n);
	wire_put_str(b, f->ep);
	wire_put_str(b, f->tell);
	wire_put_str(b, f->body);
	wire_put_str(b, f->of);
	frames_end(b, mark);
}

int
get_raise(struct str body, struct f_raise *f)
{
	struct fields in;

	fields_init(&in, body);
	f->chan = fields_chan(&in, 0, false);
	f->key = frames_get_key(&in);
	f->n = wire_u64(&in.w);
	f->ep = fields_ep(&in, false);
	f->tell = fields_chan(&in, CHAN_USER, true);
	f->body = fields_str(&in, STATE_VAL_MAX, true);
	f->of = fields_chan(&in, 0, true);
	/* numbers of items, which are below 2^63 */
	if (f->n > INT64_MAX)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_get(struct buf *b, const struct f_get *f)
{
	size_t mark = link_begin(b, F_GET, 0);

	wire_put_u32(b, f->rid);
	wire_put_str(b, f->chan);
	wire_put_str(b, f->key);
	frames_end(b, mark);
}

int
get_get(struct str body, struct f_get *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->chan = fields_chan(&in, 0, false);
	f->key = frames_get_key(&in);
	return fields_end(&in);
}

void
put_got(struct buf *b, const struct f_got *f)
{
	size_t mark = link_begin(b, F_GOT, 0);

	wire_put_u32(b, f->rid);
	wire_put_u16(b, f->code);
	wire_put_str(b, f->ep);
	wire_put_u64(b, f->head);
	wire_put_u64(b, f->first);
	wire_put_str(b, f->val);
	frames_end(b, mark);
}

int
get_got(struct str body, struct f_got *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->code = wire_u16(&in.w);
	f->ep = fields_ep(&in, true);
	f->head = wire_u64(&in.w);
	f->first = wire_u64(&in.w);
	f->val = fields_str(&in, STATE_VAL_MAX, true);
	return fields_end(&in);
}

/* --- pages of records ---------------------------------------------------- */

void
put_states(struct buf *b, const struct f_states *f)
{
	size_t mark = link_begin(b, F_STATES, 0);

	wire_put_u32(b, f->rid);
	wire_put_str(b, f->chan);
	wire_put_str(b, f->prefix);
	wire_put_str(b, f->after);
	wire_put_u16(b, f->n);
	wire_put_u8(b, f->count);
	frames_end(b, mark);
}

int
get_states(struct str body, struct f_states *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->chan = fields_chan(&in, 0, false);
	f->prefix = frames_get_key(&in);
	f->after = fields_text(&in, STATE_KEY_MAX, true);
	f->n = fields_count(&in, STATES_PAGE_MAX);
	f->count = fields_bool(&in);
	if (f->n == 0)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

size_t
put_stated_begin(struct buf *b, const struct f_stated *f)
{
	size_t mark = link_begin(b, F_STATED, 0);

	wire_put_u32(b, f->rid);
	wire_put_u16(b, f->code);
	wire_put_str(b, f->ep);
	wire_put_u32(b, f->count);
	wire_put_u8(b, f->more);
	wire_put_u16(b, f->n);
	return mark;
}

void
put_stated_rec(struct buf *b, const struct state_rec *rec)
{
	frames_put_state(b, rec);
}

void
put_stated_end(struct buf *b, size_t mark)
{
	frames_end(b, mark);
}

int
get_stated(struct str body, struct f_stated *f, struct str *rest)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->code = wire_u16(&in.w);
	f->ep = fields_ep(&in, true);
	f->count = wire_u32(&in.w);
	f->more = fields_bool(&in);
	f->n = fields_count(&in, STATES_PAGE_MAX);
	*rest = STR_NONE;
	if (in.err != 0 || in.w.bad)
		return in.err != 0 ? in.err : ERR_PROTO;
	*rest = str_n(in.w.p, (size_t)(in.w.end - in.w.p));
	return f->n == 0 && rest->len > 0 ? ERR_PROTO : 0;
}

int
frames_states_next(struct str *rest, struct state_rec *rec)
{
	struct fields in;

	memset(rec, 0, sizeof *rec);
	fields_init(&in, *rest);
	frames_get_state(&in, rec);
	if (in.err != 0 || in.w.bad)
		return in.err != 0 ? in.err : ERR_PROTO;
	*rest = str_n(in.w.p, (size_t)(in.w.end - in.w.p));
	return 0;
}

/* --- a user's conversations --------------------------------------------- */

static void
frames_put_at(struct buf *b, const struct f_inbox_at *at)
{
	wire_put_u8(b, at->part);
	wire_put_u64(b, at->lo);
	wire_put_u64(b, at->hi);
	wire_put_str(b, at->key);
}

static void
frames_get_at(struct fields *in, struct f_inbox_at *at, uint8_t least)
{
	at->part = fields_enum(in, least, INBOX_MARKS);
	at->lo = wire_u64(&in->w);
	at->hi = wire_u64(&in->w);
	at->key = fields_text(in, STATE_KEY_MAX, true);
	/* one above: nothing has been looked at yet */
	if (at->lo > at->hi && at->lo - at->hi > 1)
		fields_fail(in, ERR_PROTO);
}

void
put_inbox(struct buf *b, const struct f_inbox *f)
{
	size_t mark = link_begin(b, F_INBOX, 0);

	wire_put_u32(b, f->rid);
	wire_put_str(b, f->chan);
	wire_put_u16(b, f->n);
	frames_put_at(b, &f->at);
	wire_put_u16(b, f->n_rooms);
	for (unsigned i = 0; i < f->n_rooms; i++)
		wire_put_str(b, f->rooms[i]);
	frames_end(b, mark);
}

int
get_inbox(struct str body, struct f_inbox *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->chan = fields_chan(&in, CHAN_USER, false);
	f->n = fields_count(&in, INBOX_MAX);
	frames_get_at(&in, &f->at, INBOX_ROOMS);
	f->n_rooms = (uint8_t)fields_count(&in, INBOX_ROOMS_MAX);
	for (unsigned i = 0; i < f->n_rooms; i++)
		f->rooms[i] = fields_word(&in, false);
	if (f->n == 0)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

size_t
put_inboxed_begin(struct buf *b, const struct f_inboxed *f)
{
	size_t mark = link_begin(b, F_INBOXED, 0);

	wire_put_u32(b, f->rid);
	wire_put_u16(b, f->code);
	wire_put_str(b, f->ep);
	frames_put_at(b, &f->next);
	wire_put_u16(b, f->n);
	return mark;
}

void
put_inboxed_entry(struct buf *b, const struct inbox_entry *e)
{
	wire_put_str(b, e->chan);
	wire_put_u64(b, e->head);
	wire_put_u64(b, e->read);
	wire_put_u32(b, e->unread);
	wire_put_u8(b, e->has_last);
	if (e->has_last)
		frames_put_item(b, &e->last);
}

void
put_inboxed_end(struct buf *b, size_t mark)
{
	frames_end(b, mark);
}

int
get_inboxed(struct str body, struct f_inboxed *f, struct str *rest)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->code = wire_u16(&in.w);
	f->ep = fields_ep(&in, true);
	frames_get_at(&in, &f->next, 0);
	f->n = fields_count(&in, INBOX_MAX);
	*rest = STR_NONE;
	if (in.err != 0 || in.w.bad)
		return in.err != 0 ? in.err : ERR_PROTO;
	*rest = str_n(in.w.p, (size_t)(in.w.end - in.w.p));
	return f->n == 0 && rest->len > 0 ? ERR_PROTO : 0;
}

int
frames_inbox_next(struct str *rest, struct inbox_entry *e)
{
	struct fields in;

	memset(e, 0, sizeof *e);
	fields_init(&in, *rest);
	e->chan = fields_chan(&in, 0, false);
	e->head = wire_u64(&in.w);
	e->read = wire_u64(&in.w);
	e->unread = wire_u32(&in.w);
	e->has_last = fields_bool(&in);
	if (e->has_last)
		frames_get_item(&in, &e->last);
	if (in.err != 0 || in.w.bad)
		return in.err != 0 ? in.err : ERR_PROTO;
	*rest = str_n(in.w.p, (size_t)(in.w.end - in.w.p));
	return 0;
}
