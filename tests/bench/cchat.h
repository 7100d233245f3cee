/* SPDX-License-Identifier: MIT */
/*
 * The cchat dialect as the load generator speaks it (protocol.md; level 1 is
 * the original five messages). It writes logins and messages and tells
 * frames apart by their first bytes; it parses no JSON. Texts in message
 * frames are found by tally_scan, not here.
 */
#ifndef TESTS_BENCH_CCHAT_H
#define TESTS_BENCH_CCHAT_H

#include <stddef.h>

#include "tests/bench/bench.h"

enum cchat_said {
	CCHAT_OTHER, /* newUser, presence, ping, ... */
	CCHAT_LOGIN,
	CCHAT_OK,
	CCHAT_MESSAGE, /* or an array of objects */
	CCHAT_ERROR,
	CCHAT_GAP,
	CCHAT_SYNCED
};

/* Bytes written to p, which has room for 1024. */
size_t cchat_login(
    char *p, const struct options *o, uint32_t uid, uint32_t room);
/* the same of one who comes back: he has all up to seq of the history ep */
size_t cchat_resume(char *p, const struct options *o, uint32_t uid,
    uint32_t room, const char *ep, uint64_t seq);
/* what the answer to a login says of the position in the room */
struct cchat_pos {
	char ep[9];
	uint64_t head;
	bool full;
};
bool cchat_pos(const char *p, size_t n, const struct options *o,
    uint32_t room, struct cchat_pos *out);
/* the number of a message in its room, 0: none is told */
uint64_t cchat_seq(const char *p, size_t n);
/* p has room for 256 more than size; the text is size bytes. */
size_t cchat_message(char *p, const struct options *o, uint32_t room,
    uint32_t to_uid, uint32_t sender, uint32_t n, const char *text);
enum cchat_said cchat_said(const char *p, size_t n);
/* which message of this run an ok or an error answers; false: none */
bool cchat_answers(const char *p, size_t n, const struct options *o,
    uint32_t *sender, uint32_t *num);
uint32_t cchat_rid(const struct options *o, uint32_t room);
uint32_t cchat_uid(const struct options *o, uint32_t index);

#endif
