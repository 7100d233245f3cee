/* SPDX-License-Identifier: MIT */
/*
 * Frames about people: PRES, ROOM, WHO, WHOIS, WATCH, STATUS, KICK.
 */
#include "shared/proto/frames_priv.h"

enum {
	WHO_ARG_MAX = 8192, /* 200 uids and their commas */
	WHO_NEXT_MAX = 64,
	PRES_SILENT = 1,
	PRES_AWAY = 2,
	PRES_NUM_RID = 4,
	USER_AGAIN = 1,
	USER_NUM_RID = 2,
	USER_MAYBE = 4,
	ROOM_BIG = 1,
	ROOM_MORE = 2,
	ROOM_REST = 4,
	ROOM_UNSURE = 8
};

static void
frames_put_words(struct buf *b, const struct str *s, unsigned n)
{
	wire_put_u16(b, (uint16_t)n);
	for (unsigned i = 0; i < n; i++)
		wire_put_str(b, s[i]);
}

static uint8_t
frames_get_words(struct fields *in, struct str *s, uint16_t max)
{
	uint16_t n = fields_count(in, max);

	for (unsigned i = 0; i < n; i++)
		s[i] = fields_word(in, false);
	return (uint8_t)n;
}

void
put_pres(struct buf *b, const struct f_pres *f)
{
	size_t mark = link_begin(b, F_PRES, 0);

	wire_put_u8(b, f->op);
	wire_put_u64(b, f->cn);
	wire_put_str(b, f->uid);
	wire_put_str(b, f->name);
	wire_put_str(b, f->avatar);
	wire_put_str(b, f->dev);
	wire_put_u8(b, f->dialect);
	wire_put_u8(b, f->level);
	wire_put_u8(b, (uint8_t)((f->silent ? PRES_SILENT : 0) |
				 (f->away ? PRES_AWAY : 0) |
				 (f->num_rid ? PRES_NUM_RID : 0)));
	frames_put_words(b, f->add, f->n_add);
	frames_put_words(b, f->del, f->n_del);
	frames_end(b, mark);
}

int
get_pres(struct str body, struct f_pres *f)
{
	struct fields in;
	uint8_t flags;

	fields_init(&in, body);
	f->op = fields_enum(&in, PRES_SET, PRES_BYE);
	f->cn = wire_u64(&in.w);
	f->uid = fields_word(&in, f->op != PRES_SET);
	f->name = fields_text(&in, NAME_MAX_BYTES, true);
	f->avatar = fields_text(&in, AVATAR_MAX, true);
	f->dev = fields_word(&in, true);
	f->dialect = wire_u8(&in.w);
	f->level = wire_u8(&in.w);
	flags = wire_u8(&in.w);
	f->silent = flags & PRES_SILENT;
	f->away = flags & PRES_AWAY;
	f->num_rid = flags & PRES_NUM_RID;
	f->n_add = frames_get_words(&in, f->add, (uint16_t)ARRAY_LEN(f->add));
	f->n_del = frames_get_words(&in, f->del, (uint16_t)ARRAY_LEN(f->del));
	return fields_end(&in);
}

static void
frames_put_users(
    struct buf *b, const struct room_user *u, unsigned n, bool unsure)
{
	wire_put_u16(b, (uint16_t)n);
	for (; n-- > 0; u++) {
		wire_put_u64(b, u->cn);
		wire_put_str(b, u->uid);
		wire_put_str(b, u->name);
		wire_put_str(b, u->avatar);
		wire_put_u8(b, (uint8_t)((u->again ? USER_AGAIN : 0) |
					 (u->num_rid ? USER_NUM_RID : 0) |
					 (u->maybe ? USER_MAYBE : 0)));
		if (unsure)
			wire_put_u32(b, u->age);
	}
}

static uint8_t
frames_get_users(
    struct fields *in, struct room_user *u, uint16_t max, bool unsure)
{
	uint16_t n = fields_count(in, max);
	uint8_t flags;

	for (unsigned i = 0; i < n; i++, u++) {
		u->cn = wire_u64(&in->w);
		u->uid = fields_word(in, false);
		u->name = fields_text(in, NAME_MAX_BYTES, true);
		u->avatar = fields_text(in, AVATAR_MAX, true);
		flags = wire_u8(&in->w);
		u->again = flags & USER_AGAIN;
		u->num_rid = flags & USER_NUM_RID;
		u->maybe = flags & USER_MAYBE;
		u->age = unsure ? wire_u32(&in->w) : 0;
	}
	return (uint8_t)n;
}

void
put_room(struct buf *b, const struct f_room *f)
{
	size_t mark = link_begin(b, F_ROOM, 0);

	wire_put_u32(b, f->ch);
	wire_put_u32(b, f->count);
	wire_put_u8(
	    b, (uint8_t)((f->big ? ROOM_BIG : 0) | (f->more ? ROOM_MORE : 0) |
			 (f->rest ? ROOM_REST : 0) |
			 (f->unsure ? ROOM_UNSURE : 0)));
	frames_put_users(b, f->in, f->n_in, f->unsure);
	frames_put_users(b, f->out, f->n_out, f->unsure);
	frames_end(b, mark);
}

