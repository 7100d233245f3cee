/* SPDX-License-Identifier: MIT */
/*
 * The scenes of cchat_bench, one function each. All end with a report; the
 * value is the exit status: 0, or 3 when something was lost, doubled or out
 * of order or a connection failed, so a script sees it.
 */
#ifndef TESTS_BENCH_SCENE_H
#define TESTS_BENCH_SCENE_H

#include "tests/bench/bench.h"

/* rooms or private pairs, closed window or fixed rate, stalled readers */
int scene_fan(const struct options *o);
/* connect and log in as fast as it goes, then hold for o->hold seconds */
int scene_hold(const struct options *o);
/* nothing but send() to sockets of its own, for each o->joined */
int scene_limit(const struct options *o);
/* the same, shortly and quietly: deliveries per CPU-s for each o->joined, to as
 * many sockets as o has members, at most 1000 */
void limit_beside(const struct options *o, double per_cpu[8]);

/* many are cut off at once and come back with their positions */
int scene_drop(const struct options *o);
/* some stop reading for o->hold seconds, then read on */
int scene_stall(const struct options *o);

#endif
