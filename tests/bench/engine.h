/* SPDX-License-Identifier: MIT */
/*
 * The connections of a run: one thread, one epoll, one read buffer for all of
 * them. It opens, upgrades and reads; frames go to on_frame as a slice of the
 * read buffer, good until it returns. What is queued by engine_send is
 * written at the end of the turn, one write for each connection. A
 * connection that ends stays in the array as CONN_GONE and is counted.
 *
 * Who is measured does not wait for what is done for the others: those marked
 * `first` have an epoll of their own, which is looked at after every few events,
 * dials and writes (engine_glance). How long it was not is in blind_us.
 *
 * Errors: a peer that breaks the protocol is closed and counted; what the
 * machine denies (descriptors, addresses) ends the program with the reason.
 * Why the first few connections ended is told on stderr, the server's code and
 * words if it gave any.
 */
#ifndef TESTS_BENCH_ENGINE_H
#define TESTS_BENCH_ENGINE_H

#include "tests/bench/bench.h"
#include "tests/bench/dialect.h"
#include "tests/bench/tally.h"

enum conn_state {
	CONN_NEW,
	CONN_OPENING, /* TCP, then the upgrade */
	CONN_OPEN,
	CONN_READY, /* set by the dialect: logged in */
	CONN_GONE
};

struct bconn {
	int fd;
	uint8_t state;
	bool deaf;  /* does not read once it is ready */
	bool dirty; /* in the list of those with output */
	bool first; /* looked at between all others; set before it is dialed */
	uint32_t index;
	uint32_t target;       /* which of the servers; they go round */
	uint32_t room, member; /* where it sits */
	char *kept;	       /* bytes of a frame that is not whole yet */
	uint32_t n_kept, cap_kept;
	char *out;
	uint32_t n_out, cap_out;
	int64_t opened_us;
	struct stream *streams; /* by sender of its room; may be NULL */
};

struct engine {
	const struct options *o;
	int ep, ep_first; /* the second hangs in the first */
	struct bconn *conns;
	size_t n_conns;
	uint32_t first; /* number of conns[0] among those of all processes */
	bool thrifty;	/* keeps no empty buffer */
	bool hush;	/* that connections end is the scene: nothing is told */
	unsigned told;	/* of those that ended */
	size_t opened; /* conns begun so far */
	size_t opening, ready, gone, failed;
	int64_t now_us; /* taken once for each read */
	uint64_t reads, bytes, writes;
	uint32_t *dirty;
	size_t n_dirty;
	size_t n_first; /* with a socket */
	unsigned chores; /* since the last glance */
	int64_t glanced_us, blind_us; /* the longest time between two */
	char *buf;
	void *user;
	void (*on_open)(struct engine *e, struct bconn *c);
	void (*on_frame)(
	    struct engine *e, struct bconn *c, const char *p, size_t n);
	/* it ended, and not by engine_cut; may be NULL */
	void (*on_gone)(struct engine *e, struct bconn *c);
	/* at each glance: what is due by the clock; may be NULL */
	void (*on_glance)(struct engine *e);
};

void engine_init(struct engine *e, const struct options *o, size_t n_conns);
void engine_fini(struct engine *e);
/* Opens more, at most `most` at once and none past `upto`. */
void engine_open(struct engine *e, size_t upto, unsigned most);
/* What the dialect says first on a connection that is open. */
void engine_login(struct engine *e, struct bconn *c, uint32_t uid);
/* A masked text frame of n bytes, written at the end of the turn. */
void engine_send(struct engine *e, struct bconn *c, const char *p, size_t n);
void engine_ready(struct engine *e, struct bconn *c);
/* Ends it with a reset, as a client does whose network is gone; not counted. */
void engine_cut(struct engine *e, struct bconn *c);
/* Dials once more for one that ended. */
void engine_again(struct engine *e, struct bconn *c);
/* Reads no more from here on, or again. */
void engine_deaf(struct engine *e, struct bconn *c, bool deaf);
/* Reads those marked first, and writes to them, if it is time to. */
void engine_glance(struct engine *e);
/* One turn: waits at most wait_us, reads what is there, writes. */
void engine_turn(struct engine *e, int64_t wait_us);
int64_t engine_clock_us(void);

#endif
