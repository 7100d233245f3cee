/* SPDX-License-Identifier: MIT */
/*
 * Settings read again while the program runs (SIGHUP): the same file and flags
 * as at its start. A mistake anywhere changes nothing. Of what has changed,
 * what conf_program.live names is taken over into the settings; the rest stays
 * as it is and is named, since it needs a restart. What follows from a new
 * value is the program's business.
 *
 *	conf_reload()           the file
 *	conf_reload_log()       log level, log file
 *	conf_reload_trouble()   keys, log file: what else could not be read
 *	conf_reload_end()       said in one log line, counted
 *
 * The last one is kept for the admin listener (/reloads).
 */
#ifndef SHARED_PROC_CONF_RELOAD_H
#define SHARED_PROC_CONF_RELOAD_H

#include "shared/proc/conf.h"

enum { CONF_NEWS_MAX = 96 };

struct conf_news {
	uint64_t count;	 /* reloads that have ended */
	int64_t when_ms; /* wall clock of the last one */
	char error[512]; /* "": all was read */
	const char *changed[CONF_NEWS_MAX];
	const char *later[CONF_NEWS_MAX]; /* take a restart */
	unsigned n_changed, n_later;
};

/* for conf_load(): where settings come from, all along */
void conf_reload_keep(int argc, char **argv);
/*
 * 0; ERR_CONF: nothing has changed. Strings and lists of live settings are
 * freed and others now: nobody may keep a pointer to them.
 */
int conf_reload(const struct conf_program *prog, void *settings);
/* what a setting names has another content now: told as changed */
void conf_reload_changed(const char *name);
/*
 * The key file again (64 hex digits): true when the key is another, which is in
 * key then; a file that is no good is a trouble, and the key stays.
 */
bool conf_reload_key(const char *name, const char *path, const char *what, uint8_t key[32]);
/* was it among what changed? */
bool conf_reload_has(const char *name);
/* the log as these live settings have it; the log file is opened anew */
void conf_reload_log(const char *level, const char *file);
void conf_reload_trouble(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
void conf_reload_end(void);
const struct conf_news *conf_reload_news(void);

#endif
