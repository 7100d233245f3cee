/* SPDX-License-Identifier: MIT */
/*
 * Inside of the folder of uploads: store.c (what comes and is read) and
 * store_sweep.c (what goes).
 */
#ifndef MSG_SERVER_UPLOAD_STORE_PRIV_H
#define MSG_SERVER_UPLOAD_STORE_PRIV_H

#include <dirent.h>

#include "msg_server/upload/store.h"
#include "shared/net/timer.h"

#define STORE_TEMP_PREFIX ".up."
#define STORE_GONE_PREFIX ".gone."

enum { STORE_MODE_NEW = 0600, STORE_MODE_SENT = 0640 };

struct store {
	int fd;
	char server[64];
	uint64_t life, next_temp; /* life: when it was opened */
	uint64_t files, bytes, collected, sweeps;
	int64_t orphans_s, keep_s; /* 0: for ever */
	/* the sweep: NULL between two of them */
	DIR *dir;
	struct timer timer;
	unsigned steps; /* of this one */
	uint64_t seen_files, seen_bytes;
	uint64_t new_files, new_bytes; /* came in since it began */
};

/* a temporary of this server, of an earlier life */
bool store_is_left(const struct store *s, const char *file);
void store_sweep_soon(struct store *s);
void store_sweep_stop(struct store *s);

#endif
