/* SPDX-License-Identifier: MIT */
/*
 * messages.db: opening, checking, creating it, and every statement that is run
 * on it (wire.md, schemas). One struct logdb is one connection and belongs to
 * one thread: the writer's (writes and checkpoints, the only one: Debian 12's
 * SQLite has a WAL-reset bug with two) or the reader's (read-only).
 *
 * Statements are prepared when first used and kept. Bound strings are not
 * copied: they must live until the call returns. Every function that can fail
 * returns
 *
 *   ERR_FULL      disk or quota full           ERR_BUSY      locked by a
 * foreign program ERR_IO        read, write or sync failed   ERR_CORRUPT
 * damaged or cut off ERR_READONLY  no right to write            ERR_FOREIGN not
 * a file of this program ERR_VERSION   of a newer version ERR_NOTFOUND  no such
 * row
 *
 * and leaves one line for people in db->why. No SQLite type shows here.
 */
#ifndef PROXY_SERVER_LOG_SQLITE_H
#define PROXY_SERVER_LOG_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy_server/log.h"
#include "shared/proto/frames.h"

enum {
	LOGDB_APP_ID = 0x63636861,
	LOGDB_VERSION = 2,
	LOGDB_WHY = 512,
	LOGDB_CLOCKS_MS = 20 * 60 * 1000 /* twice the window of repeats */
};

#define LOGDB_SQL(X)                                                          \
	X(BEGIN, "BEGIN IMMEDIATE")                                           \
	X(BEGIN_READ, "BEGIN")                                                \
	X(COMMIT, "COMMIT")                                                   \
	X(ROLLBACK, "ROLLBACK")                                               \
	X(META_GET, "SELECT v FROM meta WHERE k=?1")                          \
	X(META_SET, "INSERT INTO meta(k,v) VALUES(?1,?2) "                    \
		    "ON CONFLICT(k) DO UPDATE SET v=excluded.v")              \
	X(CHAN_GET, "SELECT id,head,first,last_ts FROM chan WHERE name=?1")   \
	X(CHAN_NAME, "SELECT name FROM chan WHERE id=?1")                     \
	X(CHAN_ID, "SELECT name,head,first FROM chan WHERE id=?1")            \
	X(CHAN_NEW,                                                           \
	    "INSERT INTO chan(name,head,first,last_ts) VALUES(?1,0,1,0)")     \
	X(CHAN_SET, "UPDATE chan SET head=?2,last_ts=?3 WHERE id=?1")         \
	X(CHAN_FIRST, "UPDATE chan SET first=?2 WHERE id=?1")                 \
	X(CHAN_NEXT,                                                          \
	    "SELECT id,name,head,first,keep_days,keep_items FROM chan "       \
	    "WHERE id>?1 ORDER BY id LIMIT 1")                                \
	X(ITEM_NEW,                                                           \
	    "INSERT INTO item(chan,seq,ts,kind,flags,uid,cid,cn,name,avatar," \
	    "ref,pchan,rid,body,crc,at) "                                     \
	    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)") \
	X(ITEM_ERASE, "UPDATE item SET body=NULL,at=NULL,flags=?3,crc=?4 "    \
		      "WHERE chan=?1 AND seq=?2")                             \
	X(ITEM_EDITS, "SELECT seq FROM item INDEXED BY item_edit "            \
		      "WHERE chan=?1 AND ref=?2 AND kind=2 ORDER BY seq DESC")\
	X(ITEM_HEAD, "SELECT max(seq) FROM item WHERE chan=?1")               \
	X(ITEM_AFTER, "SELECT seq,ts FROM item WHERE chan=?1 AND seq>=?2 "    \
		      "ORDER BY seq LIMIT 1")                                 \
	X(ITEM_WINDOW,                                                        \
	    "SELECT seq,ts,uid,cid FROM item WHERE chan=?1 AND seq>=?2 "      \
	    "ORDER BY seq")                                                   \
	X(ITEM_POINTER,                                                       \
	    "SELECT seq FROM item WHERE chan=?1 AND seq>?2 AND pchan=?3 "     \
	    "AND ref=?4 ORDER BY seq DESC LIMIT 1")                           \
	X(ITEM_DROP, "DELETE FROM item WHERE chan=?1 AND seq<min(?2,"         \
		     "(SELECT min(seq) FROM item WHERE chan=?1)+?3)")         \
	X(ITEM_UP,                                                            \
	    "SELECT seq,ts,kind,flags,uid,cid,cn,name,avatar,ref,crc,body,"   \
	    "pchan,rid,at FROM item WHERE chan=?1 AND seq>=?2 AND seq<=?3 "      \
	    "ORDER BY seq")                                                   \
	X(ITEM_DOWN,                                                          \
	    "SELECT seq,ts,kind,flags,uid,cid,cn,name,avatar,ref,crc,body,"   \
	    "pchan,rid,at FROM item WHERE chan=?1 AND seq>=?2 AND seq<=?3 "      \
	    "ORDER BY seq DESC")                                              \
	X(ITEM_ONE,                                                           \
	    "SELECT seq,ts,kind,flags,uid,cid,cn,name,avatar,ref,crc,body,"   \
	    "pchan,rid,at FROM item WHERE chan=?1 AND seq=?2")                   \
	X(ITEM_POINTERS,                                                      \
	    "SELECT seq,pchan,ref FROM item WHERE chan=?1 AND seq>=?2 "       \
	    "AND seq<=?3 ORDER BY seq DESC")                                  \
	X(ITEM_UNREAD,                                                        \
	    "SELECT count(*) FROM item WHERE chan=?1 AND seq>=?2 "            \
	    "AND kind=1 AND flags&2=0 AND uid IS NOT ?3")                     \
	X(STATE_VAL, "SELECT val,exp FROM state WHERE chan=?1 AND key=?2")    \
	X(STATE_RANGE,                                                        \
	    "SELECT key,val FROM state WHERE chan=?1 AND key>?2 AND key<?3 "  \
	    "AND (exp IS NULL OR exp>?4) ORDER BY key")                       \
	X(STATE_PAGE,                                                         \
	    "SELECT key,val,exp,rev FROM state WHERE chan=?1 AND key>=?2 "    \
	    "AND key<?3 AND key>?4 AND (exp IS NULL OR exp>?5) ORDER BY key") \
	X(STATE_COUNT,                                                        \
	    "SELECT count(*) FROM state WHERE chan=?1 AND key>=?2 "           \
	    "AND key<?3 AND (exp IS NULL OR exp>?4)")                         \
	X(STATE_GET, "SELECT rev,exp FROM state WHERE chan=?1 AND key=?2")    \
	X(STATE_SET,                                                          \
	    "INSERT INTO state(chan,key,val,rev,exp) VALUES(?1,?2,?3,?4,?5) " \
	    "ON CONFLICT(chan,key) DO UPDATE SET "                            \
	    "val=excluded.val,rev=excluded.rev,exp=excluded.exp")             \
	X(STATE_DEL, "DELETE FROM state WHERE chan=?1 AND key=?2")

