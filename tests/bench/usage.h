/* SPDX-License-Identifier: MIT */
/*
 * What the servers under test used: processor seconds (the clocks of their
 * processes) and memory (/proc) of each process named by --pids. A name that
 * begins with "ms" is a msg_server and is added up by itself too. A process
 * that is gone ends the program: figures without it would be wrong.
 */
#ifndef TESTS_BENCH_USAGE_H
#define TESTS_BENCH_USAGE_H

#include "tests/bench/bench.h"

struct usage {
	double cpu, msg_cpu;	 /* seconds */
	uint64_t rss, msg_rss;	 /* bytes */
	uint64_t anon, msg_anon; /* of these, not files: the heap */
	uint64_t disk;		 /* bytes read from a disk */
	double self;		 /* processor seconds of this program */
	int64_t at_us;
};

void usage_read(const struct options *o, struct usage *u);

#endif
