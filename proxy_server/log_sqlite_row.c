/* SPDX-License-Identifier: MIT */
/*
 * The rows of messages.db but for items: transactions, meta, channels, states.
 * Typed calls over the statements of log_sqlite.h; nothing here decides
 * anything. Each call leaves its statement reset, so no snapshot outlives it
 * and no checkpoint is held up.
 */

#include "proxy_server/log_sqlite_priv.h"
#include "shared/proc/clock.h"

static int
logdb_simple(struct logdb *db, enum logdb_sql which, const char *doing)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, which, &err);

	return st == NULL ? err : logdb_run(db, st, doing);
}

int
logdb_begin(struct logdb *db)
{
	return logdb_simple(db, SQL_BEGIN, "write");
}

int
logdb_begin_read(struct logdb *db)
{
	return logdb_simple(db, SQL_BEGIN_READ, "read");
}

int
logdb_commit(struct logdb *db)
{
	return logdb_simple(db, SQL_COMMIT, "commit");
}

void
logdb_rollback(struct logdb *db)
{
	char why[LOGDB_WHY];

	/* some errors have ended it already; the line of the first one counts
	 */
	if (sqlite3_get_autocommit(db->db))
		return;
	memcpy(why, db->why, sizeof why);
	if (logdb_simple(db, SQL_ROLLBACK, "roll back") != 0)
		memcpy(db->why, why, sizeof why);
}

int
logdb_meta_get(struct logdb *db, const char *key, char *out, size_t size)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_META_GET, &err);

	if (st == NULL)
		return err;
	logdb_bind(st, 1, str_of(key));
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	str_copy(out, size, logdb_text(st, 0));
	sqlite3_reset(st);
	return 0;
}

int
logdb_meta_get_u64(struct logdb *db, const char *key, uint64_t *out)
{
	char text[24];
	int err = logdb_meta_get(db, key, text, sizeof text);

	if (err != 0 || str_u64(str_of(text), out) == 0)
		return err;
	return logdb_fail(db, SQLITE_CORRUPT, "read");
}

int
logdb_meta_set(struct logdb *db, const char *key, const char *val)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_META_SET, &err);

	if (st == NULL)
		return err;
	logdb_bind(st, 1, str_of(key));
	logdb_bind(st, 2, str_of(val));
	return logdb_run(db, st, "write");
}

int
logdb_meta_set_u64(struct logdb *db, const char *key, uint64_t val)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_META_SET, &err);

	if (st == NULL)
		return err;
	logdb_bind(st, 1, str_of(key));
	logdb_bind_u64(st, 2, val);
	return logdb_run(db, st, "write");
}

int
logdb_clocks(struct logdb *db, bool same_boot, int64_t *jump)
{
	int64_t wall = clock_wall_ms(), steady = clock_mono_ms();
	uint64_t wall0 = 0, steady0 = 0;
	int err = logdb_meta_get_u64(db, "wall0", &wall0);

	*jump = 0;
	if (err == 0)
		err = logdb_meta_get_u64(db, "steady0", &steady0);
	if (err != 0 && err != ERR_NOTFOUND)
		return err;
	if (err == 0 && same_boot && steady >= (int64_t)steady0) {
		*jump = wall - (int64_t)wall0 - (steady - (int64_t)steady0);
		if (*jump < 0)
			*jump = 0;
		if (steady - (int64_t)steady0 < LOGDB_CLOCKS_MS)
			return 0;
	}
	err = logdb_meta_set_u64(db, "wall0", (uint64_t)wall);
	if (err == 0)
		err = logdb_meta_set_u64(db, "steady0", (uint64_t)steady);
	return err;
}

/* counters that no log of ours ever had */
static int
logdb_chan_check(struct logdb *db, const struct chan_row *row)
{
	if (row->head < INT64_MAX && row->first > 0 &&
	    row->first <= row->head + 1)
		return 0;
	return logdb_fail(db, SQLITE_CORRUPT, "read");
}

int
logdb_chan_get(struct logdb *db, struct str name, struct chan_row *out)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_GET, &err);

	if (st == NULL)
		return err;
	logdb_bind(st, 1, name);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	out->id = sqlite3_column_int64(st, 0);
	out->head = logdb_u64(st, 1);
	out->first = logdb_u64(st, 2);
	out->last_ts = sqlite3_column_int64(st, 3);
	out->keep_days = out->keep_items = -1;
	sqlite3_reset(st);
	return logdb_chan_check(db, out);
}

static void
logdb_name(struct str s, struct chan_name *out)
{
	str_copy(out->s, sizeof out->s, s);
	out->len = (uint8_t)strlen(out->s);
}

int
logdb_chan_name(struct logdb *db, int64_t id, struct chan_name *out)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_NAME, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, id);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	logdb_name(logdb_text(st, 0), out);
	sqlite3_reset(st);
	return 0;
}

int
logdb_chan_id(struct logdb *db, int64_t id, struct chan_row *out)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_ID, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, id);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	*out = (struct chan_row){.id = id, .keep_days = -1, .keep_items = -1};
	logdb_name(logdb_text(st, 0), &out->name);
	out->head = logdb_u64(st, 1);
	out->first = logdb_u64(st, 2);
	sqlite3_reset(st);
	return logdb_chan_check(db, out);
}

int
logdb_chan_new(struct logdb *db, struct str name, int64_t *id)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_NEW, &err);

	if (st == NULL)
		return err;
	logdb_bind(st, 1, name);
	err = logdb_run(db, st, "write");
	if (err == 0)
		*id = sqlite3_last_insert_rowid(db->db);
	return err;
}

