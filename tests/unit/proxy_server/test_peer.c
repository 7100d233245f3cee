/* SPDX-License-Identifier: MIT */
/*
 * Links of a proxy: what each role may ask, what a standby answers, what the
 * log's state does to them, the end. On a log that the test plays.
 */
#include "tests/unit/proxy_server/fake_log.h"
#include "tests/unit/proxy_server/proxy_fixture.h"

#include "proxy_server/peer.h"
#include "proxy_server/presence.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

static int
setup(void **state)
{
	(void)state;
	pfix_begin();
	pfix_start(0, "proxy1");
	fake_activate(3, "0123abcd");
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
test_active(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	assert_true(m[0].active.active);
	assert_int_equal(m[0].active.gen, 3);
	assert_string_equal(m[0].ep, "0123abcd");
	fake_activate(3, "0123abcd"); /* after trouble: no news */
	fake_activate(3, "99999999"); /* another history */
	FX_WAIT(&fx, 2000, !strcmp(m[0].ep, "99999999"));
	assert_int_equal(m[0].n[F_ACTIVE], 2);
}

static void
test_busy(void **state)
{
	struct f_append ap = {
	    .req = 5, .chan = STR_LIT("r:12"), .item = {.kind = ITEM_MESSAGE}};
	struct f_read rd = {.rid = 8, .chan = STR_LIT("r:12"), .n = 10};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	put_read(linkconn_out(&m[0].lc), &rd);
	FX_WAIT(&fx, 2000, fake.reads == 1);
	assert_int_equal(fake.read.n, 10);
	assert_int_equal(m[0].n[F_PAGE], 0);
	fake.busy = true;
	put_append(linkconn_out(&m[0].lc), &ap);
	put_read(linkconn_out(&m[0].lc), &rd);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1 && m[0].n[F_PAGE] == 1);
	assert_int_equal(m[0].nak.req, 5);
	assert_int_equal(m[0].nak.code, 503);
	assert_true(m[0].nak.retry_ms > 0);
	assert_int_equal(m[0].page.code, 503);
	assert_int_equal(m[0].page.rid, 8);
}

static void
append(uint64_t req)
{
	struct f_append ap = {.req = req,
	    .chan = STR_LIT("r:12"),
	    .item = {.kind = ITEM_MESSAGE}};

	put_append(linkconn_out(&m[0].lc), &ap);
}

/* one is refused, and there is room again when the next come: they wait */
static void
test_nothing_overtakes_a_refused_append(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	append(4);
	FX_WAIT(&fx, 2000, fake.n == 1);
	fake.busy = true;
	append(5);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1);
	fake.busy = false;
	append(6);
	append(7);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 3);
	assert_int_equal(m[0].nak.req, 7);
	assert_int_equal(m[0].nak.code, 503);
	assert_true(m[0].nak.retry_ms > 0 && m[0].nak.retry_ms <= 1000);
	assert_int_equal(fake.n, 1);
	/* other servers have nothing to do with it */
	ms_append(&m[1], 9, "r:12", "x", NULL, NULL);
	FX_WAIT(&fx, 2000, fake.n == 2);
	append(5);
	append(6);
	append(7);
	append(8);
	FX_WAIT(&fx, 2000, fake.n == 6);
	assert_int_equal(m[0].n[F_NAK], 3);
}

/* the refused one does not come again: it was stored before */
static void
test_nobody_waits_for_ever(void **state)
{
	(void)state;
	clock_test_set(1000000, 1000000);
	ms_open(&m[0], "ms1", 1);
	fake.busy = true;
	append(5);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1);
	fake.busy = false;
	append(6);
	append(6);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 3);
	clock_test_set(1002000, 1002000);
	append(7); /* sent before it was told: the round begins with 6 */
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 4);
	append(6);
	append(7);
	FX_WAIT(&fx, 2000, fake.n == 2);
	clock_test_set(0, 0);
}

