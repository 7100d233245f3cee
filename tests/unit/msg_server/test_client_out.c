/* SPDX-License-Identifier: MIT */
/*
 * Clients, the way out and the clock (msg_server/client_out.c,
 * client_time.c): what waits during a login, full queues, deadlines.
 */
#include "msg_server/follow/replay.h"
#include "tests/unit/msg_server/client_fixture.h"

#define MSG(text) \
	"{\"cmd\":\"message\",\"type\":\"text\",\"rid\":1,\"msg\":\"" text "\"}"

static char big[128 * 1024];

/* --- what waits during a login ------------------------------------------- */

static void
then_log_in(struct session *s, const struct command *cmd)
{
	(void)cmd;
	seen.then = NULL;
	s->logging_in = 1;
	client_hold(s);
}

static void
test_a_login_comes_first(void **state)
{
	struct peer p;
	struct session *s;
	char text[64];

	(void)state;
	seen.then = then_log_in;
	peer_join(&p);
	peer_say(&p, MSG("login"));
	peer_say(&p, MSG("one"));
	peer_say(&p, MSG("two"));
	FX_WAIT(&fx, 2000, srv.stats[S_FRAMES_IN] == 3);
	s = seen.s;
	/* neither what he says nor what he is told goes on */
	assert_int_equal(seen.commands, 1);
	send_text(s, "item", 4);
	assert_int_equal(session_queued(s), 6);
	fx_spin(&fx);
	assert_false(peer_has(&p, 1));
	s->logging_in = 0;
	client_logged_in(s);
	send_text(s, "answer", 6);
	client_release(s);
	peer_next(&p, text, sizeof text);
	assert_string_equal(text, "answer");
	peer_next(&p, text, sizeof text);
	assert_string_equal(text, "item");
	FX_WAIT(&fx, 2000, seen.commands == 3);
	assert_string_equal(seen.last, "two");
	assert_null(client_hold_of(client_of(s)));
	peer_say(&p, MSG("three"));
	FX_WAIT(&fx, 2000, seen.commands == 4);
	peer_close(&p);
}

static void
test_a_failed_login(void **state)
{
	struct peer p;
	char text[64];

	(void)state;
	seen.then = then_log_in;
	peer_join(&p);
	peer_say(&p, MSG("login"));
	peer_say(&p, MSG("again"));
	FX_WAIT(&fx, 2000, srv.stats[S_FRAMES_IN] == 2);
	send_text(seen.s, "item", 4);
	seen.s->logging_in = 0;
	client_hold_drop(seen.s);
	send_text(seen.s, "error", 5);
	peer_next(&p, text, sizeof text);
	assert_string_equal(text, "error");
	FX_WAIT(&fx, 2000, seen.commands == 2);
	peer_close(&p);
}

/* a second login starts while the first one's texts are run */
static void
test_two_logins_in_a_row(void **state)
{
	struct peer p;

	(void)state;
	seen.then = then_log_in;
	peer_join(&p);
	peer_say(&p, MSG("a"));
	peer_say(&p, MSG("b"));
	peer_say(&p, MSG("c"));
	FX_WAIT(&fx, 2000, srv.stats[S_FRAMES_IN] == 3);
	seen.then = then_log_in;
	seen.s->logging_in = 0;
	client_release(seen.s);
	FX_WAIT(&fx, 2000, seen.commands == 2);
	fx_spin(&fx);
	assert_int_equal(seen.commands, 2);
	peer_say(&p, MSG("d"));
	FX_WAIT(&fx, 2000, srv.stats[S_FRAMES_IN] == 4);
	seen.s->logging_in = 0;
	client_release(seen.s);
	FX_WAIT(&fx, 2000, seen.commands == 4);
	assert_string_equal(seen.last, "d");
	peer_close(&p);
}

/* much is held back: the loop sleeps, and paging goes on behind the answer */
static void
test_much_held_back(void **state)
{
	struct peer p;
	unsigned from, turns;

	(void)state;
	seen.then = then_log_in;
	peer_join(&p);
	peer_say(&p, MSG("login"));
	FX_WAIT(&fx, 2000, seen.commands == 1);
	send_text(seen.s, big, sizeof big);
	send_text(seen.s, big, sizeof big);
	from = fx.ticks, turns = ev_iteration(fx.loop);
	fx_run_for(&fx, 100);
	/* the fixture wakes it every 10 ms, and nothing else does */
	turns = ev_iteration(fx.loop) - turns;
	assert_in_range(turns, 1, 3 * (fx.ticks - from) + 20);
	assert_int_equal(seen.drains, 0);
	seen.s->logging_in = 0;
	client_logged_in(seen.s);
	client_release(seen.s);
	FX_WAIT(&fx, 2000, (peer_has(&p, 1), seen.drains > 0));
	peer_close(&p);
}