int
logdb_chan_set(struct logdb *db, int64_t id, uint64_t head, int64_t last_ts)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_SET, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, id);
	logdb_bind_u64(st, 2, head);
	sqlite3_bind_int64(st, 3, last_ts);
	return logdb_run(db, st, "write");
}

int
logdb_chan_first(struct logdb *db, int64_t id, uint64_t first)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_FIRST, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, id);
	logdb_bind_u64(st, 2, first);
	return logdb_run(db, st, "write");
}

int
logdb_chan_next(struct logdb *db, int64_t after, struct chan_row *out)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_CHAN_NEXT, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, after);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	out->id = sqlite3_column_int64(st, 0);
	logdb_name(logdb_text(st, 1), &out->name);
	out->head = logdb_u64(st, 2);
	out->first = logdb_u64(st, 3);
	out->keep_days = sqlite3_column_type(st, 4) == SQLITE_NULL
			     ? -1
			     : sqlite3_column_int64(st, 4);
	out->keep_items = sqlite3_column_type(st, 5) == SQLITE_NULL
			      ? -1
			      : sqlite3_column_int64(st, 5);
	sqlite3_reset(st);
	return logdb_chan_check(db, out);
}

/* the row (value, exp) of a state that holds at `now`, to be read and reset */
static int
logdb_state_find(struct logdb *db, enum logdb_sql which, int64_t chan,
    struct str key, int64_t now, sqlite3_stmt **row)
{
	int err = 0;
	sqlite3_stmt *st = *row = logdb_st(db, which, &err);
	int64_t exp;

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind(st, 2, key);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	exp = sqlite3_column_int64(st, 1);
	if (exp == 0 || exp > now)
		return 0;
	sqlite3_reset(st);
	return ERR_NOTFOUND;
}

int
logdb_state_get(
    struct logdb *db, int64_t chan, struct str key, int64_t now, uint64_t *rev)
{
	sqlite3_stmt *st;
	int err = logdb_state_find(db, SQL_STATE_GET, chan, key, now, &st);

	*rev = 0;
	if (err != 0)
		return err;
	*rev = logdb_u64(st, 0);
	sqlite3_reset(st);
	return 0;
}

int
logdb_state_val(struct logdb *db, int64_t chan, struct str key, int64_t now,
    struct buf *out)
{
	sqlite3_stmt *st;
	int err = logdb_state_find(db, SQL_STATE_VAL, chan, key, now, &st);

	if (err != 0)
		return err;
	buf_putstr(out, logdb_blob(st, 0));
	sqlite3_reset(st);
	return 0;
}

int
logdb_state_range(struct logdb *db, int64_t chan, struct str after,
    struct str end, int64_t now,
    bool (*fn)(void *arg, struct str key, struct str val), void *arg)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_STATE_RANGE, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind(st, 2, after);
	logdb_bind(st, 3, end);
	sqlite3_bind_int64(st, 4, now);
	while ((err = logdb_row(db, st)) == 1)
		if (!fn(arg, logdb_text(st, 0), logdb_blob(st, 1))) {
			sqlite3_reset(st);
			return 0;
		}
	return err;
}

int
logdb_state_set(
    struct logdb *db, int64_t chan, const struct state_rec *rec, uint64_t rev)
{
	bool set = str_is_set(rec->val);
	int err = 0;
	sqlite3_stmt *st =
	    logdb_st(db, set ? SQL_STATE_SET : SQL_STATE_DEL, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind(st, 2, rec->key);
	if (set) {
		logdb_bind_blob(st, 3, rec->val);
		logdb_bind_u64(st, 4, rev);
		if (rec->exp != 0)
			sqlite3_bind_int64(st, 5, rec->exp);
		else
			sqlite3_bind_null(st, 5);
	}
	return logdb_run(db, st, "write");
}

/* rows of (key, val, exp, rev) */
static int
logdb_state_rows(struct logdb *db, sqlite3_stmt *st,
    bool (*fn)(void *arg, const struct state_rec *rec), void *arg)
{
	struct state_rec rec;
	int err;

	while ((err = logdb_row(db, st)) == 1) {
		rec.key = logdb_text(st, 0);
		rec.val = logdb_blob(st, 1);
		rec.exp = sqlite3_column_int64(st, 2);
		rec.rev = logdb_u64(st, 3);
		if (!fn(arg, &rec)) {
			sqlite3_reset(st);
			return 0;
		}
	}
	return err;
}

int
logdb_state_page(struct logdb *db, int64_t chan, struct str from,
    struct str end, struct str after, int64_t now,
    bool (*fn)(void *arg, const struct state_rec *rec), void *arg)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_STATE_PAGE, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind(st, 2, from);
	logdb_bind(st, 3, end);
	logdb_bind(st, 4, after);
	sqlite3_bind_int64(st, 5, now);
	return logdb_state_rows(db, st, fn, arg);
}

int
logdb_state_count(struct logdb *db, int64_t chan, struct str from,
    struct str end, int64_t now, uint64_t *n)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_STATE_COUNT, &err);

	*n = 0;
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind(st, 2, from);
	logdb_bind(st, 3, end);
	sqlite3_bind_int64(st, 4, now);
	err = logdb_row(db, st);
	if (err != 1)
		return err;
	*n = logdb_u64(st, 0);
	sqlite3_reset(st);
	return 0;
}
