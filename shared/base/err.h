/* SPDX-License-Identifier: MIT */
/*
 * Error codes. Functions that can fail return 0 or one of these negative
 * values; only codes that a caller acts on differently exist. err_text() is
 * never NULL, for unknown codes too.
 */
#ifndef SHARED_BASE_ERR_H
#define SHARED_BASE_ERR_H

#include <stddef.h>

#define ERR_TABLE(X)                                 \
	X(OK, 0, "ok")                               \
	X(ERR_AGAIN, -1, "not now, try again")       \
	X(ERR_EOF, -2, "end of stream")              \
	X(ERR_PROTO, -3, "protocol violation")       \
	X(ERR_LIMIT, -4, "over the limit")           \
	X(ERR_MEMORY, -5, "out of memory")           \
	X(ERR_INVALID, -6, "invalid argument")       \
	X(ERR_NOTFOUND, -7, "not found")             \
	X(ERR_EXISTS, -8, "already exists")          \
	X(ERR_DENIED, -9, "denied")                  \
	X(ERR_BUSY, -10, "busy")                     \
	X(ERR_IO, -11, "input/output error")         \
	X(ERR_FULL, -12, "no space left")            \
	X(ERR_CORRUPT, -13, "data is corrupt")       \
	X(ERR_READONLY, -14, "read-only")            \
	X(ERR_TIMEOUT, -15, "timed out")             \
	X(ERR_VERSION, -16, "version not supported") \
	X(ERR_CONF, -17, "bad setting")              \
	X(ERR_INUSE, -18, "address in use")          \
	X(ERR_STALE, -19, "stale")                   \
	X(ERR_UTF8, -20, "invalid UTF-8")            \
	X(ERR_FOREIGN, -21, "not a file of this program")

enum err {
#define X(name, value, text) name = value,
	ERR_TABLE(X)
#undef X
};

/* Process exit codes, the same for every program (design.md section 7). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_RUNNING = 3,
	EXIT_ADDR_IN_USE = 4,
	EXIT_DATA = 5
};

#define MUST_CHECK   __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

const char *err_text(int err);

/* Allocation whose size no peer chooses: dies loudly (abort) on failure. */
void *xmalloc(unsigned long n);
void *xcalloc(unsigned long n, unsigned long size);
void *xrealloc(void *p, unsigned long n);
char *xstrdup(const char *s);

#endif
