/* SPDX-License-Identifier: MIT */
/*
 * The threads' ends of the log's queues: what the writer and the reader take
 * from them, and how they hand it back to the loop (log.c). Only hand-over,
 * each under its own lock; nothing here knows what is in it.
 */
#include <errno.h>
#include <time.h>

#include "proxy_server/log_priv.h"

struct timespec
log_deadline(int64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

void
log_push_page(struct log *l, uint64_t peer, struct blob *frame, bool wake)
{
	struct log_page *p = xmalloc(sizeof *p);

	p->next = NULL;
	p->peer = peer;
	p->frame = frame;
	pthread_mutex_lock(&l->done_lock);
	*l->pages_tail = p;
	l->pages_tail = &p->next;
	pthread_mutex_unlock(&l->done_lock);
	if (wake)
		ev_async_send(l->loop, &l->async);
}

/* --- of the writer --- */

bool
log_take(struct log *l, struct log_op ***tail, int64_t wait_ms)
{
	bool stop;

	pthread_mutex_lock(&l->lock);
	if (l->ops_head == NULL && !l->stop && wait_ms > 0) {
		struct timespec until = log_deadline(wait_ms);

		l->asleep = true;
		while (l->ops_head == NULL && !l->stop)
			if (pthread_cond_timedwait(
				&l->wake, &l->lock, &until) == ETIMEDOUT)
				break;
		l->asleep = false;
	}
	if (l->ops_head != NULL) {
		**tail = l->ops_head;
		*tail = l->ops_tail;
		l->ops_head = NULL;
		l->ops_tail = &l->ops_head;
	}
	stop = l->stop;
	pthread_mutex_unlock(&l->lock);
	return stop;
}

static void
log_push_done(struct log *l, struct log_op *first, struct log_op *last)
{
	pthread_mutex_lock(&l->done_lock);
	*l->done_tail = first;
	l->done_tail = &last->next;
	pthread_mutex_unlock(&l->done_lock);
	ev_async_send(l->loop, &l->async);
}

void
log_post(struct log *l, struct log_op *first, struct log_op *last, unsigned n,
    size_t bytes)
{
	pthread_mutex_lock(&l->lock);
	l->n_ops -= n;
	l->n_bytes -= bytes;
	pthread_mutex_unlock(&l->lock);
	last->next = NULL;
	last->batch_end = true;
	log_push_done(l, first, last);
}

void
log_post_news(struct log *l, const struct log_news *news)
{
	struct log_op *op = xcalloc(1, sizeof *op);

	op->news = xmalloc(sizeof *news);
	*op->news = *news;
	log_push_done(l, op, op);
}

void
log_post_trimmed(struct log *l, struct str chan, uint64_t first)
{
	struct log_trimmed *t = xcalloc(1, sizeof *t);

	t->first = first;
	t->chan.len = (uint8_t)chan.len;
	str_copy(t->chan.s, sizeof t->chan.s, chan);
	pthread_mutex_lock(&l->done_lock);
	t->next = l->trimmed;
	l->trimmed = t;
	pthread_mutex_unlock(&l->done_lock);
	ev_async_send(l->loop, &l->async);
}

bool
log_locking(struct log *l, bool on)
{
	bool go;

	pthread_mutex_lock(&l->lock);
	go = !l->stop;
	l->locking = on && go;
	pthread_mutex_unlock(&l->lock);
	if (!on)
		pthread_cond_broadcast(&l->wake);
	return go;
}

void
log_set_readable(struct log *l, bool on)
{
	pthread_mutex_lock(&l->read_lock);
	l->readable = on;
	pthread_mutex_unlock(&l->read_lock);
}

/* --- of the reader --- */

bool
log_take_reads(struct log *l, bool wait, struct log_reading **reads,
    struct log_backup **backup, bool *readable)
{
	bool go;

	*reads = NULL;
	*backup = NULL;
	pthread_mutex_lock(&l->read_lock);
	while (wait && l->reads_head == NULL && l->backup_asked == NULL &&
	       !l->read_stop)
		pthread_cond_wait(&l->read_wake, &l->read_lock);
	*readable = l->readable;
	go = !l->read_stop;
	if (go) {
		*reads = l->reads_head;
		l->reads_head = NULL;
		l->reads_tail = &l->reads_head;
		*backup = l->backup_asked;
		l->backup_asked = NULL;
	}
	pthread_mutex_unlock(&l->read_lock);
	return go;
}

void
log_post_backup(struct log *l, struct log_backup *b)
{
	pthread_mutex_lock(&l->done_lock);
	l->backup_done = b;
	pthread_mutex_unlock(&l->done_lock);
	ev_async_send(l->loop, &l->async);
}

void
log_post_page(struct log *l, uint64_t peer, struct blob *frame, bool wake)
{
	pthread_mutex_lock(&l->read_lock);
	l->n_reads--;
	pthread_mutex_unlock(&l->read_lock);
	log_push_page(l, peer, frame, wake);
}

void
log_count_read(struct log *l, unsigned items, unsigned damaged)
{
	pthread_mutex_lock(&l->lock);
	l->fig.reads++;
	l->fig.read_items += items;
	l->fig.damaged += damaged;
	pthread_mutex_unlock(&l->lock);
}