/* gone in the middle of it */
static void
test_lost_during_a_login(void **state)
{
	struct peer p;

	(void)state;
	seen.then = then_log_in;
	peer_join(&p);
	peer_say(&p, MSG("login"));
	peer_say(&p, MSG("more"));
	FX_WAIT(&fx, 2000, srv.stats[S_FRAMES_IN] == 2);
	send_text(seen.s, "item", 4);
	peer_close(&p);
	FX_WAIT(&fx, 2000, srv.n_clients == 0);
	assert_int_equal(seen.commands, 1);
}

/* --- queues
 * -------------------------------------------------------------------
 */

/* who is paged is called back, whether or not the kernel was ever full */
static void
test_drain(void **state)
{
	struct peer p;
	struct session *s;

	(void)state;
	peer_join(&p);
	s = &only_client()->session;
	client_logged_in(s);
	send_text(s, big, QUEUE_LAG / 2 - 100);
	fx_spin(&fx);
	assert_int_equal(seen.drains, 0);
	FX_WAIT(&fx, 2000, (peer_has(&p, 1), session_queued(s) == 0));
	send_text(s, big, QUEUE_LAG / 2);
	send_text(s, big, 100);
	FX_WAIT(&fx, 2000, (peer_has(&p, 1), seen.drains > 0));
	assert_int_equal(session_queued(s), 0);
	peer_close(&p);
}

/* over 256 KiB he is not read until he has read */
static void
test_stopped(void **state)
{
	struct peer p;
	struct client *c;
	int i;

	(void)state;
	peer_join(&p);
	c = only_client();
	c->session.dialect = &dialect_cchat;
	client_logged_in(&c->session);
	for (i = 0; i < 6; i++)
		send_text(&c->session, big, sizeof big);
	fx_spin(&fx);
	assert_true(session_queued(&c->session) > QUEUE_LAG);
	peer_say(&p, MSG("a"));
	FX_WAIT(&fx, 2000, c->stopped);
	assert_true(c->conn.paused);
	peer_say(&p, MSG("b"));
	fx_spin(&fx);
	assert_int_equal(seen.commands, 1);
	FX_WAIT(&fx, 2000, (peer_has(&p, 1), seen.commands == 2));
	assert_false(c->stopped);
	peer_close(&p);
}

static void
test_too_much_waits(void **state)
{
	struct peer p;
	struct client *c;
	int i;

	(void)state;
	peer_join(&p);
	c = only_client();
	client_logged_in(&c->session);
	for (i = 0; i < 40 && session_is_open(&c->session); i++) {
		send_text(&c->session, big, sizeof big);
		assert_true(session_queued(&c->session) <= 1024 * 1024);
	}
	assert_in_range(i, 7, 9);
	assert_false(session_is_open(&c->session));
	FX_WAIT(&fx, 2000, (peer_has(&p, 1), p.eof == 1));
	/* the last frame is the Close */
	assert_int_equal(fx_count(&p.in, "\x10\x6a"
					 "too much"),
	    1);
	peer_close(&p);
}

/* all together over a quarter of the memory: the largest queue goes first */
static void
test_relief(void **state)
{
	struct peer a, b;
	struct client *small, *large;
	int i;

	(void)state;
	peer_join(&a);
	small = only_client();
	client_logged_in(&small->session);
	peer_join(&b);
	large = srv.not_logged_in->client;
	client_logged_in(&large->session);
	for (i = 0; i < 4; i++)
		send_text(&small->session, big, sizeof big);
	for (i = 0; i < 7; i++)
		send_text(&large->session, big, sizeof big);
	fx_spin(&fx);
	srv.set.memory = 8;
	client_relieve(&srv);
	assert_true(session_is_open(&large->session));
	/* without the large one it is below half a MiB */
	srv.set.memory = 2;
	client_relieve(&srv);
	assert_false(session_is_open(&large->session));
	assert_true(session_is_open(&small->session));
	srv.set.memory = 0;
	client_relieve(&srv);
	assert_false(session_is_open(&small->session));
	peer_close(&a);
	peer_close(&b);
	srv.set.memory = 1024;
	FX_WAIT(&fx, 5000, srv.n_clients == 0);
}

/* --- deadlines ---------------------------------------------------------------
 */

static int64_t base;

static void
seconds(int64_t s)
{
	clock_test_set(1763660000000 + s * 1000, base + s * 1000);
}

static int
setup_time(void **state)
{
	base = clock_mono_ms();
	seconds(0);
	return setup(state);
}

static int
teardown_time(void **state)
{
	clock_test_set(0, 0);
	return teardown(state);
}

static void
test_login_in_time(void **state)
{
	struct peer p;
	struct client *c;
	char why[128];

	(void)state;
	peer_join(&p);
	c = only_client();
	seconds(9);
	fire(c);
	assert_false(c->closing);
	seconds(10);
	fire(c);
	assert_int_equal(peer_closed(&p, why, sizeof why), 4103);
	assert_non_null(strstr(why, "retry="));
	peer_close(&p);
}

