/* SPDX-License-Identifier: MIT */
/*
 * The writer's thread: one loop that takes what waits, commits it, gives it
 * back, and uses the time between for retention and checkpoints. What an
 * operation means is log_commit.c's; this file decides when a commit ends and
 * what a failed one leads to:
 *
 *   ACTIVE --full, locked--> DEGRADED --a commit works--> ACTIVE
 *     \------ any other error ------> FAILED, for good
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy_server/log_commit.h"
#include "proxy_server/log_dir.h"
#include "proxy_server/log_history.h"
#include "proxy_server/log_priv.h"
#include "proxy_server/log_trim.h"
#include "proxy_server/log_wal.h"
#include "proxy_server/writer.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"

enum {
	WRITER_WAIT_MS = 1000, /* nothing to do: look at the disk this often */
	WRITER_SLICE_MS = 20,  /* between slices of retention while busy */
	WRITER_GROW_FREE = 64 * 1024 * 1024 /* over the floor: WAL may grow */
};

struct writer {
	struct log *l;
	enum log_state state;
	struct logdb db;
	struct log_chans chans;
	struct log_commit cm;
	int lock_fd;
	struct lock_holder self;
	struct log_history history;
	struct log_op *pend, **pend_tail; /* taken, not yet committed */
	int64_t commit_ms;		  /* last commit */
	int64_t look_ms;		  /* last look at the disk, or probe */
	struct log_wal wal;
	int64_t slice_ms; /* last slice of retention */
	struct log_trim trim;
};

static void
writer_enter(
    struct writer *w, enum log_state state, const char *why, int exit_code)
{
	struct log_news n = {
	    .state = state, .gen = w->self.gen, .exit_code = exit_code};

	w->state = state;
	memcpy(n.ep, w->self.ep, sizeof n.ep);
	str_copy(n.why, sizeof n.why, str_of(why));
	log_post_news(w->l, &n);
}

static int
writer_exit_code(int err)
{
	switch (err) {
	case ERR_CORRUPT:
	case ERR_FOREIGN:
	case ERR_VERSION:
	case ERR_READONLY:
		return EXIT_DATA;
	default:
		return EXIT_FAILED;
	}
}

static void
writer_fail(struct writer *w, int err, const char *why)
{
	log_set_readable(w->l, false);
	writer_enter(w, LOG_FAILED, why, writer_exit_code(err));
}

static void
writer_degrade(struct writer *w, const char *why)
{
	if (w->state == LOG_DEGRADED)
		return;
	w->look_ms = clock_mono_ms();
	w->trim.due_ms = w->look_ms; /* old rows may be what fills the disk */
	writer_enter(w, LOG_DEGRADED, why, 0);
}

/* what a failed statement leads to; the transaction is undone already */
static void
writer_trouble(struct writer *w, int err)
{
	switch (err) {
	case ERR_FULL:
		/* room enough to delete in */
		log_dir_release(w->l->set.dir);
		writer_degrade(w, w->db.why);
		break;
	case ERR_BUSY:
		writer_degrade(w, w->db.why);
		break;
	default:
		writer_fail(w, err, w->db.why);
		break;
	}
}

/* --- opening --- */

static void
writer_on_wait(void *arg)
{
	struct writer *w = arg;
	struct lock_holder h;
	char why[160] = "another server holds the log";

	if (log_dir_holder(w->l->set.dir, &h) == 0)
		snprintf(why, sizeof why, "%s (pid %d) holds the log", h.name,
		    h.pid);
	writer_enter(w, LOG_WAITING, why, 0);
	log_locking(w->l, true);
}

static bool
writer_must_stop(void *arg)
{
	struct writer *w = arg;

	return !log_locking(w->l, true);
}

/* gen, and a new ep where one is due; a full disk only puts it off */
static int
writer_take_over(struct writer *w, const struct lock_holder *seen)
{
	struct log_history *h = &w->history;
	int err;

	*h = (struct log_history){
	    .db = &w->db, .set = &w->l->set, .self = &w->self};
	err = log_history_take(h, seen);
	if (err == ERR_FULL) {
		log_dir_release(w->l->set.dir);
		err = log_history_take(h, seen);
	}
	w->cm.jump_ms = h->jump_ms;
	/* in a file that has no ep there is no history to go on with */
	if (h->unsaved && (err == ERR_FULL || err == ERR_BUSY) &&
	    strlen(w->self.ep) == EP_LEN)
		return 0;
	return err;
}

