/* SPDX-License-Identifier: MIT */
/*
 * Figures as they go out: one JSON object on a line for programs, and unless
 * --json was given a table for people before it. A figure that could not be
 * measured is left out, never printed as 0.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include "tests/bench/bench.h"
#include "tests/bench/tally.h"
#include "tests/bench/usage.h"

void report_begin(const struct options *o);
/* unit is for people only */
void report_num(const char *key, double v, const char *unit);
void report_int(const char *key, uint64_t v, const char *unit);
void report_text(const char *key, const char *v);
/* p50 to max in ms */
void report_latency(const struct tally *t);
/* the same with a word in front: "before_p50_ms" */
void report_latency_of(const char *prefix, const struct tally *t);
/* what was used between a and b for `work` things called `what` */
void report_cpu(const struct options *o, const struct usage *a,
    const struct usage *b, double work, const char *what);
void report_end(void);

#endif
