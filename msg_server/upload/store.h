/* SPDX-License-Identifier: MIT */
/*
 * The folder of uploads: one flat directory of files named by what is in them
 * (name.h), shared by the msg_servers of a machine, or of several by a network
 * file system. It takes a file under a temporary name and gives it its own when
 * it is whole; what has the same content is the same file.
 *
 * How long a file stays is told by its mode and time:
 *
 *	0600	nobody has sent it yet; an orphan `orphans` seconds after it came
 *	0640	somebody has, last at its mtime; goes `keep` seconds after that
 *
 * A sweep looks at all files, a few in each step: it counts them, collects
 * what is too old, and takes away what a crash has left (a temporary of an
 * earlier life of this server at once, anybody's after three hours). To take a
 * file away it is given another name first and looked at once more, so that who
 * brings or sends the same at that moment finds it, or brings it anew.
 *
 * Nothing here waits for the disk but for what the kernel has not cached of the
 * directory; fsync is the caller's.
 */
#ifndef MSG_SERVER_UPLOAD_STORE_H
#define MSG_SERVER_UPLOAD_STORE_H

#include <sys/stat.h>

#include "msg_server/upload/name.h"
#include "shared/net/net.h"

enum {
	STORE_TEMP_MAX = 96,
	STORE_STEP = 256,     /* files of a step of a sweep */
	STORE_STEP_MS = 20,   /* between two steps */
	STORE_LEFT_S = 10800, /* a temporary that old is nobody's */
	STORE_FRESH_S = 3600  /* a file kept so lately need not be told again */
};

struct store;

/* NULL: why says what is wrong with that directory; it is made if need be */
struct store *store_open(const char *dir, const char *server, struct net *net,
    char *why, size_t size);
void store_close(struct store *s); /* NULL is fine */
/* seconds, 0: for ever; a sweep follows */
void store_set_ages(struct store *s, int64_t orphans, int64_t keep);

/* a descriptor of a new temporary file, to be closed by the caller; or -1 */
int store_temp(struct store *s, char temp[STORE_TEMP_MAX]);
void store_drop(struct store *s, const char *temp);
/* its content is whole and on the disk; 0, or ERR_IO: it is still there */
int store_publish(struct store *s, const char *temp, const struct name *n,
    uint64_t bytes) MUST_CHECK;
/* it was sent: -1: there is none, or nothing is new; else a descriptor of it, to be synced and closed */
int store_keep(struct store *s, const struct name *n);
/* to read; -1: there is none */
int store_get(const struct store *s, const struct name *n, struct stat *sb);

/* of the directory, to be synced */
int store_fd(const struct store *s);
/* of the disk, for programs like this one */
uint64_t store_free_bytes(const struct store *s);
uint64_t store_bytes(const struct store *s);
uint64_t store_files(const struct store *s);
uint64_t store_collected(const struct store *s);
/* that have ended */
uint64_t store_sweeps(const struct store *s);

#endif