/* with no room for even the files beside it there is nothing but to wait */
static int
writer_open_db(struct writer *w)
{
	const struct log_settings *set = &w->l->set;
	bool fresh;
	int err;

	for (int turn = 0;; turn++) {
		err = logdb_open(&w->db, set->dir, set->sync, &fresh);
		if (err != ERR_FULL || fresh)
			return err;
		log_dir_release(set->dir);
		if (turn == 0)
			continue;
		if (turn == 1)
			writer_enter(w, LOG_WAITING, w->db.why, 0);
		if (log_take(w->l, &w->pend_tail, WRITER_WAIT_MS))
			return ERR_AGAIN;
	}
}

static int
writer_open(struct writer *w)
{
	const struct log_settings *set = &w->l->set;
	struct lock_holder seen = {0};
	int err;

	err = log_dir_check(set->dir, w->db.why, sizeof w->db.why);
	if (err != 0)
		return err;
	err = log_dir_lock(set->dir, writer_on_wait, writer_must_stop, w,
	    &w->lock_fd, w->db.why, sizeof w->db.why);
	log_locking(w->l, false);
	if (err != 0)
		return err;
	w->self.pid = getpid();
	w->self.start_time = log_dir_start_time(w->self.pid);
	str_copy(w->self.name, sizeof w->self.name, str_of(set->name));
	str_copy(w->self.link, sizeof w->self.link, str_of(set->link));
	if (log_dir_holder(set->dir, &seen) == 0) {
		/* who holds it now, with what is known of the history so far */
		w->self.gen = seen.gen;
		memcpy(w->self.ep, seen.ep, sizeof w->self.ep);
	}
	err = log_dir_sign(w->lock_fd, &w->self);
	w->self.ep[0] = '\0';
	if (err == 0)
		err = writer_open_db(w);
	else
		snprintf(w->db.why, sizeof w->db.why, "%s/messages.lock: %s",
		    set->dir, err_text(err));
	if (err == 0)
		err = writer_take_over(w, &seen);
	if (err != 0)
		return err;
	/* a gen that is there and not in the file would make that an old one */
	if (w->history.unsaved)
		return 0;
	/* a standby that can't read it just won't kill us */
	if (log_dir_sign(w->lock_fd, &w->self) != 0)
		log_warn("%s/messages.lock: can't be written", set->dir);
	return 0;
}

/* --- committing --- */

static bool
writer_writes(const struct log_op *op)
{
	return op->kind != LOG_TOUCH && op->kind != LOG_GET;
}

static void
writer_refuse(struct log_op *op)
{
	op->code = 503;
	op->retry_ms = LOG_RETRY_MS;
	op->dup = false;
}

/* the commit failed: nothing is stored, but where things stand can be told */
static void
writer_answer_failed(struct writer *w, struct log_op *first)
{
	log_commit_begin(&w->cm, clock_wall_ms());
	for (struct log_op *op = first; op != NULL; op = op->next)
		if (writer_writes(op) || w->state == LOG_FAILED ||
		    log_commit_op(&w->cm, op) != 0)
			writer_refuse(op);
	log_commit_undo(&w->cm); /* ends what was begun to read */
}

static void
writer_count(struct writer *w, unsigned n, int64_t us)
{
	struct log_figures *f = &w->l->fig;

	pthread_mutex_lock(&w->l->lock);
	f->items += w->cm.items;
	f->bytes += w->cm.bytes;
	f->dups += w->cm.dups;
	f->refused += w->cm.refused;
	f->wal_bytes = w->db.wal_frames * 4096;
	if (w->cm.items > 0) {
		f->commits++;
		histogram_add(&f->commit_us, (uint64_t)us);
		histogram_add(&f->batch, n);
	}
	pthread_mutex_unlock(&w->l->lock);
}

/* gen and ep into the file, and to whoever asks for them */
static int
writer_save_history(struct writer *w)
{
	int err = log_history_save(&w->history);

	if (err != 0)
		return err;
	memcpy(w->cm.ep, w->self.ep, sizeof w->cm.ep);
	w->cm.jump_ms = w->history.jump_ms;
	if (log_dir_sign(w->lock_fd, &w->self) != 0)
		log_warn("%s/messages.lock: can't be written", w->l->set.dir);
	return 0;
}

/* somebody is ahead of us in our own history: this file is an older copy */
static void
writer_new_history(struct writer *w)
{
	int err;

	log_warn("a subscriber knows more than %s: new history", w->db.path);
	w->history.redraw = w->history.unsaved = true;
	if (w->state != LOG_ACTIVE)
		return; /* with the first write that works again */
	err = writer_save_history(w);
	if (err != 0)
		writer_trouble(w, err);
	else
		writer_enter(w, LOG_ACTIVE, "", 0);
}

