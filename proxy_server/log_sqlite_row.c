/* SPDX-License-Identifier: MIT */
/*
 * The rows of messages.db: typed calls over the statements of log_sqlite.h.
 * Nothing here decides anything: order, windows and rights are
 * log_commit.c's, pages are reader.c's. Each call leaves its statement reset,
 * so no snapshot outlives it and no checkpoint is held up.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "proxy_server/log_sqlite.h"
#include "shared/base/digest.h"

static void
logdb_bind(sqlite3_stmt *st, int i, struct str s)
{
	if (str_is_set(s))
		sqlite3_bind_text(st, i, s.p, (int)s.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

static void
logdb_bind_blob(sqlite3_stmt *st, int i, struct str s)
{
	if (str_is_set(s))
		sqlite3_bind_blob(st, i, s.p, (int)s.len, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

static void
logdb_bind_u64(sqlite3_stmt *st, int i, uint64_t v)
{
	sqlite3_bind_int64(st, i, (int64_t)v);
}

static struct str
logdb_text(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	if (p == NULL)
		return STR_NONE;
	return str_n(p, (size_t)sqlite3_column_bytes(st, i));
}

static struct str
logdb_blob(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	if (sqlite3_column_type(st, i) == SQLITE_NULL)
		return STR_NONE;
	/* an empty blob has no address */
	return p == NULL ? STR_LIT("")
			 : str_n(p, (size_t)sqlite3_column_bytes(st, i));
}

static uint64_t
logdb_u64(sqlite3_stmt *st, int i)
{
	return (uint64_t)sqlite3_column_int64(st, i);
}

/* runs a statement without rows */
static int
logdb_run(struct logdb *db, sqlite3_stmt *st, const char *doing)
{
	int rc = sqlite3_step(st), rc2 = sqlite3_reset(st);

	if (rc == SQLITE_DONE && rc2 == SQLITE_OK)
		return 0;
	return logdb_fail(db, rc2 != SQLITE_OK ? rc2 : rc, doing);
}

/* 1: there is a row to read, reset is the caller's; else reset is done */
static int
logdb_row(struct logdb *db, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : logdb_fail(db, rc, "read");
}

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

	return err != 0 ? err : str_u64(str_of(text), out);
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
	return 0;
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
	return 0;
}

int
logdb_item_new(
    struct logdb *db, int64_t chan, const struct item *it, int64_t pchan)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_NEW, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, it->seq);
	sqlite3_bind_int64(st, 3, it->ts);
	sqlite3_bind_int(st, 4, it->kind);
	sqlite3_bind_int(st, 5, it->flags);
	logdb_bind(st, 6, it->uid);
	logdb_bind(st, 7, it->cid);
	logdb_bind_u64(st, 8, it->cn);
	logdb_bind(st, 9, it->name);
	logdb_bind(st, 10, it->avatar);
	logdb_bind_u64(st, 11, it->ref);
	if (pchan != 0)
		sqlite3_bind_int64(st, 12, pchan);
	else
		sqlite3_bind_null(st, 12);
	logdb_bind(st, 13, it->rid);
	logdb_bind_blob(st, 14, it->body);
	sqlite3_bind_int64(st, 15, it->crc);
	return logdb_run(db, st, "write");
}

int
logdb_item_erase(struct logdb *db, int64_t chan, uint64_t seq)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_ERASE, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, seq);
	return logdb_run(db, st, "write");
}

int
logdb_item_head(struct logdb *db, int64_t chan, uint64_t *seq)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_HEAD, &err);

	*seq = 0;
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	err = logdb_row(db, st);
	if (err <= 0)
		return err;
	*seq = logdb_u64(st, 0);
	sqlite3_reset(st);
	return 0;
}

int
logdb_item_at(struct logdb *db, int64_t chan, uint64_t lo, uint64_t hi,
    int64_t at, uint64_t *seq)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_AFTER, &err);

	if (st == NULL)
		return err;
	for (hi++; lo < hi;) {
		uint64_t mid = lo + (hi - lo) / 2, found;
		int64_t ts;

		sqlite3_bind_int64(st, 1, chan);
		logdb_bind_u64(st, 2, mid);
		err = logdb_row(db, st);
		if (err < 0)
			return err;
		if (err == 0) {
			hi = mid;
			continue;
		}
		found = logdb_u64(st, 0);
		ts = sqlite3_column_int64(st, 1);
		sqlite3_reset(st);
		if (found >= hi || ts >= at)
			hi = mid;
		else
			lo = found + 1;
	}
	*seq = lo;
	return 0;
}

