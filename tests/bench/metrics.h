/* SPDX-License-Identifier: MIT */
/*
 * Counters of the servers under test, from /metrics of the admin listeners
 * named by --admins, each added up over all servers: where history came from.
 * A server that does not answer is left out and said to be.
 */
#ifndef TESTS_BENCH_METRICS_H
#define TESTS_BENCH_METRICS_H

#include "tests/bench/bench.h"

struct metrics {
	bool known;
	double log_file, log_memory;	  /* pages read: from the file, from memory */
	double hits, misses, shared;	  /* of msg_servers' recent items */
	double lagged, repairs;
};

/* without the server named `except`; NULL: all */
void metrics_read(const struct options *o, const char *except, struct metrics *m);
/* what came between a and b */
void metrics_report(const struct metrics *a, const struct metrics *b);

#endif
