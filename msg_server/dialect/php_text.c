/* SPDX-License-Identifier: MIT */
/*
 * PHP's writing of texts, for dialects. Byte by byte what the originals send,
 * since their pages were made for that; no judgement of what is said.
 */
#include <stdio.h>

#include "msg_server/dialect/php_text.h"

/* --- json_encode --------------------------------------------------------- */

/* the code point at the front of s; a byte that begins none: U+FFFD */
static uint32_t
text_char(struct str s, size_t *len)
{
	static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2, i;
	uint32_t u;

	*len = 1;
	if (c < 0xc2 || c > 0xf4 || s.len < n)
		return 0xfffd;
	u = c & ~marks[n];
	for (i = 1; i < n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0xfffd;
		u = u << 6 | ((unsigned char)s.p[i] & 0x3f);
	}
	*len = n;
	return u;
}

static void
text_unit(struct buf *out, uint32_t u)
{
	static const char hex[] = "0123456789abcdef";
	char t[6] = {'\\', 'u', hex[u >> 12 & 15], hex[u >> 8 & 15],
	    hex[u >> 4 & 15], hex[u & 15]};

	buf_put(out, t, sizeof t);
}

static void
text_ascii(struct buf *out, char c)
{
	static const char from[] = "\"\\/\b\f\n\r\t", to[] = "\"\\/bfnrt";
	const char *p = c != '\0' ? strchr(from, c) : NULL;

	if (p != NULL) {
		buf_putc(out, '\\');
		buf_putc(out, to[p - from]);
	} else if ((unsigned char)c < 0x20) {
		text_unit(out, (unsigned char)c);
	} else {
		buf_putc(out, c);
	}
}

void
php_text_json(struct buf *out, struct str s)
{
	size_t i, n;
	uint32_t u;

	buf_putc(out, '"');
	for (i = 0; i < s.len; i += n) {
		n = 1;
		if ((unsigned char)s.p[i] < 0x80) {
			text_ascii(out, s.p[i]);
			continue;
		}
		u = text_char(str_n(s.p + i, s.len - i), &n);
		if (u >= 0x10000) {
			u -= 0x10000;
			text_unit(out, 0xd800 | u >> 10);
			u = 0xdc00 | (u & 0x3ff);
		}
		text_unit(out, u);
	}
	buf_putc(out, '"');
}

void
php_text_member(struct jw *w, const char *key, struct str s)
{
	jw_raw(w, key, STR_LIT(""));
	php_text_json(w->out, s);
}

/* --- html ---------------------------------------------------------------- */

void
php_text_html(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		switch (s.p[i]) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\'':
			buf_puts(out, "&#039;");
			break;
		default:
			buf_putc(out, s.p[i]);
		}
	}
}

static bool
text_ends_line(char c)
{
	return c == '\n' || c == '\r';
}

void
php_text_nl2br(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (text_ends_line(s.p[i])) {
			buf_puts(out, "<br />");
			/* a pair of both, either way round, is one end */
			if (i + 1 < s.len && text_ends_line(s.p[i + 1]) &&
			    s.p[i + 1] != s.p[i])
				buf_putc(out, s.p[i++]);
		}
		buf_putc(out, s.p[i]);
	}
}

/* --- strip_tags ---------------------------------------------------------- */

enum tags { TAGS_TEXT, TAGS_TAG, TAGS_PHP, TAGS_DECL, TAGS_COMMENT };

struct tags_state {
	enum tags in;
	unsigned depth;
	char quote; /* inside of one, or 0 */
};

static bool
tags_is_space(char c)
{
	return c != '\0' && memchr(" \t\n\v\f\r", c, 6) != NULL;
}

/* '>' seen outside of quotes: is the tag over? */
static bool
tags_ends(const struct tags_state *t, struct str s, size_t i)
{
	switch (t->in) {
	case TAGS_PHP:
		return i >= 1 && s.p[i - 1] == '?';
	case TAGS_COMMENT:
		return i >= 2 && s.p[i - 1] == '-' && s.p[i - 2] == '-';
	case TAGS_TEXT:
	case TAGS_TAG:
	case TAGS_DECL:
		break;
	}
	return true;
}

static void
tags_inside(struct tags_state *t, struct str s, size_t i)
{
	char c = s.p[i], before = s.p[i - 1];

	if (c == '"' || c == '\'') {
		if (t->in != TAGS_COMMENT && (t->quote == 0 || t->quote == c))
			t->quote = t->quote != 0 ? '\0' : c;
	} else if (t->quote != 0) {
		return;
	} else if (c == '<') {
		if (t->in == TAGS_TAG && i + 1 < s.len &&
		    !tags_is_space(s.p[i + 1]))
			t->depth++;
	} else if (c == '>') {
		if (t->depth > 0)
			t->depth--;
		else if (tags_ends(t, s, i))
			t->in = TAGS_TEXT;
	} else if (t->in == TAGS_TAG && before == '<' && c == '!') {
		t->in = TAGS_DECL;
	} else if (t->in == TAGS_TAG && before == '<' && c == '?') {
		t->in = TAGS_PHP;
	} else if (t->in == TAGS_DECL && c == '-' && i >= 2 && before == '-' &&
		   s.p[i - 2] == '!') {
		t->in = TAGS_COMMENT;
	}
}

void
php_text_strip_tags(struct buf *out, struct str s)
{
	struct tags_state t = {TAGS_TEXT, 0, '\0'};
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (t.in != TAGS_TEXT)
			tags_inside(&t, s, i);
		else if (s.p[i] == '<' &&
			 !(i + 1 < s.len && tags_is_space(s.p[i + 1])))
			t.in = TAGS_TAG;
		else if (s.p[i] != '\0')
			buf_putc(out, s.p[i]);
	}
}

/* --- values --------------------------------------------------------------- */

bool
php_is_empty(const json_t *v)
{
	struct str s;

	switch (v == NULL ? JSON_NULL : json_typeof(v)) {
	case JSON_NULL:
	case JSON_FALSE:
		return true;
	case JSON_TRUE:
		return false;
	case JSON_INTEGER:
		return json_integer_value(v) == 0;
	case JSON_REAL:
		return json_real_value(v) == 0;
	case JSON_STRING:
		s = str_n(json_string_value(v), json_string_length(v));
		return s.len == 0 || str_eqc(s, "0");
	case JSON_ARRAY:
		return json_array_size(v) == 0;
	case JSON_OBJECT:
		return json_object_size(v) == 0;
	}
	return true;
}

bool
php_is_class(struct str given, const char *class)
{
	struct str want = str_of(class);

	return str_is_set(given) && given.len == want.len &&
	       (given.p[0] | 0x20) == (want.p[0] | 0x20) &&
	       memcmp(given.p + 1, want.p + 1, want.len - 1) == 0;
}
