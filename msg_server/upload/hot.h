/* SPDX-License-Identifier: MIT */
/*
 * Uploads that are asked for right now: a picture said in a big room is fetched
 * by all its people at once, and then goes out of one blob that all of them
 * share, without a descriptor or memory for each. Bounded: files of at most
 * HOT_FILE_MAX, HOT_TOTAL_MAX bytes of all, the longest unasked leaving first.
 * One that is still on its way to somebody does not leave, so that the bound
 * holds whatever readers do; what does not fit is read for each alone.
 *
 * Only what the kernel has in memory is taken in, so that it never waits for
 * the disk; but where a file system can't say what is.
 */
#ifndef MSG_SERVER_UPLOAD_HOT_H
#define MSG_SERVER_UPLOAD_HOT_H

#include "msg_server/upload/name.h"
#include "shared/base/blob.h"

enum {
	HOT_FILE_MAX = 1 << 20,
	HOT_TOTAL_MAX = 16 << 20,
	HOT_N_MAX = 1024 /* files */
};

struct hot;

struct hot *hot_new(void);
void hot_free(struct hot *h); /* NULL is fine */
/*
 * All of that file, which has `size` bytes and is open as fd: borrowed until
 * the next call; NULL: it is not for here.
 */
struct blob *hot_get(struct hot *h, const struct name *n, int fd, uint64_t size);
uint64_t hot_bytes(const struct hot *h);

#endif
