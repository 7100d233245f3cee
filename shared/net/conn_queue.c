/* SPDX-License-Identifier: MIT */
/*
 * What a connection has to say and the kernel did not take yet: a ring of blob
 * references. At rest there is none; spare ones are kept by the net.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/net/conn_priv.h"
#include "shared/proc/clock.h"

enum {
	CONN_QUEUE_FIRST = 8,	/* entries of a fresh queue */
	CONN_QUEUES_KEPT = 1024 /* spare ones of that size */
};

static struct conn_queue *
conn_queue_new(struct net *net)
{
	struct conn_queue *q = net->free_queues;

	if (q != NULL) {
		net->free_queues = q->next_free;
		net->n_free_queues--;
	} else {
		q = xmalloc(sizeof(*q) + CONN_QUEUE_FIRST * sizeof(q->item[0]));
		q->cap = CONN_QUEUE_FIRST;
	}
	q->next_free = NULL;
	q->head = q->n = q->off = q->bytes = 0;
	q->progress_s = 0;
	return q;
}

static void
conn_queue_free(struct net *net, struct conn_queue *q)
{
	if (q->cap != CONN_QUEUE_FIRST ||
	    net->n_free_queues >= CONN_QUEUES_KEPT) {
		free(q);
		return;
	}
	q->next_free = net->free_queues;
	net->free_queues = q;
	net->n_free_queues++;
}

void
conn_free_queues(struct net *net)
{
	struct conn_queue *q;

	while ((q = net->free_queues) != NULL) {
		net->free_queues = q->next_free;
		free(q);
	}
	net->n_free_queues = 0;
}

void
conn_queue_push(struct conn *c, struct blob *b)
{
	struct conn_queue *q = c->out;

	if (q == NULL) {
		q = c->out = conn_queue_new(conn_net(c));
		/* what it was blocked with was dropped: it waits from now on */
		if (c->blocked)
			q->progress_s = (uint32_t)(clock_mono_ms() / 1000);
	}
	if (q->head + q->n == q->cap) {
		if (q->head >= q->cap / 2) {
			memmove(q->item, q->item + q->head,
			    q->n * sizeof(q->item[0]));
			q->head = 0;
		} else {
			q->cap *= 2;
			q = c->out = xrealloc(
			    q, sizeof(*q) + q->cap * sizeof(q->item[0]));
		}
	}
	q->item[q->head + q->n++] = blob_ref(b);
	q->bytes += b->len;
	conn_net(c)->queued += b->len;
}

void
conn_queue_drop_all(struct conn *c)
{
	struct conn_queue *q = c->out;

	if (q == NULL)
		return;
	while (q->n > 0) {
		blob_unref(q->item[q->head++]);
		q->n--;
	}
	conn_net(c)->queued -= q->bytes;
	conn_queue_free(conn_net(c), q);
	c->out = NULL;
}

/* the kernel took n bytes */
void
conn_queue_taken(struct conn *c, size_t n)
{
	struct conn_queue *q = c->out;
	size_t rest;

	q->bytes -= (uint32_t)n;
	conn_net(c)->queued -= n;
	while (n > 0) {
		rest = q->item[q->head]->len - q->off;
		if (n < rest) {
			q->off += (uint32_t)n;
			return;
		}
		n -= rest;
		q->off = 0;
		blob_unref(q->item[q->head++]);
		q->n--;
	}
	if (q->n == 0) {
		conn_queue_free(conn_net(c), q);
		c->out = NULL;
	}
}

size_t
conn_drop_queue(struct conn *c)
{
	struct conn_queue *q = c->out;
	uint32_t keep;
	size_t dropped = 0;

	if (q == NULL)
		return 0;
	keep = q->off > 0 ? 1 : 0;
	while (q->n > keep) {
		struct blob *b = q->item[q->head + --q->n];

		dropped += b->len;
		blob_unref(b);
	}
	q->bytes -= (uint32_t)dropped;
	conn_net(c)->queued -= dropped;
	/* blocked stays as it is: on_drain then says that the kernel has room
	 */
	if (q->n == 0) {
		conn_queue_free(conn_net(c), q);
		c->out = NULL;
	}
	return dropped;
}
