/* SPDX-License-Identifier: MIT */
/*
 * Borrowed bytes with a length. See str.h. Nothing here keeps a pointer.
 */
#include "shared/base/str.h"

#include <strings.h>

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (c != 0)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
str_ieq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || !strncasecmp(a.p, b.p, a.len));
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len &&
	       (prefix.len == 0 || !memcmp(s.p, prefix.p, prefix.len));
}

long
str_chr(struct str s, char c)
{
	const char *p = s.len ? memchr(s.p, c, s.len) : NULL;

	return p ? p - s.p : -1;
}

struct str
str_trim(struct str s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool
str_next(struct str *s, char sep, struct str *part)
{
	long i;

	if (s->p == NULL)
		return false;
	i = str_chr(*s, sep);
	if (i < 0) {
		*part = *s;
		*s = STR_NONE;
		return true;
	}
	*part = str_n(s->p, (size_t)i);
	s->p += i + 1;
	s->len -= (size_t)i + 1;
	return true;
}

int
str_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return ERR_INVALID;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return ERR_INVALID;
	for (size_t i = 0; i < s.len; i++) {
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return ERR_LIMIT;
	}
	*out = v;
	return OK;
}

char *
str_dup(struct str s)
{
	char *p;

	if (s.p == NULL)
		return NULL;
	p = xmalloc(s.len + 1);
	if (s.len)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

void
str_copy(char *buf, size_t size, struct str s)
{
	size_t n = s.len < size ? s.len : size - 1;

	if (n)
		memcpy(buf, s.p, n);
	buf[n] = '\0';
}

int
str_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
