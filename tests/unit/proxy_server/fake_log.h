/* SPDX-License-Identifier: MIT */
/*
 * The log, played by a test in place of proxy_server/log*.c: operations wait
 * until the test answers them, in order and as it likes.
 */
#ifndef TESTS_UNIT_PROXY_SERVER_FAKE_LOG_H
#define TESTS_UNIT_PROXY_SERVER_FAKE_LOG_H

#include "proxy_server/log.h"

struct fake_log {
	const struct log_ops *ops;
	void *arg;
	struct log_op *head, **tail;
	unsigned n;
	bool busy;
	uint64_t reads, inboxes, states;
	struct f_read read; /* the last one */
	uint64_t read_peer;
};

extern struct fake_log fake;
int log_backup(struct log *l, uint64_t token, const char *path);

/* answers the oldest operation: seq (of a touch: the head), useq of to[] */
void fake_commit(
    uint16_t code, uint64_t seq, uint64_t useq0, uint64_t useq1, bool dup);
/* the log has won the lock, or has another history */
void fake_activate(uint64_t gen, const char *ep);

/* SUB and APPEND of a msg_server, arrived at the log */
struct ms;
void ms_sub(struct ms *s, uint32_t ch, const char *chan);
/* ... and answered: live from head on */
void ms_subbed(struct ms *s, uint32_t ch, const char *chan, uint64_t head);
void ms_append(struct ms *s, uint64_t req, const char *chan, const char *body,
    const char *to0, const char *to1);

#endif
