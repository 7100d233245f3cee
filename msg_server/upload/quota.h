/* SPDX-License-Identifier: MIT */
/*
 * Who has uploaded how much of late: a table of users and addresses, each with
 * the bytes of a day that begins with the first of them, and how many of his
 * are under way. Bounded by QUOTA_MAX: when it is full, those whose day is
 * over go; when nobody's is, those who have brought little, which is forgotten
 * them: names cost nothing, and a table of names with a byte each must keep
 * nobody out. When nobody's is little, either, whoever is not in it waits.
 *
 * It is this server's alone, and begins anew with it: a bound for the disk, no
 * account. What all of them together may keep is the store's question.
 */
#ifndef MSG_SERVER_UPLOAD_QUOTA_H
#define MSG_SERVER_UPLOAD_QUOTA_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/str.h"

enum { QUOTA_MAX = 16384, QUOTA_KEY_MAX = 48, QUOTA_DAY_S = 86400,
	QUOTA_LITTLE = 1 << 20 /* bytes; QUOTA_MAX times that is the whole of upload_total and more */
};

struct quota;

struct quota *quota_new(void);
void quota_free(struct quota *q); /* NULL is fine */
/*
 * n bytes of a day's max for key, and one of at_once (0: any number) under
 * way: 0; ERR_BUSY: as many are already; ERR_LIMIT: *wait_s until its day
 * is over; ERR_FULL: the table. Nothing was taken then. now_s: monotonic.
 */
int quota_take(struct quota *q, struct str key, uint64_t n, uint64_t max,
    unsigned at_once, uint32_t now_s, uint32_t *wait_s) MUST_CHECK;
/* that one has ended; back: bytes of it that never came */
void quota_end(struct quota *q, struct str key, uint64_t back);
unsigned quota_count(const struct quota *q);

#endif
