/* SPDX-License-Identifier: MIT */
/*
 * Retention: what is older than keep_days, or beyond the newest keep_items of
 * a channel, goes. Done in small slices between commits by the writer's
 * thread: a pass walks over all channels, raises `first` where something has
 * run out of time, and then deletes the rows below it. `first` rises before
 * the rows go: what is not promised is not shown. States are never trimmed.
 * Rows that may still be asked for as repeats (10 min) go with a later pass,
 * unless nothing at all is to be kept.
 */
#ifndef PROXY_SERVER_LOG_TRIM_H
#define PROXY_SERVER_LOG_TRIM_H

#include "proxy_server/log_chan.h"

enum { LOG_TRIM_ROWS = 500 };

struct log_trim {
	bool running;	/* in a pass */
	int64_t due_ms; /* monotonic: when the next pass begins */
	int64_t chan;	/* id of the channel it is at */
	uint64_t below; /* rows of chan below it are to go; 0: next channel */
};

/* one slice: some channels looked at, or at most LOG_TRIM_ROWS rows deleted. An
 * error ends the pass. */
int log_trim_slice(struct log_trim *t, struct logdb *db,
    struct log_chans *chans, struct log *l) MUST_CHECK;

#endif
