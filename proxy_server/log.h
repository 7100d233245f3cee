/* SPDX-License-Identifier: MIT */
/*
 * The log: the seam under the relay (design.md section 2). Appends go down,
 * committed records come back in commit order on the loop, and ack and fan-out
 * happen there. Behind it now: one SQLite file, a writer thread (writes and
 * checkpoints, the only writing connection), a reader thread (read-only
 * connection: history). A distributed engine may stand here later.
 *
 * The lock is the election: log_open() returns at once; the writer thread
 * waits in flock(DATA/messages.lock), and only when it has it opens
 * messages.db, commits gen+1 and reports LOG_ACTIVE. The lock file names its
 * holder: "pid start_time name gen ep link\n" (start_time: field 22 of
 * /proc/PID/stat; link: where it is pinged, or "-"), for the standby that may
 * have to kill a hung one; gen and ep show at the next opening that
 * messages.db came back from a backup.
 *
 * Everything that must be ordered goes through the writer's one queue:
 * appends, marks, and "touch" (what SUB needs: head, first, title) or "get"
 * (one state), so that one answered between two records is true exactly there. Opening is O(1):
 * heads, dedup windows and states are loaded per channel on first touch, and
 * kept in an LRU (65,536 channels, 64 MiB of windows).
 *
 * Bounds (limits.md): queue 65,536 operations or 64 MiB, beyond it log_submit
 * returns ERR_BUSY; a commit takes at most 1000 items or 256 KiB and starts as
 * soon as the previous one is done.
 *
 * Recent items are also kept in memory, on the loop's thread, and READs that
 * they answer wholly never reach the reader (log_ring.h). With keep_days 0 they
 * are all there is: heads, states and numbers are committed, items are not,
 * and each says so (ITEM_F_UNKEPT); a repeat is known only as long as the
 * process lives.
 *
 * Trouble: full disk or failed write: the batch is answered 503 retry 5000,
 * nothing of it is stored; the log goes on for reads and probes every second
 * (LOG_DEGRADED until a commit works again). Failed fsync, corruption:
 * LOG_FAILED, the process is expected to end with 1 / 5 and let a standby take
 * over.
 */
#ifndef PROXY_SERVER_LOG_H
#define PROXY_SERVER_LOG_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/blob.h"
#include "shared/proc/stats.h"
#include "shared/proto/frames_state.h"

enum { LOG_RECENT_BYTES = 64 * 1024 * 1024 };
enum log_state { LOG_WAITING, LOG_ACTIVE, LOG_DEGRADED, LOG_FAILED };
enum log_sync { LOG_SYNC_FULL, LOG_SYNC_NORMAL, LOG_SYNC_OFF };
enum log_kind { LOG_APPEND, LOG_TOUCH, LOG_SET, LOG_RAISE, LOG_GET };

struct log;
struct log_news;

/*
 * One operation, down and back. Allocated with log_op_new around a copy of the
 * frame body, whose parsed struct points into that copy. Results are filled
 * by the writer. Freed by log after on_done returns.
 */
struct log_op {
	struct log_op *next;
	enum log_kind kind;
	uint64_t peer; /* id of the link that asked; looked up again when the
			  answer comes */
	union {
		struct f_append append; /* LOG_APPEND */
		struct f_sub sub;	/* LOG_TOUCH */
		struct f_set set;	/* LOG_SET */
		struct f_raise raise;	/* LOG_RAISE */
		struct f_get get;	/* LOG_GET */
	};
	/* --- result --- */
	/*
	 * 200 stored (or touched); nothing was stored: 400 crc is not the
	 * body's, 403 need/deny, 409 rev, 413 body, 403, 404 or 409 the item
	 * it means (log_ref.h), 503 disk or trouble (see retry_ms)
	 */
	uint16_t code;
	uint32_t retry_ms;
	bool dup;     /* append: stored before, seq and ts are those of then;
			 raise: it stands as high already, or is of another
			 history: nothing has changed */
	uint64_t seq; /* append */
	int64_t ts;
	uint64_t useq[TO_MAX]; /* of its pointers, with their ts */
	int64_t uts[TO_MAX];
	uint64_t head;	/* touch, get */
	uint64_t first; /* touch, get, append: of the channel; ufirst: of to[] */
	uint64_t ufirst[TO_MAX];
	struct buf states; /* get, touch with want_state (state t, the title):
			      n_states records for log_states_next() */
	uint16_t n_states;
	/* --- of log alone --- */
	bool batch_end; /* the last operation of its commit */
	bool pooled;	/* may be used again by another one */
	uint16_t ref_code; /* keep_days 0: what memory says of the item meant */
	bool recalled; /* recall: the item meant had lost its words before */
	int64_t since_us; /* append: submitted then (steady clock) */
	struct log_news
	    *news; /* a change of state that travels in the same order */
	/* --- the copy --- */
	size_t body_len;
	uint8_t body[];
};