enum logdb_sql {
#define X(name, sql) SQL_##name,
	LOGDB_SQL(X)
#undef X
	    SQL_N
};

struct sqlite3;
struct sqlite3_stmt;

struct logdb {
	struct sqlite3 *db; /* owned; NULL: closed */
	struct sqlite3_stmt *st[SQL_N];
	uint64_t wal_frames; /* in messages.db-wal since it began anew */
	uint64_t wal_commits; /* of this connection */
	int fd;		      /* the writer's: of messages.db, if has_fd */
	bool has_fd;
	char path[4096];
	char why[LOGDB_WHY];
};

/* a row of chan */
struct chan_row {
	int64_t id;
	struct chan_name name; /* filled by logdb_chan_next() only */
	uint64_t head, first;
	int64_t last_ts, keep_days, keep_items; /* keep_*: -1 = default */
};

const char *logdb_sql_text(enum logdb_sql which);
/* once per process, before any connection */
void logdb_init(void);

/* --- connections (log_sqlite.c) --- */

/*
 * The writer's: makes messages.db when there is none (*fresh), checks that it
 * is ours, whole and of a version we know, and brings it up to date. On error
 * nothing is open.
 */
int logdb_open(struct logdb *db, const char *dir, enum log_sync sync,
    bool *fresh) MUST_CHECK;
