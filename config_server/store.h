/* SPDX-License-Identifier: MIT */
/*
 * topology.db: what of the registry outlives the process, and the events. SQLite, one connection,
 * journal_mode=TRUNCATE and synchronous=FULL, plain calls on the loop (the file is small); anybody may
 * read it with sqlite3(1): views v_servers, v_load, v_next, v_jobs, v_problems (wire.md). Calls never wait for
 * a foreign reader: busy means the next flush tries again.
 *
 * Nothing of the chat hangs on this file: lost, old or failing, the daemons go on and bring their node
 * numbers back themselves.
 */
#ifndef CONFIG_SERVER_STORE_H
#define CONFIG_SERVER_STORE_H

#include "config_server/registry.h"

enum {
	STORE_EVENTS_KEEP = 100000, /* newest rows kept in the table */
	STORE_PENDING_MAX = 1000    /* events waiting for a failing disk; then the oldest go */
};

struct store;

/*
 * Opens DIR/topology.db or makes it. NULL and one line in err: corrupt, truncated, read-only, foreign, written
 * by a newer version, of another cluster, in use by another config_server, no room.
 */
struct store *store_open(const char *dir, const char *cluster, char *err, size_t err_size);
void store_close(struct store *st);

/* fills a fresh registry; 0 or ERR_CORRUPT */
int store_load(struct store *st, struct registry *r) MUST_CHECK;
/* remembers an event until the next flush */
void store_event(struct store *st, int64_t t_ms, const char *kind, const char *srv, const char *detail);
/*
 * One transaction: dirty servers and jobs, meta, events; with `loads` the load rows too. Nothing to do: 0 at once.
 * What was written is no longer dirty. ERR_BUSY, ERR_FULL, ERR_READONLY, ERR_CORRUPT, ERR_IO: nothing was written.
 */
int store_flush(struct store *st, struct registry *r, bool loads) MUST_CHECK;
/* 0, or what the last flush failed with (ERR_BUSY does not count) */
int store_error(const struct store *st);
/* marks the row of a forgotten server; its number stays taken */
int store_forget(struct store *st, const char *name) MUST_CHECK;

struct store_row {
	int64_t id, t;
	struct str kind, srv, detail; /* until the callback returns */
};
/* events with id > since, oldest first; *more: there is another page. Only what was flushed. */
int store_events(struct store *st, int64_t since, unsigned limit, void (*on_row)(void *arg, const struct store_row *row),
    void *arg, bool *more) MUST_CHECK;

#endif
