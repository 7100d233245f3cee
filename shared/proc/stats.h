/* SPDX-License-Identifier: MIT */
/*
 * Counters and gauges, written once as an X-macro table by each daemon, and
 * rendered as Prometheus text ("/metrics") or looked up by name. Names follow
 * features.md 5.5 (prefix cchat_). Only the loop's thread writes them.
 */
#ifndef SHARED_PROC_STATS_H
#define SHARED_PROC_STATS_H

#include <stdint.h>

#include "shared/base/buf.h"

enum stat_kind { STAT_COUNTER, STAT_GAUGE };

struct stat_def {
	const char *name; /* without the prefix */
	enum stat_kind kind;
	const char *help;
};

/* values[i] belongs to defs[i] */
void stats_render(struct buf *out, const struct stat_def *defs,
    const uint64_t *values, size_t n);

/* fixed power-of-two histogram in microseconds, for latencies */
struct histogram {
	uint64_t bucket[32]; /* bucket i: < 2^i us */
	uint64_t n, sum_us;
};
void histogram_add(struct histogram *h, uint64_t us);
uint64_t histogram_quantile(const struct histogram *h, double q); /* us */
void histogram_render(struct buf *out, const char *name, const char *help,
    const struct histogram *h);

/* bytes in memory */
uint64_t stats_resident(void);
/* resident memory, cpu time, open descriptors: cchat_process_* lines */
void stats_render_process(struct buf *out);

#endif
