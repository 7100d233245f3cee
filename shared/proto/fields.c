/* SPDX-License-Identifier: MIT */
/*
 * Fields of link frames, read with their limits. Used by frames*.c; knows no
 * frame.
 */
#include "shared/proto/fields.h"

#include "shared/base/utf8.h"

void
fields_init(struct fields *f, struct str body)
{
	wire_read(&f->w, body.p, body.len);
	f->err = 0;
}

void
fields_fail(struct fields *f, int err)
{
	if (f->err == 0)
		f->err = f->w.bad ? ERR_PROTO : err;
	f->w.bad = true;
}

int
fields_end(const struct fields *f)
{
	return f->err != 0 ? f->err : wire_end(&f->w);
}

bool
fields_bool(struct fields *f)
{
	uint8_t v = wire_u8(&f->w);

	if (v > 1)
		fields_fail(f, ERR_PROTO);
	return v == 1;
}

uint8_t
fields_enum(struct fields *f, uint8_t lo, uint8_t hi)
{
	uint8_t v = wire_u8(&f->w);

	if (v < lo || v > hi)
		fields_fail(f, ERR_PROTO);
	return v;
}

uint16_t
fields_count(struct fields *f, uint16_t max)
{
	uint16_t n = wire_u16(&f->w);

	if (n > max) {
		fields_fail(f, ERR_LIMIT);
		return 0;
	}
	return n;
}

static struct str
fields_check(struct fields *f, struct str s, size_t max, bool opt)
{
	if (s.len > max)
		fields_fail(f, ERR_LIMIT);
	else if (!str_is_set(s) && !opt)
		fields_fail(f, ERR_PROTO);
	return f->w.bad ? STR_NONE : s;
}

struct str
fields_str(struct fields *f, size_t max, bool opt)
{
	return fields_check(f, wire_str(&f->w), max, opt);
}

struct str
fields_bytes(struct fields *f, size_t max, bool opt)
{
	return fields_check(f, wire_bytes(&f->w), max, opt);
}

static struct str
fields_grammar(struct fields *f, struct str s, bool good)
{
	if (!str_is_set(s) || good)
		return s;
	fields_fail(f, ERR_PROTO);
	return STR_NONE;
}

struct str
fields_text(struct fields *f, size_t max, bool opt)
{
	struct str s = fields_str(f, max, opt);

	return fields_grammar(f, s, utf8_valid(s.p, s.len));
}

struct str
fields_word(struct fields *f, bool opt)
{
	struct str s = fields_str(f, ID_MAX, opt);

	return fields_grammar(f, s, id_is_word(s));
}

struct str
fields_cid(struct fields *f, bool opt)
{
	struct str s = fields_str(f, CID_MAX, opt);

	return fields_grammar(f, s, id_is_cid(s));
}

struct str
fields_chan(struct fields *f, char kind, bool opt)
{
	struct str s = fields_str(f, CHAN_MAX, opt);
	struct chan_name name;

	if (!str_is_set(s))
		return s;
	return fields_grammar(
	    f, s, chan_parse(s, &name) == 0 && (kind == 0 || s.p[0] == kind));
}

struct str
fields_ep(struct fields *f, bool opt)
{
	struct str s = fields_str(f, EP_LEN, opt);
	bool good = s.len == EP_LEN;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		good =
		    good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
	}
	return fields_grammar(f, s, good);
}
