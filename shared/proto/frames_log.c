/* SPDX-License-Identifier: MIT */
/*
 * Frames about channels: APPEND, ACK, NAK, SUB, SUBBED, UNSUB, ITEM, READ,
 * PAGE, SET, STATE, EPH. Field order is the order of the structs in frames.h,
 * but for ITEM and PAGE, drawn where they are written.
 */
#include "shared/base/digest.h"
#include "shared/proto/frames_priv.h"

void
frames_put_item(struct buf *b, const struct item *it)
{
	wire_put_u64(b, it->seq);
	wire_put_u64(b, (uint64_t)it->ts);
	wire_put_u8(b, it->kind);
	wire_put_u16(b, it->flags);
	wire_put_str(b, it->uid);
	wire_put_str(b, it->cid);
	wire_put_u64(b, it->cn);
	wire_put_str(b, it->name);
	wire_put_str(b, it->avatar);
	wire_put_u64(b, it->ref);
	wire_put_u32(b, it->crc);
	wire_put_bytes(b, it->body);
	wire_put_str(b, it->pchan);
	wire_put_u64(b, it->useq);
	wire_put_str(b, it->rid);
	if (it->flags & ITEM_F_AT)
		wire_put_str(b, it->at);
}

/* words with commas between, at most AT_MAX */
static struct str
frames_get_at(struct fields *in)
{
	struct str at = fields_str(in, AT_BYTES, false), rest = at, uid;
	unsigned n = 0;
	bool good = str_is_set(at);

	while (good && str_next(&rest, ',', &uid))
		good = id_is_word(uid) && ++n <= AT_MAX;
	if (!good)
		fields_fail(in, ERR_PROTO);
	return good ? at : STR_NONE;
}

void
frames_get_item(struct fields *in, struct item *it)
{
	it->seq = wire_u64(&in->w);
	it->ts = (int64_t)wire_u64(&in->w);
	it->kind = fields_enum(in, ITEM_MESSAGE, ITEM_POINTER);
	it->flags = wire_u16(&in->w);
	it->uid = fields_word(in, true);
	it->cid = fields_cid(in, true);
	it->cn = wire_u64(&in->w);
	it->name = fields_text(in, NAME_MAX_BYTES, true);
	it->avatar = fields_text(in, AVATAR_MAX, true);
	it->ref = wire_u64(&in->w);
	it->crc = wire_u32(&in->w);
	it->body = fields_bytes(in, BODY_MAX, true);
	it->pchan = fields_chan(in, CHAN_PAIR, true);
	it->useq = wire_u64(&in->w);
	it->rid = fields_word(in, true);
	it->at = it->flags & ITEM_F_AT ? frames_get_at(in) : STR_NONE;
}

void
frames_put_state(struct buf *b, const struct state_rec *r)
{
	wire_put_str(b, r->key);
	wire_put_str(b, r->val);
	wire_put_u64(b, (uint64_t)r->exp);
	wire_put_u64(b, r->rev);
}

void
frames_get_state(struct fields *in, struct state_rec *r)
{
	r->key = fields_text(in, STATE_KEY_MAX, false);
	r->val = fields_str(in, STATE_VAL_MAX, true);
	r->exp = (int64_t)wire_u64(&in->w);
	r->rev = wire_u64(&in->w);
	if (r->key.len == 0)
		fields_fail(in, ERR_PROTO);
}

static void
frames_put_states(struct buf *b, const struct state_rec *r, uint16_t n)
{
	wire_put_u16(b, n);
	for (uint16_t i = 0; i < n; i++)
		frames_put_state(b, &r[i]);
}

static uint16_t
frames_get_states(struct fields *in, struct state_rec *r, uint16_t max)
{
	uint16_t n = fields_count(in, max);

	for (uint16_t i = 0; i < n; i++)
		frames_get_state(in, &r[i]);
	return n;
}

static struct str
frames_get_key(struct fields *in)
{
	struct str key = fields_text(in, STATE_KEY_MAX, true);

	if (str_is_set(key) && key.len == 0)
		fields_fail(in, ERR_PROTO);
	return key;
}

void
put_append(struct buf *b, const struct f_append *f)
{
	size_t mark = link_begin(b, F_APPEND, 0);

	wire_put_u64(b, f->req);
	wire_put_str(b, f->chan);
	frames_put_item(b, &f->item);
	wire_put_str(b, f->need);
	wire_put_str(b, f->deny);
	wire_put_str(b, f->if_key);
	wire_put_u64(b, f->if_rev);
	frames_put_states(b, f->states, f->n_states);
	wire_put_u16(b, f->n_to);
	for (unsigned i = 0; i < f->n_to; i++)
		wire_put_str(b, f->to[i]);
	frames_end(b, mark);
}

