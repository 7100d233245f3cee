/* SPDX-License-Identifier: MIT */
/*
 * The stamp in a text and the books of a stream. Knows nothing of sockets
 * nor of a dialect.
 */
#include <string.h>

#include "tests/bench/tally.h"

static void
tally_hex(char *p, unsigned digits, uint64_t v)
{
	while (digits-- > 0) {
		p[digits] = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
}

/* false: not hex */
static bool
tally_unhex(const char *p, unsigned digits, uint64_t *out)
{
	uint64_t v = 0;
	unsigned c;

	while (digits-- > 0) {
		c = (unsigned char)*p++;
		if (c - '0' < 10U)
			v = v << 4 | (c - '0');
		else if (c - 'a' < 6U)
			v = v << 4 | (c - 'a' + 10U);
		else
			return false;
	}
	*out = v;
	return true;
}

void
tally_text(char *p, size_t size, const struct stamp *st)
{
	p[0] = TALLY_MARK;
	tally_hex(p + 1, 4, st->tag);
	tally_hex(p + 5, 6, st->sender);
	tally_hex(p + 11, 8, st->n);
	tally_hex(p + 19, 12, st->at_us);
	memset(p + TALLY_LEN, 'x', size - TALLY_LEN);
}

const char *
tally_scan(const char *p, size_t n, struct stamp *st)
{
	const char *end = p + n;
	uint64_t tag, sender, num;

	while ((p = memchr(p, TALLY_MARK, (size_t)(end - p))) != NULL) {
		if (end - p < TALLY_LEN)
			return NULL;
		if (tally_unhex(p + 1, 4, &tag) &&
		    tally_unhex(p + 5, 6, &sender) &&
		    tally_unhex(p + 11, 8, &num) &&
		    tally_unhex(p + 19, 12, &st->at_us)) {
			st->tag = (uint32_t)tag;
			st->sender = (uint32_t)sender;
			st->n = (uint32_t)num;
			return p + TALLY_LEN;
		}
		p++;
	}
	return NULL;
}

enum arrival
tally_arrival(struct tally *t, struct stream *s, uint32_t n)
{
	uint32_t skip;
	uint64_t bit;

	if (n >= s->next) {
		skip = n - s->next;
		s->holes = skip < 63 ? s->holes << (skip + 1) : 0;
		if (skip > 0)
			s->holes |=
			    (skip < 63 ? (1ULL << (skip + 1)) - 1 : ~0ULL) &
			    ~1ULL;
		s->next = n + 1;
		t->arrived++;
		return ARRIVED;
	}
	skip = s->next - 1 - n;
	bit = skip < 64 ? 1ULL << skip : 0;
	if (s->holes & bit) {
		s->holes &= ~bit;
		t->arrived++;
		t->late++;
		return ARRIVED_LATE;
	}
	t->again++;
	return ARRIVED_AGAIN;
}

void
tally_latency(struct tally *t, uint64_t us)
{
	unsigned exp = 0;
	size_t i;

	if (us > t->max_us)
		t->max_us = us;
	if (us >= 1U << TALLY_SUB)
		exp = 63U - (unsigned)__builtin_clzll(us) - TALLY_SUB + 1;
	i = exp == 0 ? us
		     : ((size_t)exp << TALLY_SUB) + (us >> (exp - 1)) -
			   (1U << TALLY_SUB);
	if (i >= TALLY_BUCKETS)
		i = TALLY_BUCKETS - 1;
	t->bucket[i]++;
	t->count++;
}

double
tally_quantile(const struct tally *t, double share)
{
	uint64_t seen = 0, want = (uint64_t)(share * (double)t->count);
	size_t i, exp, low;

	for (i = 0; i < TALLY_BUCKETS; i++) {
		seen += t->bucket[i];
		if (seen <= want)
			continue;
		exp = i >> TALLY_SUB;
		low = i & ((1U << TALLY_SUB) - 1);
		if (exp == 0)
			return (double)low;
		return (double)((low + (1U << TALLY_SUB)) << (exp - 1));
	}
	return (double)t->max_us;
}
