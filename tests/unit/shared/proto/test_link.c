/* SPDX-License-Identifier: MIT */
/*
 * The hello of a link and its frames: two ends that talk through buffers, so
 * that every byte between them can be changed, cut or sent back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/digest.h"
#include "shared/proto/frames.h"
#include "shared/proto/link.h"
#include "shared/proto/wire.h"

struct end {
	struct link link;
	struct buf out;	 /* for the other end */
	struct buf seen; /* type and body of each frame */
	int ups, n_frames, fail;
};

static const uint8_t key_a[32] = {1, 2, 3}, key_b[32] = {1, 2, 4};

static void
end_on_send(struct link *l, struct blob *b)
{
	struct end *e = l->arg;

	buf_put(&e->out, b->bytes, b->len);
}

static void
end_on_up(struct link *l)
{
	((struct end *)l->arg)->ups++;
}

static int
end_on_frame(struct link *l, uint8_t type, uint8_t flags, struct str body)
{
	struct end *e = l->arg;

	(void)flags;
	e->n_frames++;
	buf_put(&e->seen, &type, 1);
	buf_putstr(&e->seen, body);
	return e->fail;
}

static const struct link_ops end_ops = {
    .send = end_on_send, .on_up = end_on_up, .on_frame = end_on_frame};

static struct link_id
id_of(enum link_role role, const char *name, const char *cluster)
{
	struct link_id id = {.role = role, .node_no = 7, .inc = 3};

	str_copy(id.name, sizeof id.name, str_of(name));
	str_copy(id.cluster, sizeof id.cluster, str_of(cluster));
	return id;
}

static void
end_open(struct end *e, bool dialed, const uint8_t key[32], const char *cluster)
{
	struct link_id id = dialed ? id_of(ROLE_MSG, "ms1", cluster)
				   : id_of(ROLE_PROXY, "p1", cluster);

	memset(e, 0, sizeof *e);
	buf_init(&e->out, 1 << 22);
	buf_init(&e->seen, 1 << 22);
	link_start(&e->link, &id, key, dialed, &end_ops, e);
}

static void
end_close(struct end *e)
{
	link_fini(&e->link);
	buf_fini(&e->out);
	buf_fini(&e->seen);
}

/* all that `from` has to say goes to `to`, `step` bytes at a time */
static int
pass(struct end *from, struct end *to, size_t step)
{
	int err = 0;

	while (buf_len(&from->out) > 0 && err == 0) {
		size_t n = buf_len(&from->out);

		if (n > step)
			n = step;
		err = link_feed(&to->link, buf_p(&from->out), n);
		buf_consume(&from->out, n);
	}
	return err;
}

/* runs the hello; the error of the end that complains first */
static int
hello(struct end *a, struct end *b, size_t step)
{
	int err = 0;

	for (int i = 0; i < 4 && err == 0; i++) {
		err = pass(a, b, step);
		if (err == 0)
			err = pass(b, a, step);
	}
	return err;
}

static void
test_hello(void **state)
{
	struct end a, b;

	(void)state;
	end_open(&a, true, key_a, "c1");
	end_open(&b, false, key_a, "c1");
	assert_int_equal(hello(&a, &b, 65536), 0);
	assert_int_equal(a.ups, 1);
	assert_int_equal(b.ups, 1);
	assert_int_equal(a.link.state, LINK_UP);
	assert_string_equal(a.link.peer.name, "p1");
	assert_int_equal(a.link.peer.role, ROLE_PROXY);
	assert_string_equal(b.link.peer.name, "ms1");
	assert_int_equal(b.link.peer.node_no, 7);
	assert_int_equal(b.link.peer.inc, 3);
	end_close(&a);
	end_close(&b);
}

static void
test_byte_by_byte(void **state)
{
	struct f_event ev = {.kind = STR_LIT("k"), .detail = STR_LIT("text")};
	struct end a, b;

	(void)state;
	end_open(&a, true, key_a, "c1");
	end_open(&b, false, key_a, "c1");
	assert_int_equal(hello(&a, &b, 1), 0);
	assert_int_equal(b.ups, 1);
	for (int i = 0; i < 3; i++)
		put_event(&a.out, &ev);
	assert_int_equal(pass(&a, &b, 1), 0);
	assert_int_equal(b.n_frames, 3);
	assert_int_equal(buf_len(&b.link.in), 0); /* at rest */
	/* several at once, the last one in two parts */
	for (int i = 0; i < 3; i++)
		put_event(&a.out, &ev);
	assert_int_equal(pass(&a, &b, buf_len(&a.out) - 2), 0);
	assert_int_equal(b.n_frames, 6);
	end_close(&a);
	end_close(&b);
}

