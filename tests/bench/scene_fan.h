/* SPDX-License-Identifier: MIT */
/*
 * The books of the scene fan: scene_fan.c sends and measures, scene_fan_owed.c
 * knows who is owed what.
 *
 * Nothing is owed to a connection that ended for what came after its last, nor
 * is what it sent itself and had no answer to: these are counted by
 * themselves. A message that was acked, or that anybody has, is owed to all who
 * are there, whatever became of its sender. So what is left over was lost.
 */
#ifndef TESTS_BENCH_SCENE_FAN_H
#define TESTS_BENCH_SCENE_FAN_H

#include "tests/bench/engine.h"
#include "tests/bench/usage.h"

enum { FAN_RING = 1024 };

struct fan_sender {
	uint32_t n;	   /* of its last message */
	uint32_t answered; /* the highest that was acked, or seen */
	uint32_t *refused; /* by number, with the dialects that say which */
	uint32_t n_refused;
	uint32_t *missing; /* by number: readers that have it not */
};

struct fan_room {
	uint32_t readers; /* that a message must reach */
	uint32_t live;	  /* ... and who are there */
	uint32_t flying, turn;
	int64_t moved_us;
};

struct fan {
	const struct options *o;
	struct engine e;
	struct fan_room *rooms;
	struct fan_sender *senders; /* room by room */
	struct tally tally;
	uint32_t window;
	bool sending, measuring;
	int64_t heard_us; /* the last frame */
	uint64_t sent, expected, refused, released, gaps, oks, others;
	uint64_t refused_some;	    /* it was not said which */
	uint64_t unsaid;	    /* were due from those who are gone */
	uint64_t unanswered;	    /* messages; see fan_excuse */
	uint64_t cut_off, not_owed; /* deliveries */
	char *text, *frame;
	double limit[8];     /* of the bare send loop, by joined */
	struct usage before; /* any connection */
};

/* the s-th sender of room r is logged in */
bool fan_is_here(const struct fan *f, uint32_t r, uint32_t s);
/* one reader less is waited for */
void fan_has(struct fan *f, uint32_t r, struct fan_sender *from, uint32_t n);
/* he knows, or others have seen, that the server has message n */
void fan_answered(struct fan_sender *from, uint32_t n);
/* what an ok and an error say of a message */
void fan_acked(
    struct fan *f, const struct bconn *c, const char *p, size_t n);
void fan_refused(
    struct fan *f, const struct bconn *c, const char *p, size_t n);
/* a connection ended: no window waits for it */
void fan_gone(struct fan *f, struct bconn *c);
/*
 * Of what did not come: what a sender who is gone was never answered, though
 * his word reached nobody (unanswered), what came after the last that one had
 * who is gone (cut_off), and what was refused. Each is counted once.
 */
void fan_excuse(struct fan *f);

#endif
