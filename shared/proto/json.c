/* SPDX-License-Identifier: MIT */
/*
 * JSON in through jansson, made stricter; JSON out by hand into a buf. What
 * the members mean is for the callers to say.
 */
#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shared/proto/json.h"

void
json_init(void)
{
	json_object_seed(0);
}

/*
 * jansson knows no depth setting below its 2048: count the brackets outside
 * strings first. Where the text is malformed this may count wrong, but only
 * behind the place where jansson stops.
 */
static bool
json_is_shallow(struct str text)
{
	bool quoted = false;
	int depth = 0;
	size_t i;

	for (i = 0; i < text.len; i++) {
		switch (text.p[i]) {
		case '"':
			quoted = !quoted;
			break;
		case '\\':
			if (quoted)
				i++;
			break;
		case '{':
		case '[':
			if (!quoted && ++depth > JSON_DEPTH)
				return false;
			break;
		case '}':
		case ']':
			if (!quoted)
				depth--;
			break;
		default:
			break;
		}
	}
	return true;
}

json_t *
json_read(struct str text, int *err)
{
	json_error_t je;
	json_t *v;

	*err = ERR_PROTO;
	if (text.p == NULL || text.len == 0)
		return NULL;
	if (!json_is_shallow(text)) {
		*err = ERR_LIMIT;
		return NULL;
	}
	v = json_loadb(text.p, text.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &je);
	if (v != NULL)
		*err = 0;
	return v;
}

struct str
json_str(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (!json_is_string(v))
		return STR_NONE;
	return str_n(json_string_value(v), json_string_length(v));
}

bool
json_int(const json_t *obj, const char *key, int64_t *out)
{
	const json_t *v = json_object_get(obj, key);

	if (!json_is_integer(v))
		return false;
	*out = json_integer_value(v);
	return true;
}

bool
json_bool(const json_t *obj, const char *key, bool def)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_boolean(v) ? json_is_true(v) : def;
}

struct str
json_text(const json_t *v, char tmp[24])
{
	int n;

	if (json_is_string(v))
		return str_n(json_string_value(v), json_string_length(v));
	if (!json_is_integer(v))
		return STR_NONE;
	n = snprintf(tmp, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return str_n(tmp, (size_t)n);
}

struct str
json_id(const json_t *obj, const char *key, char tmp[24])
{
	return json_text(json_object_get(obj, key), tmp);
}

/* ---- writer ----------------------------------------------------------- */

/* needs an escape */
static const bool json_special[256] = {
    [0 ... 0x1f] = true, ['"'] = true, ['\\'] = true};

/* 0: goes out as it is; 'u': \u00xx; else the letter behind the backslash */
static char
json_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return c < 0x20 ? 'u' : 0;
	}
}

/*
 * In the high bit of each byte of w: is it below 0x20, a quote or a backslash?
 * Each of them borrows; a byte behind one of them may be said to be one, too,
 * so it is the first in memory that is right.
 */
static inline uint64_t
json_special_in(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101ULL;
	uint64_t q = w ^ ones * '"', b = w ^ ones * '\\';

	return (((w - ones * 0x20) & ~w) | ((q - ones) & ~q) |
		   ((b - ones) & ~b)) &
	       ones << 7;
}

/* how many bytes in front go out as they are, eight at a time */
size_t
json_plain(struct str v)
{
	uint64_t w;
	size_t i = 0;

	for (; v.len - i >= 8; i += 8) {
		memcpy(&w, v.p + i, 8);
		w = json_special_in(le64toh(w));
		if (w != 0)
			return i + (size_t)__builtin_ctzll(w) / 8;
	}
	while (i < v.len && !json_special[(unsigned char)v.p[i]])
		i++;
	return i;
}

static void
json_put_escaped(struct buf *out, struct str v, size_t i)
{
	char pair[2] = {'\\', 0};
	size_t from = 0;

	for (; i < v.len; i++) {
		pair[1] = json_escape((unsigned char)v.p[i]);
		if (pair[1] == 0)
			continue;
		buf_put(out, v.p + from, i - from);
		if (pair[1] == 'u')
			buf_printf(out, "\\u%04x", (unsigned char)v.p[i]);
		else
			buf_put(out, pair, 2);
		from = i + 1;
	}
	if (v.len > from)
		buf_put(out, v.p + from, v.len - from);
}

void
json_put_string(struct buf *out, struct str v)
{
	size_t plain = json_plain(v);
	uint8_t *p = plain == v.len ? buf_reserve(out, v.len + 2) : NULL;

	if (p != NULL) {
		p[0] = '"';
		if (v.len > 0)
			memcpy(p + 1, v.p, v.len);
		p[v.len + 1] = '"';
		buf_added(out, v.len + 2);
		return;
	}
	buf_putc(out, '"');
	json_put_escaped(out, v, plain);
	buf_putc(out, '"');
}

void
jw_init(struct jw *w, struct buf *out)
{
	w->out = out;
	w->comma = false;
}

static void
jw_key(struct jw *w, const char *key)
{
	size_t n;
	uint8_t *p;

	if (key == NULL) {
		if (w->comma)
			buf_putc(w->out, ',');
		w->comma = true;
		return;
	}
	n = strlen(key);
	p = buf_reserve(w->out, n + 4);
	if (p == NULL)
		return;
	if (w->comma)
		*p++ = ',';
	*p++ = '"';
	memcpy(p, key, n);
	p[n] = '"';
	p[n + 1] = ':';
	buf_added(w->out, n + 3 + w->comma);
	w->comma = true;
}

static void
jw_open(struct jw *w, const char *key, char c)
{
	jw_key(w, key);
	buf_putc(w->out, c);
	w->comma = false;
}

static void
jw_close(struct jw *w, char c)
{
	buf_putc(w->out, c);
	w->comma = true;
}

void
jw_obj(struct jw *w, const char *key)
{
	jw_open(w, key, '{');
}

void
jw_obj_end(struct jw *w)
{
	jw_close(w, '}');
}

void
jw_arr(struct jw *w, const char *key)
{
	jw_open(w, key, '[');
}

void
jw_arr_end(struct jw *w)
{
	jw_close(w, ']');
}

void
jw_str(struct jw *w, const char *key, struct str v)
{
	jw_key(w, key);
	json_put_string(w->out, v);
}

void
jw_cstr(struct jw *w, const char *key, const char *v)
{
	jw_str(w, key, str_of(v));
}

void
jw_int(struct jw *w, const char *key, int64_t v)
{
	char text[24], *p = text + sizeof text;
	uint64_t n = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	if (v < 0)
		*--p = '-';
	jw_key(w, key);
	buf_put(w->out, p, (size_t)(text + sizeof text - p));
}

void
jw_real(struct jw *w, const char *key, double v)
{
	char text[32];
	int n;

	jw_key(w, key);
	if (!isfinite(v)) {
		buf_puts(w->out, "null");
		return;
	}
	if (fabs(v) >= 1e15) {
		n = snprintf(text, sizeof(text), "%.15g", v);
	} else {
		n = snprintf(text, sizeof(text), "%.3f", v);
		while (text[n - 1] == '0')
			n--;
		if (text[n - 1] == '.')
			n--;
	}
	buf_put(w->out, text, (size_t)n);
}

void
jw_bool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	buf_puts(w->out, v ? "true" : "false");
}

void
jw_null(struct jw *w, const char *key)
{
	jw_key(w, key);
	buf_puts(w->out, "null");
}

void
jw_raw(struct jw *w, const char *key, struct str v)
{
	jw_key(w, key);
	buf_putstr(w->out, v);
}