static void
test_wrong_key(void **state)
{
	struct end a, b;

	(void)state;
	end_open(&a, true, key_a, "c1");
	end_open(&b, false, key_b, "c1");
	assert_int_equal(hello(&a, &b, 65536), ERR_DENIED);
	assert_int_equal(a.ups + b.ups, 0);
	end_close(&a);
	end_close(&b);
}

static void
test_wrong_cluster(void **state)
{
	struct end a, b;

	(void)state;
	end_open(&a, true, key_a, "c1");
	end_open(&b, false, key_a, "c2");
	assert_int_equal(hello(&a, &b, 65536), ERR_FOREIGN);
	assert_int_equal(a.ups + b.ups, 0);
	end_close(&a);
	end_close(&b);
}

/* somebody without the key sends everything back to its maker */
static void
test_reflected(void **state)
{
	struct end a;
	struct buf back;
	int err;

	(void)state;
	end_open(&a, false, key_a, "c1");
	buf_init(&back, 4096);
	buf_putstr(&back, buf_str(&a.out));
	buf_reset(&a.out);
	err = link_feed(&a.link, buf_p(&back), buf_len(&back));
	assert_int_equal(err, ERR_DENIED);
	assert_int_equal(a.ups, 0);
	end_close(&a);
	buf_fini(&back);
}

/* ... or plays two links of one server against each other */
static void
test_crossed(void **state)
{
	struct end a, b;

	(void)state;
	/* both ends accept: each gets the proof of an accepting end */
	end_open(&a, false, key_a, "c1");
	end_open(&b, false, key_a, "c1");
	assert_int_equal(hello(&a, &b, 65536), ERR_DENIED);
	assert_int_equal(a.ups + b.ups, 0);
	end_close(&a);
	end_close(&b);
}

/* a proof of an earlier link is worth nothing in the next */
static void
test_replayed(void **state)
{
	struct end a, b, c;
	struct buf said;

	(void)state;
	buf_init(&said, 8192);
	end_open(&a, true, key_a, "c1");
	end_open(&b, false, key_a, "c1");
	for (int i = 0; i < 3; i++) {
		buf_putstr(&said, buf_str(&a.out));
		assert_int_equal(pass(&a, &b, 65536), 0);
		assert_int_equal(pass(&b, &a, 65536), 0);
	}
	assert_int_equal(b.ups, 1);
	end_open(&c, false, key_a, "c1");
	assert_int_equal(
	    link_feed(&c.link, buf_p(&said), buf_len(&said)), ERR_DENIED);
	assert_int_equal(c.ups, 0);
	end_close(&a);
	end_close(&b);
	end_close(&c);
	buf_fini(&said);
}

/* each bit of what is said before the link is up matters */
static void
test_hello_bits(void **state)
{
	(void)state;
	for (size_t bit = 0;; bit++) {
		struct end a, b;
		size_t n;
		int err;

		end_open(&a, true, key_a, "c1");
		end_open(&b, false, key_a, "c1");
		n = buf_len(&a.out);
		if (bit >= n * 8) {
			end_close(&a);
			end_close(&b);
			break;
		}
		a.out.data[a.out.off + bit / 8] ^= (uint8_t)(1 << bit % 8);
		err = hello(&a, &b, 65536);
		/* an error, or a length that waits for more: never up */
		if (b.ups > 0)
			fail_msg("up with bit %zu turned, %d", bit, err);
		end_close(&a);
		end_close(&b);
	}
}

static void
up(struct end *a, struct end *b)
{
	end_open(a, true, key_a, "c1");
	end_open(b, false, key_a, "c1");
	assert_int_equal(hello(a, b, 65536), 0);
}

static void
test_crc(void **state)
{
	struct f_event ev = {.kind = STR_LIT("k"), .detail = STR_LIT("text")};
	size_t n;

	(void)state;
	for (size_t at = 4;; at++) { /* the length is another test's */
		struct end a, b;

		up(&a, &b);
		put_event(&a.out, &ev);
		n = buf_len(&a.out);
		if (at < n) {
			a.out.data[a.out.off + at] ^= 0x20;
			assert_int_equal(pass(&a, &b, 65536), ERR_CORRUPT);
			assert_int_equal(b.n_frames, 0);
			/* dead: nothing is taken any more */
			put_event(&a.out, &ev);
			assert_int_equal(pass(&a, &b, 65536), 0);
			assert_int_equal(b.n_frames, 0);
		}
		end_close(&a);
		end_close(&b);
		if (at >= n)
			break;
	}
}

/* a frame of exactly `len` behind the length field */
static void
frame_of(struct buf *b, uint32_t len)
{
	size_t mark = link_begin(b, F_TOPO, 0);
	size_t n = len - 8;
	char *p = malloc(n);

	memset(p, 'j', n);
	buf_put(b, p, n);
	free(p);
	assert_int_equal(link_end(b, mark), 0);
}

