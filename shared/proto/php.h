/* SPDX-License-Identifier: MIT */
/*
 * PHP's serialize(), as back ends in PHP send and expect it: N b i d s a, and
 * nothing else. Objects (O, C, E) and references (R, r) are refused: nothing
 * here makes a thing of a name that a peer gives.
 *
 * Reading: php_parse() checks all bytes and gives a tree whose strings point
 * into the text, which must outlive it. Bounds are PHP_*_MAX below; ERR_LIMIT
 * over one of them, ERR_PROTO for anything that is not serialize's output.
 *
 * Keys of arrays follow PHP's rule: a decimal integer of 64 bits without plus,
 * leading zero or "-0" is an integer key, written as text or not. The second
 * of two equal keys has the place of the first and its own value.
 *
 * Doubles are never computed with: their text comes out as it came in.
 */
#ifndef SHARED_PROTO_PHP_H
#define SHARED_PROTO_PHP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

enum {
	PHP_TEXT_MAX = 1 << 20, /* bytes of a serialized value */
	PHP_NODES_MAX = 16384,  /* values in it, those in arrays included */
	PHP_DEPTH_MAX = 16      /* arrays inside of each other */
};

enum php_kind { PHP_NULL, PHP_BOOL, PHP_INT, PHP_DOUBLE, PHP_STRING, PHP_ARRAY };

struct php_key {
	struct str s; /* absent: it is the integer */
	int64_t i;
};

/* a value; nodes are named by their index, 0 is the root and, as a child, none */
struct php_node {
	enum php_kind kind;
	struct php_key key; /* in its array */
	int64_t i;          /* PHP_INT; PHP_BOOL: 0, 1 */
	struct str s;       /* PHP_STRING; PHP_DOUBLE: as written */
	uint32_t n;         /* PHP_ARRAY: elements */
	uint32_t first, last, next;
	uint32_t id, in; /* PHP_ARRAY: its number; number of the array it is in */
};

struct php {
	struct php_node *node; /* owned */
	uint32_t n, cap, n_arrays;
	uint32_t *slot; /* owned: nodes by array and key */
	uint32_t mask;  /* slots - 1 */
};

/* all of text is one value; on an error p holds nothing */
int php_parse(struct php *p, struct str text) MUST_CHECK;
void php_fini(struct php *p);
/* the element of array `of` with this key, as text or digits; 0: none */
uint32_t php_get(const struct php *p, uint32_t of, struct str key);
/*
 * array_replace_recursive(): elements of `with` go into p, arrays where both
 * have one are merged. Both are arrays, else ERR_INVALID; ERR_LIMIT: too many
 * values together, p is then half merged. The texts of both must outlive p.
 */
int php_merge(struct php *p, const struct php *with) MUST_CHECK;
/* the whole value, as PHP writes it */
void php_write(const struct php *p, struct buf *out);

/* key as an integer key? */
bool php_key_int(struct str key, int64_t *out);
struct php_key php_key(struct str key);

/* --- a writer; elements of an array are key, value, key, value ... --- */
void php_put_null(struct buf *out);
void php_put_bool(struct buf *out, bool v);
void php_put_int(struct buf *out, int64_t v);
void php_put_str(struct buf *out, struct str v);
void php_put_array(struct buf *out, size_t n);
void php_put_array_end(struct buf *out);
/* by the rule above */
void php_put_key(struct buf *out, struct str key);

#endif
