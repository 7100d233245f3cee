/* SPDX-License-Identifier: MIT */
/*
 * Log lines on stderr, or in a file: one line per event, "time level name:
 * text". When
 * stderr is the journal (JOURNAL_STREAM) the line begins with <N> instead of a
 * time. Control characters (C0, DEL, C1) and invalid UTF-8 are escaped as \xNN,
 * a line is cut at 1 KiB. errno is kept across a call. Thread-safe (one write
 * per line).
 *
 *   log_err    someone must act        log_info   life of the service
 *   log_warn   lost or wrong, going on log_debug  off; per message
 *
 * What a peer can trigger goes through log_limited(): 10 lines a second per
 * `struct log_limit`, then a count (limits.md). Never log content or secrets.
 */
#ifndef SHARED_PROC_LOG_H
#define SHARED_PROC_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

struct log_limit {
	int64_t second;
	uint32_t n, dropped;
};

/* name: "msg_server ms1"; copied */
void log_init(const char *name, enum log_level level);
void log_set_level(enum log_level level);
/*
 * Lines go to that file from now on, appended (0600); "" or "-": to stderr. 0,
 * or -1 with errno: then as before. What can't be written goes to stderr.
 */
int log_file(const char *path);
/* the file anew, where it was moved away meanwhile; 0 or -1 with errno */
int log_reopen(void);
/*
 * What a daemon begins with: level as text, file as log_file(), or fatal(2).
 * Until log_started() lines go to both file and stderr: whoever starts it
 * reads there where it listens, and why it does not.
 */
void log_setup(const char *name, const char *level, const char *file);
void log_started(void);
/* "error" (or "err"), "warn", "info", "debug" */
bool log_level_parse(const char *s, enum log_level *out);
void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_limited(struct log_limit *limit, enum log_level level, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* read by every thread, written by log_set_level() alone */
extern enum log_level log_level_now;
static inline bool
log_shows(enum log_level level)
{
	return __atomic_load_n(&log_level_now, __ATOMIC_RELAXED) >= level;
}

#define log_err(...)  log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                          \
	do {                                                    \
		if (log_shows(LOG_LEVEL_DEBUG))                 \
			log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)

/* start-up only: one line "PROGRAM: text" on stderr, then exit(code) */
void fatal(int code, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif
