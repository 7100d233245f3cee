/* SPDX-License-Identifier: MIT */
/*
 * struct conn: a non-blocking byte stream over a socket.
 *
 * In: when readable, one recv() per turn into the net's shared buffer, handed
 * to on_data as borrowed bytes (whoever needs the rest keeps its own copy).
 * Out: conn_send() queues a reference to a blob and marks the connection
 * dirty; nothing is written before the end of the loop turn, then everything
 * gathered goes out in one sendmsg() (at most 64 iovecs). A queue at rest holds
 * no memory; EV_WRITE is armed only after EAGAIN.
 *
 * Life: conn_open() -> ... -> conn_close() [idempotent, any time, from any
 * callback] -> ops->on_dead() once, from the net's turn, where the owner frees
 * the memory. Between conn_close and on_dead no other callback comes. The
 * descriptor is closed right before on_dead. A turn buries 256 at most: when
 * ten thousand end at once, on_dead of the last comes some turns later.
 *
 * conn_finish() is the polite end: what is queued goes out, then
 * shutdown(SHUT_WR), then reads are discarded until the peer's FIN or 3 s
 * (no RST that would eat our last bytes), then as conn_close. A peer that takes
 * nothing for 3 s, or not all within 2 min, is closed. No callback but on_dead
 * comes after conn_finish.
 *
 * Owners embed struct conn and recover themselves by container_of.
 */
#ifndef SHARED_NET_CONN_H
#define SHARED_NET_CONN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/blob.h"
#include "shared/base/str.h"
#include "shared/net/net.h"

struct conn;

struct conn_ops {
	/* n > 0 bytes, valid until return; may close or pause the connection */
	void (*on_data)(struct conn *, const uint8_t *p, size_t n);
	/*
	 * The peer is gone: 0 = orderly FIN, the owner decides (conn_close, or
	 * conn_finish after its last words); else errno, and the connection
	 * is closed after the call if it is not yet.
	 */
	void (*on_end)(struct conn *, int err);
	/* the queue, having been non-empty after a flush, is empty again; may
	 * be NULL */
	void (*on_drain)(struct conn *);
	/*
	 * Right before a flush: the moment to queue what was gathered (see
	 * conn_wake); may be NULL.
	 */
	void (*on_flush)(struct conn *);
	/* last call; free the owner */
	void (*on_dead)(struct conn *);
};

/*
 * Blob references with offsets; allocated only while non-empty. Entries
 * item[head] .. item[head+n-1]; `off` bytes of the first are sent.
 */
struct conn_queue {
	struct conn_queue *next_free;
	uint32_t head, n, cap, off;
	uint32_t bytes;      /* not yet taken by the kernel */
	uint32_t progress_s; /* monotonic second of the last byte the kernel
				took while blocked */
	struct blob *item[]; /* one reference each */
};

struct conn_linger;

/* There is one for each idle user: its size is held by a static assertion. */
struct conn {
	ev_io io; /* events as armed now; data: the net */
	union {
		const struct conn_ops *ops;
		/* from conn_finish to conn_close; has the ops */
		struct conn_linger *linger;
	};
	struct conn_queue *out; /* owned; NULL at rest */
	struct conn *next;	/* of the dirty ones or, after that, of the dead */
	uint16_t paused : 1, dirty : 1, closed : 1, finishing : 1, blocked : 1,
	    ended : 1, urgent : 1, settled : 1, round : 4;
	uint32_t own; /* the owner's, who has something of 4 bytes */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct conn) <= 80,
    "a connection is larger than it need be");

/*
 * Takes the descriptor, a socket; starts reading. Nothing is set on it, as that
 * would be a system call for each who comes: reads and writes never wait
 * whatever its flags are, and TCP_NODELAY is what listener.c and dial.c give
 * it.
 */
void conn_open(
    struct conn *c, struct net *net, int fd, const struct conn_ops *ops);
/*
 * One without a socket: nothing comes in, and what is queued goes where its
 * owner takes it: in on_flush, which comes when something was queued that has
 * not met with any before it, and at any other time. The queue counts as that
 * of a peer who takes nothing: blocked, until all was taken; then on_drain.
 */
void conn_open_queue(
    struct conn *c, struct net *net, const struct conn_ops *ops);
/* of such a one: what is first in the queue, up to the end of a blob */
struct str conn_peek(const struct conn *c);
/* n of those bytes are taken */
void conn_take(struct conn *c, size_t n);
/* hands a live connection to another owner's struct (after an HTTP upgrade);
 * src is then dead without on_dead */
void conn_move(struct conn *dst, struct conn *src, const struct conn_ops *ops);
/* read first in each turn, and in each turn: what others wait for (links) */
void conn_urgent(struct conn *c);
/* is in, so does not wait for those who are on their way in: net.h, lanes */
void conn_settle(struct conn *c);
/* takes its own reference; false when the connection is closed or finishing */
bool conn_send(struct conn *c, struct blob *b);
/* copies p into a fresh blob and sends that; for small or private answers */
bool conn_send_bytes(struct conn *c, const void *p, size_t n);
/*
 * The owner gathers its output elsewhere and has some: on_flush comes in this
 * turn, or, when the kernel takes nothing, as soon as it does again.
 */
void conn_wake(struct conn *c);
void conn_finish(struct conn *c);
void conn_close(struct conn *c);
/* reading off and on; bytes stay in the kernel (the read in progress is
 * delivered) */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);
/* nothing is queued, and the peer's machine has taken all that was sent */
bool conn_is_taken(const struct conn *c);
/* drop what is queued and not begun (a half-sent blob stays): returns bytes
 * dropped */
size_t conn_drop_queue(struct conn *c);

/* For net.c alone: one write of what is queued; close and on_dead. */
void conn_flush(struct conn *c);
void conn_bury(struct conn *c);
/* those kept for reuse; more come as they are needed */
void conn_free_queues(struct net *net);

static inline struct net *
conn_net(const struct conn *c)
{
	return c->io.data;
}

/* bytes not yet taken by the kernel */
static inline uint32_t
conn_queued(const struct conn *c)
{
	return c->out != NULL ? c->out->bytes : 0;
}

/* while blocked: the monotonic second of the last byte that the kernel took */
static inline uint32_t
conn_progress_s(const struct conn *c)
{
	return c->out != NULL ? c->out->progress_s : 0;
}

static inline bool
conn_is_open(const struct conn *c)
{
	return !c->closed;
}

#endif
