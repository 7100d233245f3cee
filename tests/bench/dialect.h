/* SPDX-License-Identifier: MIT */
/*
 * What the load generator speaks, beside cchat: the dialect of workerman-chat,
 * and what its peers of peers.sh need: nchan's (a path for each room, bare
 * texts) and that of nats (lines over TCP, no WebSocket). One table each; the
 * scenes know none of them by name. Only cchat can do private pairs, levels,
 * positions and tokens.
 */
#ifndef TESTS_BENCH_DIALECT_H
#define TESTS_BENCH_DIALECT_H

#include "tests/bench/cchat.h"

enum { DIALECT_LOGIN_MAX = 1024, DIALECT_MORE = 256 };

/* where one frame lies in bytes that are not WebSocket's */
struct slice {
	const char *p;
	size_t n;
};

struct dialect {
	const char *name;
	bool rooms_only; /* no private texts */
	bool raw;	 /* no WebSocket: slice() tells frames apart */
	/* what is written on a new connection; p has DIALECT_LOGIN_MAX */
	size_t (*hello)(char *p, const struct options *o, const struct target *t, uint32_t room);
	/* after the upgrade; 0: nothing to write; NULL: ready at once */
	size_t (*login)(char *p, const struct options *o, uint32_t uid, uint32_t room);
	/* p has DIALECT_MORE more than a text; to_uid 0: everybody in the room */
	size_t (*message)(char *p, const struct options *o, uint32_t room, uint32_t to_uid, uint32_t sender, uint32_t n, const char *text);
	enum cchat_said (*said)(const char *p, size_t n);
	/* bytes of the first frame, 0: not whole yet, -1: nonsense */
	ssize_t (*slice)(const char *p, size_t n, struct slice *out);
};

/* NULL: nobody knows it */
const struct dialect *dialect_named(const char *name);

#endif