int
get_append(struct str body, struct f_append *f)
{
	struct fields in;

	fields_init(&in, body);
	f->req = wire_u64(&in.w);
	f->chan = fields_chan(&in, 0, false);
	frames_get_item(&in, &f->item);
	f->need = frames_get_key(&in);
	f->deny = frames_get_key(&in);
	f->if_key = frames_get_key(&in);
	f->if_rev = wire_u64(&in.w);
	f->n_states = (uint8_t)frames_get_states(&in, f->states, STATES_MAX);
	f->n_to = (uint8_t)fields_count(&in, TO_MAX);
	for (unsigned i = 0; i < f->n_to; i++)
		f->to[i] = fields_chan(&in, CHAN_USER, false);
	/* 0 means "not yours" in ITEM */
	if (f->req == 0)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_ack(struct buf *b, const struct f_ack *f)
{
	size_t mark = link_begin(b, F_ACK, 0);

	wire_put_u64(b, f->req);
	wire_put_u64(b, f->seq);
	wire_put_u64(b, (uint64_t)f->ts);
	wire_put_u64(b, f->useq);
	wire_put_u8(b, (uint8_t)(f->dup | f->unkept << 1));
	frames_end(b, mark);
}

int
get_ack(struct str body, struct f_ack *f)
{
	struct fields in;
	uint8_t flags;

	fields_init(&in, body);
	f->req = wire_u64(&in.w);
	f->seq = wire_u64(&in.w);
	f->ts = (int64_t)wire_u64(&in.w);
	f->useq = wire_u64(&in.w);
	flags = fields_enum(&in, 0, 3);
	f->dup = flags & 1;
	f->unkept = flags & 2;
	return fields_end(&in);
}

void
put_nak(struct buf *b, const struct f_nak *f)
{
	size_t mark = link_begin(b, F_NAK, 0);

	wire_put_u64(b, f->req);
	wire_put_u16(b, f->code);
	wire_put_u32(b, f->retry_ms);
	frames_end(b, mark);
}

int
get_nak(struct str body, struct f_nak *f)
{
	struct fields in;

	fields_init(&in, body);
	f->req = wire_u64(&in.w);
	f->code = wire_u16(&in.w);
	f->retry_ms = wire_u32(&in.w);
	return fields_end(&in);
}

static uint32_t
frames_get_ch(struct fields *in)
{
	uint32_t ch = wire_u32(&in->w);

	if (ch == 0)
		fields_fail(in, ERR_PROTO);
	return ch;
}

void
put_sub(struct buf *b, const struct f_sub *f)
{
	size_t mark = link_begin(b, F_SUB, 0);

	wire_put_u32(b, f->ch);
	wire_put_str(b, f->chan);
	wire_put_u64(b, f->from_seq);
	wire_put_str(b, f->ep);
	wire_put_u8(b, f->want_state);
	wire_put_u8(b, f->want_presence);
	frames_end(b, mark);
}

int
get_sub(struct str body, struct f_sub *f)
{
	struct fields in;

	fields_init(&in, body);
	f->ch = frames_get_ch(&in);
	f->chan = fields_chan(&in, 0, false);
	f->from_seq = wire_u64(&in.w);
	f->ep = fields_ep(&in, true);
	f->want_state = fields_bool(&in);
	f->want_presence = fields_bool(&in);
	/* a position belongs to a history */
	if (f->from_seq != SUB_HEAD && !str_is_set(f->ep))
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_subbed(struct buf *b, const struct f_subbed *f)
{
	size_t mark = link_begin(b, F_SUBBED, 0);

	wire_put_u32(b, f->ch);
	wire_put_str(b, f->ep);
	wire_put_u64(b, f->head);
	wire_put_u64(b, f->first);
	wire_put_u8(b, f->reset);
	frames_put_states(b, f->states, f->n_states);
	wire_put_u8(b, f->more);
	frames_end(b, mark);
}

int
get_subbed(struct str body, struct f_subbed *f)
{
	struct fields in;

	fields_init(&in, body);
	f->ch = frames_get_ch(&in);
	f->ep = fields_ep(&in, false);
	f->head = wire_u64(&in.w);
	f->first = wire_u64(&in.w);
	f->reset = fields_bool(&in);
	f->n_states =
	    frames_get_states(&in, f->states, (uint16_t)ARRAY_LEN(f->states));
	f->more = fields_bool(&in);
	return fields_end(&in);
}

void
put_unsub(struct buf *b, uint32_t ch)
{
	size_t mark = link_begin(b, F_UNSUB, 0);

	wire_put_u32(b, ch);
	frames_end(b, mark);
}

int
get_unsub(struct str body, uint32_t *ch)
{
	struct fields in;

	fields_init(&in, body);
	*ch = frames_get_ch(&in);
	return fields_end(&in);
}

/*
 * ITEM on the wire: what is equal for all links comes first, so that it is
 * encoded once and its checksum is only continued over the short tail:
 *
 *   head | gen, chan, item, states | ch, req, n, (ch, useq) x n | crc
 *        |<------- shared -------->|<----- of this link ------->|
 */
void
item_share(struct item_shared *sh, const struct f_item *f)
{
	struct buf *b = &sh->bytes;

	buf_reset(b);
	wire_put_u32(b, 0);
	wire_put_u8(b, F_ITEM);
	wire_put_u8(b, 0);
	wire_put_u16(b, 0);
	wire_put_u64(b, f->gen);
	wire_put_str(b, f->chan);
	frames_put_item(b, &f->item);
	frames_put_states(b, f->states, f->n_states);
	sh->crc =
	    buf_len(b) > 4 ? digest_crc32c(0, buf_p(b) + 4, buf_len(b) - 4) : 0;
}

void
put_item_shared(
    struct buf *b, const struct item_shared *sh, const struct f_item *f)
{
	size_t mark = buf_len(b), tail;
	uint32_t len;
	uint8_t *p;

	if (!buf_ok(&sh->bytes)) {
		b->failed = true;
		return;
	}
	buf_put(b, buf_p(&sh->bytes), buf_len(&sh->bytes));
	tail = buf_len(b);
	wire_put_u32(b, f->ch);
	wire_put_u64(b, f->req);
	wire_put_u8(b, f->n_refs);
	for (unsigned i = 0; i < f->n_refs; i++) {
		wire_put_u32(b, f->refs[i].ch);
		wire_put_u64(b, f->refs[i].useq);
	}
	if (buf_ok(b))
		wire_put_u32(b,
		    digest_crc32c(sh->crc, buf_p(b) + tail, buf_len(b) - tail));
	if (!buf_ok(b)) {
		buf_truncate(b, mark);
		b->failed = true;
		return;
	}
	len = (uint32_t)(buf_len(b) - mark - 4);
	p = b->data + b->off + mark;
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(len >> (8 * i));
}

void
put_item(struct buf *b, const struct f_item *f)
{
	struct item_shared sh;

	memset(&sh, 0, sizeof sh);
	buf_init(&sh.bytes, LINK_FRAME_MAX);
	item_share(&sh, f);
	put_item_shared(b, &sh, f);
	buf_fini(&sh.bytes);
}

int
get_item(struct str body, struct f_item *f)
{
	struct fields in;

	fields_init(&in, body);
	f->gen = wire_u64(&in.w);
	f->chan = fields_chan(&in, CHAN_PAIR, true);
	frames_get_item(&in, &f->item);
	f->n_states = (uint8_t)frames_get_states(&in, f->states, STATES_MAX);
	f->ch = wire_u32(&in.w);
	f->req = wire_u64(&in.w);
	f->n_refs = wire_u8(&in.w);
	if (f->n_refs > TO_MAX) {
		fields_fail(&in, ERR_LIMIT);
		f->n_refs = 0;
	}
	for (unsigned i = 0; i < f->n_refs; i++) {
		f->refs[i].ch = wire_u32(&in.w);
		f->refs[i].useq = wire_u64(&in.w);
	}
	/* of a channel that is followed, or private: one of the two */
	if ((f->ch == 0) != str_is_set(f->chan))
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_read(struct buf *b, const struct f_read *f)
{
	size_t mark = link_begin(b, F_READ, 0);

	wire_put_u32(b, f->rid);
	wire_put_str(b, f->chan);
	wire_put_u64(b, f->from);
	wire_put_u64(b, f->to);
	wire_put_u16(b, f->n);
	wire_put_u8(b, f->back);
	wire_put_u32(b, f->max_bytes);
	frames_end(b, mark);
}

int
get_read(struct str body, struct f_read *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->chan = fields_chan(&in, 0, false);
	f->from = wire_u64(&in.w);
	f->to = wire_u64(&in.w);
	f->n = fields_count(&in, PAGE_MAX);
	f->back = fields_bool(&in);
	f->max_bytes = wire_u32(&in.w);
	if (f->n == 0)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

/*
 * PAGE: rid u32, code u16, first u64, head u64, more u8, n u16, ep str, items.
 * What put_page_end patches lies at fixed places in front.
 */
enum { PAGE_FIRST = LINK_HEAD + 6, PAGE_PATCHED = 8 + 8 + 1 + 2 };

static void
frames_put_page_head(struct buf *b, const struct f_page *f)
{
	wire_put_u64(b, f->first);
	wire_put_u64(b, f->head);
	wire_put_u8(b, f->more);
	wire_put_u16(b, f->n_items);
}

size_t
put_page_begin(struct buf *b, const struct f_page *f)
{
	size_t mark = link_begin(b, F_PAGE, 0);

	wire_put_u32(b, f->rid);
	wire_put_u16(b, f->code);
	frames_put_page_head(b, f);
	wire_put_str(b, f->ep);
	return mark;
}

int
put_page_item(struct buf *b, const struct item *it)
{
	size_t mark = buf_len(b);
	bool was_ok = buf_ok(b);

	frames_put_item(b, it);
	/* the crc must fit behind it, in the frame and in the buf */
	if (buf_ok(b) && buf_len(b) + 4 <= LINK_FRAME_MAX &&
	    buf_len(b) + 4 <= b->max)
		return 0;
	if (was_ok) {
		b->failed = false;
		buf_truncate(b, mark);
	}
	return ERR_LIMIT;
}

void
put_page_end(struct buf *b, size_t mark, const struct f_page *f)
{
	uint8_t head[PAGE_PATCHED];
	struct buf h = {.data = head, .cap = sizeof head, .max = sizeof head};

	if (buf_ok(b)) {
		frames_put_page_head(&h, f);
		memcpy(b->data + b->off + mark + PAGE_FIRST, head, sizeof head);
	}
	frames_end(b, mark);
}

int
get_page(struct str body, struct f_page *f, struct str *rest)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->code = wire_u16(&in.w);
	f->first = wire_u64(&in.w);
	f->head = wire_u64(&in.w);
	f->more = fields_bool(&in);
	f->n_items = fields_count(&in, PAGE_MAX);
	f->ep = fields_ep(&in, true);
	if (in.err != 0 || in.w.bad) {
		*rest = STR_NONE;
		return in.err != 0 ? in.err : ERR_PROTO;
	}
	*rest = str_n(in.w.p, (size_t)(in.w.end - in.w.p));
	if (f->n_items == 0 && rest->len > 0)
		return ERR_PROTO;
	return 0;
}

int
frames_page_next(struct str *rest, struct item *it)
{
	struct fields in;

	fields_init(&in, *rest);
	frames_get_item(&in, it);
	if (in.err != 0 || in.w.bad)
		return in.err != 0 ? in.err : ERR_PROTO;
	*rest = str_n(in.w.p, (size_t)(in.w.end - in.w.p));
	return 0;
}

void
put_set(struct buf *b, const struct f_set *f)
{
	size_t mark = link_begin(b, F_SET, 0);

	wire_put_str(b, f->chan);
	frames_put_state(b, &f->rec);
	frames_end(b, mark);
}

int
get_set(struct str body, struct f_set *f)
{
	struct fields in;

	fields_init(&in, body);
	f->chan = fields_chan(&in, 0, false);
	frames_get_state(&in, &f->rec);
	return fields_end(&in);
}

void
put_state(struct buf *b, const struct f_state *f)
{
	size_t mark = link_begin(b, F_STATE, 0);

	wire_put_u32(b, f->ch);
	frames_put_state(b, &f->rec);
	frames_end(b, mark);
}

int
get_state(struct str body, struct f_state *f)
{
	struct fields in;

	fields_init(&in, body);
	f->ch = frames_get_ch(&in);
	frames_get_state(&in, &f->rec);
	return fields_end(&in);
}

void
put_eph(struct buf *b, const struct f_eph *f)
{
	size_t mark = link_begin(b, F_EPH, 0);

	wire_put_u32(b, f->ch);
	wire_put_str(b, f->chan);
	wire_put_u8(b, f->kind);
	wire_put_str(b, f->uid);
	wire_put_str(b, f->body);
	frames_end(b, mark);
}

int
get_eph(struct str body, struct f_eph *f)
{
	struct fields in;

	fields_init(&in, body);
	f->ch = wire_u32(&in.w);
	f->chan = fields_chan(&in, 0, true);
	f->kind = wire_u8(&in.w);
	f->uid = fields_word(&in, true);
	f->body = fields_str(&in, STATE_VAL_MAX, true);
	if (f->ch == 0 && !str_is_set(f->chan))
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}
