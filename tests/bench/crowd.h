/* SPDX-License-Identifier: MIT */
/*
 * People in rooms where some go on speaking at a fixed rate whatever happens
 * to the others: what the scenes drop and stall share. Messages are booked by
 * the server's own numbers (`seq`) for each person across his connections, so
 * what is lost, doubled or out of order shows from the first login to the end.
 * Only level 2 has numbers.
 *
 * Latencies count from when a message was due and are booked by phase, for
 * those who are watched: they are connected all the time.
 */
#ifndef TESTS_BENCH_CROWD_H
#define TESTS_BENCH_CROWD_H

#include "tests/bench/engine.h"
#include "tests/bench/tally.h"

enum crowd_phase { CROWD_WARM, CROWD_BEFORE, CROWD_DURING, CROWD_AFTER, CROWD_PHASES };

struct crowd_one {
	struct stream stream; /* of seq */
	uint64_t first;	      /* what he is to get begins behind it */
	int64_t due_us;	      /* comes back then; 0: not away */
	int64_t back_us;      /* was synced again; 0: is not */
	uint32_t tries;
	bool known;   /* has a position */
	bool watched; /* his latencies count */
	bool synced;
};

struct crowd {
	const struct options *o;
	struct engine e;
	struct crowd_one *ones; /* by connection */
	uint64_t *heads;	/* of rooms: the highest seq anybody has */
	uint32_t senders;	/* of a room: its first */
	uint32_t members;	/* of a room, all together */
	enum crowd_phase phase;
	bool talking;		/* what is due is said */
	struct tally latency[CROWD_PHASES], books;
	int64_t start_us, heard_us;
	uint64_t due, sent, gaps, cut_short, errors;
	size_t synced;
	char ep[9];
	char *text, *frame;
	void (*on_synced)(struct crowd *w, struct bconn *c, struct crowd_one *p);
	void *user;
};

void crowd_init(struct crowd *w, const struct options *o, uint32_t members, uint32_t senders);
void crowd_fini(struct crowd *w);
/* everybody in, or the end of the program */
void crowd_gather(struct crowd *w);
/* speaks and reads for so long, or until done() says so */
void crowd_run(struct crowd *w, double seconds, bool (*done)(struct crowd *w));
/* no more words; until nothing is heard for half a second */
void crowd_drain(struct crowd *w);
/* of all that each was to get; lost: what he did not; cut_off is not in them:
 * what came after the last of one who is gone in the end */
struct crowd_sums {
	uint64_t expected, lost, cut_off;
};
void crowd_sum(const struct crowd *w, struct crowd_sums *s);
/* lost, doubled ... as lines of the report; the exit status */
int crowd_report(struct crowd *w);

#endif