/* one commit: at most 1000 operations or 256 KiB of what waits */
static void
writer_commit(struct writer *w)
{
	struct log_op *first = w->pend, *last = NULL, *op;
	int64_t t0 = clock_mono_us();
	size_t size = 0, body = 0;
	unsigned n = 0;
	int err = 0;

	log_commit_begin(&w->cm, clock_wall_ms());
	for (op = first; op != NULL && err == 0 && n < LOG_BATCH_ITEMS &&
			 (n == 0 || body + op->body_len <= LOG_BATCH_BYTES);
	     op = op->next) {
		last = op;
		n++;
		size += log_op_size(op);
		body += op->body_len;
		if (w->state == LOG_FAILED ||
		    (w->state == LOG_DEGRADED && writer_writes(op))) {
			w->cm.refused++;
			writer_refuse(op);
		} else
			err = log_commit_op(&w->cm, op);
	}
	w->pend = last->next;
	if (w->pend == NULL)
		w->pend_tail = &w->pend;
	last->next = NULL;
	if (err == 0)
		err = log_commit_end(&w->cm);
	if (err != 0) {
		log_commit_undo(&w->cm);
		writer_trouble(w, err);
		writer_answer_failed(w, first);
		w->cm.refused = n;
	}
	log_chans_trim(&w->chans);
	writer_count(w, n, clock_mono_us() - t0);
	if (w->cm.restored && !w->history.redraw)
		writer_new_history(w);
	w->commit_ms = clock_mono_ms();
	log_post(w->l, first, last, n, size);
}

/* --- between commits --- */

static void
writer_wal(struct writer *w, bool idle)
{
	uint64_t done = w->wal.parts + w->wal.wholes;
	int64_t t0 = clock_mono_us(), now = t0 / 1000;
	int err = log_wal_step(&w->wal, now, idle ? now - w->commit_ms : 0);

	if (w->wal.parts + w->wal.wholes != done) {
		pthread_mutex_lock(&w->l->lock);
		histogram_add(
		    &w->l->fig.checkpoint_us, (uint64_t)(clock_mono_us() - t0));
		pthread_mutex_unlock(&w->l->lock);
	}
	if (err != 0)
		writer_trouble(w, err);
}

/* may the WAL's file take room before it needs it? */
static bool
writer_may_grow(const struct writer *w)
{
	return w->state == LOG_ACTIVE && log_wal_may_grow(&w->wal) &&
	       (int64_t)w->l->fig.disk_free >
		   log_disk_min(w->l) + WRITER_GROW_FREE;
}

/* a write that means nothing; 0 when the disk takes it */
static int
writer_probe(struct writer *w)
{
	int err;

	if (w->history.unsaved)
		return writer_save_history(w);
	err = logdb_begin(&w->db);
	if (err == 0)
		err = logdb_meta_set_u64(
		    &w->db, "probe", (uint64_t)clock_wall_ms());
	if (err == 0)
		err = logdb_commit(&w->db);
	if (err != 0)
		logdb_rollback(&w->db);
	return err;
}

/*
 * The alarm before the floor: said once when the disk gets short, and once when
 * there is room again, of which there must be a little more.
 */
static void
writer_warn(struct writer *w, int64_t room)
{
	int64_t warn = __atomic_load_n(&w->l->set.disk_warn, __ATOMIC_RELAXED);
	bool was, low;

	if (room < 0)
		return;
	pthread_mutex_lock(&w->l->lock);
	was = w->l->fig.disk_low != 0;
	low = room < (was ? warn + warn / 16 : warn);
	w->l->fig.disk_low = low;
	pthread_mutex_unlock(&w->l->lock);
	if (low && !was)
		log_warn("%s: %" PRId64 " MiB left on the disk, under %" PRId64
			 " MiB (disk_warn); at %" PRId64
			 " MiB (disk_min) nothing new is taken",
		    w->l->set.dir, room >> 20, warn >> 20,
		    log_disk_min(w->l) >> 20);
	else if (was && !low)
		log_info("%s: %" PRId64 " MiB left on the disk: enough again",
		    w->l->set.dir, room >> 20);
}