static void
test_ping(void **state)
{
	struct peer p;
	struct client *c;
	char text[128];

	(void)state;
	peer_join(&p);
	c = only_client();
	client_logged_in(&c->session);
	assert_in_range(c->silence_s, 20, 30);
	seconds(19);
	fire(c);
	assert_false(c->pinged);
	seconds(31);
	fire(c);
	assert_int_equal(peer_next(&p, text, sizeof text), 9);
	/* any byte is a sign of life */
	peer_frame(&p, 10, "", 0);
	FX_WAIT(&fx, 2000, !c->pinged);
	seconds(41);
	fire(c);
	assert_false(c->closing);
	seconds(70);
	fire(c);
	assert_int_equal(peer_next(&p, text, sizeof text), 9);
	seconds(80);
	fire(c);
	assert_int_equal(peer_closed(&p, text, sizeof text), 4201);
	peer_close(&p);
}

/* who takes nothing is not pinged; after stall_max he is let go */
static void
test_stall(void **state)
{
	struct peer p;
	struct client *c;
	int i;

	(void)state;
	peer_join(&p);
	c = only_client();
	client_logged_in(&c->session);
	for (i = 0; i < 6; i++)
		send_text(&c->session, big, sizeof big);
	fx_spin(&fx);
	assert_true(c->conn.blocked);
	for (i = 30; i < 600; i += 30) {
		seconds(i);
		fire(c);
		assert_false(c->pinged);
		assert_false(c->closing);
	}
	seconds(600);
	fire(c);
	assert_true(p.eof != 1);
	FX_WAIT(&fx, 5000, srv.n_clients == 0);
	peer_close(&p);
}

static void
test_token_expiry(void **state)
{
	struct peer p;
	struct client *c;
	char text[128];

	(void)state;
	peer_join(&p);
	c = only_client();
	c->session.dialect = &dialect_cchat;
	c->session.level = 2;
	c->session.exp_ms = 1763660000000 + 100 * 1000;
	client_logged_in(&c->session);
	seconds(41);
	c->heard_s = client_now();
	fire(c);
	assert_int_equal(peer_next(&p, text, sizeof text), 1);
	assert_string_equal(text, "{\"cmd\":\"auth\",\"exp\":1763660100000}");
	/* told once */
	seconds(50);
	c->heard_s = client_now();
	fire(c);
	fx_spin(&fx);
	assert_false(peer_has(&p, 1));
	/* a fresh one */
	c->session.exp_ms += 50 * 1000;
	client_rearm(&c->session);
	seconds(101);
	c->heard_s = client_now();
	fire(c);
	assert_int_equal(peer_next(&p, text, sizeof text), 1);
	seconds(150);
	fire(c);
	assert_int_equal(peer_closed(&p, text, sizeof text), 4101);
	peer_close(&p);
}

/* an idle user costs little: what only one who speaks needs goes with it */
static void
test_rest(void **state)
{
	struct peer p;
	struct client *c;
	int i;

	(void)state;
	seconds(10);
	peer_join(&p);
	c = only_client();
	assert_ptr_equal(client_busy_of(c), srv.not_logged_in);
	client_hold(&c->session);
	peer_say(&p, MSG("early"));
	FX_WAIT(&fx, 2000, buf_len(&client_hold_of(c)->in) > 0);
	client_logged_in(&c->session);
	client_release(&c->session);
	FX_WAIT(&fx, 2000, seen.commands == 1);
	fx_spin(&fx);
	assert_null(client_busy_of(c));
	/* a frame counts for as long as it would have */
	for (i = 0; i < 100; i++)
		peer_say(&p, MSG("one"));
	FX_WAIT(&fx, 2000, seen.commands == 101);
	assert_non_null(client_busy_of(c));
	fire(c);
	assert_true(client_busy_of(c)->frames.milli > 90000);
	seconds(11);
	fire(c);
	assert_true(client_busy_of(c)->frames.milli > 0);
	seconds(13);
	fire(c);
	assert_null(client_busy_of(c));
	/* so does a strike, and a text that is not all here */
	session_busy(&c->session);
	client_busy_of(c)->strikes = 1;
	client_busy_of(c)->strike_s = client_now();
	fire(c);
	assert_non_null(client_busy_of(c));
	seconds(13 + 61);
	c->heard_s = client_now();
	assert_int_equal(write(p.fd, "\x81\x85", 2), 2);
	FX_WAIT(&fx, 2000, client_busy_of(c)->ws.rx != NULL);
	fire(c);
	assert_non_null(client_busy_of(c));
	peer_close(&p);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TT(name) \
	cmocka_unit_test_setup_teardown(name, setup_time, teardown_time)
	const struct CMUnitTest tests[] = {
	    T(test_a_login_comes_first),
	    T(test_a_failed_login),
	    T(test_two_logins_in_a_row),
	    T(test_much_held_back),
	    T(test_lost_during_a_login),
	    T(test_drain),
	    T(test_stopped),
	    T(test_too_much_waits),
	    T(test_relief),
	    TT(test_login_in_time),
	    TT(test_ping),
	    TT(test_stall),
	    TT(test_token_expiry),
	    TT(test_rest),
	};
#undef T
#undef TT

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
