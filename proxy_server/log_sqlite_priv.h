/* SPDX-License-Identifier: MIT */
/*
 * What log_sqlite_row.c and log_sqlite_item.c share: values into statements and
 * out of them, one step with its errors. For those two only.
 */
#ifndef PROXY_SERVER_LOG_SQLITE_PRIV_H
#define PROXY_SERVER_LOG_SQLITE_PRIV_H

#include <sqlite3.h>

#include "proxy_server/log_sqlite.h"

static inline void
logdb_bind(sqlite3_stmt *st, int i, struct str s)
{
	if (str_is_set(s))
		sqlite3_bind_text(st, i, s.p, (int)s.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

static inline void
logdb_bind_blob(sqlite3_stmt *st, int i, struct str s)
{
	if (str_is_set(s))
		sqlite3_bind_blob(st, i, s.p, (int)s.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

static inline void
logdb_bind_u64(sqlite3_stmt *st, int i, uint64_t v)
{
	sqlite3_bind_int64(st, i, (int64_t)v);
}

static inline struct str
logdb_text(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	if (p == NULL)
		return STR_NONE;
	return str_n(p, (size_t)sqlite3_column_bytes(st, i));
}

static inline struct str
logdb_blob(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return STR_NONE;
	/* an empty blob has no address */
	return p == NULL ? STR_LIT("")
			 : str_n(p, (size_t)sqlite3_column_bytes(st, i));
}

static inline uint64_t
logdb_u64(sqlite3_stmt *st, int i)
{
	return (uint64_t)sqlite3_column_int64(st, i);
}

/* runs a statement without rows */
static inline int
logdb_run(struct logdb *db, sqlite3_stmt *st, const char *doing)
{
	int rc = sqlite3_step(st), rc2 = sqlite3_reset(st);

	if (rc == SQLITE_DONE && rc2 == SQLITE_OK)
		return 0;
	return logdb_fail(db, rc2 != SQLITE_OK ? rc2 : rc, doing);
}

/* 1: there is a row to read, reset is the caller's; else reset is done */
static inline int
logdb_row(struct logdb *db, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : logdb_fail(db, rc, "read");
}

#endif
