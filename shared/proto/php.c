/* SPDX-License-Identifier: MIT */
/*
 * PHP's serialize(). One pass over the text makes a flat tree; a hash of
 * (array, key) finds elements, so that a peer's thousand keys cost a thousand
 * looks. What the values mean is their callers' business.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "shared/base/map.h"
#include "shared/proto/php.h"

enum { PHP_NODES_MIN = 16 };

struct php_in {
	const char *p, *end;
	struct php *doc;
	unsigned depth;
};

/* --- keys --------------------------------------------------------------- */

bool
php_key_int(struct str key, int64_t *out)
{
	bool minus = key.len > 1 && key.p[0] == '-';
	struct str digits;
	uint64_t v;

	if (key.len == 0)
		return false;
	digits = str_n(key.p + minus, key.len - minus);
	if (digits.len > 19 || (digits.p[0] == '0' && key.len > 1) ||
	    str_u64(digits, &v) != 0)
		return false;
	if (v > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

struct php_key
php_key(struct str key)
{
	struct php_key k = {.s = str_is_set(key) ? key : STR_LIT("")};

	if (php_key_int(key, &k.i))
		k.s = STR_NONE;
	return k;
}

static bool
php_key_eq(const struct php_key *a, const struct php_key *b)
{
	if (!str_is_set(a->s) || !str_is_set(b->s))
		return str_is_set(a->s) == str_is_set(b->s) && a->i == b->i;
	return str_eq(a->s, b->s);
}

static uint32_t
php_hash(uint32_t in, const struct php_key *k)
{
	uint64_t h = str_is_set(k->s)
			 ? XXH3_64bits_withSeed(k->s.p, k->s.len, map_seed)
			 : XXH3_64bits_withSeed(&k->i, sizeof k->i, map_seed);

	return (uint32_t)(h ^ (h >> 32)) + in * 0x9e3779b1U;
}

/* the slot of this key, or the empty one where it belongs */
static uint32_t
php_slot(const struct php *p, uint32_t in, const struct php_key *k)
{
	uint32_t i = php_hash(in, k) & p->mask, at;

	while ((at = p->slot[i]) != 0) {
		if (p->node[at].in == in && php_key_eq(&p->node[at].key, k))
			break;
		i = (i + 1) & p->mask;
	}
	return i;
}

static uint32_t
php_find(const struct php *p, uint32_t of, const struct php_key *k)
{
	return p->n > 0 && p->node[of].kind == PHP_ARRAY
		   ? p->slot[php_slot(p, p->node[of].id, k)]
		   : 0;
}

uint32_t
php_get(const struct php *p, uint32_t of, struct str key)
{
	struct php_key k = php_key(key);

	return php_find(p, of, &k);
}

/* --- nodes -------------------------------------------------------------- */

static void
php_grow(struct php *p)
{
	uint32_t i;

	p->cap = p->cap > 0 ? p->cap * 2 : PHP_NODES_MIN;
	p->node = xrealloc(p->node, p->cap * sizeof *p->node);
	free(p->slot);
	/* never more than half full */
	p->mask = p->cap * 2 - 1;
	p->slot = xcalloc(p->mask + 1UL, sizeof *p->slot);
	for (i = 1; i < p->n; i++)
		p->slot[php_slot(p, p->node[i].in, &p->node[i].key)] = i;
}

/* an empty node, linked to nothing; 0 for the first, UINT32_MAX over the bound
 */
static uint32_t
php_node(struct php *p)
{
	if (p->n == PHP_NODES_MAX)
		return UINT32_MAX;
	if (p->n == p->cap)
		php_grow(p);
	p->node[p->n] = (struct php_node){.kind = PHP_NULL};
	return p->n++;
}

/* the element of this key, made at the end if there is none */
static uint32_t
php_element(struct php *p, uint32_t of, const struct php_key *k)
{
	uint32_t at = php_find(p, of, k);
	struct php_node *array;

	if (at != 0)
		return at;
	at = php_node(p);
	if (at == UINT32_MAX)
		return at;
	p->node[at].key = *k;
	p->node[at].in = p->node[of].id;
	p->slot[php_slot(p, p->node[of].id, k)] = at;
	array = &p->node[of];
	if (array->last != 0)
		p->node[array->last].next = at;
	else
		array->first = at;
	array->last = at;
	array->n++;
	return at;
}

/* it gets another value */
static void
php_clear(struct php_node *node)
{
	node->kind = PHP_NULL;
	node->i = 0;
	node->s = STR_NONE;
	node->n = node->first = node->last = 0;
}

/* an empty array: what its node had in it before is found no more */
static void
php_make_array(struct php *p, uint32_t at)
{
	php_clear(&p->node[at]);
	p->node[at].kind = PHP_ARRAY;
	p->node[at].id = ++p->n_arrays;
}

/* --- reading ------------------------------------------------------------ */

static bool
php_char(struct php_in *in, char c)
{
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

/* up to and with `end`, at most max bytes of it */
static bool
php_word(struct php_in *in, char end, size_t max, struct str *out)
{
	const char *from = in->p;

	while (in->p < in->end && *in->p != end)
		if ((size_t)(++in->p - from) > max)
			return false;
	*out = str_n(from, (size_t)(in->p - from));
	return out->len > 0 && php_char(in, end);
}

static int
php_int(struct php_in *in, int64_t *out)
{
	struct str s;
	size_t sign;
	uint64_t v;
	bool minus;

	if (!php_word(in, ';', 24, &s))
		return ERR_PROTO;
	minus = s.p[0] == '-';
	sign = minus || s.p[0] == '+';
	if (str_u64(str_n(s.p + sign, s.len - sign), &v) != 0 ||
	    v > (uint64_t)INT64_MAX + minus)
		return ERR_PROTO;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

static size_t
php_digits(struct str s, size_t i)
{
	while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i;
}

/* [+-]? digits [. digits] [eE [+-]? digits], or one of the three words */
static bool
php_is_double(struct str s)
{
	size_t i, from;
	bool some;

	if (str_eqc(s, "INF") || str_eqc(s, "-INF") || str_eqc(s, "NAN"))
		return true;
	from = s.p[0] == '-' || s.p[0] == '+';
	i = php_digits(s, from);
	some = i > from;
	if (i < s.len && s.p[i] == '.') {
		from = ++i;
		i = php_digits(s, from);
		some = some || i > from;
	}
	if (!some || i == s.len)
		return some;
	if (s.p[i] != 'e' && s.p[i] != 'E')
		return false;
	i++;
	if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
		i++;
	from = i;
	return from < s.len && php_digits(s, from) == s.len;
}

static int
php_double(struct php_in *in, struct str *out)
{
	return php_word(in, ';', 40, out) && php_is_double(*out) ? 0
								 : ERR_PROTO;
}

/* 5:"bytes" and what ends it */
static int
php_string(struct php_in *in, struct str *out)
{
	struct str len;
	uint64_t n;

	if (!php_word(in, ':', 10, &len) || str_u64(len, &n) != 0 ||
	    !php_char(in, '"') || n > (uint64_t)(in->end - in->p))
		return ERR_PROTO;
	*out = str_n(in->p, n);
	in->p += n;
	return php_char(in, '"') && php_char(in, ';') ? 0 : ERR_PROTO;
}

static bool
php_type(struct php_in *in, char *type)
{
	if (in->end - in->p < 2 || in->p[1] != (in->p[0] == 'N' ? ';' : ':'))
		return false;
	*type = in->p[0];
	in->p += 2;
	return true;
}

static int
php_read_key(struct php_in *in, struct php_key *k)
{
	struct str s;
	char type;
	int err;

	if (!php_type(in, &type) || (type != 'i' && type != 's'))
		return ERR_PROTO;
	if (type == 'i') {
		k->s = STR_NONE;
		return php_int(in, &k->i);
	}
	err = php_string(in, &s);
	if (err == 0)
		*k = php_key(s);
	return err;
}

static int php_value(struct php_in *in, uint32_t at);

static int
php_array(struct php_in *in, uint32_t at)
{
	struct php_key k;
	struct str len;
	uint32_t element;
	uint64_t i, n;
	int err = 0;

	if (!php_word(in, ':', 10, &len) || str_u64(len, &n) != 0 ||
	    !php_char(in, '{'))
		return ERR_PROTO;
	if (n >= PHP_NODES_MAX || in->depth == PHP_DEPTH_MAX)
		return ERR_LIMIT;
	in->depth++;
	php_make_array(in->doc, at);
	for (i = 0; err == 0 && i < n; i++) {
		err = php_read_key(in, &k);
		if (err != 0)
			break;
		element = php_element(in->doc, at, &k);
		if (element == UINT32_MAX)
			return ERR_LIMIT;
		php_clear(&in->doc->node[element]);
		err = php_value(in, element);
	}
	in->depth--;
	return err == 0 && !php_char(in, '}') ? ERR_PROTO : err;
}

/* the value of a node that is there; nodes move as others come */
static int
php_value(struct php_in *in, uint32_t at)
{
	struct php_node *node = &in->doc->node[at];
	char type;
	int err;

	if (!php_type(in, &type))
		return ERR_PROTO;
	switch (type) {
	case 'N':
		return 0;
	case 'b':
		node->kind = PHP_BOOL;
		err = php_int(in, &node->i);
		return err == 0 && (node->i < 0 || node->i > 1) ? ERR_PROTO
								: err;
	case 'i':
		node->kind = PHP_INT;
		return php_int(in, &node->i);
	case 'd':
		node->kind = PHP_DOUBLE;
		return php_double(in, &node->s);
	case 's':
		node->kind = PHP_STRING;
		return php_string(in, &node->s);
	case 'a':
		return php_array(in, at);
	default:
		return ERR_PROTO;
	}
}

int
php_parse(struct php *p, struct str text)
{
	struct php_in in = {.p = text.p, .end = text.p + text.len, .doc = p};
	int err;

	*p = (struct php){0};
	if (text.len > PHP_TEXT_MAX)
		return ERR_LIMIT;
	if (text.len == 0)
		return ERR_PROTO;
	(void)php_node(p);
	err = php_value(&in, 0);
	if (err == 0 && in.p != in.end)
		err = ERR_PROTO;
	if (err != 0)
		php_fini(p);
	return err;
}

void
php_fini(struct php *p)
{
	free(p->node);
	free(p->slot);
	*p = (struct php){0};
}

/* --- merging ------------------------------------------------------------ */

static int php_merge_arrays(
    struct php *p, uint32_t to, const struct php *with, uint32_t from);

static int
php_merge_value(
    struct php *p, uint32_t to, const struct php *with, uint32_t from)
{
	const struct php_node *src = &with->node[from];
	struct php_node *dst = &p->node[to];

	if (src->kind == PHP_ARRAY && dst->kind == PHP_ARRAY)
		return php_merge_arrays(p, to, with, from);
	if (src->kind == PHP_ARRAY) {
		php_make_array(p, to);
		return php_merge_arrays(p, to, with, from);
	}
	php_clear(dst);
	dst->kind = src->kind;
	dst->i = src->i;
	dst->s = src->s;
	return 0;
}

/* as deep as `with` is at most */
static int
php_merge_arrays(
    struct php *p, uint32_t to, const struct php *with, uint32_t from)
{
	uint32_t i, at;
	int err = 0;

	for (i = with->node[from].first; err == 0 && i != 0;
	     i = with->node[i].next) {
		at = php_element(p, to, &with->node[i].key);
		err = at == UINT32_MAX ? ERR_LIMIT
				       : php_merge_value(p, at, with, i);
	}
	return err;
}

int
php_merge(struct php *p, const struct php *with)
{
	if (p->n == 0 || with->n == 0 || p->node[0].kind != PHP_ARRAY ||
	    with->node[0].kind != PHP_ARRAY)
		return ERR_INVALID;
	return php_merge_arrays(p, 0, with, 0);
}

/* --- writing ------------------------------------------------------------ */

void
php_put_null(struct buf *out)
{
	buf_puts(out, "N;");
}

void
php_put_bool(struct buf *out, bool v)
{
	buf_puts(out, v ? "b:1;" : "b:0;");
}

void
php_put_int(struct buf *out, int64_t v)
{
	buf_printf(out, "i:%" PRId64 ";", v);
}

void
php_put_str(struct buf *out, struct str v)
{
	buf_printf(out, "s:%zu:\"", v.len);
	buf_putstr(out, v);
	buf_puts(out, "\";");
}

void
php_put_array(struct buf *out, size_t n)
{
	buf_printf(out, "a:%zu:{", n);
}

void
php_put_array_end(struct buf *out)
{
	buf_putc(out, '}');
}

void
php_put_key(struct buf *out, struct str key)
{
	struct php_key k = php_key(key);

	if (str_is_set(k.s))
		php_put_str(out, k.s);
	else
		php_put_int(out, k.i);
}

static void
php_write_node(const struct php *p, uint32_t at, struct buf *out)
{
	const struct php_node *node = &p->node[at];
	uint32_t i;

	switch (node->kind) {
	case PHP_NULL:
		php_put_null(out);
		return;
	case PHP_BOOL:
		php_put_bool(out, node->i != 0);
		return;
	case PHP_INT:
		php_put_int(out, node->i);
		return;
	case PHP_DOUBLE:
		buf_puts(out, "d:");
		buf_putstr(out, node->s);
		buf_putc(out, ';');
		return;
	case PHP_STRING:
		php_put_str(out, node->s);
		return;
	case PHP_ARRAY:
		break;
	}
	php_put_array(out, node->n);
	for (i = node->first; i != 0; i = p->node[i].next) {
		if (str_is_set(p->node[i].key.s))
			php_put_str(out, p->node[i].key.s);
		else
			php_put_int(out, p->node[i].key.i);
		php_write_node(p, i, out);
	}
	php_put_array_end(out);
}

void
php_write(const struct php *p, struct buf *out)
{
	if (p->n > 0)
		php_write_node(p, 0, out);
}