static void
writer_look(struct writer *w)
{
	const struct log_settings *set = &w->l->set;
	int64_t now = clock_mono_ms(), room, min = log_disk_min(w->l);
	char why[256];
	int err;

	if (now - w->look_ms < WRITER_WAIT_MS)
		return;
	w->look_ms = now;
	/* who has lost the file must not go on telling of it */
	if (!w->history.unsaved &&
	    log_history_check(&w->db, w->self.gen) == ERR_STALE) {
		writer_trouble(w, ERR_STALE);
		return;
	}
	room = log_dir_free(set->dir);
	pthread_mutex_lock(&w->l->lock);
	w->l->fig.disk_free = room > 0 ? (uint64_t)room : 0;
	pthread_mutex_unlock(&w->l->lock);
	writer_warn(w, room);
	if (room >= 0 && room < min) {
		snprintf(why, sizeof why,
		    "%s: only %" PRId64 " MiB left on the disk, %" PRId64
		    " MiB are the floor (disk_min)",
		    set->dir, room >> 20, min >> 20);
		writer_degrade(w, why);
		return;
	}
	if (w->state != LOG_DEGRADED)
		return;
	err = writer_probe(w);
	if (err == ERR_FULL || err == ERR_BUSY)
		return;
	if (err != 0)
		writer_trouble(w, err);
	else if (log_dir_reserve(set->dir) == 0)
		writer_enter(w, LOG_ACTIVE, "", 0);
}

static void
writer_trim(struct writer *w)
{
	int err = log_trim_slice(&w->trim, &w->db, &w->chans, w->l);

	w->slice_ms = clock_mono_ms();
	if (err != 0)
		writer_trouble(w, err);
}

/* idle: the last turn found nothing to commit */
static void
writer_between(struct writer *w, bool idle)
{
	int64_t now = clock_mono_ms();

	writer_look(w);
	if (w->state == LOG_FAILED)
		return;
	/* both clocks at one time: the disk may have taken some to be looked at
	 */
	log_chans_rest(&w->chans, clock_mono_ms(), clock_wall_ms());
	writer_wal(w, idle);
	if (idle && writer_may_grow(w))
		log_wal_grow(&w->wal);
	if (!w->trim.running && now >= w->trim.due_ms)
		w->trim = (struct log_trim){.running = true};
	if (w->state != LOG_FAILED && w->trim.running &&
	    (idle || now - w->slice_ms >= WRITER_SLICE_MS))
		writer_trim(w);
}

static int64_t
writer_wait_ms(const struct writer *w)
{
	int64_t wait;

	if (w->pend != NULL)
		return 0;
	if (w->state == LOG_FAILED)
		return WRITER_WAIT_MS;
	if (w->trim.running || writer_may_grow(w))
		return 0;
	wait = log_wal_wait_ms(&w->wal);
	return wait >= 0 && wait < WRITER_WAIT_MS ? wait : WRITER_WAIT_MS;
}

static void
writer_run(struct writer *w)
{
	bool stop, idle;

	for (;;) {
		stop = log_take(w->l, &w->pend_tail, writer_wait_ms(w));
		idle = w->pend == NULL;
		if (idle && stop)
			return;
		if (!idle)
			writer_commit(w);
		if (w->state != LOG_FAILED)
			writer_between(w, idle);
	}
}

static void
writer_close(struct writer *w)
{
	log_set_readable(w->l, false);
	if (w->db.db != NULL && w->state != LOG_FAILED &&
	    logdb_meta_set_u64(&w->db, "clean", 1) != 0)
		log_warn("not closed cleanly: %s", w->db.why);
	/* after a failed write or sync nothing more goes through this handle */
	if (w->state == LOG_FAILED)
		logdb_abandon(&w->db);
	log_wal_fini(&w->wal);
	logdb_close(&w->db);
	log_chans_fini(&w->chans);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
}

void *
writer_main(void *arg)
{
	struct writer *w = xcalloc(1, sizeof *w);
	int err;

	w->l = arg;
	w->lock_fd = -1;
	w->pend_tail = &w->pend;
	log_chans_init(&w->chans);
	log_wal_init(&w->wal, &w->db, w->l->set.sync);
	err = writer_open(w);
	w->cm.db = &w->db;
	w->cm.chans = &w->chans;
	w->cm.keep_nothing = w->l->set.keep_days == 0;
	memcpy(w->cm.ep, w->self.ep, sizeof w->cm.ep);
	w->cm.gen = w->self.gen;
	if (err == 0) {
		w->look_ms = w->commit_ms = clock_mono_ms() - WRITER_WAIT_MS;
		w->trim.due_ms =
		    w->commit_ms +
		    (w->l->set.trim_ms > 0 ? w->l->set.trim_ms : 60000);
		log_set_readable(w->l, true);
		if (w->history.unsaved)
			writer_degrade(w, w->db.why);
		else
			writer_enter(w, LOG_ACTIVE, "", 0);
		if (log_dir_reserve(w->l->set.dir) != 0)
			writer_degrade(w, "no space left for messages.reserve");
	} else if (err != ERR_AGAIN)
		writer_fail(w, err, w->db.why);
	if (err != ERR_AGAIN)
		writer_run(w);
	writer_close(w);
	free(w);
	return NULL;
}