/* not the active one: the log is not even asked */
static void
test_standby(void **state)
{
	struct f_append ap = {
	    .req = 5, .chan = STR_LIT("r:12"), .item = {.kind = ITEM_MESSAGE}};
	struct f_read rd = {.rid = 8, .chan = STR_LIT("r:12"), .n = 10};
	struct f_sub sub = {
	    .ch = 1, .chan = STR_LIT("r:12"), .from_seq = SUB_HEAD};
	struct f_who who = {.rid = 4, .what = WHO_TOTALS};

	(void)state;
	px[0].state = LOG_WAITING;
	ms_open(&m[0], "ms1", 1);
	assert_false(m[0].active.active);
	fake.busy = true; /* as the log is while it waits */
	put_append(linkconn_out(&m[0].lc), &ap);
	put_read(linkconn_out(&m[0].lc), &rd);
	put_sub(linkconn_out(&m[0].lc), &sub);
	put_who(linkconn_out(&m[0].lc), &who);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1 && m[0].n[F_PAGE] == 1);
	FX_WAIT(&fx, 2000, m[0].n[F_WHOIS] == 1); /* this it knows */
	assert_int_equal(fake.reads, 0);
	assert_int_equal(m[0].nak.code, 503);
	/* promoted: says so, and answers the SUB that waited */
	fake.busy = false;
	fake_activate(4, "0123abcd");
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 2 && fake.n == 1);
	assert_true(m[0].active.active);
	assert_int_equal(m[0].active.gen, 4);
	fake_commit(200, 4, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 1);
}

static void
clock_at(int64_t ms)
{
	clock_test_set(ms, ms);
}

/* somebody enters room 12; whether that is told now is the question */
static void
enter(struct ms *s, uint32_t node, uint32_t n, const char *uid)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = (uint64_t)node << 32 | n,
	    .uid = str_of(uid),
	    .name = str_of(uid),
	    .n_add = 1,
	    .add = {STR_LIT("12")}};
	uint64_t was = px[0].stats[P_WHOS];
	struct f_who who = {.rid = 4, .what = WHO_TOTALS};

	put_pres(linkconn_out(&s->lc), &f);
	put_who(linkconn_out(&s->lc), &who);
	FX_WAIT(&fx, 2000, px[0].stats[P_WHOS] == was + 1);
}

static void
put_silent(struct ms *s, uint64_t cn, const char *uid)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn,
	    .uid = str_of(uid),
	    .name = str_of(uid),
	    .silent = true,
	    .n_add = 1,
	    .add = {STR_LIT("12")}};

	put_pres(linkconn_out(&s->lc), &f);
}

/* two servers at a standby, and one of them stands still while it takes over */
static void
take_over(void)
{
	clock_at(1000000);
	px[0].state = LOG_WAITING;
	presence_set_active(px[0].presence, false);
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	enter(&m[0], 1, 1, "amy");
	conn_pause(&m[1].lc.conn);
	fake_activate(4, "0123abcd");
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 2);
	ms_subbed(&m[0], 1, "r:12", 5);
}

/* news waits for the last to say what it follows */
static void
test_news_waits_for_followers(void **state)
{
	(void)state;
	take_over();
	clock_at(1002500);
	presence_tick(px[0].presence);
	enter(&m[0], 1, 2, "bob");
	assert_true(peer_are_coming(&px[0]));
	assert_int_equal(m[0].n[F_ROOM], 0);
	conn_resume(&m[1].lc.conn);
	FX_WAIT(&fx, 2000, !peer_are_coming(&px[0]));
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 1);
	assert_int_equal(m[0].room.n_in, 2);
	/* whoever links later is waited for in the same way */
	ms_open(&m[2], "ms3", 3);
	FX_WAIT(&fx, 2000, !peer_are_coming(&px[0]));
	enter(&m[2], 3, 1, "eve");
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 2);
	clock_test_set(0, 0);
}

