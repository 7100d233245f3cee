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
 * holder: "pid start_time name\n" (start_time: field 22 of /proc/PID/stat), for
 * the standby that may have to kill a hung one.
 *
 * Everything that must be ordered goes through the writer's one queue:
 * appends, marks, and "touch" (what SUB needs: head, first, states), so that a
 * touch answered between two records is true exactly there. Opening is O(1):
 * heads, dedup windows and states are loaded per channel on first touch, and
 * kept in an LRU (65,536 channels, 64 MiB of windows).
 *
 * Bounds (limits.md): queue 65,536 operations or 64 MiB, beyond it log_submit
 * returns ERR_BUSY; a commit takes at most 1000 items or 256 KiB and starts as
 * soon as the previous one is done.
 *
 * Trouble: full disk or failed write: the batch is answered 503 retry 5000,
 * nothing of it is stored; the log goes on for reads and probes every second
 * (LOG_DEGRADED until a commit works again). Failed fsync, corruption: LOG_FAILED,
 * the process is expected to end with 1 / 5 and let a standby take over.
 */
#ifndef PROXY_SERVER_LOG_H
#define PROXY_SERVER_LOG_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/proto/frames.h"

enum log_state { LOG_WAITING, LOG_ACTIVE, LOG_DEGRADED, LOG_FAILED };
enum log_sync { LOG_SYNC_FULL, LOG_SYNC_NORMAL, LOG_SYNC_OFF };
enum log_kind { LOG_APPEND, LOG_TOUCH, LOG_SET };

struct log;

/*
 * One operation, down and back. Allocated with log_op_new around a copy of the
 * frame body, whose parsed struct points into that copy. Results are filled
 * by the writer. Freed by log after on_done returns.
 */
struct log_op {
	struct log_op *next;
	enum log_kind kind;
	uint64_t peer; /* id of the link that asked; looked up again when the answer comes */
	union {
		struct f_append append; /* LOG_APPEND */
		struct f_sub sub;       /* LOG_TOUCH */
		struct f_set set;       /* LOG_SET */
	};
	/* --- result --- */
	uint16_t code;      /* 200 stored (or touched); 403, 409, 413, 503: nothing was stored */
	uint32_t retry_ms;
	bool dup;           /* append: stored before, seq and ts are those of then */
	uint64_t seq;       /* append */
	int64_t ts;
	uint64_t useq[TO_MAX];
	uint64_t head, first; /* touch */
	struct buf states;  /* touch with want_state: n_states records as in f_subbed */
	uint16_t n_states;
	bool more_states;
	/* --- the copy --- */
	size_t body_len;
	uint8_t body[];
};

struct log_ops {
	/* why: one line for people when DEGRADED or FAILED; exit_code: what to end with when FAILED */
	void (*on_state)(void *arg, enum log_state state, uint64_t gen, const char *ep, const char *why, int exit_code);
	/* in commit order; a whole commit's operations come in one go, on_batch_end after them */
	void (*on_done)(void *arg, struct log_op *op);
	void (*on_batch_end)(void *arg);
	/* a READ's answer: a complete PAGE frame; peer as given */
	void (*on_page)(void *arg, uint64_t peer, struct blob *frame);
};

struct log_settings {
	const char *dir;     /* data directory */
	const char *name;    /* of this server, for the lock file */
	const char *cluster;
	enum log_sync sync;
	int64_t keep_days, keep_items; /* retention: 90, 0 */
	int64_t disk_min;    /* bytes free under which appends are refused: 256 MiB */
};

struct log_figures {
	uint64_t items, commits, bytes, dups, refused, reads, read_items, queue_ops, queue_bytes, wal_bytes, disk_free;
	struct { uint64_t bucket[32], n, sum_us; } commit_us, batch; /* see proc/stats.h struct histogram */
};

struct log *log_open(struct ev_loop *loop, const struct log_settings *set, const struct log_ops *ops, void *arg);
/* commits what is queued, checkpoints, marks the file clean, releases the lock; joins both threads */
void log_close(struct log *l);
/* frame body of F_APPEND, F_SUB or F_SET, copied; parse error of the frame is returned (ERR_PROTO ...) */
int log_op_new(enum log_kind kind, uint64_t peer, struct str body, struct log_op **op) MUST_CHECK;
void log_op_free(struct log_op *op);
/* takes op; ERR_BUSY at the bound (op is still the caller's) */
int log_submit(struct log *l, struct log_op *op) MUST_CHECK;
/* answered through on_page; ERR_BUSY when 4096 reads wait */
int log_read(struct log *l, uint64_t peer, const struct f_read *read) MUST_CHECK;
enum log_state log_state(const struct log *l);
void log_figures(struct log *l, struct log_figures *out);
/* who holds the lock now, as the lock file says: 0 or ERR_NOTFOUND */
int log_lock_holder(const char *dir, int *pid, uint64_t *start_time, char name[ID_MAX + 1]);

#endif
