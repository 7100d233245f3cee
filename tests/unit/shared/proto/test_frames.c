/* SPDX-License-Identifier: MIT */
/*
 * Every frame: written, read and written again it is the same, with all fields
 * at their limit and with all optional ones absent; cut at any byte or one
 * byte too long it is refused; each limit plus one is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/shared/proto/frames_codecs.h"

static struct str
body_of(const struct buf *b)
{
	return str_n(buf_p(b) + LINK_HEAD, buf_len(b) - LINK_HEAD - 4);
}

static void
check_one(const struct codec *c, void (*fill)(union any *), const char *how)
{
	static union any a, back;
	struct buf one, two;
	struct str body;
	char *copy;
	size_t n, step;

	memset(&a, 0, sizeof a);
	memset(&back, 0xee, sizeof back);
	fill(&a);
	buf_init(&one, 1 << 21);
	buf_init(&two, 1 << 21);
	c->put(&one, &a);
	if (!buf_ok(&one) || buf_len(&one) < LINK_HEAD + 4)
		fail_msg("%s %s: can't be written", c->name, how);
	assert_int_equal(buf_p(&one)[4], c->type);
	body = body_of(&one);
	if (c->get(body, &back) != 0)
		fail_msg("%s %s: can't be read", c->name, how);
	c->put(&two, &back);
	if (!str_eq(buf_str(&one), buf_str(&two)))
		fail_msg("%s %s: not the same again", c->name, how);
	/* cut at every byte (in the middle of long fields: at some) */
	step = body.len > 20000 ? 97 : 1;
	for (n = 0; n < body.len; n += step) {
		copy = malloc(n ? n : 1); /* a reader beyond it is seen */
		memcpy(copy, body.p, n);
		if ((c->get(str_n(copy, n), &back) == 0) !=
		    (n > 0 && n == c->older))
			fail_msg("%s %s: with %zu bytes of %zu", c->name, how,
			    n, body.len);
		free(copy);
	}
	copy = malloc(body.len + 1);
	memcpy(copy, body.p, body.len);
	copy[body.len] = 0;
	if (c->get(str_n(copy, body.len + 1), &back) == 0)
		fail_msg("%s %s: good with a byte too many", c->name, how);
	free(copy);
	buf_fini(&one);
	buf_fini(&two);
}

static void
test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		check_one(&codecs[i], codecs[i].max, "full");
		check_one(&codecs[i], codecs[i].min, "bare");
	}
}

