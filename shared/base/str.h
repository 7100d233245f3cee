/* SPDX-License-Identifier: MIT */
/*
 * struct str: borrowed bytes with a length, never NUL-terminated by promise.
 * Whoever holds one must not outlive the memory it points to. {NULL, 0} is
 * "absent"; str_is_set() tells absent from empty ("" has p != NULL).
 */
#ifndef SHARED_BASE_STR_H
#define SHARED_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared/base/err.h"

struct str {
	const char *p;
	size_t len;
};

#define STR_LIT(s) ((struct str){"" s, sizeof(s) - 1})
#define STR_NONE   ((struct str){NULL, 0})
/* for printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).len, (s).p ? (s).p : ""

static inline struct str
str_of(const char *cstr)
{
	return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

static inline struct str
str_n(const void *p, size_t len)
{
	return (struct str){p, len};
}

static inline bool
str_is_set(struct str s)
{
	return s.p != NULL;
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.p, b.p, a.len));
}

static inline bool
str_eqc(struct str a, const char *b)
{
	return str_eq(a, str_of(b));
}

int str_cmp(struct str a, struct str b);
bool str_ieq(struct str a, struct str b); /* ASCII case folded */
bool str_starts(struct str s, struct str prefix);
/* index of c, or -1 */
long str_chr(struct str s, char c);
/* without surrounding blanks and tabs */
struct str str_trim(struct str s);
/* the part before the next sep; *s advances behind it; false at the end */
bool str_next(struct str *s, char sep, struct str *part);
/* decimal digits only, no sign, no blanks, all of s; ERR_INVALID, ERR_LIMIT */
int str_u64(struct str s, uint64_t *out) MUST_CHECK;
/* value of a hex digit, of either case; -1: it is none */
int str_hex(char c);
/* a malloced NUL-terminated copy; dies on OOM; NULL for STR_NONE */
char *str_dup(struct str s);
/* NUL-terminated copy into buf, cut to size-1 */
void str_copy(char *buf, size_t size, struct str s);

#endif
