/* SPDX-License-Identifier: MIT */
/*
 * RAISE, GET, GOT, STATES, STATED, INBOX and INBOXED: written, read and written
 * again they are the same, full and bare; cut anywhere, too long or over a
 * limit they are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/proto/frames_state.h"
#include "shared/proto/link.h"

static char text[70000];

static struct str
x(size_t n)
{
	return str_n(text, n);
}

static struct str
body_of(const struct buf *b)
{
	return str_n(buf_p(b) + LINK_HEAD, buf_len(b) - LINK_HEAD - 4);
}

static int
again_raise(struct str body, struct buf *out)
{
	struct f_raise f;
	int err = get_raise(body, &f);

	if (err == 0)
		put_raise(out, &f);
	return err;
}

static int
again_get(struct str body, struct buf *out)
{
	struct f_get f;
	int err = get_get(body, &f);

	if (err == 0)
		put_get(out, &f);
	return err;
}

static int
again_got(struct str body, struct buf *out)
{
	struct f_got f;
	int err = get_got(body, &f);

	if (err == 0)
		put_got(out, &f);
	return err;
}

static int
again_states(struct str body, struct buf *out)
{
	struct f_states f;
	int err = get_states(body, &f);

	if (err == 0)
		put_states(out, &f);
	return err;
}

static int
again_stated(struct str body, struct buf *out)
{
	struct state_rec rec;
	struct f_stated f;
	struct str rest;
	size_t mark;
	int err = get_stated(body, &f, &rest);

	if (err != 0)
		return err;
	mark = put_stated_begin(out, &f);
	for (unsigned i = 0; i < f.n; i++) {
		err = frames_states_next(&rest, &rec);
		if (err != 0)
			return err;
		put_stated_rec(out, &rec);
	}
	put_stated_end(out, mark);
	return rest.len == 0 ? 0 : ERR_PROTO;
}

static int
again_inbox(struct str body, struct buf *out)
{
	struct f_inbox f;
	int err = get_inbox(body, &f);

	if (err == 0)
		put_inbox(out, &f);
	return err;
}

static int
again_inboxed(struct str body, struct buf *out)
{
	struct inbox_entry e;
	struct f_inboxed f;
	struct str rest;
	size_t mark;
	int err = get_inboxed(body, &f, &rest);

	if (err != 0)
		return err;
	mark = put_inboxed_begin(out, &f);
	for (unsigned i = 0; i < f.n; i++) {
		err = frames_inbox_next(&rest, &e);
		if (err != 0)
			return err;
		put_inboxed_entry(out, &e);
	}
	put_inboxed_end(out, mark);
	return rest.len > 0 ? ERR_PROTO : 0;
}

static void
check(struct buf *b, uint8_t type, int (*again)(struct str, struct buf *))
{
	struct str body = body_of(b);
	size_t step = body.len > 20000 ? 97 : 1;
	struct buf two;
	char *copy;

	assert_true(buf_ok(b));
	assert_int_equal(buf_p(b)[4], type);
	buf_init(&two, 1 << 21);
	assert_int_equal(again(body, &two), 0);
	assert_true(str_eq(buf_str(b), buf_str(&two)));
	for (size_t n = 0; n < body.len; n += step) {
		copy = malloc(n ? n : 1); /* a reader beyond it is seen */
		memcpy(copy, body.p, n);
		buf_reset(&two);
		assert_int_not_equal(again(str_n(copy, n), &two), 0);
		free(copy);
	}
	copy = malloc(body.len + 1);
	memcpy(copy, body.p, body.len);
	copy[body.len] = 0;
	buf_reset(&two);
	assert_int_not_equal(again(str_n(copy, body.len + 1), &two), 0);
	free(copy);
	buf_fini(&two);
	buf_fini(b);
}

static struct f_raise
full_raise(void)
{
	return (struct f_raise){.chan = STR_LIT("u:1001"),
	    .key = x(STATE_KEY_MAX),
	    .n = INT64_MAX,
	    .ep = STR_LIT("9f3a01c2"),
	    .tell = STR_LIT("u:1002"),
	    .body = x(STATE_VAL_MAX),
	    .of = STR_LIT("p:1001:1002")};
}

