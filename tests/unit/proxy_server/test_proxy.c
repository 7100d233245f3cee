/* SPDX-License-Identifier: MIT */
/*
 * Proxies on the real log: what a msg_server gets from append to item, after a
 * restart, and when a standby takes over.
 */
#include "tests/unit/proxy_server/proxy_fixture.h"

#include "shared/base/digest.h"

static int
setup(void **state)
{
	(void)state;
	pfix_begin();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pfix_end();
	return 0;
}

static void
start_active(unsigned i, const char *name)
{
	pfix_start(i, name);
	FX_WAIT(&fx, 5000, px[i].state == LOG_ACTIVE);
}

static void
sub(struct ms *s, uint32_t ch, const char *chan, uint64_t from, const char *ep)
{
	struct f_sub f = {.ch = ch,
	    .chan = str_of(chan),
	    .from_seq = from,
	    .ep = str_of(ep),
	    .want_state = true};
	int n = s->n[F_SUBBED];

	put_sub(linkconn_out(&s->lc), &f);
	FX_WAIT(&fx, 2000, s->n[F_SUBBED] == n + 1);
}

static void
append(struct ms *s, uint64_t req, const char *chan, const char *cid,
    const char *body, bool priv)
{
	struct f_append f = {.req = req,
	    .chan = str_of(chan),
	    .item = {.kind = ITEM_MESSAGE,
		.uid = STR_LIT("amy"),
		.cid = str_of(cid),
		.name = STR_LIT("Amy"),
		.body = str_of(body)},
	    .n_to = priv ? 2 : 0,
	    .to = {STR_LIT("u:amy"), STR_LIT("u:bob")}};

	f.item.crc = digest_crc32c(0, body, strlen(body));
	put_append(linkconn_out(&s->lc), &f);
}

static void
test_append_to_item(void **state)
{
	struct f_read rd = {.rid = 3, .chan = STR_LIT("r:12"), .n = 10};

	(void)state;
	start_active(0, "proxy1");
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	assert_true(m[0].active.active);
	sub(&m[0], 1, "r:12", SUB_HEAD, NULL);
	sub(&m[1], 9, "r:12", SUB_HEAD, NULL);
	assert_int_equal(m[0].subbed.head, 0);
	for (uint64_t i = 1; i <= 10; i++) {
		char cid[8];

		snprintf(cid, sizeof cid, "c%u", (unsigned)i);
		append(&m[0], i, "r:12", cid, "hi", false);
	}
	FX_WAIT(&fx, 5000, m[0].n[F_ITEM] == 10 && m[1].n[F_ITEM] == 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(m[1].got[i].seq, i + 1);
	assert_int_equal(m[0].item.req, 10);
	append(&m[1], 1, "r:12", "c4", "hi", false);
	FX_WAIT(&fx, 5000, m[1].n[F_ACK] == 1);
	assert_true(m[1].ack.dup);
	assert_int_equal(m[1].ack.seq, 4);
	put_read(linkconn_out(&m[1].lc), &rd);
	FX_WAIT(&fx, 5000, m[1].n[F_PAGE] == 1);
	assert_int_equal(m[1].page.code, 200);
	assert_int_equal(m[1].page.n_items, 10);
	assert_int_equal(m[1].page.head, 10);
	assert_int_equal(px[0].stats[P_FANOUT], 20);
}

static void
test_private(void **state)
{
	(void)state;
	start_active(0, "proxy1");
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	sub(&m[0], 1, "u:amy", SUB_HEAD, NULL);
	sub(&m[1], 1, "u:bob", SUB_HEAD, NULL);
	append(&m[0], 1, "p:amy:bob", "c1", "psst", true);
	FX_WAIT(&fx, 5000, m[0].n[F_ITEM] == 1 && m[1].n[F_ITEM] == 1);
	assert_int_equal(m[0].item.req, 1);
	assert_int_equal(m[0].item.refs[0].ch, 1);
	assert_int_equal(m[0].item.refs[0].useq, 1);
	assert_int_equal(m[1].item.refs[1].useq, 1);
	/* the inbox of one who was not there */
	sub(&m[1], 2, "u:bob", SUB_HEAD, NULL);
	assert_int_equal(m[1].subbed.head, 1);
}

/* what was acked is there after a restart, and so is the window of repeats */
static void
test_restart(void **state)
{
	char ep[9];

	(void)state;
	start_active(0, "proxy1");
	ms_open(&m[0], "ms1", 1);
	str_copy(ep, sizeof ep, str_of(m[0].ep));
	append(&m[0], 1, "r:12", "c1", "one", false);
	FX_WAIT(&fx, 5000, m[0].n[F_ACK] == 1);
	/* the ack of what is queued at the end arrives too */
	append(&m[0], 2, "r:12", "c2", "two", false);
	FX_WAIT(&fx, 5000, px[0].stats[P_APPENDS] == 2);
	pfix_stop(0);
	FX_WAIT(&fx, 5000, m[0].downs == 1);
	assert_int_equal(m[0].n[F_ACK], 2);
	ms_close(&m[0]);

	start_active(0, "proxy1");
	assert_int_equal(px[0].gen, 2);
	ms_open(&m[0], "ms1", 1);
	assert_string_equal(m[0].ep, ep);
	sub(&m[0], 1, "r:12", 1, ep);
	assert_int_equal(m[0].subbed.head, 2);
	assert_false(m[0].subbed.reset);
	append(&m[0], 1, "r:12", "c2", "two", false);
	FX_WAIT(&fx, 5000, m[0].n[F_ACK] == 1);
	assert_true(m[0].ack.dup);
	assert_int_equal(m[0].ack.seq, 2);
	/* who stands above the head has seen another history */
	sub(&m[0], 2, "r:12", 99, ep);
	assert_true(m[0].subbed.reset);
}

static void
test_takeover(void **state)
{
	(void)state;
	start_active(0, "proxy1");
	pfix_start(1, "proxy2");
	ms_open(&m[0], "ms1", 1);
	ms_start(&m[1], &px[1], ROLE_MSG, "ms1", 1, 1);
	FX_WAIT(&fx, 2000, m[1].n[F_ACTIVE] == 1);
	assert_false(m[1].active.active);
	append(&m[0], 1, "r:12", "c1", "one", false);
	FX_WAIT(&fx, 5000, m[0].n[F_ACK] == 1);
	/* the standby stores nothing */
	append(&m[1], 1, "r:12", "c9", "no", false);
	FX_WAIT(&fx, 5000, m[1].n[F_NAK] == 1);
	assert_int_equal(m[1].nak.code, 503);
	pfix_stop(0);
	FX_WAIT(&fx, 5000, m[1].n[F_ACTIVE] == 2);
	assert_true(m[1].active.active);
	assert_int_equal(m[1].active.gen, 2);
	assert_string_equal(m[1].ep, m[0].ep);
	sub(&m[1], 1, "r:12", 1, m[1].ep);
	assert_int_equal(m[1].subbed.head, 1);
	assert_false(m[1].subbed.reset);
	append(&m[1], 2, "r:12", "c2", "two", false);
	FX_WAIT(&fx, 5000, m[1].n[F_ITEM] == 1);
	assert_int_equal(m[1].item.item.seq, 2);
	assert_int_equal(m[1].item.gen, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_append_to_item),
	    TEST(test_private),
	    TEST(test_restart),
	    TEST(test_takeover),
	};

	if (!pfix_main())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