/* however late it comes there: was it before that server's own were in? */
static void
test_who_came_first(void **state)
{
	static const char *const uids[] = {"eve", "bob", "dan"};

	(void)state;
	clock_at(1000000);
	px[0].state = LOG_WAITING;
	presence_set_active(px[0].presence, false);
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	for (unsigned i = 0; i < 3; i++)
		enter(&m[i % 2], 1 + i % 2, i, uids[i]);
	fake_activate(4, "0123abcd");
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 2 && m[1].n[F_ACTIVE] == 2);
	ms_subbed(&m[0], 1, "r:12", 5);
	ms_subbed(&m[1], 2, "r:12", 5);
	clock_at(1003000);
	presence_tick(px[0].presence);
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 1 && m[1].n[F_ROOM] == 1);
	for (unsigned k = 0; k < 2; k++) {
		assert_true(m[k].room.unsure);
		assert_int_equal(m[k].room.n_in, 3);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(
			    m[k].room.in[i].age, i < k ? UINT32_MAX : 0);
	}
	/* one whose people were there before it linked: by the clock */
	px[0].state = LOG_WAITING;
	presence_set_active(px[0].presence, false);
	linkconn_close(&m[1].lc, 0, "over", 0);
	FX_WAIT(&fx, 2000, px[0].stats[P_LINKS] == 1);
	ms_open(&m[2], "ms2", 2);
	put_empty(linkconn_out(&m[2].lc), F_PRES_BEGIN);
	put_silent(&m[2], 2ULL << 32 | 1, "bob");
	put_empty(linkconn_out(&m[2].lc), F_PRES_END);
	enter(&m[0], 1, 7, "ann");
	fake_activate(5, "0123abcd");
	FX_WAIT(&fx, 2000, m[2].n[F_ACTIVE] == 2);
	ms_subbed(&m[2], 2, "r:12", 5);
	clock_at(1005000);
	presence_tick(px[0].presence);
	FX_WAIT(&fx, 2000, m[2].n[F_ROOM] == 1);
	assert_int_equal(m[2].room.in[m[2].room.n_in - 1].age, 2000);
	clock_test_set(0, 0);
}

/* one that stands still for longer keeps nothing from the others */
static void
test_news_waits_for_nobody_for_long(void **state)
{
	(void)state;
	take_over();
	clock_at(1000000 + PEER_COMING_MS - 1);
	presence_tick(px[0].presence);
	assert_true(peer_are_coming(&px[0]));
	clock_at(1000000 + PEER_COMING_MS);
	assert_false(peer_are_coming(&px[0]));
	presence_tick(px[0].presence);
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 1);
	clock_test_set(0, 0);
}

static void
test_same_server_twice(void **state)
{
	(void)state;
	ms_start(&m[0], &px[0], ROLE_MSG, "ms1", 1, 5);
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 1);
	ms_start(&m[1], &px[0], ROLE_MSG, "ms1", 1, 5);
	FX_WAIT(&fx, 2000, m[1].n[F_ACTIVE] == 1 && m[0].downs == 1);
	assert_non_null(strstr(m[0].why, "superseded"));
	/* an earlier start of it comes late */
	ms_start(&m[2], &px[0], ROLE_MSG, "ms1", 1, 4);
	FX_WAIT(&fx, 2000, m[2].downs == 1);
	assert_int_equal(m[1].downs, 0);
	assert_int_equal(px[0].stats[P_LINKS], 1);
}