/* what a reader must refuse: a full frame with one field out of bounds */
#define BAD(NAME, WANT, CHANGE)                                       \
	do {                                                          \
		static union any u, back;                             \
		struct buf b;                                         \
		int err;                                              \
                                                                      \
		memset(&u, 0, sizeof u);                              \
		c_max_##NAME(&u);                                     \
		{                                                     \
			__typeof__(u.NAME) *f = &u.NAME;              \
			CHANGE;                                       \
		}                                                     \
		buf_init(&b, 1 << 21);                                \
		c_put_##NAME(&b, &u);                                 \
		assert_true(buf_ok(&b));                              \
		err = c_get_##NAME(body_of(&b), &back);               \
		if (err != (WANT))                                    \
			fail_msg(#NAME ": " #CHANGE " gave %d", err); \
		buf_fini(&b);                                         \
	} while (0)

static void
test_limits(void **state)
{
	(void)state;
	BAD(error, ERR_LIMIT, f->text = x(1025));
	BAD(append, ERR_LIMIT, f->item.uid = x(ID_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.cid = x(CID_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.name = x(NAME_MAX_BYTES + 1));
	BAD(append, ERR_LIMIT, f->item.avatar = x(AVATAR_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.body = x(BODY_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.rid = x(ID_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.at = x(AT_BYTES + 1));
	BAD(append, ERR_LIMIT, f->need = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->deny = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->if_key = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->states[3].key = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->states[15].val = x(STATE_VAL_MAX + 1));
	BAD(sub, ERR_LIMIT, f->ep = x(9));
	BAD(subbed, ERR_LIMIT, f->states[63].val = x(STATE_VAL_MAX + 1));
	BAD(item, ERR_LIMIT, f->item.body = x(BODY_MAX + 1));
	BAD(read, ERR_LIMIT, f->n = PAGE_MAX + 1);
	BAD(set, ERR_LIMIT, f->rec.key = x(STATE_KEY_MAX + 1));
	BAD(eph, ERR_LIMIT, f->body = x(STATE_VAL_MAX + 1));
	BAD(pres, ERR_LIMIT, f->dev = x(ID_MAX + 1));
	BAD(pres, ERR_LIMIT, f->add[31] = x(ID_MAX + 1));
	BAD(room, ERR_LIMIT, f->in[63].name = x(NAME_MAX_BYTES + 1));
	BAD(who, ERR_LIMIT, f->arg = x(8193));
	BAD(who, ERR_LIMIT, f->next = x(65));
	BAD(kick, ERR_LIMIT, f->text = x(1025));
	BAD(join, ERR_LIMIT, f->link = x(257));
	BAD(join, ERR_LIMIT, f->version = x(33));
	BAD(job, ERR_LIMIT, f->kind = x(33));
	BAD(job, ERR_LIMIT, f->args = x(65537));
	BAD(event, ERR_LIMIT, f->detail = x(1025));
}

static void
test_grammar(void **state)
{
	(void)state;
	BAD(active, ERR_PROTO, f->ep = STR_NONE);
	BAD(active, ERR_PROTO, f->ep = STR_LIT("0123ABCD"));
	BAD(active, ERR_PROTO, f->ep = STR_LIT("0123abc"));
	BAD(append, ERR_PROTO, f->req = 0);
	BAD(append, ERR_PROTO, f->chan = STR_NONE);
	BAD(append, ERR_PROTO, f->chan = STR_LIT("r:"));
	BAD(append, ERR_PROTO, f->chan = STR_LIT("z:1"));
	BAD(append, ERR_PROTO, f->chan = STR_LIT("p:2:1"));
	BAD(append, ERR_PROTO, f->to[1] = STR_LIT("r:1"));
	BAD(append, ERR_PROTO, f->to[0] = STR_NONE);
	BAD(append, ERR_PROTO, f->item.uid = STR_LIT("a b"));
	BAD(append, ERR_PROTO, f->item.uid = STR_LIT(""));
	BAD(append, ERR_PROTO, f->item.cid = STR_LIT("a\n"));
	BAD(append, ERR_PROTO, f->item.name = STR_LIT("\xff"));
	BAD(append, ERR_PROTO, f->item.at = STR_NONE);
	BAD(append, ERR_PROTO, f->item.at = STR_LIT(""));
	BAD(append, ERR_PROTO, f->item.at = STR_LIT("a,"));
	BAD(append, ERR_PROTO, f->item.at = STR_LIT("a,,b"));
	BAD(append, ERR_PROTO, f->item.at = STR_LIT("a, b"));
	BAD(append, ERR_PROTO, f->item.at = x(ID_MAX + 1));
	/* short, and one too many */
	BAD(append, ERR_PROTO,
	    f->item.at = STR_LIT("0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,"
				 "2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,"
				 "4,5,6,7,8,9,0"));
	BAD(append, ERR_PROTO, f->item.kind = 0);
	BAD(append, ERR_PROTO, f->item.kind = ITEM_POINTER + 1);
	BAD(append, ERR_PROTO, f->item.pchan = STR_LIT("r:1"));
	BAD(append, ERR_PROTO, f->states[0].key = STR_NONE);
	BAD(append, ERR_PROTO, f->states[0].key = STR_LIT(""));
	BAD(append, ERR_PROTO, f->need = STR_LIT(""));
	BAD(sub, ERR_PROTO, f->ch = 0);
	BAD(sub, ERR_PROTO, f->ep = STR_NONE);
	BAD(subbed, ERR_PROTO, f->ch = 0);
	BAD(item, ERR_PROTO, f->chan = STR_NONE; f->ch = 0);
	BAD(item, ERR_PROTO, f->ch = 1);
	BAD(read, ERR_PROTO, f->n = 0);
	BAD(eph, ERR_PROTO, f->chan = STR_NONE; f->ch = 0);
	BAD(pres, ERR_PROTO, f->op = 0);
	BAD(pres, ERR_PROTO, f->op = 4);
	BAD(pres, ERR_PROTO, f->uid = STR_NONE);
	BAD(pres, ERR_PROTO, f->del[0] = STR_LIT("a/b"));
	BAD(room, ERR_PROTO, f->ch = 0);
	BAD(room, ERR_PROTO, f->out[0].uid = STR_NONE);
	BAD(who, ERR_PROTO, f->what = 0);
	BAD(who, ERR_PROTO, f->what = WHO_WHOSE + 1);
	BAD(kick, ERR_PROTO, f->cn = 0; f->uid = STR_NONE);
	BAD(join, ERR_PROTO, f->role = 0);
	BAD(join, ERR_PROTO, f->name = STR_LIT("a.b"));
	BAD(beat, ERR_PROTO, f->state = 0);
	BAD(beat, ERR_PROTO, f->state = 3);
	BAD(topo, ERR_PROTO, f->json = STR_NONE);
	BAD(job, ERR_PROTO, f->id = 0);
	BAD(job, ERR_PROTO, f->kind = STR_NONE);
}

/* a join of a server that knows of no gateways */
static void
test_join_older(void **state)
{
	static union any a, back;
	struct buf with, without;

	(void)state;
	c_max_join(&a);
	buf_init(&with, 4096);
	buf_init(&without, 4096);
	a.join.gate = STR_LIT("10.0.0.1:2300");
	put_join(&with, &a.join);
	a.join.gate = STR_NONE;
	put_join(&without, &a.join);
	assert_int_equal(buf_len(&with), buf_len(&without) + 15);
	memset(&back, 0xee, sizeof back);
	assert_int_equal(get_join(body_of(&without), &back.join), 0);
	assert_int_equal(back.join.direct_url.len, 256);
	assert_false(str_is_set(back.join.gate));
	assert_int_equal(get_join(body_of(&with), &back.join), 0);
	assert_true(str_eqc(back.join.gate, "10.0.0.1:2300"));
	buf_fini(&with);
	buf_fini(&without);
}

/* a beat of a server that knows of no jobs */
static void
test_beat_older(void **state)
{
	static union any a, back;
	struct buf with, without;

	(void)state;
	c_max_beat(&a);
	buf_init(&with, 1024);
	buf_init(&without, 1024);
	put_beat(&with, &a.beat);
	a.beat.job = 0;
	a.beat.left = a.beat.moved = 0;
	put_beat(&without, &a.beat);
	assert_int_equal(buf_len(&with), buf_len(&without) + 16);
	memset(&back, 0xee, sizeof back);
	assert_int_equal(get_beat(body_of(&without), &back.beat), 0);
	assert_int_equal(back.beat.loop_us, UINT32_MAX);
	assert_int_equal(back.beat.state, BEAT_DRAINING);
	assert_int_equal(back.beat.job, 0);
	assert_int_equal(back.beat.left, 0);
	assert_int_equal(back.beat.moved, 0);
	assert_int_equal(get_beat(body_of(&with), &back.beat), 0);
	assert_true(back.beat.job == UINT64_MAX);
	assert_int_equal(back.beat.left, 7);
	assert_int_equal(back.beat.moved, UINT32_MAX);
	buf_fini(&with);
	buf_fini(&without);
}

/* counts over their limit: by hand, no writer of ours does it */
static void
test_counts(void **state)
{
	static union any a;
	struct buf b;
	struct str body;
	char *copy;

	(void)state;
	memset(&a, 0, sizeof a);
	c_min_append(&a);
	buf_init(&b, 1 << 20);
	put_append(&b, &a.append);
	body = body_of(&b);
	copy = malloc(body.len);
	memcpy(copy, body.p, body.len);
	/* the last two bytes are n_to */
	copy[body.len - 2] = TO_MAX + 1;
	assert_int_equal(
	    get_append(str_n(copy, body.len), &a.append), ERR_LIMIT);
	memcpy(copy, body.p, body.len);
	copy[body.len - 4] = STATES_MAX + 1;
	assert_int_equal(
	    get_append(str_n(copy, body.len), &a.append), ERR_LIMIT);
	free(copy);
	buf_reset(&b);

	memset(&a, 0, sizeof a);
	c_min_item(&a);
	put_item(&b, &a.item);
	body = body_of(&b);
	copy = malloc(body.len);
	memcpy(copy, body.p, body.len);
	copy[body.len - 1] = TO_MAX + 1; /* n_refs */
	assert_int_equal(get_item(str_n(copy, body.len), &a.item), ERR_LIMIT);
	free(copy);
	buf_fini(&b);
}

/* one item to two links: only the tail differs, both are whole frames */
static void
test_item_shared(void **state)
{
	static union any a, back;
	struct item_shared sh;
	struct buf one, two;

	(void)state;
	memset(&sh, 0, sizeof sh);
	buf_init(&sh.bytes, LINK_FRAME_MAX);
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	memset(&a, 0, sizeof a);
	c_max_item(&a);
	a.item.chan = STR_NONE;
	a.item.n_refs = 0;
	for (uint32_t ch = 1; ch < 4; ch++) {
		a.item.ch = ch;
		a.item.req = ch * 100;
		if (ch == 1)
			item_share(&sh, &a.item);
		put_item_shared(&one, &sh, &a.item);
		put_item(&two, &a.item);
	}
	assert_true(str_eq(buf_str(&one), buf_str(&two)));
	assert_int_equal(get_item(str_n(buf_p(&one) + LINK_HEAD,
				      buf_len(&one) / 3 - LINK_HEAD - 4),
			     &back.item),
	    0);
	assert_int_equal(back.item.ch, 1);
	assert_int_equal(back.item.req, 100);
	/* no room: nothing of it, and the buf says so */
	buf_fini(&two);
	buf_init(&two, 1000);
	put_item_shared(&two, &sh, &a.item);
	assert_false(buf_ok(&two));
	assert_int_equal(buf_len(&two), 0);
	buf_fini(&sh.bytes);
	buf_fini(&one);
	buf_fini(&two);
}

static void
test_page(void **state)
{
	static struct item it;
	struct f_page f = {.rid = 9, .code = 200, .ep = STR_LIT("0123abcd")};
	struct f_page back;
	struct buf b;
	struct str rest;
	size_t mark, n;

	(void)state;
	buf_init(&b, LINK_FRAME_MAX + 4);
	/* empty, and the refusal without a history */
	mark = put_page_begin(&b, &f);
	put_page_end(&b, mark, &f);
	assert_int_equal(get_page(body_of(&b), &back, &rest), 0);
	assert_int_equal(back.n_items, 0);
	assert_int_equal(rest.len, 0);
	buf_reset(&b);
	mark = put_page_begin(&b, &(struct f_page){.rid = 9, .code = 503});
	put_page_end(&b, mark, &(struct f_page){.rid = 9, .code = 503});
	assert_int_equal(get_page(body_of(&b), &back, &rest), 0);
	assert_int_equal(back.code, 503);
	assert_false(str_is_set(back.ep));
	buf_reset(&b);

	/* until the frame is full */
	max_item(&it);
	mark = put_page_begin(&b, &f);
	for (n = 0; put_page_item(&b, &it) == 0; n++)
		;
	assert_in_range(n, 14, 16);
	assert_true(buf_ok(&b));
	f.n_items = (uint16_t)n;
	f.more = true;
	f.first = 3;
	f.head = 77;
	put_page_end(&b, mark, &f);
	assert_true(buf_ok(&b));
	assert_int_equal(get_page(body_of(&b), &back, &rest), 0);
	assert_int_equal(back.rid, 9);
	assert_int_equal(back.first, 3);
	assert_int_equal(back.head, 77);
	assert_true(back.more);
	assert_true(str_eqc(back.ep, "0123abcd"));
	assert_int_equal(back.n_items, n);
	for (size_t i = 0; i < n; i++) {
		struct item got;

		assert_int_equal(frames_page_next(&rest, &got), 0);
		assert_int_equal(got.body.len, BODY_MAX);
		assert_true(got.useq == UINT64_MAX);
	}
	assert_int_equal(rest.len, 0);
	assert_int_equal(frames_page_next(&rest, &it), ERR_PROTO);
	buf_fini(&b);
}

static void
test_page_cut(void **state)
{
	struct f_page f = {.rid = 9, .code = 200, .ep = STR_LIT("0123abcd")};
	struct item it = {.kind = ITEM_MESSAGE, .body = STR_LIT("hi")};
	struct f_page back;
	struct buf b;
	struct str rest, body;
	size_t mark;

	(void)state;
	buf_init(&b, 4096);
	mark = put_page_begin(&b, &f);
	assert_int_equal(put_page_item(&b, &it), 0);
	f.n_items = 1;
	put_page_end(&b, mark, &f);
	body = body_of(&b);
	for (size_t n = 0; n < body.len; n++) {
		char *copy = malloc(n ? n : 1);
		struct item got;

		memcpy(copy, body.p, n);
		if (get_page(str_n(copy, n), &back, &rest) == 0)
			assert_int_not_equal(frames_page_next(&rest, &got), 0);
		free(copy);
	}
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_grammar),
	    cmocka_unit_test(test_beat_older),
	    cmocka_unit_test(test_join_older),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_item_shared),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_page_cut),
	};

	memset(text, 'x', sizeof text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
