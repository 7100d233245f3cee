/* SPDX-License-Identifier: MIT */
/*
 * struct syncer: puts files on the disk (fsync) while the loop goes on. The
 * kernel does it and says so (Linux AIO's IOCB_CMD_FSYNC, an eventfd); there is
 * no thread of ours, and a submission costs some ten microseconds. Where the kernel
 * refuses (no AIO, a file system without it, too many at once) the file is
 * synced right here, and the loop waits for it.
 *
 * sync_start() takes a call that the owner keeps until done() was called, which
 * comes once for each, from the loop and never from inside sync_start(); the
 * descriptor stays the owner's and open till then.
 */
#ifndef SHARED_NET_SYNC_H
#define SHARED_NET_SYNC_H

#include <stdbool.h>

#include "shared/net/net.h"

struct syncer;

struct sync_call {
	/* err: 0 or an errno: what was written may be lost */
	void (*done)(struct sync_call *, int err);
	struct sync_call *next; /* of those synced here */
	int err;
};

enum { SYNC_MAX = 256 /* at once in the kernel */ };

struct syncer *syncer_new(struct net *net);
/* waits for what is under way; done() does not come any more. NULL is fine */
void syncer_free(struct syncer *s);
void sync_start(struct syncer *s, int fd, struct sync_call *call);
/* those whose done() is still to come, and those that the loop waited for */
unsigned syncer_busy(const struct syncer *s);
unsigned long syncer_waited(const struct syncer *s);

#endif