static void
test_roles(void **state)
{
	struct f_who who = {.rid = 4, .what = WHO_TOTALS};
	struct f_read rd = {.rid = 8, .chan = STR_LIT("r:12"), .n = 10};

	(void)state;
	/* a standby: pings are answered, nothing else */
	ms_start(&m[0], &px[0], ROLE_PROXY, "proxy2", 2, 1);
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 1);
	linkconn_ping(&m[0].lc);
	FX_WAIT(&fx, 2000, m[0].lc.rtt_us > 0);
	put_read(linkconn_out(&m[0].lc), &rd);
	FX_WAIT(&fx, 2000, m[0].downs == 1);
	/* an operator's tool asks */
	ms_start(&m[1], &px[0], ROLE_CTL, "ctl", 0, 0);
	FX_WAIT(&fx, 2000, m[1].n[F_ACTIVE] == 1);
	put_who(linkconn_out(&m[1].lc), &who);
	FX_WAIT(&fx, 2000, m[1].n[F_WHOIS] == 1);
	put_read(linkconn_out(&m[1].lc), &rd);
	FX_WAIT(&fx, 2000, m[1].downs == 1);
	/* a msg_server needs its number */
	ms_start(&m[2], &px[0], ROLE_MSG, "ms9", 0, 0);
	FX_WAIT(&fx, 2000, m[2].downs == 1);
	assert_int_equal(fake.reads, 0);
}

/* SIGTERM: what is queued is committed, and its acks arrive */
static void
test_stop(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_append(&m[0], 1, "r:12", "last", NULL, NULL);
	proxy_stop(&px[0]);
	FX_WAIT(&fx, 2000, m[0].downs == 1);
	assert_int_equal(m[0].n[F_ACK], 1);
	assert_int_equal(m[0].ack.seq, 77);
	FX_WAIT(&fx, 3000, px_quit[0]);
}

static void
test_log_failed(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	fake.ops->on_state(
	    fake.arg, LOG_FAILED, 3, "0123abcd", "disk is gone", EXIT_DATA);
	FX_WAIT(&fx, 3000, px_quit[0]);
	assert_int_equal(px[0].exit_code, EXIT_DATA);
	assert_int_equal(m[0].downs, 1);
}

static void
test_links_max(void **state)
{
	(void)state;
	px[0].set.links_max = 1;
	ms_open(&m[0], "ms1", 1);
	ms_start(&m[1], &px[0], ROLE_MSG, "ms2", 2, 1);
	FX_WAIT(&fx, 2000, m[1].downs == 1);
	assert_int_equal(m[1].ups, 0);
	assert_int_equal(px[0].stats[P_LINKS_REFUSED], 1);
}

static void
test_status(void **state)
{
	struct buf out;
	json_t *v;
	int err;

	(void)state;
	ms_open(&m[0], "ms1", 1);
	buf_init(&out, 1 << 20);
	assert_true(status_ready(&px[0], &out));
	v = json_read(buf_str(&out), &err);
	assert_non_null(v);
	json_decref(v);
	buf_reset(&out);
	status_json(&px[0], &out);
	v = json_read(buf_str(&out), &err);
	assert_non_null(v);
	assert_int_equal(json_array_size(json_object_get(v, "links")), 1);
	json_decref(v);
	buf_reset(&out);
	status_metrics(&px[0], &out);
	buf_putc(&out, '\0');
	assert_non_null(
	    strstr((const char *)buf_p(&out), "\ncchat_proxy_links 1\n"));
	buf_reset(&out);
	fake.ops->on_state(
	    fake.arg, LOG_DEGRADED, 3, "0123abcd", "disk full", 0);
	assert_false(status_ready(&px[0], &out));
	buf_putc(&out, '\0');
	assert_non_null(strstr((const char *)buf_p(&out), "disk full"));
	buf_reset(&out);
	fake.ops->on_state(fake.arg, LOG_WAITING, 0, "", "", 0);
	assert_true(status_ready(&px[0], &out)); /* the holder is known */
	buf_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_active),
	    TEST(test_busy),
	    TEST(test_nothing_overtakes_a_refused_append),
	    TEST(test_nobody_waits_for_ever),
	    TEST(test_standby),
	    TEST(test_news_waits_for_followers),
	    TEST(test_news_waits_for_nobody_for_long),
	    TEST(test_who_came_first),
	    TEST(test_same_server_twice),
	    TEST(test_roles),
	    TEST(test_stop),
	    TEST(test_log_failed),
	    TEST(test_links_max),
	    TEST(test_status),
	};

	if (!pfix_main())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