static struct f_inbox
full_inbox(void)
{
	struct f_inbox f = {.rid = UINT32_MAX,
	    .chan = STR_LIT("u:1001"),
	    .n = INBOX_MAX,
	    .at = {.part = INBOX_MARKS,
		.lo = UINT64_MAX,
		.hi = UINT64_MAX,
		.key = x(STATE_KEY_MAX)}};

	while (f.n_rooms < INBOX_ROOMS_MAX)
		f.rooms[f.n_rooms++] = x(ID_MAX);
	return f;
}

static struct inbox_entry
full_entry(void)
{
	return (struct inbox_entry){.chan = STR_LIT("p:1001:1002"),
	    .head = UINT64_MAX,
	    .read = UINT64_MAX,
	    .unread = UINT32_MAX,
	    .has_last = true,
	    .last = {.seq = 1,
		.ts = INT64_MAX,
		.kind = ITEM_MESSAGE,
		.uid = x(ID_MAX),
		.cid = x(CID_MAX),
		.name = x(NAME_MAX_BYTES),
		.avatar = x(AVATAR_MAX),
		.body = x(BODY_MAX),
		.rid = x(ID_MAX)}};
}

static void
test_records(void **state)
{
	struct f_raise raise = full_raise();
	struct f_get get = {.rid = UINT32_MAX,
	    .chan = STR_LIT("u:1001"),
	    .key = x(STATE_KEY_MAX)};
	struct f_got got = {.rid = UINT32_MAX,
	    .code = 200,
	    .ep = STR_LIT("9f3a01c2"),
	    .head = UINT64_MAX,
	    .first = UINT64_MAX,
	    .val = x(STATE_VAL_MAX)};
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 21);
	put_raise(&b, &raise);
	check(&b, F_RAISE, again_raise);
	raise = (struct f_raise){
	    .chan = STR_LIT("r:1"), .key = x(1), .ep = STR_LIT("9f3a01c2")};
	buf_init(&b, 1 << 21);
	put_raise(&b, &raise);
	check(&b, F_RAISE, again_raise);
	buf_init(&b, 1 << 21);
	put_get(&b, &get);
	check(&b, F_GET, again_get);
	buf_init(&b, 1 << 21);
	put_got(&b, &got);
	check(&b, F_GOT, again_got);
	got = (struct f_got){.code = 503};
	buf_init(&b, 1 << 21);
	put_got(&b, &got);
	check(&b, F_GOT, again_got);
}

static struct f_states
full_states(void)
{
	return (struct f_states){.rid = UINT32_MAX,
	    .chan = STR_LIT("r:gfd0164"),
	    .prefix = STR_LIT("m:"),
	    .after = STR_LIT("m:1001"),
	    .n = STATES_PAGE_MAX,
	    .count = true};
}

static void
test_pages(void **state)
{
	struct f_states q = full_states();
	struct f_stated f = {.rid = 1,
	    .code = 200,
	    .ep = STR_LIT("9f3a01c2"),
	    .count = 2,
	    .more = true,
	    .n = 2};
	struct state_rec rec = {.key = STR_LIT("m:1002"),
	    .val = STR_LIT("member 1"),
	    .exp = 5,
	    .rev = UINT64_MAX};
	struct buf b;
	size_t mark;

	(void)state;
	buf_init(&b, 1 << 21);
	put_states(&b, &q);
	check(&b, F_STATES, again_states);
	q = (struct f_states){
	    .chan = STR_LIT("c:"), .prefix = STR_LIT("g"), .n = 1};
	buf_init(&b, 1 << 21);
	put_states(&b, &q);
	check(&b, F_STATES, again_states);
	buf_init(&b, 1 << 21);
	mark = put_stated_begin(&b, &f);
	put_stated_rec(&b, &rec);
	put_stated_rec(&b, &(struct state_rec){.key = STR_LIT("k")});
	put_stated_end(&b, mark);
	check(&b, F_STATED, again_stated);
	f = (struct f_stated){.code = 503};
	buf_init(&b, 1 << 21);
	put_stated_end(&b, put_stated_begin(&b, &f));
	check(&b, F_STATED, again_stated);
}

