/* SPDX-License-Identifier: MIT */
/*
 * The loop's side of the log: queues down to the writer's and the reader's
 * thread, one list of results up, emptied when the ev_async fires. No SQLite,
 * no file: only hand-over. An operation is owned by whichever list it is in.
 * The threads' ends of the same queues are in log_ends.c.
 */
#include <signal.h>
#include <stdlib.h>

#include "proxy_server/log_dir.h"
#include "proxy_server/log_priv.h"
#include "proxy_server/log_ring.h"
#include "proxy_server/log_sqlite.h"
#include "proxy_server/reader.h"
#include "proxy_server/writer.h"
#include "shared/proc/clock.h"

/* its default is to be ignored, so a stray one harms nobody */
#define LOG_SIGNAL SIGURG

static void
log_on_signal(int sig)
{
	(void)sig;
}

/* --- down --- */

/* what is not stored recalls nothing */
static void
log_ring_failed(struct log *l, const struct log_op *op)
{
	if (op->kind == LOG_APPEND && l->ring != NULL &&
	    log_ring_is_only(l->ring))
		log_ring_refused(l->ring, op);
}

int
log_submit(struct log *l, struct log_op *op)
{
	size_t size = log_op_size(op);
	bool wake;

	if (l->state == LOG_WAITING || l->state == LOG_FAILED)
		return ERR_BUSY;
	if (op->kind == LOG_APPEND && l->ring != NULL &&
	    log_ring_is_only(l->ring))
		log_ring_judge(l->ring, op);
	op->next = NULL;
	op->since_us = clock_mono_us();
	pthread_mutex_lock(&l->lock);
	if (l->stop || l->n_ops >= LOG_OPS_MAX ||
	    l->n_bytes + size > LOG_OPS_BYTES) {
		pthread_mutex_unlock(&l->lock);
		log_ring_failed(l, op);
		return ERR_BUSY;
	}
	*l->ops_tail = op;
	l->ops_tail = &op->next;
	l->n_ops++;
	l->n_bytes += size;
	wake = l->asleep;
	l->asleep = false;
	pthread_mutex_unlock(&l->lock);
	l->wake_due |= wake;
	return 0;
}

/*
 * All that came in one turn of the loop is there when the writer wakes: one
 * commit, where waking it for the first would make two.
 */
static void
log_on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct log *l = container_of(w, struct log, prepare);

	(void)loop;
	(void)revents;
	if (!l->wake_due)
		return;
	l->wake_due = false;
	pthread_cond_signal(&l->wake);
}

/* answered in memory? the page goes the way of all pages, so nobody gets one
 * from within his question */
static bool
log_read_recent(struct log *l, uint64_t peer, const struct f_read *read)
{
	struct blob *frame;

	if (l->ring == NULL || l->read_stop ||
	    l->ring_pages >= LOG_RING_PAGES ||
	    (l->state != LOG_ACTIVE && l->state != LOG_DEGRADED))
		return false;
	frame = log_ring_page(l->ring, read, str_of(l->ep));
	if (frame == NULL)
		return false;
	l->ring_reads++;
	l->ring_pages++;
	log_push_page(l, peer, frame, true);
	return true;
}

static void
log_reading_free(struct log_reading *r)
{
	free(r->inbox);
	free(r->states);
	free(r);
}

/* takes r; ERR_BUSY: and frees it */
static int
log_ask_reader(struct log *l, struct log_reading *r)
{
	int err = 0;

	pthread_mutex_lock(&l->read_lock);
	if (l->read_stop || l->n_reads >= LOG_READS_MAX)
		err = ERR_BUSY;
	else {
		*l->reads_tail = r;
		l->reads_tail = &r->next;
		l->n_reads++;
	}
	pthread_mutex_unlock(&l->read_lock);
	if (err == 0)
		pthread_cond_signal(&l->read_wake);
	else
		log_reading_free(r);
	return err;
}

int
log_read(struct log *l, uint64_t peer, const struct f_read *read)
{
	struct log_reading *r;
	int err;

	if (log_read_recent(l, peer, read))
		return 0;
	r = xcalloc(1, sizeof *r);
	err = chan_parse(read->chan, &r->chan);
	r->peer = peer;
	r->read = *read;
	r->read.chan = chan_str(&r->chan);
	if (err == 0)
		return log_ask_reader(l, r);
	log_reading_free(r);
	return err;
}

int
log_inbox(struct log *l, uint64_t peer, struct str body)
{
	struct log_reading *r = xcalloc(1, sizeof *r);
	int err;

	r->peer = peer;
	r->inbox = xmalloc(sizeof *r->inbox + body.len);
	memcpy(r->inbox->body, body.p, body.len);
	err = get_inbox(str_n(r->inbox->body, body.len), &r->inbox->f);
	if (err == 0)
		return log_ask_reader(l, r);
	log_reading_free(r);
	return err;
}

