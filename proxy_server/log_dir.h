/* SPDX-License-Identifier: MIT */
/*
 * What the log does in its data directory besides SQLite: refuses file systems
 * whose locks can't be trusted, holds the lock that is the election, reserves
 * space for a disk that fills up, and tells this boot from the last one. Knows
 * nothing of items.
 *
 *   messages.lock     "pid start_time name gen ep link\n", see log.h
 *   messages.reserve  16 MiB that can be given up to let a full disk be tidied
 */
#ifndef PROXY_SERVER_LOG_DIR_H
#define PROXY_SERVER_LOG_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/id.h"
#include "shared/net/addr.h"

enum { LOG_RESERVE = 16 * 1024 * 1024, BOOT_ID_LEN = 36 };

/* the lock file, read */
struct lock_holder {
	int pid;
	uint64_t start_time; /* field 22 of /proc/PID/stat */
	char name[ID_MAX + 1];
	uint64_t gen;		  /* 0: not active yet */
	char ep[EP_LEN + 1];	  /* empty: not active yet */
	char link[ADDR_TEXT_MAX]; /* empty: none */
};

/* the name of a file system whose locks are not local, or NULL when fine */
const char *log_dir_refuses(unsigned long fs_magic);
/* 0, or ERR_FOREIGN (network file system), ERR_IO; the line for people in why
 */
int log_dir_check(const char *dir, char *why, size_t why_size) MUST_CHECK;

/*
 * Opens the lock file, waits for the lock unless it is free. on_wait is called
 * once before waiting. A signal ends one wait: then stop() is asked. 0 with
 * *fd (close it to release), ERR_AGAIN when stop() said so, ERR_READONLY,
 * ERR_IO.
 */
int log_dir_lock(const char *dir, void (*on_wait)(void *arg),
    bool (*stop)(void *arg), void *arg, int *fd, char *why,
    size_t why_size) MUST_CHECK;
/* ERR_NOTFOUND when there is no such file or it makes no sense */
int log_dir_holder(const char *dir, struct lock_holder *out) MUST_CHECK;
/* writes who we are through the locked descriptor; ERR_IO, ERR_FULL */
int log_dir_sign(int fd, const struct lock_holder *self) MUST_CHECK;

/* of a process, or 0 when there is none */
uint64_t log_dir_start_time(int pid);
void log_dir_boot_id(char out[BOOT_ID_LEN + 1]);
/* bytes free to us, or -1 */
int64_t log_dir_free(const char *dir);
/* makes sure the reserve is there; ERR_FULL */
int log_dir_reserve(const char *dir) MUST_CHECK;
void log_dir_release(const char *dir);

#endif
