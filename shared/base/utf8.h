/* SPDX-License-Identifier: MIT */
/*
 * UTF-8: whole-string check, an incremental automaton for WebSocket text that
 * comes in pieces (fails at the first bad byte), counting, and the cleaning of
 * names (limits.md: C0/C1, bidi and zero-width characters are cut out).
 */
#ifndef SHARED_BASE_UTF8_H
#define SHARED_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

/* state between pieces; all zero = at a code point boundary */
struct utf8 {
	uint8_t need;	/* continuation bytes still missing */
	uint8_t lo, hi; /* allowed range of the next one */
};

/* feeds n bytes; false at the first byte that can't be valid */
bool utf8_feed(struct utf8 *u, const uint8_t *p, size_t n);
/* true when no code point is left half */
static inline bool
utf8_done(const struct utf8 *u)
{
	return u->need == 0;
}
bool utf8_valid(const void *p, size_t n);
/* number of code points of valid text */
size_t utf8_count(struct str s);
/* longest prefix of at most n bytes that ends at a code point boundary */
size_t utf8_cut(struct str s, size_t n);
/* no C0, DEL, C1, line separators or bidi controls in valid text: it is one
 * line and stays where it is put */
bool utf8_is_line(struct str s);
/*
 * Appends s without C0, DEL, C1, bidi controls (U+200E/F, 202A-E, 2066-9,
 * 061C), zero-width (U+200B-D, 2060, FEFF) and without surrounding blanks.
 * Invalid UTF-8 or U+0000: ERR_UTF8, nothing appended.
 */
int utf8_clean_name(struct str s, struct buf *out) MUST_CHECK;

#endif