int
log_states(struct log *l, uint64_t peer, struct str body)
{
	struct log_reading *r = xcalloc(1, sizeof *r);
	int err;

	r->peer = peer;
	r->states = xmalloc(sizeof *r->states + body.len);
	memcpy(r->states->body, body.p, body.len);
	err = get_states(str_n(r->states->body, body.len), &r->states->f);
	if (err == 0)
		return log_ask_reader(l, r);
	log_reading_free(r);
	return err;
}

int
log_backup(struct log *l, uint64_t token, const char *path)
{
	struct log_backup *b;

	if (path[0] != '/' || strlen(path) + 16 > sizeof b->path)
		return ERR_INVALID;
	if (l->backing_up)
		return ERR_BUSY;
	b = xcalloc(1, sizeof *b);
	b->token = token;
	str_copy(b->path, sizeof b->path, str_of(path));
	l->backing_up = true;
	pthread_mutex_lock(&l->read_lock);
	l->backup_asked = b;
	pthread_mutex_unlock(&l->read_lock);
	pthread_cond_signal(&l->read_wake);
	return 0;
}

enum log_state
log_state(const struct log *l)
{
	return l->state;
}

void
log_figures(struct log *l, struct log_figures *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->fig;
	out->queue_ops = l->n_ops;
	out->queue_bytes = l->n_bytes;
	pthread_mutex_unlock(&l->lock);
	out->ack_us = l->ack_us;
	out->reads_recent = l->ring_reads;
	out->recent_bytes = l->ring != NULL ? log_ring_bytes(l->ring) : 0;
}

int
log_lock_holder(
    const char *dir, int *pid, uint64_t *start_time, char name[ID_MAX + 1])
{
	struct lock_holder h;
	int err = log_dir_holder(dir, &h);

	if (err != 0)
		return err;
	*pid = h.pid;
	*start_time = h.start_time;
	memcpy(name, h.name, sizeof h.name);
	return 0;
}

/* --- back on the loop --- */

static void
log_ring_news(struct log *l, const struct log_news *n)
{
	bool ours = n->state == LOG_ACTIVE || n->state == LOG_DEGRADED;

	if (!ours || strcmp(l->ep, n->ep)) {
		if (l->ring != NULL)
			log_ring_clear(l->ring);
		memcpy(l->ep, n->ep, sizeof l->ep);
	}
}

static void
log_ring_op(struct log *l, struct log_op *op)
{
	if (op->code != 200 || op->dup)
		log_ring_failed(l, op);
	if (l->ring == NULL || op->code != 200)
		return;
	if (op->kind == LOG_APPEND && !op->dup)
		log_ring_add(l->ring, op);
	else if (op->kind == LOG_TOUCH && log_ring_is_only(l->ring))
		op->first = log_ring_first(l->ring, op->sub.chan, op->head);
}

static void
log_deliver_op(struct log *l, struct log_op *op, int64_t now)
{
	const struct log_news *n = op->news;
	bool batch_end = op->batch_end;

	if (n != NULL) {
		l->state = n->state;
		log_ring_news(l, n);
		l->ops->on_state(
		    l->arg, n->state, n->gen, n->ep, n->why, n->exit_code);
	} else {
		if (op->kind == LOG_APPEND && op->code == 200)
			histogram_add(
			    &l->ack_us, (uint64_t)(now - op->since_us));
		log_ring_op(l, op);
		l->ops->on_done(l->arg, op);
	}
	log_op_free(op);
	if (batch_end)
		l->ops->on_batch_end(l->arg);
}

static void
log_deliver_trimmed(struct log *l, struct log_trimmed *t)
{
	struct str chan = chan_str(&t->chan);

	if (l->ring != NULL)
		log_ring_trim(l->ring, chan, t->first);
	if (l->ops->on_trimmed != NULL)
		l->ops->on_trimmed(l->arg, chan, t->first);
	free(t);
}

static void
log_deliver(struct log *l)
{
	struct log_op *ops, *next_op;
	struct log_page *pages, *next_page;
	struct log_trimmed *trimmed, *next_trimmed;
	struct log_backup *backup;
	int64_t now;

	pthread_mutex_lock(&l->done_lock);
	backup = l->backup_done;
	l->backup_done = NULL;
	trimmed = l->trimmed;
	l->trimmed = NULL;
	ops = l->done_head;
	pages = l->pages_head;
	l->done_head = NULL;
	l->done_tail = &l->done_head;
	l->pages_head = NULL;
	l->pages_tail = &l->pages_head;
	pthread_mutex_unlock(&l->done_lock);
	now = clock_mono_us();
	for (; ops != NULL; ops = next_op) {
		next_op = ops->next;
		log_deliver_op(l, ops, now);
	}
	for (; trimmed != NULL; trimmed = next_trimmed) {
		next_trimmed = trimmed->next;
		log_deliver_trimmed(l, trimmed);
	}
	l->ring_pages = 0;
	for (; pages != NULL; pages = next_page) {
		next_page = pages->next;
		l->ops->on_page(l->arg, pages->peer, pages->frame);
		blob_unref(pages->frame);
		free(pages);
	}
	if (backup == NULL)
		return;
	l->backing_up = false;
	if (l->ops->on_backup != NULL)
		l->ops->on_backup(l->arg, backup->token, &backup->done);
	free(backup);
}