static void
test_conversations(void **state)
{
	struct f_inbox inbox = full_inbox();
	struct inbox_entry e = full_entry();
	struct f_inboxed f = {.rid = 1,
	    .code = 200,
	    .ep = STR_LIT("9f3a01c2"),
	    .next = inbox.at,
	    .n = 3};
	struct buf b;
	size_t mark;

	(void)state;
	buf_init(&b, 1 << 21);
	put_inbox(&b, &inbox);
	check(&b, F_INBOX, again_inbox);
	inbox = (struct f_inbox){
	    .chan = STR_LIT("u:1"), .n = 1, .at = {.part = INBOX_ROOMS}};
	buf_init(&b, 1 << 21);
	put_inbox(&b, &inbox);
	check(&b, F_INBOX, again_inbox);
	buf_init(&b, 1 << 21);
	mark = put_inboxed_begin(&b, &f);
	put_inboxed_entry(&b, &e);
	put_inboxed_entry(&b, &(struct inbox_entry){.chan = STR_LIT("r:1")});
	put_inboxed_entry(&b, &e);
	put_inboxed_end(&b, mark);
	check(&b, F_INBOXED, again_inboxed);
	f = (struct f_inboxed){.code = 503};
	buf_init(&b, 1 << 21);
	put_inboxed_end(&b, put_inboxed_begin(&b, &f));
	check(&b, F_INBOXED, again_inboxed);
}

#define BAD(NAME, FULL, WANT, CHANGE)                                   \
	do {                                                            \
		struct f_##NAME whole = FULL, *f = &whole, back;        \
		struct buf b;                                           \
                                                                        \
		CHANGE;                                                 \
		buf_init(&b, 1 << 21);                                  \
		put_##NAME(&b, f);                                      \
		assert_int_equal(get_##NAME(body_of(&b), &back), WANT); \
		buf_fini(&b);                                           \
	} while (0)

static void
test_limits(void **state)
{
	(void)state;
	BAD(raise, full_raise(), 0, (void)0);
	BAD(raise, full_raise(), ERR_PROTO, f->n = 1ULL << 63);
	BAD(raise, full_raise(), ERR_PROTO, f->key = STR_LIT(""));
	BAD(raise, full_raise(), ERR_LIMIT, f->key = x(STATE_KEY_MAX + 1));
	BAD(raise, full_raise(), ERR_PROTO, f->ep = STR_NONE);
	BAD(raise, full_raise(), ERR_PROTO, f->tell = STR_LIT("r:1"));
	BAD(raise, full_raise(), ERR_LIMIT, f->body = x(STATE_VAL_MAX + 1));
	BAD(raise, full_raise(), ERR_PROTO, f->of = STR_LIT("x:1"));
	BAD(states, full_states(), 0, (void)0);
	BAD(states, full_states(), ERR_PROTO, f->chan = STR_LIT("x:1"));
	BAD(states, full_states(), ERR_PROTO, f->prefix = STR_LIT(""));
	BAD(states, full_states(), ERR_LIMIT, f->prefix = x(STATE_KEY_MAX + 1));
	BAD(states, full_states(), ERR_LIMIT, f->after = x(STATE_KEY_MAX + 1));
	BAD(states, full_states(), ERR_PROTO, f->n = 0);
	BAD(states, full_states(), ERR_LIMIT, f->n = STATES_PAGE_MAX + 1);
	BAD(inbox, full_inbox(), 0, (void)0);
	BAD(inbox, full_inbox(), ERR_PROTO, f->chan = STR_LIT("r:1"));
	BAD(inbox, full_inbox(), ERR_PROTO, f->n = 0);
	BAD(inbox, full_inbox(), ERR_LIMIT, f->n = INBOX_MAX + 1);
	BAD(inbox, full_inbox(), ERR_PROTO, f->at.part = 0);
	BAD(inbox, full_inbox(), ERR_PROTO, f->at.part = 4);
	BAD(inbox, full_inbox(), ERR_PROTO, f->at.hi = f->at.lo - 2);
	BAD(inbox, full_inbox(), 0, f->at.hi = f->at.lo - 1);
	BAD(inbox, full_inbox(), ERR_LIMIT, f->at.key = x(STATE_KEY_MAX + 1));
	BAD(inbox, full_inbox(), ERR_PROTO, f->rooms[5] = STR_LIT("a b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_pages),
	    cmocka_unit_test(test_conversations),
	    cmocka_unit_test(test_limits),
	};

	memset(text, 'x', sizeof text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
