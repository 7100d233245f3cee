/* SPDX-License-Identifier: MIT */
/*
 * The inside of struct log, shared by log.c (the loop's side), writer.c and
 * reader.c (a thread each), which come to it by log_ends.c alone. Three
 * locks, never held together:
 *
 *   lock       operations going down       loop -> writer
 *   read_lock  reads going down            loop -> reader
 *   done_lock  results of both coming back -> loop, woken by one ev_async
 */
#ifndef PROXY_SERVER_LOG_PRIV_H
#define PROXY_SERVER_LOG_PRIV_H

#include <pthread.h>

#include "proxy_server/log.h"

enum {
	LOG_OPS_MAX = 65536,
	LOG_OPS_BYTES = 64 * 1024 * 1024,
	LOG_READS_MAX = 4096,
	LOG_RING_PAGES = 256, /* a turn; beyond it the reader's queue */
	LOG_BATCH_ITEMS = 1000,
	LOG_BATCH_BYTES = 256 * 1024,
	LOG_RETRY_MS = 5000
};

/* a change of state on its way to the loop */
struct log_news {
	enum log_state state;
	uint64_t gen;
	char ep[EP_LEN + 1];
	int exit_code;
	char why[512];
};

/* an INBOX on its way to the reader; f points into body */
struct log_inboxing {
	struct f_inbox f;
	char body[];
};

/* a STATES on its way to the reader; f points into body */
struct log_stating {
	struct f_states f;
	char body[];
};

struct log_reading {
	struct log_reading *next;
	uint64_t peer;
	struct log_inboxing *inbox; /* it is that; owned */
	struct log_stating *states; /* or that */
	struct f_read read;	    /* read.chan points to chan */
	struct chan_name chan;
};

struct log_page {
	struct log_page *next;
	uint64_t peer;
	struct blob *frame;
};

/* a backup on its way to the reader and back; one at a time */
struct log_backup {
	uint64_t token;
	struct log_backup_done done;
	char path[4096];
};

/* retention has raised a channel's first: for the loop */
struct log_trimmed {
	struct log_trimmed *next;
	uint64_t first;
	struct chan_name chan;
};

struct log {
	struct log_settings set; /* strings are owned copies */
	const struct log_ops *ops;
	void *arg;
	struct ev_loop *loop;
	ev_async async;
	ev_prepare prepare; /* end of the turn: the writer is woken */
	bool wake_due;
	enum log_state state;  /* as the loop has been told */
	char ep[EP_LEN + 1];   /* the same */
	struct log_ring *ring; /* of the loop alone; NULL: none */
	uint64_t ring_reads;
	struct histogram ack_us;
	unsigned ring_pages; /* made in this turn, not yet delivered */
	pthread_t writer, reader;

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct log_op *ops_head, **ops_tail;
	uint32_t n_ops; /* submitted and not yet answered */
	size_t n_bytes;
	bool asleep;  /* the writer waits for operations */
	bool locking; /* the writer waits for the lock */
	bool stop;
	struct log_figures fig; /* also under lock */

	pthread_mutex_t read_lock;
	pthread_cond_t read_wake;
	struct log_reading *reads_head, **reads_tail;
	uint32_t n_reads;
	bool readable; /* messages.db is ours */
	bool read_stop;
	struct log_backup *backup_asked;
	bool backing_up; /* of the loop */

	pthread_mutex_t done_lock;
	struct log_op *done_head, **done_tail;
	struct log_page *pages_head, **pages_tail;
	struct log_backup *backup_done;
	struct log_trimmed *trimmed; /* later than all in the done list */
};

/* may change while the threads run: log_set_disk() */
static inline int64_t
log_disk_min(const struct log *l)
{
	return __atomic_load_n(&l->set.disk_min, __ATOMIC_RELAXED);
}

static inline size_t
log_op_size(const struct log_op *op)
{
	return sizeof *op + op->body_len;
}

/* --- for all three --- */

/* so many ms from now, on the clock that the conditions wait by */
struct timespec log_deadline(int64_t ms);
/* a page (owned from here) on its way to the loop; wake: or it waits for the
 * next one that does */
void log_push_page(
    struct log *l, uint64_t peer, struct blob *frame, bool wake);

/* --- for the writer --- */

/*
 * Appends what was submitted to the list that ends at *tail; waits up to
 * wait_ms for something when there is nothing. True: log_close() was called.
 */
bool log_take(struct log *l, struct log_op ***tail, int64_t wait_ms);
/* gives a commit's operations back, first to last: n of them, of that size */
void log_post(struct log *l, struct log_op *first, struct log_op *last,
    unsigned n, size_t bytes);
void log_post_news(struct log *l, const struct log_news *news);
/* after the channel's last item that was committed under the old first */
void log_post_trimmed(struct log *l, struct str chan, uint64_t first);
/* brackets the wait for the lock, which log_close() may end; false: don't wait
 * any more */
bool log_locking(struct log *l, bool on);
void log_set_readable(struct log *l, bool on);

/* --- for the reader --- */

/*
 * All waiting reads, oldest first. With `wait` it returns when there is
 * something: a read or, in *backup, a backup to be made (owned). False:
 * log_close() was called.
 */
bool log_take_reads(struct log *l, bool wait, struct log_reading **reads,
    struct log_backup **backup, bool *readable);
void log_post_backup(struct log *l, struct log_backup *b);
void log_post_page(
    struct log *l, uint64_t peer, struct blob *frame, bool wake);
/* one page; damaged: what of it has no row, or a wrong checksum */
void log_count_read(struct log *l, unsigned items, unsigned damaged);

#endif