static void
log_on_async(struct ev_loop *loop, ev_async *w, int revents)
{
	(void)loop;
	(void)revents;
	log_deliver(container_of(w, struct log, async));
}

static void
log_init_locks(struct log *l)
{
	pthread_condattr_t mono;

	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &mono);
	pthread_cond_init(&l->read_wake, &mono);
	pthread_condattr_destroy(&mono);
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->read_lock, NULL);
	pthread_mutex_init(&l->done_lock, NULL);
}

static void
log_start(pthread_t *t, void *(*main)(void *), struct log *l)
{
	/* out of threads at start-up: nothing to be done about it */
	if (pthread_create(t, NULL, main, l) != 0)
		abort();
}

struct log *
log_open(struct ev_loop *loop, const struct log_settings *set,
    const struct log_ops *ops, void *arg)
{
	struct sigaction act = {.sa_handler = log_on_signal};
	struct log *l = xcalloc(1, sizeof *l);
	sigset_t all, before;

	l->set = *set;
	l->set.dir = xstrdup(set->dir);
	l->set.name = xstrdup(set->name);
	l->set.cluster = xstrdup(set->cluster);
	l->set.link = xstrdup(set->link != NULL ? set->link : "");
	l->ops = ops;
	l->arg = arg;
	l->loop = loop;
	l->state = LOG_WAITING;
	if (set->recent_bytes > 0 || set->keep_days == 0)
		l->ring = log_ring_new(set->recent_bytes > 0 ? set->recent_bytes
							     : LOG_RECENT_BYTES,
		    set->keep_days == 0);
	l->ops_tail = &l->ops_head;
	l->reads_tail = &l->reads_head;
	l->done_tail = &l->done_head;
	l->pages_tail = &l->pages_head;
	log_init_locks(l);
	logdb_init();
	ev_async_init(&l->async, log_on_async);
	ev_async_start(loop, &l->async);
	ev_prepare_init(&l->prepare, log_on_prepare);
	ev_set_priority(&l->prepare, EV_MINPRI); /* behind who submits */
	ev_prepare_start(loop, &l->prepare);
	/* the log alone keeps no loop going */
	ev_unref(loop);
	ev_unref(loop);
	/* no SA_RESTART: it has to end the wait for the lock */
	sigaction(LOG_SIGNAL, &act, NULL);
	sigfillset(&all);
	sigdelset(&all, LOG_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	log_start(&l->writer, writer_main, l);
	log_start(&l->reader, reader_main, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return l;
}

static void
log_stop_reader(struct log *l)
{
	struct log_reading *r;

	pthread_mutex_lock(&l->read_lock);
	l->read_stop = true;
	pthread_mutex_unlock(&l->read_lock);
	pthread_cond_signal(&l->read_wake);
	pthread_join(l->reader, NULL);
	while ((r = l->reads_head) != NULL) {
		l->reads_head = r->next;
		log_reading_free(r);
	}
	free(l->backup_asked);
	l->backup_asked = NULL;
}

static void
log_stop_writer(struct log *l)
{
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	/* a signal just before flock() is lost: hence again and again */
	while (l->locking) {
		struct timespec until = log_deadline(5);

		pthread_kill(l->writer, LOG_SIGNAL);
		pthread_cond_timedwait(&l->wake, &l->lock, &until);
	}
	pthread_mutex_unlock(&l->lock);
	pthread_cond_broadcast(&l->wake);
	pthread_join(l->writer, NULL);
}

void
log_set_disk(struct log *l, int64_t disk_min, int64_t disk_warn)
{
	__atomic_store_n(&l->set.disk_min, disk_min, __ATOMIC_RELAXED);
	__atomic_store_n(&l->set.disk_warn, disk_warn, __ATOMIC_RELAXED);
}

void
log_close(struct log *l)
{
	if (l == NULL)
		return;
	log_stop_reader(l);
	log_stop_writer(l);
	log_deliver(l);
	log_ring_free(l->ring);
	ev_ref(l->loop);
	ev_ref(l->loop);
	ev_async_stop(l->loop, &l->async);
	ev_prepare_stop(l->loop, &l->prepare);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->read_lock);
	pthread_mutex_destroy(&l->done_lock);
	pthread_cond_destroy(&l->wake);
	pthread_cond_destroy(&l->read_wake);
	free((char *)l->set.dir);
	free((char *)l->set.name);
	free((char *)l->set.cluster);
	free((char *)l->set.link);
	free(l);
}
