/* SPDX-License-Identifier: MIT */
/*
 * What every daemon does around its loop: an epoll loop (pinned: the io_uring
 * backend of Debian's libev aborts), signals as loop events, descriptor limit,
 * pid file, sd_notify by hand, keys from files.
 *
 * SIGTERM/SIGINT: on_stop the first time, _exit(1) the second; a daemon that
 * takes its time to stop has on_hurry, for SIGINT and for a second one of
 * either, and the third ends it. SIGHUP: on_reload. SIGPIPE ignored. The
 * process stays in the foreground.
 */
#ifndef SHARED_PROC_DAEMON_H
#define SHARED_PROC_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct ev_loop;

struct daemon_ops {
	void (*on_stop)(void *arg);
	void (*on_reload)(void *arg); /* may be NULL */
	/* stop without delay; again: it was told to stop before. May be NULL */
	void (*on_hurry)(void *arg, bool again);
};

/* umask 077, RLIMIT_NOFILE soft = hard, SIGPIPE, descriptors 0-2 open, map
 * seed; json_init() of shared/proto/json.h is left to the mains */
void daemon_init(void);
/* the default loop; dies if epoll can't be had */
struct ev_loop *daemon_loop(const struct daemon_ops *ops, void *arg);
/* mkdir -p, 0700; fatal(5) with one clear line when it can't be used */
void daemon_data_dir(const char *dir);
/* DIR/run/NAME.pid, locked for the life of the process; fatal(1) if another
 * runs */
void daemon_pidfile(const char *dir, const char *name);
/* sd_notify: "READY=1", "STOPPING=1", "STATUS=..."; nothing without
 * NOTIFY_SOCKET */
void daemon_notify(const char *state);
/*
 * A key file: 64 hex digits. mode must not be readable by others. 32 bytes to
 * out. fatal(2) with one line otherwise. `what` names it in the message.
 */
void daemon_key(const char *path, const char *what, uint8_t out[32]);
/* the same while the program runs: 0, or ERR_CONF with the line in why and out
 * as it was */
int daemon_key_read(const char *path, const char *what, uint8_t out[32],
    char *why, size_t size) MUST_CHECK;
/* writes fresh key to path (0600, O_EXCL) unless it exists; 0 or ERR_IO */
int daemon_key_create(const char *path);
/*
 * counter in DIR/NAME.inc, +1 and fsynced at each start: the `inc` of wire.md;
 * fatal(5) when it can't be read or written
 */
uint32_t daemon_incarnation(const char *dir, const char *name);

#endif