/* pages and rows one by one; slow in large files */
int logdb_check(struct logdb *db) MUST_CHECK;
int logdb_open_reader(struct logdb *db, const char *dir) MUST_CHECK;
/* the same for the file of another connection */
int logdb_open_beside(struct logdb *db, const struct logdb *of) MUST_CHECK;
/* a messages.db under another name that nobody uses (restore): checked as by
 * logdb_open(), left without a WAL */
int logdb_open_file(struct logdb *db, const char *path) MUST_CHECK;
void logdb_close(struct logdb *db);
/* the close that follows writes nothing: no checkpoint through a handle that
 * failed */
void logdb_abandon(struct logdb *db);

/* --- the WAL (log_sqlite_wal.c; used by log_wal.c) --- */

/*
 * Moves what it can from the WAL into the file without waiting for anybody. If
 * that is all there is, the disk is waited for, and the next commit begins the
 * WAL anew; if a snapshot is older than the last commit, neither.
 */
int logdb_checkpoint(struct logdb *db) MUST_CHECK;
/* a snapshot on a reader's connection, until logdb_unpin() */
int logdb_pin(struct logdb *pin) MUST_CHECK;
void logdb_unpin(struct logdb *pin);
/* hands the file's changed pages to the disk; waits for nothing, promises
 * nothing */
void logdb_write_out(struct logdb *db);
/* a piece of zeros, fsynced, behind what is in the WAL's file, up to that size.
 * False: it is that long, or there is no room */
bool logdb_wal_grow(struct logdb *db, int64_t size);

/* --- for log_sqlite_row.c --- */

/* rc of SQLite to ours, with the line in why; `doing` as in "can't DOING" */
int logdb_fail(struct logdb *db, int rc, const char *doing);
/* the statement, ready to bind; NULL: db->why says so, error in *err */
struct sqlite3_stmt *logdb_st(struct logdb *db, enum logdb_sql which, int *err);

/* --- rows (log_sqlite_row.c) --- */

int logdb_begin(struct logdb *db) MUST_CHECK;
int logdb_begin_read(struct logdb *db) MUST_CHECK;
int logdb_commit(struct logdb *db) MUST_CHECK;
/* ends a transaction that failed; no error: there is nothing left to do about
 * it */
void logdb_rollback(struct logdb *db);

/* out gets NUL-terminated text; ERR_NOTFOUND */
int logdb_meta_get(
    struct logdb *db, const char *key, char *out, size_t size) MUST_CHECK;
int logdb_meta_get_u64(
    struct logdb *db, const char *key, uint64_t *out) MUST_CHECK;
int logdb_meta_set(
    struct logdb *db, const char *key, const char *val) MUST_CHECK;
int logdb_meta_set_u64(
    struct logdb *db, const char *key, uint64_t val) MUST_CHECK;
/*
 * Within a write: by how much the wall clock has run ahead of the steady one
 * since an opening on this boot, LOGDB_CLOCKS_MS ago at most; rows of a minute
 * ago look that much older than they are. Notes both clocks for the next one.
 */
int logdb_clocks(struct logdb *db, bool same_boot, int64_t *jump) MUST_CHECK;

int logdb_chan_get(
    struct logdb *db, struct str name, struct chan_row *out) MUST_CHECK;
int logdb_chan_name(
    struct logdb *db, int64_t id, struct chan_name *out) MUST_CHECK;
/* out->name, head and first of that number; ERR_NOTFOUND */
int logdb_chan_id(
    struct logdb *db, int64_t id, struct chan_row *out) MUST_CHECK;
int logdb_chan_new(struct logdb *db, struct str name, int64_t *id) MUST_CHECK;
int logdb_chan_set(
    struct logdb *db, int64_t id, uint64_t head, int64_t last_ts) MUST_CHECK;
int logdb_chan_first(struct logdb *db, int64_t id, uint64_t first) MUST_CHECK;
/* the one with the next higher id; ERR_NOTFOUND at the end */
int logdb_chan_next(
    struct logdb *db, int64_t after, struct chan_row *out) MUST_CHECK;

/* it->seq, ts, ref, rid as given; pchan: id of a pointer's channel, or 0 */
int logdb_item_new(struct logdb *db, int64_t chan, const struct item *it,
    int64_t pchan) MUST_CHECK;
