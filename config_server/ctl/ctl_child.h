/* SPDX-License-Identifier: MIT */
/*
 * One daemon under cchatctl: started, its stderr collected line by line into
 * DATA/log/NAME.log, its addresses learned from the lines "listening on ADDR
 * (what)", started again with back-off when it ends.
 *
 * A child dies with cchatctl (it gets SIGTERM), is its own process group (a
 * Ctrl-C reaches cchatctl alone) and reads nothing.
 */
#ifndef CONFIG_SERVER_CTL_CTL_CHILD_H
#define CONFIG_SERVER_CTL_CTL_CHILD_H

#include <limits.h>
#include <signal.h>
#include <sys/types.h>

#include "config_server/ctl/ctl_settings.h"
#include "shared/base/id.h"
#include "shared/net/addr.h"
#include "shared/proto/link.h"

enum {
	CHILD_BACKOFF_MS = 200,
	CHILD_BACKOFF_MAX_MS = 10000,
	CHILD_GOOD_MS = 10000, /* up this long: the back-off starts anew */
	CHILD_LINE_MAX = 2048,
	CHILD_LOG_MAX = 16 << 20 /* then NAME.log.1 */
};

struct child {
	char name[ID_MAX + 1];
	enum link_role role;
	unsigned nth; /* of its role, from 0 */
	bool first; /* of its role: has the fixed ports */
	pid_t pid;  /* 0: not running */
	int err_fd, log_fd;
	char line[CHILD_LINE_MAX], last[256]; /* being read; the last whole one */
	size_t line_len, log_len;
	char listen[ADDR_TEXT_MAX], direct[ADDR_TEXT_MAX];
	char admin[ADDR_TEXT_MAX]; /* as learned; "" */
	char listening[768]; /* "ADDR (what)\n" of all, as learned */
	int64_t started_ms, restart_ms; /* monotonic; restart 0: none due */
	int64_t since_ms;               /* wall clock of the start */
	int backoff_ms, exit_code;      /* code, or 128 + signal; -1: none yet */
	unsigned restarts;
	bool ready;
	bool drained;       /* ended by a drain job: not started by itself */
	bool again;         /* told to end, to be started anew */
	int64_t end_by_ms;  /* of `again`: then it is killed */
};

/* what all children share */
struct child_env {
	const struct ctl_args *args;
	char programs[3][PATH_MAX]; /* by role - 1 */
	char data[PATH_MAX];
	const char *config; /* address of the config_server as learned */
	bool terminal;      /* lines go to stderr too */
	int name_width;
	sigset_t signals;   /* the mask children run with */
};

void child_init(struct child *c, const char *name, enum link_role role, unsigned nth);
/* 0 or ERR_IO with errno */
int child_start(struct child *c, const struct child_env *env) MUST_CHECK;
/* reads what there is of its lines; false: its end of the pipe is closed */
bool child_read(struct child *c, const struct child_env *env);
/* it was waited for: status as of waitpid(); sets restart_ms unless `stopping` */
void child_ended(struct child *c, const struct child_env *env, int status, bool stopping);
void child_kill(const struct child *c, int sig);
/* its log file anew, at its next line */
void child_reopen_log(struct child *c);
/* where /readyz is; "" until known */
const char *child_admin(const struct child *c);

#endif