int
logdb_item_pointer(struct logdb *db, int64_t chan, uint64_t above,
    int64_t pchan, uint64_t ref, uint64_t *seq)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_POINTER, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, above);
	sqlite3_bind_int64(st, 3, pchan);
	logdb_bind_u64(st, 4, ref);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	*seq = logdb_u64(st, 0);
	sqlite3_reset(st);
	return 0;
}

int
logdb_item_drop(struct logdb *db, int64_t chan, uint64_t first, unsigned n,
    unsigned *dropped)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_DROP, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, first);
	sqlite3_bind_int64(st, 3, n);
	err = logdb_run(db, st, "write");
	*dropped = err == 0 ? (unsigned)sqlite3_changes(db->db) : 0;
	return err;
}

int
logdb_window(struct logdb *db, int64_t chan, uint64_t seq,
    void (*fn)(
	void *arg, uint64_t seq, int64_t ts, struct str uid, struct str cid),
    void *arg)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_WINDOW, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, seq);
	while ((err = logdb_row(db, st)) == 1)
		fn(arg, logdb_u64(st, 0), sqlite3_column_int64(st, 1),
		    logdb_text(st, 2), logdb_text(st, 3));
	return err;
}

static bool
logdb_item_read(sqlite3_stmt *st,
    bool (*fn)(void *arg, struct item *it, int64_t pchan_id), void *arg)
{
	struct item it = {
	    .seq = logdb_u64(st, 0),
	    .ts = sqlite3_column_int64(st, 1),
	    .kind = (uint8_t)sqlite3_column_int(st, 2),
	    .flags = (uint16_t)sqlite3_column_int(st, 3),
	    .uid = logdb_text(st, 4),
	    .cid = logdb_text(st, 5),
	    .cn = logdb_u64(st, 6),
	    .name = logdb_text(st, 7),
	    .avatar = logdb_text(st, 8),
	    .ref = logdb_u64(st, 9),
	    .crc = (uint32_t)sqlite3_column_int64(st, 10),
	    .body = logdb_blob(st, 11),
	    .rid = logdb_text(st, 13),
	};

	if (digest_crc32c(0, it.body.p, it.body.len) != it.crc) {
		it.flags |= ITEM_F_LOST;
		it.body = STR_NONE;
		it.crc = 0;
	}
	return fn(arg, &it, sqlite3_column_int64(st, 12));
}

int
logdb_items(struct logdb *db, int64_t chan, uint64_t from, uint64_t to,
    bool down, bool (*fn)(void *arg, struct item *it, int64_t pchan_id),
    void *arg)
{
	int err = 0;
	sqlite3_stmt *st =
	    logdb_st(db, down ? SQL_ITEM_DOWN : SQL_ITEM_UP, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, down ? to : from);
	logdb_bind_u64(st, 3, down ? from : to);
	while ((err = logdb_row(db, st)) == 1)
		if (!logdb_item_read(st, fn, arg)) {
			sqlite3_reset(st);
			return 0;
		}
	return err;
}

int
logdb_item_one(struct logdb *db, int64_t chan, uint64_t seq,
    bool (*fn)(void *arg, struct item *it, int64_t pchan_id), void *arg)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_ONE, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, seq);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	logdb_item_read(st, fn, arg);
	sqlite3_reset(st);
	return 0;
}

int
logdb_state_get(
    struct logdb *db, int64_t chan, struct str key, int64_t now, uint64_t *rev)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_STATE_GET, &err);
	int64_t exp;

	*rev = 0;
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind(st, 2, key);
	err = logdb_row(db, st);
	if (err <= 0)
		return err == 0 ? ERR_NOTFOUND : err;
	exp = sqlite3_column_int64(st, 1);
	if (exp == 0 || exp > now)
		*rev = logdb_u64(st, 0);
	sqlite3_reset(st);
	return exp == 0 || exp > now ? 0 : ERR_NOTFOUND;
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

int
logdb_state_list(struct logdb *db, int64_t chan, int64_t now,
    bool (*fn)(void *arg, const struct state_rec *rec), void *arg)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_STATE_LIST, &err);
	struct state_rec rec;

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	sqlite3_bind_int64(st, 2, now);
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
