/* SPDX-License-Identifier: MIT */
/*
 * What store.c (reading, writing), store_jobs.c (rows of jobs) and store_open.c
 * (opening, judging) share. Nobody else includes it.
 */
#ifndef CONFIG_SERVER_STORE_PRIV_H
#define CONFIG_SERVER_STORE_PRIV_H

#include <sqlite3.h>

#include "config_server/store.h"

#define STORE_STATEMENTS(X)                                                    \
	X(BEGIN, "BEGIN IMMEDIATE")                                            \
	X(COMMIT, "COMMIT")                                                    \
	X(ROLLBACK, "ROLLBACK")                                                \
	X(META, "INSERT INTO meta (k, v) VALUES (?, ?)"                        \
		" ON CONFLICT (k) DO UPDATE SET v = excluded.v")               \
	X(META_GET, "SELECT v FROM meta WHERE k = ?")                          \
	X(FREE_NODE, "DELETE FROM server WHERE node_no = ? AND name <> ?")     \
	X(SERVER, "INSERT OR REPLACE INTO server (name, node_no, role, state," \
		  " inc, addr, link, admin, public, direct, version, weight,"  \
		  " cap, since, gate, removed)"                                \
		  " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL)")              \
	X(SERVERS, "SELECT name, node_no, role, state, inc, link, admin,"      \
		   " public, direct, version, weight, cap, since, gate"        \
		   " FROM server WHERE removed IS NULL ORDER BY node_no")      \
	X(NODE_TOP, "SELECT max(node_no) FROM server")                         \
	X(FORGET, "UPDATE server SET removed = since, state = 'down'"          \
		  " WHERE name = ?")                                           \
	X(ACTIVE, "INSERT OR REPLACE INTO active (one, name, gen, ep, since)"  \
		  " VALUES (1, ?, ?, ?, ?)")                                   \
	X(ACTIVE_GET, "SELECT name, gen, ep, since FROM active")               \
	X(EVENT, "INSERT INTO events (t, kind, srv, detail)"                   \
		 " VALUES (?, ?, ?, ?)")                                       \
	X(EVENTS, "SELECT id, t, kind, srv, detail FROM events"                \
		  " WHERE id > ? ORDER BY id LIMIT ?")                         \
	X(TRIM, "DELETE FROM events WHERE id <= ?")                            \
	X(JOB, "INSERT OR REPLACE INTO job (id, kind, server, args, state,"    \
	       " done, total, t0, t1) VALUES (?,?,?,?,?,?,?,?,?)")             \
	X(JOBS, "SELECT id, server, args, state, done, total, t0, t1"          \
		" FROM job WHERE kind = 'drain' ORDER BY id")                  \
	X(JOB_TRIM, "DELETE FROM job WHERE id <= ? AND state <> 'running'")    \
	X(LOAD, "INSERT OR REPLACE INTO load (name, t, conns, users, rooms,"   \
		" msgs_s, out_kb_s, loop_ms, queue_kb, lag)"                   \
		" VALUES (?,?,?,?,?,?,?,?,?,?)")

enum store_statement {
#define X(name, sql) ST_##name,
	STORE_STATEMENTS(X)
#undef X
	    ST_COUNT
};

struct store_pending {
	int64_t t;
	char kind[33], srv[ID_MAX + 1], detail[REGISTRY_DETAIL_MAX];
};

struct store {
	sqlite3 *db;
	int lock_fd;
	sqlite3_stmt *stmt[ST_COUNT];
	struct store_pending *pending; /* STORE_PENDING_MAX, a ring */
	size_t first, n_pending;
	int error;
};

/* SQLite's result code as one of ours */
int store_err(int rc);
/* runs a bound statement that returns no rows */
int store_run(struct store *st, enum store_statement which);

/* store_jobs.c: rows into the table and back */
int store_load_jobs(struct store *st, struct jobs *jobs);
bool store_jobs_due(const struct jobs *jobs);
int store_put_jobs(struct store *st, const struct jobs *jobs);
void store_jobs_written(struct jobs *jobs);

#endif
