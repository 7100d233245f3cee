/* SPDX-License-Identifier: MIT */
/*
 * The rows of messages.db that are items: stored with a checksum over
 * everything, found by key or by halves, read in ranges. Order, windows and
 * rights are log_commit.c's, pages are reader.c's.
 */
#include <endian.h>

#include "proxy_server/log_sqlite_priv.h"
#include "shared/base/digest.h"

/* bytes on their way into a checksum, so that it is asked for seldom */
struct seal {
	uint32_t crc;
	size_t n;
	uint8_t bytes[512];
};

static void
logdb_seal_put(struct seal *s, const void *p, size_t n)
{
	if (s->n + n > sizeof s->bytes) {
		s->crc = digest_crc32c(s->crc, s->bytes, s->n);
		s->n = 0;
	}
	if (n > sizeof s->bytes) {
		s->crc = digest_crc32c(s->crc, p, n);
	} else if (n > 0) {
		memcpy(s->bytes + s->n, p, n);
		s->n += n;
	}
}

static void
logdb_seal_text(struct seal *s, struct str text)
{
	uint8_t len[2] = {(uint8_t)text.len, (uint8_t)(text.len >> 8)};

	logdb_seal_put(s, len, sizeof len);
	logdb_seal_put(s, text.p, text.len);
}

/*
 * What a row's crc holds: the body's, continued over all that stands beside
 * it, so that a row that damage has changed or moved is found out, too.
 */
static uint32_t
logdb_seal(int64_t chan, const struct item *it, int64_t pchan)
{
	const uint64_t place[] = {htole64((uint64_t)chan), htole64(it->seq),
	    htole64((uint64_t)it->ts), htole64(it->kind), htole64(it->flags),
	    htole64(it->cn), htole64(it->ref), htole64((uint64_t)pchan)};
	struct seal s;

	s.crc = it->crc;
	s.n = 0;
	logdb_seal_put(&s, place, sizeof place);
	logdb_seal_text(&s, it->uid);
	logdb_seal_text(&s, it->cid);
	logdb_seal_text(&s, it->name);
	logdb_seal_text(&s, it->avatar);
	logdb_seal_text(&s, it->rid);
	if (it->flags & ITEM_F_AT)
		logdb_seal_text(&s, it->at);
	return digest_crc32c(s.crc, s.bytes, s.n);
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
	sqlite3_bind_int64(st, 15, logdb_seal(chan, it, pchan));
	logdb_bind(st, 16, it->at);
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
logdb_pointers(struct logdb *db, int64_t chan, uint64_t lo, uint64_t hi,
    bool (*fn)(void *arg, uint64_t seq, int64_t pchan, uint64_t ref), void *arg)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_POINTERS, &err);

	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, lo);
	logdb_bind_u64(st, 3, hi);
	while ((err = logdb_row(db, st)) == 1)
		if (!fn(arg, logdb_u64(st, 0), sqlite3_column_int64(st, 1),
			logdb_u64(st, 2))) {
			sqlite3_reset(st);
			return 0;
		}
	return err;
}

int
logdb_unread(
    struct logdb *db, int64_t chan, uint64_t seq, struct str uid, uint64_t *n)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_UNREAD, &err);

	*n = 0;
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, seq);
	logdb_bind(st, 3, uid);
	err = logdb_row(db, st);
	if (err <= 0)
		return err;
	*n = logdb_u64(st, 0);
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
logdb_item_read(sqlite3_stmt *st, int64_t chan,
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
	    .body = logdb_blob(st, 11),
	    .rid = logdb_text(st, 13),
	};

	int64_t pchan = sqlite3_column_int64(st, 12);
	uint32_t crc = (uint32_t)sqlite3_column_int64(st, 10);

	if (it.flags & ITEM_F_AT)
		it.at = logdb_text(st, 14);
	it.crc = digest_crc32c(0, it.body.p, it.body.len);
	if (logdb_seal(chan, &it, pchan) == crc)
		return fn(arg, &it, pchan);
	/* nothing of it can be believed but where it was found */
	it = (struct item){
	    .seq = it.seq, .kind = ITEM_MESSAGE, .flags = ITEM_F_LOST};
	return fn(arg, &it, 0);
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
		if (!logdb_item_read(st, chan, fn, arg)) {
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
	logdb_item_read(st, chan, fn, arg);
	sqlite3_reset(st);
	return 0;
}

struct erasing {
	int64_t chan;
	uint32_t crc;
	uint16_t flags;
	bool again;
};

static bool
logdb_on_erase(void *arg, struct item *it, int64_t pchan_id)
{
	struct erasing *e = arg;

	/* a damaged row stays one, but its words go */
	e->flags = it->flags;
	if (it->flags & ITEM_F_LOST)
		return false;
	e->again = it->flags & ITEM_F_GONE;
	item_erase(it);
	e->flags = it->flags;
	e->crc = logdb_seal(e->chan, it, pchan_id);
	return false;
}

int
logdb_item_erase(struct logdb *db, int64_t chan, uint64_t seq)
{
	struct erasing e = {.chan = chan};
	int err = logdb_item_one(db, chan, seq, logdb_on_erase, &e);
	sqlite3_stmt *st;

	if (err != 0 || e.again)
		return err != 0 ? err : 1;
	st = logdb_st(db, SQL_ITEM_ERASE, &err);
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, seq);
	sqlite3_bind_int(st, 3, e.flags);
	sqlite3_bind_int64(st, 4, e.crc);
	return logdb_run(db, st, "write");
}

int
logdb_edits(struct logdb *db, int64_t chan, uint64_t ref, uint64_t *seqs,
    unsigned max, unsigned *n)
{
	int err = 0;
	sqlite3_stmt *st = logdb_st(db, SQL_ITEM_EDITS, &err);

	*n = 0;
	if (st == NULL)
		return err;
	sqlite3_bind_int64(st, 1, chan);
	logdb_bind_u64(st, 2, ref);
	while (*n < max && (err = logdb_row(db, st)) == 1)
		seqs[(*n)++] = logdb_u64(st, 0);
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}
