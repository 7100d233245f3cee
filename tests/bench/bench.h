/* SPDX-License-Identifier: MIT */
/*
 * What the parts of cchat_bench share: the options of a run. main.c fills
 * them from the command line and never changes them afterwards; everything
 * else only reads. Times are microseconds of the monotonic clock unless a
 * name says otherwise.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_TARGETS = 64, BENCH_PIDS = 128, BENCH_WORKERS = 64 };

struct target {
	char host[64];
	uint16_t port;
};

struct server_pid {
	char name[32];
	int pid;
};

/* where the counters of a server are read */
struct server_admin {
	char name[32];
	struct target at;
};

struct dialect;

struct options {
	const struct dialect *dialect;
	const char *mode;
	struct target target[BENCH_TARGETS];
	size_t n_targets;
	struct server_pid pid[BENCH_PIDS];
	size_t n_pids;
	struct server_admin admin[BENCH_PIDS];
	size_t n_admins;
	char kill[32];		 /* drop: the server that dies; "": none */
	unsigned stay;		 /* drop: of each room, who is not dropped */
	double away;		 /* drop: seconds before anybody comes back */
	unsigned level;		 /* of the cchat dialect, 1 or 2 */
	unsigned rooms, members; /* fan-out; members of one room */
	unsigned senders;	 /* of each room */
	unsigned window;	 /* messages under way in one room */
	bool window_each;	 /* ... of one sender instead */
	double rate;		 /* messages/s of all rooms; 0: closed window */
	unsigned size;		 /* bytes of a text */
	double seconds, warm;	 /* measured, and before it */
	double hold;		 /* idle: seconds to stay; stall: to be deaf */
	unsigned stalled;	 /* members in 1000 that do not read */
	unsigned opening;	 /* connections being opened at once */
	unsigned per_addr;	 /* connections of one source address */
	unsigned joined[8];	 /* limit: messages joined in one send */
	size_t n_joined;
	bool batch;   /* caps of level 2 */
	bool pairs;   /* private pairs instead of rooms */
	bool json;    /* the JSON line alone */
	bool table;   /* the table alone */
	bool together; /* idle: the people of a room on one server */
	bool limit;   /* the bare send loop first, for a ratio */
	unsigned workers; /* idle: processes that hold the connections */
	double reach;	  /* idle: private texts/s, one to each; 0: none */
	double most;	  /* idle: seconds for the logins */
	uint8_t key[32];  /* of tokens */
	bool has_key;

	uint32_t tag; /* of this run: four hex digits in every text */
};

#endif