int
get_room(struct str body, struct f_room *f)
{
	struct fields in;
	uint8_t flags;

	fields_init(&in, body);
	f->ch = wire_u32(&in.w);
	f->count = wire_u32(&in.w);
	flags = wire_u8(&in.w);
	f->big = flags & ROOM_BIG;
	f->more = flags & ROOM_MORE;
	f->rest = flags & ROOM_REST;
	f->unsure = flags & ROOM_UNSURE;
	f->n_in =
	    frames_get_users(&in, f->in, (uint16_t)ARRAY_LEN(f->in), f->unsure);
	f->n_out = frames_get_users(
	    &in, f->out, (uint16_t)ARRAY_LEN(f->out), f->unsure);
	if (f->ch == 0)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_who(struct buf *b, const struct f_who *f)
{
	size_t mark = link_begin(b, F_WHO, 0);

	wire_put_u32(b, f->rid);
	wire_put_u8(b, f->what);
	wire_put_str(b, f->arg);
	wire_put_str(b, f->next);
	wire_put_u16(b, f->limit);
	frames_end(b, mark);
}

int
get_who(struct str body, struct f_who *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->what = fields_enum(&in, WHO_ROOM, WHO_WHOSE);
	f->arg = fields_str(&in, WHO_ARG_MAX, true);
	f->next = fields_str(&in, WHO_NEXT_MAX, true);
	f->limit = wire_u16(&in.w);
	return fields_end(&in);
}

void
put_whois(struct buf *b, const struct f_whois *f)
{
	size_t mark = link_begin(b, F_WHOIS, 0);

	wire_put_u32(b, f->rid);
	wire_put_u16(b, f->code);
	wire_put_u32(b, f->count);
	wire_put_str(b, f->next);
	wire_put_bytes(b, f->json);
	frames_end(b, mark);
}

int
get_whois(struct str body, struct f_whois *f)
{
	struct fields in;

	fields_init(&in, body);
	f->rid = wire_u32(&in.w);
	f->code = wire_u16(&in.w);
	f->count = wire_u32(&in.w);
	f->next = fields_str(&in, WHO_NEXT_MAX, true);
	f->json = fields_bytes(&in, LINK_FRAME_MAX, true);
	return fields_end(&in);
}

void
put_watch(struct buf *b, const struct f_watch *f)
{
	size_t mark = link_begin(b, F_WATCH, 0);

	wire_put_u8(b, f->again);
	frames_put_words(b, f->add, f->n_add);
	frames_put_words(b, f->del, f->n_del);
	frames_end(b, mark);
}

int
get_watch(struct str body, struct f_watch *f)
{
	struct fields in;

	fields_init(&in, body);
	f->again = fields_bool(&in);
	f->n_add = frames_get_words(&in, f->add, (uint16_t)ARRAY_LEN(f->add));
	f->n_del = frames_get_words(&in, f->del, (uint16_t)ARRAY_LEN(f->del));
	return fields_end(&in);
}

void
put_status(struct buf *b, const struct f_status *f)
{
	size_t mark = link_begin(b, F_STATUS, 0);

	wire_put_u16(b, f->n);
	for (unsigned i = 0; i < f->n; i++) {
		wire_put_str(b, f->list[i].uid);
		wire_put_u8(b, f->list[i].st);
		wire_put_u64(b, (uint64_t)f->list[i].last);
	}
	frames_end(b, mark);
}

int
get_status(struct str body, struct f_status *f)
{
	struct fields in;

	fields_init(&in, body);
	f->n = (uint8_t)fields_count(&in, (uint16_t)ARRAY_LEN(f->list));
	for (unsigned i = 0; i < f->n; i++) {
		f->list[i].uid = fields_word(&in, false);
		f->list[i].st = fields_enum(&in, STATUS_OFF, STATUS_ON);
		f->list[i].last = (int64_t)wire_u64(&in.w);
	}
	return fields_end(&in);
}

void
put_kick(struct buf *b, const struct f_kick *f)
{
	size_t mark = link_begin(b, F_KICK, 0);

	wire_put_u64(b, f->cn);
	wire_put_str(b, f->uid);
	wire_put_u16(b, f->code);
	wire_put_str(b, f->text);
	frames_end(b, mark);
}

int
get_kick(struct str body, struct f_kick *f)
{
	struct fields in;

	fields_init(&in, body);
	f->cn = wire_u64(&in.w);
	f->uid = fields_word(&in, true);
	f->code = wire_u16(&in.w);
	f->text = fields_text(&in, TEXT_MAX, true);
	if (f->cn == 0 && !str_is_set(f->uid))
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}
