/* SPDX-License-Identifier: MIT */
/*
 * What the processes of an idle run share: scene_hold.c starts them, tells
 * them how far it is, and adds up what they write; hold_worker.c is one of
 * them. Memory is shared and each part has one writer; a count may be read a
 * moment late, so sums are taken after a worker has said that he is through.
 */
#ifndef TESTS_BENCH_HOLD_H
#define TESTS_BENCH_HOLD_H

#include <stdatomic.h>

#include "tests/bench/bench.h"
#include "tests/bench/tally.h"

enum hold_phase {
	HOLD_OPEN, /* connect and log in */
	HOLD_IDLE,
	HOLD_TALK,  /* `rate` messages/s to rooms drawn by lot */
	HOLD_REACH, /* one private message to each */
	HOLD_END    /* write down the rest and leave */
};

struct hold_part {
	uint32_t first, n; /* its connections */
	size_t ready, gone, failed;
	uint64_t told; /* frames that answer nothing: newUser, ... */
	uint64_t errors;
	uint64_t said, expected, reach_sent, reached;
	uint64_t busy; /* were told to try again, and did */
	/* not in `expected`: messages that a speaker who is gone was never
	 * answered and nobody has, deliveries after the last of one who is gone */
	uint64_t unanswered, cut_off;
	int64_t in_us;	  /* the last was in, or refused */
	int64_t heard_us; /* the last frame */
	double cpu;
	struct tally login; /* connect to logged in */
	struct tally talk, reach;
	atomic_bool in, sent, done;
};

struct hold_share {
	atomic_int phase;
	struct hold_part part[];
};

/* A worker's life, until HOLD_END. */
void hold_worker(
    const struct options *o, struct hold_share *s, struct hold_part *p);

#endif