/* as item_erase(): the words go, the place stays; 1: they had gone before, and
 * nothing was written; ERR_NOTFOUND */
int logdb_item_erase(struct logdb *db, int64_t chan, uint64_t seq) MUST_CHECK;
/* the edits of message ref, newest first, at most max of them */
int logdb_edits(struct logdb *db, int64_t chan, uint64_t ref, uint64_t *seqs,
    unsigned max, unsigned *n) MUST_CHECK;
/* the highest seq with a row; 0: none */
int logdb_item_head(struct logdb *db, int64_t chan, uint64_t *seq) MUST_CHECK;
/* the lowest seq in lo..hi with ts >= at, or hi+1; by halves, as ts never goes
 * back */
int logdb_item_at(struct logdb *db, int64_t chan, uint64_t lo, uint64_t hi,
    int64_t at, uint64_t *seq) MUST_CHECK;
/* the pointer in chan, above seq `above`, to pchan/ref */
int logdb_item_pointer(struct logdb *db, int64_t chan, uint64_t above,
    int64_t pchan, uint64_t ref, uint64_t *seq) MUST_CHECK;
/* rows below `first`, at most n numbers of them; how many were there in
 * *dropped */
int logdb_item_drop(struct logdb *db, int64_t chan, uint64_t first, unsigned n,
    unsigned *dropped) MUST_CHECK;
/* pointers of a u: channel in lo..hi, newest first; fn returns false to stop */
int logdb_pointers(struct logdb *db, int64_t chan, uint64_t lo, uint64_t hi,
    bool (*fn)(void *arg, uint64_t seq, int64_t pchan, uint64_t ref),
    void *arg) MUST_CHECK;
/* messages from seq on that still have their words and are not uid's */
int logdb_unread(struct logdb *db, int64_t chan, uint64_t seq, struct str uid,
    uint64_t *n) MUST_CHECK;
/* every row from seq on, oldest first */
int logdb_window(struct logdb *db, int64_t chan, uint64_t seq,
    void (*fn)(
	void *arg, uint64_t seq, int64_t ts, struct str uid, struct str cid),
    void *arg) MUST_CHECK;
/*
 * Rows from..to (inclusive), upwards or down; fn returns false to stop. The
 * item's strings live until fn returns; seq, ref, rid as stored; pchan_id 0
 * when it is no pointer. A damaged row comes as tombstone (ITEM_F_LOST, no
 * body).
 */
int logdb_items(struct logdb *db, int64_t chan, uint64_t from, uint64_t to,
    bool down, bool (*fn)(void *arg, struct item *it, int64_t pchan_id),
    void *arg) MUST_CHECK;
/* one of them, through fn */
int logdb_item_one(struct logdb *db, int64_t chan, uint64_t seq,
    bool (*fn)(void *arg, struct item *it, int64_t pchan_id),
    void *arg) MUST_CHECK;

/* ERR_NOTFOUND when it does not exist or has expired by `now` */
int logdb_state_get(struct logdb *db, int64_t chan, struct str key, int64_t now,
    uint64_t *rev) MUST_CHECK;
/* appended to out; ERR_NOTFOUND as above */
int logdb_state_val(struct logdb *db, int64_t chan, struct str key, int64_t now,
    struct buf *out) MUST_CHECK;
/* keys above `after` and below `end`, in order; fn returns false to stop */
int logdb_state_range(struct logdb *db, int64_t chan, struct str after,
    struct str end, int64_t now,
    bool (*fn)(void *arg, struct str key, struct str val),
    void *arg) MUST_CHECK;
/* from..end without end, those above `after`, in order; fn returns false to
 * stop */
int logdb_state_page(struct logdb *db, int64_t chan, struct str from,
    struct str end, struct str after, int64_t now,
    bool (*fn)(void *arg, const struct state_rec *rec), void *arg) MUST_CHECK;
/* how many there are in from..end */
int logdb_state_count(struct logdb *db, int64_t chan, struct str from,
    struct str end, int64_t now, uint64_t *n) MUST_CHECK;
/* rec->val absent: deletes it */
int logdb_state_set(struct logdb *db, int64_t chan, const struct state_rec *rec,
    uint64_t rev) MUST_CHECK;
#endif
