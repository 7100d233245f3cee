/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 (RFC 3629): automaton, counting, cleaning of names. See utf8.h. It
 * knows no normal forms and no case.
 */
#include "shared/base/utf8.h"

bool
utf8_feed(struct utf8 *u, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		uint8_t c;

		if (u->need == 0) {
			uint64_t eight;

			while (end - p >= 8) {
				memcpy(&eight, p, 8);
				if (eight & 0x8080808080808080ULL)
					break;
				p += 8;
			}
			if (p == end)
				break;
			c = *p++;
			if (c < 0x80)
				continue;
			u->lo = 0x80;
			u->hi = 0xbf;
			if (c >= 0xc2 && c <= 0xdf) {
				u->need = 1;
			} else if (c >= 0xe0 && c <= 0xef) {
				u->need = 2;
				if (c == 0xe0)
					u->lo = 0xa0; /* overlong */
				if (c == 0xed)
					u->hi = 0x9f; /* surrogates */
			} else if (c >= 0xf0 && c <= 0xf4) {
				u->need = 3;
				if (c == 0xf0)
					u->lo = 0x90; /* overlong */
				if (c == 0xf4)
					u->hi = 0x8f; /* above U+10FFFF */
			} else {
				return false;
			}
			continue;
		}
		c = *p++;
		if (c < u->lo || c > u->hi)
			return false;
		u->lo = 0x80;
		u->hi = 0xbf;
		u->need--;
	}
	return true;
}

bool
utf8_valid(const void *p, size_t n)
{
	struct utf8 u = {0};

	return utf8_feed(&u, p, n) && utf8_done(&u);
}

size_t
utf8_count(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
	return n;
}

size_t
utf8_cut(struct str s, size_t n)
{
	if (s.len <= n)
		return s.len;
	while (n && ((uint8_t)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* one code point of valid text; advances *i */
static uint32_t
utf8_next(struct str s, size_t *i)
{
	const uint8_t *p = (const uint8_t *)s.p + *i;

	if (p[0] < 0x80) {
		*i += 1;
		return p[0];
	}
	if (p[0] < 0xe0) {
		*i += 2;
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	}
	if (p[0] < 0xf0) {
		*i += 3;
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 |
		       (p[2] & 0x3fu);
	}
	*i += 4;
	return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 |
	       (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
}

static bool
utf8_is_cut(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       c == 0x2060 || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

bool
utf8_is_line(struct str s)
{
	for (size_t i = 0; i < s.len;) {
		uint32_t c = utf8_next(s, &i);

		/* zero-width ones are parts of emoji and of some scripts */
		if ((utf8_is_cut(c) && (c < 0x200b || c > 0x200d) &&
			c != 0x2060 && c != 0xfeff) ||
		    c == 0x2028 || c == 0x2029)
			return false;
	}
	return true;
}

int
utf8_clean_name(struct str s, struct buf *out)
{
	size_t start = buf_len(out), end;
	bool begun = false;

	if (!utf8_valid(s.p, s.len) || str_chr(s, '\0') >= 0)
		return ERR_UTF8;
	end = start;
	for (size_t i = 0; i < s.len;) {
		size_t from = i;
		uint32_t c = utf8_next(s, &i);

		if (utf8_is_cut(c))
			continue;
		if (c == ' ' && !begun)
			continue;
		begun = true;
		buf_put(out, s.p + from, i - from);
		if (c != ' ')
			end = buf_len(out);
	}
	buf_truncate(out, end);
	return buf_ok(out) ? OK : ERR_LIMIT;
}
