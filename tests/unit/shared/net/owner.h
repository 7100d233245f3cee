/* SPDX-License-Identifier: MIT */
/* An owner of a connection that counts what happens to it, and a raw peer. */
#ifndef TESTS_UNIT_SHARED_NET_OWNER_H
#define TESTS_UNIT_SHARED_NET_OWNER_H

#include "tests/unit/shared/net/fixture.h"

#include <fcntl.h>

#include "shared/net/conn.h"

enum act { ACT_NONE, ACT_CLOSE, ACT_FINISH, ACT_SEND };

/* an owner that counts */
struct owner {
	struct conn c;
	struct buf got;
	int ends, end_err, deads, drains;
	bool late; /* something came after death or close */
	enum act on_data, on_end, on_drain, on_dead;
	struct owner *victim; /* closed by ours */
};

static inline void
owner_act(struct owner *o, enum act act)
{
	switch (act) {
	case ACT_NONE:
		break;
	case ACT_CLOSE:
		conn_close(&o->c);
		conn_close(&o->c);
		break;
	case ACT_FINISH:
		conn_finish(&o->c);
		break;
	case ACT_SEND:
		conn_send_bytes(&o->c, "more", 4);
		break;
	}
}

static inline struct owner *
owner_of(struct conn *c)
{
	struct owner *o = container_of(c, struct owner, c);

	if (o->deads > 0 || c->closed || c->finishing)
		o->late = true;
	return o;
}

static inline void
owner_on_data(struct conn *c, const uint8_t *p, size_t n)
{
	struct owner *o = owner_of(c);

	assert_true(n > 0);
	buf_put(&o->got, p, n);
	owner_act(o, o->on_data);
}

static inline void
owner_on_end(struct conn *c, int err)
{
	struct owner *o = owner_of(c);

	o->ends++;
	o->end_err = err;
	owner_act(o, o->on_end);
}

static inline void
owner_on_drain(struct conn *c)
{
	struct owner *o = owner_of(c);

	o->drains++;
	assert_int_equal(conn_queued(c), 0);
	owner_act(o, o->on_drain);
}

static inline void
owner_on_dead(struct conn *c)
{
	struct owner *o = container_of(c, struct owner, c);

	o->deads++;
	assert_int_equal(c->io.fd, -1);
	assert_false(c->dirty);
	if (o->victim != NULL) {
		conn_send_bytes(&o->victim->c, "x", 1);
		conn_close(&o->victim->c);
	}
}

static const struct conn_ops owner_ops = {
    .on_data = owner_on_data,
    .on_end = owner_on_end,
    .on_drain = owner_on_drain,
    .on_dead = owner_on_dead,
};

/* an owner on one end, the raw descriptor of the other */
static inline int
owner_open(struct fx *fx, struct owner *o)
{
	int fd[2];

	memset(o, 0, sizeof(*o));
	buf_init(&o->got, 1 << 26);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	conn_open(&o->c, fx->net, fd[0], &owner_ops);
	/* a blocking one, and nothing ever waits for it */
	assert_false(fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	return fd[1];
}

static inline void
owner_end(struct fx *fx, struct owner *o, int peer)
{
	conn_close(&o->c);
	net_flush(fx->net);
	assert_int_equal(o->deads, 1);
	assert_false(o->late);
	buf_fini(&o->got);
	if (peer >= 0)
		close(peer);
}

/* fills o's queue with `n` blobs of `size` bytes that can be told apart */
static inline void
send_pattern(struct owner *o, unsigned n, size_t size)
{
	struct blob *b;
	unsigned i;

	for (i = 0; i < n; i++) {
		b = blob_alloc(size);
		memset(b->bytes, (int)('a' + i % 26), size);
		assert_true(conn_send(&o->c, b));
		blob_unref(b);
	}
}

#endif
