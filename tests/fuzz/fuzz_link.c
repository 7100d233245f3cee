/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a link. The first byte says when they come: before the hello is
 * done, or behind it; and whether they are bytes, or frames whose length and
 * checksum are made right so that something gets through. However they are
 * cut, the same frames come out and the same error ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/proto/link.h"
#include "shared/proto/wire.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_UP = 1, FUZZ_FRAMES = 2 };

struct end {
	struct link link;
	struct buf out;
	uint64_t sum; /* of what came out */
	unsigned n;
};

static const uint8_t fuzz_key[32] = "fuzz";

static void
end_on_send(struct link *l, struct blob *b)
{
	struct end *e = l->arg;

	buf_put(&e->out, b->bytes, b->len);
}

static void
end_on_up(struct link *l)
{
	(void)l;
}

static int
end_on_frame(struct link *l, uint8_t type, uint8_t flags, struct str body)
{
	struct end *e = l->arg;

	e->n++;
	e->sum = e->sum * 31 + type;
	e->sum = e->sum * 31 + flags;
	for (size_t i = 0; i < body.len; i++)
		e->sum = e->sum * 31 + (uint8_t)body.p[i];
	return 0;
}

static const struct link_ops end_ops = {end_on_send, end_on_up, end_on_frame};

static void
end_open(struct end *e, bool dialed)
{
	struct link_id id = {
	    .role = ROLE_MSG, .name = "n1", .cluster = "c", .inc = 1};

	memset(e, 0, sizeof *e);
	buf_init(&e->out, 1 << 16);
	link_start(&e->link, &id, fuzz_key, dialed, &end_ops, e);
}

static void
end_close(struct end *e)
{
	link_fini(&e->link);
	buf_fini(&e->out);
}

static void
pass(struct end *from, struct end *to)
{
	if (link_feed(&to->link, buf_p(&from->out), buf_len(&from->out)) != 0)
		abort();
	buf_reset(&from->out);
}

/* feeds in pieces; the state it ends in */
static int
feed(struct end *e, bool up, struct str s, size_t step)
{
	int err = 0;

	end_open(e, false);
	if (up) {
		struct end peer;

		end_open(&peer, true);
		pass(e, &peer);
		pass(&peer, e);
		pass(e, &peer);
		if (e->link.state != LINK_UP || peer.link.state != LINK_UP)
			abort();
		end_close(&peer);
	}
	while (s.len > 0 && err == 0) {
		size_t n = s.len < step ? s.len : step;

		err = link_feed(&e->link, (const uint8_t *)s.p, n);
		s = str_n(s.p + n, s.len - n);
	}
	return err;
}

/* (type, flags, u16 len, body)... as frames */
static void
frames(struct buf *b, struct str s)
{
	struct wire w;

	wire_read(&w, s.p, s.len);
	while (w.p < w.end) {
		uint8_t type = wire_u8(&w), flags = wire_u8(&w);
		struct str body = wire_str(&w);
		size_t mark;

		if (w.bad)
			break;
		mark = link_begin(b, type, flags);
		buf_putstr(b, body);
		if (link_end(b, mark) != 0)
			break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct end one, two;
	struct str s;
	struct buf b;
	bool up;
	int err;

	if (size < 2)
		return 0;
	up = data[0] & FUZZ_UP;
	s = str_n(data + 2, size - 2);
	buf_init(&b, 1 << 20);
	if (data[0] & FUZZ_FRAMES) {
		frames(&b, s);
		s = buf_str(&b);
	}
	err = feed(&one, up, s, SIZE_MAX);
	if (feed(&two, up, s, (size_t)data[1] + 1) != err || one.n != two.n ||
	    one.sum != two.sum)
		abort();
	end_close(&one);
	end_close(&two);
	buf_fini(&b);
	return 0;
}