static void
test_size(void **state)
{
	static const uint8_t over[] = {1, 0, 0x10, 0, F_TOPO, 0, 0, 0};
	static const uint8_t under[] = {7, 0, 0, 0, F_TOPO, 0, 0, 0};
	struct end a, b;
	struct buf big;
	size_t mark;

	(void)state;
	up(&a, &b);
	frame_of(&a.out, LINK_FRAME_MAX);
	assert_int_equal(pass(&a, &b, 65536), 0);
	assert_int_equal(b.n_frames, 1);
	assert_int_equal(buf_len(&b.seen), 1 + LINK_FRAME_MAX - 8);
	assert_null(b.link.in.data); /* a large buffer is not kept */
	/* 1 MiB + 1: refused by the length alone */
	assert_int_equal(link_feed(&b.link, over, 4), ERR_LIMIT);
	end_close(&a);
	end_close(&b);
	up(&a, &b);
	assert_int_equal(link_feed(&b.link, under, sizeof under), ERR_PROTO);
	end_close(&a);
	end_close(&b);

	/* and nobody of ours can build one */
	buf_init(&big, 1 << 22);
	put_event(&big, &(struct f_event){.kind = STR_LIT("k")});
	mark = buf_len(&big);
	assert_int_equal(link_begin(&big, F_TOPO, 0), mark);
	assert_non_null(buf_reserve(&big, LINK_FRAME_MAX));
	memset(big.data + big.len, 0, LINK_FRAME_MAX);
	buf_added(&big, LINK_FRAME_MAX);
	assert_int_equal(link_end(&big, mark), ERR_LIMIT);
	assert_int_equal(buf_len(&big), mark);
	buf_fini(&big);
}

/* who has not proved himself may not make us hold much, nor speak */
static void
test_before_proof(void **state)
{
	static const uint8_t big[] = {0, 16, 0, 0};
	struct end a;
	struct buf b;

	(void)state;
	end_open(&a, false, key_a, "c1");
	assert_int_equal(link_feed(&a.link, big, sizeof big), ERR_LIMIT);
	end_close(&a);
	end_open(&a, false, key_a, "c1");
	buf_init(&b, 4096);
	put_unsub(&b, 1);
	assert_int_equal(link_feed(&a.link, buf_p(&b), buf_len(&b)), ERR_PROTO);
	assert_int_equal(a.n_frames, 0);
	end_close(&a);
	buf_fini(&b);
}

static void
test_unknown_type(void **state)
{
	struct end a, b;

	(void)state;
	up(&a, &b);
	assert_int_equal(
	    link_end(&a.out, link_begin(&a.out, 200, FRAME_OPTIONAL)), 0);
	put_unsub(&a.out, 5);
	assert_int_equal(pass(&a, &b, 65536), 0);
	assert_int_equal(b.n_frames, 1);
	assert_int_equal(link_end(&a.out, link_begin(&a.out, 200, 0)), 0);
	assert_int_equal(pass(&a, &b, 65536), ERR_PROTO);
	end_close(&a);
	end_close(&b);
	/* a second hello */
	up(&a, &b);
	assert_int_equal(link_end(&a.out, link_begin(&a.out, F_HELLO, 0)), 0);
	assert_int_equal(pass(&a, &b, 65536), ERR_PROTO);
	end_close(&a);
	end_close(&b);
}

static void
test_owner_error(void **state)
{
	struct end a, b;

	(void)state;
	up(&a, &b);
	b.fail = ERR_STALE;
	put_unsub(&a.out, 5);
	put_unsub(&a.out, 6);
	assert_int_equal(pass(&a, &b, 65536), ERR_STALE);
	assert_int_equal(b.n_frames, 1);
	assert_int_equal(b.link.state, LINK_DEAD);
	end_close(&a);
	end_close(&b);
}

static void
test_version(void **state)
{
	struct end a;
	struct buf b;
	size_t mark;

	(void)state;
	buf_init(&b, 4096);
	end_open(&a, false, key_a, "c1");
	mark = link_begin(&b, F_HELLO, 0);
	wire_put_u8(&b, LINK_VERSION + 1);
	wire_put_u8(&b, LINK_VERSION + 4);
	assert_int_equal(link_end(&b, mark), 0);
	assert_int_equal(
	    link_feed(&a.link, buf_p(&b), buf_len(&b)), ERR_VERSION);
	end_close(&a);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hello),
	    cmocka_unit_test(test_byte_by_byte),
	    cmocka_unit_test(test_wrong_key),
	    cmocka_unit_test(test_wrong_cluster),
	    cmocka_unit_test(test_reflected),
	    cmocka_unit_test(test_crossed),
	    cmocka_unit_test(test_replayed),
	    cmocka_unit_test(test_hello_bits),
	    cmocka_unit_test(test_crc),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_before_proof),
	    cmocka_unit_test(test_unknown_type),
	    cmocka_unit_test(test_owner_error),
	    cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