/* how a backup ended */
struct log_backup_done {
	int err;	     /* 0; ERR_EXISTS, ERR_FULL, ERR_IO ... */
	char why[512];	     /* after an error: one line for people */
	uint64_t bytes,	     /* of the file */
	    channels, items; /* in it: heads, and numbers that are kept */
};

struct log_ops {
	/*
	 * LOG_ACTIVE may come again: after LOG_DEGRADED, and with another ep
	 * when a subscriber proved that the file is an older copy (design.md
	 * section 2). why: one line for people when DEGRADED or FAILED;
	 * exit_code: what to end with when FAILED. No callback may call
	 * log_close().
	 */
	void (*on_state)(void *arg, enum log_state state, uint64_t gen,
	    const char *ep, const char *why, int exit_code);
	/* in commit order; a whole commit's operations come in one go,
	 * on_batch_end after them */
	void (*on_done)(void *arg, struct log_op *op);
	void (*on_batch_end)(void *arg);
	/* a READ's answer: a complete PAGE frame, borrowed; peer as given */
	void (*on_page)(void *arg, uint64_t peer, struct blob *frame);
	/* the oldest item that retention has left in a channel; behind what was
	 * committed before it; may be NULL */
	void (*on_trimmed)(void *arg, struct str chan, uint64_t first);
	/* log_backup()'s end; may be NULL */
	void (*on_backup)(
	    void *arg, uint64_t token, const struct log_backup_done *done);
};

struct log_settings {
	const char *dir;  /* data directory */
	const char *name; /* of this server, for the lock file */
	const char *cluster;
	enum log_sync sync;
	int64_t keep_days, keep_items; /* retention: 90, 0 */
	int64_t
	    disk_min; /* bytes free under which appends are refused: 256 MiB */
	int64_t disk_warn; /* and under which the log says that it gets short:
			      1 GiB */
	const char *
	    link; /* where standbys ping us, for the lock file; NULL: nowhere */
	int64_t trim_ms; /* between two passes of retention; 0: one hour */
	/* memory for recent items (log_ring.h); 0: none, or with keep_days 0
	 * LOG_RECENT_BYTES */
	size_t recent_bytes;
};

struct log_figures {
	uint64_t items, commits, bytes, dups, refused, queue_ops, queue_bytes,
	    wal_bytes, disk_free, disk_low; /* disk_low: under disk_warn */
	uint64_t reads, read_items;	     /* from the file */
	uint64_t damaged;		     /* tombstones among these */
	uint64_t reads_recent, recent_bytes; /* from memory; what it holds */
	struct histogram commit_us,
	    batch; /* batch: operations per commit, in place of us */
	struct histogram checkpoint_us; /* of the writer's time */
	struct histogram ack_us; /* log_submit() of an append to its on_done */
};

struct log *log_open(struct ev_loop *loop, const struct log_settings *set,
    const struct log_ops *ops, void *arg);
/*
 * Commits what is queued (on_done and on_batch_end still come, from within),
 * checkpoints, marks the file clean, releases the lock; joins both threads.
 * Waiting reads are dropped. NULL is fine.
 */
void log_close(struct log *l);
/* other bounds of the free disk from now on, in bytes */
void log_set_disk(struct log *l, int64_t disk_min, int64_t disk_warn);
/* frame body of F_APPEND, F_SUB, F_SET, F_RAISE or F_GET, copied; parse error of the frame is
 * returned (ERR_PROTO ...) */
int log_op_new(enum log_kind kind, uint64_t peer, struct str body,
    struct log_op **op) MUST_CHECK;
void log_op_free(struct log_op *op); /* both on the loop's thread */
/* takes op; ERR_BUSY at the bound and while WAITING or FAILED (op is still the
 * caller's) */
int log_submit(struct log *l, struct log_op *op) MUST_CHECK;
/* answered through on_page; ERR_BUSY when 4096 reads wait */
int log_read(
    struct log *l, uint64_t peer, const struct f_read *read) MUST_CHECK;
/* a user's conversations: frame body of F_INBOX, copied; answered through
 * on_page with an INBOXED frame. ERR_BUSY as log_read(), or the parse error */
int log_inbox(struct log *l, uint64_t peer, struct str body) MUST_CHECK;
/* a page of state records: the same with F_STATES and a STATED frame */
int log_states(struct log *l, uint64_t peer, struct str body) MUST_CHECK;
/*
 * An online copy of messages.db as `path` (absolute, not there yet), made by
 * the reader's thread between READs (log_backup.h). ERR_BUSY: one is being
 * made; ERR_INVALID: the path. log_close() ends it without on_backup.
 */
int log_backup(struct log *l, uint64_t token, const char *path) MUST_CHECK;
/* the next of a touch's states; rest: begin with buf_str(&op->states); ERR_EOF
 * at the end */
int log_states_next(struct str *rest, struct state_rec *rec) MUST_CHECK;
enum log_state log_state(const struct log *l);
void log_figures(struct log *l, struct log_figures *out);
/* who holds the lock now, as the lock file says: 0 or ERR_NOTFOUND */
int log_lock_holder(
    const char *dir, int *pid, uint64_t *start_time, char name[ID_MAX + 1]);

#endif
