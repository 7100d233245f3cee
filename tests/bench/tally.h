/* SPDX-License-Identifier: MIT */
/*
 * What arrived, against what was sent. A text carries the run's tag, its
 * sender, its number and the time it was due; tally_text writes it and
 * tally_scan finds it in bytes without parsing them. A stream is one sender
 * as one receiver hears him: it knows the last 64 numbers, so a text that
 * comes twice is told from one that comes late.
 */
#ifndef TESTS_BENCH_TALLY_H
#define TESTS_BENCH_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TALLY_MARK = '~',
	TALLY_LEN = 1 + 4 + 6 + 8 + 12, /* the least size of a text */
	TALLY_SUB = 6,			/* buckets of a power of two: 64 */
	TALLY_BUCKETS = (40 - TALLY_SUB) << TALLY_SUB
};

struct stamp {
	uint32_t tag, sender, n;
	uint64_t at_us;
};

struct stream {
	uint32_t next;	/* the number after the highest seen; from 1 */
	uint64_t holes; /* bit i: number next-1-i has not been seen */
};

enum arrival { ARRIVED, ARRIVED_LATE, ARRIVED_AGAIN };

struct tally {
	uint64_t arrived; /* once each, late ones too */
	uint64_t late;	  /* after a higher number of the same sender */
	uint64_t again;
	uint64_t foreign; /* texts of another run or an unknown sender */
	uint64_t count;	  /* in the histogram */
	uint64_t max_us;
	uint64_t bucket[TALLY_BUCKETS];
};

/* size bytes at p: the stamp, then filler; size is at least TALLY_LEN */
void tally_text(char *p, size_t size, const struct stamp *st);
/* The next stamp in n bytes; returns the byte behind it, NULL if none. */
const char *tally_scan(const char *p, size_t n, struct stamp *st);
enum arrival tally_arrival(struct tally *t, struct stream *s, uint32_t n);
void tally_latency(struct tally *t, uint64_t us);
/* microseconds below which share (0..1) of the latencies are */
double tally_quantile(const struct tally *t, double share);

#endif
