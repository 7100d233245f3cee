/* SPDX-License-Identifier: MIT */
/*
 * Clients (msg_server/client.h): who is let in, what of theirs becomes a
 * command, how they end. Each limit at its bound and one beyond.
 */
#include "tests/unit/msg_server/client_fixture.h"

#define MSG(text) \
	"{\"cmd\":\"message\",\"type\":\"text\",\"rid\":1,\"msg\":\"" text "\"}"

static const char local[] = "127.0.0.1:40000";

/* --- who is let in -------------------------------------------------------- */

static void
test_origin(void **state)
{
	(void)state;
	assert_int_equal(
	    status_of(local, "/", "Origin: http://chat.example:9503\r\n"), 101);
	assert_int_equal(
	    status_of(local, "/ws", "Origin: http://CHAT.example:9503\r\n"),
	    101);
	/* the direct address of the topology */
	assert_int_equal(
	    status_of(local, "/", "Origin: http://127.0.0.1:9504\r\n"), 101);
	assert_int_equal(status_of(local, "/", "Origin: null\r\n"), 403);
	assert_int_equal(
	    status_of(local, "/", "Origin: https://chat.example:9503\r\n"),
	    403);
	assert_int_equal(
	    status_of(local, "/", "Origin: http://chat.example\r\n"), 403);
	assert_int_equal(
	    status_of(local, "/", "Origin: http://chat.example:95030\r\n"),
	    403);
	assert_int_equal(
	    status_of(local, "/", "Origin: http://evil.example\r\n"), 403);
	assert_int_equal(
	    status_of(local, "/", "Origin: http://chat.example:9503.evil\r\n"),
	    403);
	assert_int_equal(status_of(local, "/",
			     "Origin: http://chat.example:9503\r\n"
			     "Origin: http://evil.example\r\n"),
	    403);
}

static void
test_no_origin(void **state)
{
	(void)state;
	srv.set.auth = SETTINGS_AUTH_OPEN;
	assert_int_equal(status_of(local, "/", ""), 101);
	srv.set.auth = SETTINGS_AUTH_TOKEN;
	assert_int_equal(status_of(local, "/", ""), 403);
	srv.set.allow_no_origin = SETTINGS_YES;
	assert_int_equal(status_of(local, "/", ""), 101);
	srv.set.auth = SETTINGS_AUTH_OPEN;
	srv.set.allow_no_origin = SETTINGS_NO;
	assert_int_equal(status_of(local, "/", ""), 403);
}

static void
test_more_origins(void **state)
{
	char a[] = "https://site.example", b[] = "http://x.example:80/";
	char files[] = "https://files.example/x";
	char *list[] = {a, b, NULL};

	(void)state;
	srv.set.origins = list;
	gate_refresh(srv.gate);
	assert_int_equal(
	    status_of(local, "/", "Origin: https://site.example\r\n"), 101);
	assert_int_equal(
	    status_of(local, "/", "Origin: http://x.example\r\n"), 101);
	assert_int_equal(
	    status_of(local, "/", "Origin: http://site.example\r\n"), 403);
	assert_true(str_eqc(gate_sources(srv.gate),
	    " ws://127.0.0.1:9504 http://127.0.0.1:9504"
	    " wss://site.example https://site.example"
	    " ws://x.example http://x.example"));
	/* pages load from where uploads are, and none of it comes in */
	srv.set.origins = NULL;
	srv.set.upload_url = files;
	gate_refresh(srv.gate);
	assert_true(str_eqc(gate_sources(srv.gate),
	    " ws://127.0.0.1:9504 http://127.0.0.1:9504"
	    " https://files.example"));
	assert_int_equal(
	    status_of(local, "/", "Origin: https://files.example\r\n"), 403);
}

static void
test_refusals(void **state)
{
	(void)state;
	assert_int_equal(status_of(local, "/other", ""), 404);
	assert_int_equal(
	    status_of(local, "/", "Sec-WebSocket-Version: 8\r\n"), 426);
	srv.node_no = 0;
	assert_int_equal(status_of(local, "/", ""), 503);
	srv.node_no = 1;
	srv.draining = 1;
	assert_int_equal(status_of(local, "/", ""), 503);
	srv.draining = 0;
	assert_int_equal(status_of(local, "/", ""), 101);
	assert_int_equal(srv.stats[S_REFUSED], 4);
}

static void
test_full(void **state)
{
	struct peer a, b;

	(void)state;
	srv.max_clients = 2;
	peer_join(&a);
	peer_join(&b);
	assert_int_equal(status_of(local, "/", ""), 503);
	peer_close(&b);
	FX_WAIT(&fx, 2000, srv.n_clients == 1);
	assert_int_equal(status_of(local, "/", ""), 101);
	peer_close(&a);
}

static void
test_per_address(void **state)
{
	struct peer a, b;
	int i;

	(void)state;
	srv.set.conns_per_ip = 2;
	peer_open(&a, "192.0.2.1:1");
	assert_int_equal(peer_ask(&a, "/", ""), 101);
	peer_open(&b, "192.0.2.1:2");
	assert_int_equal(peer_ask(&b, "/", ""), 101);
	assert_int_equal(status_of("192.0.2.1:3", "/", ""), 429);
	assert_int_equal(status_of("192.0.2.2:3", "/", ""), 101);
	/* one more goes when one has gone */
	peer_close(&a);
	FX_WAIT(&fx, 2000, srv.n_clients == 1);
	assert_int_equal(status_of("192.0.2.1:3", "/", ""), 101);
	peer_close(&b);
	/* a v6 visitor is his /64 */
	FX_WAIT(&fx, 2000, srv.n_clients == 0);
	srv.set.conn_burst = 3;
	for (i = 0; i < 3; i++)
		assert_int_equal(status_of("[2001:db8::1]:1", "/", ""), 101);
	assert_int_equal(status_of("[2001:db8::2]:1", "/", ""), 429);
	assert_int_equal(status_of("[2001:db8:0:1::1]:1", "/", ""), 101);
}

static void
test_trusted_proxies(void **state)
{
	char proxy[] = "192.0.2.9";
	char *list[] = {proxy, NULL};

	(void)state;
	srv.set.conn_burst = 1;
	srv.set.trusted_proxies = list;
#define VIA(list) "X-Forwarded-For: " list "\r\n"
	assert_int_equal(
	    status_of("192.0.2.9:1", "/", VIA("198.51.100.1")), 101);
	assert_int_equal(
	    status_of("192.0.2.9:1", "/", VIA("198.51.100.1")), 429);
	/* what the client itself wrote counts for nothing */
	assert_int_equal(
	    status_of("192.0.2.9:1", "/", VIA("203.0.113.5, 198.51.100.1")),
	    429);
	assert_int_equal(
	    status_of("192.0.2.9:1", "/", VIA("198.51.100.2, 192.0.2.9")), 101);
	/* and nobody else is believed */
	assert_int_equal(
	    status_of("192.0.2.8:1", "/", VIA("198.51.100.7")), 101);
	assert_int_equal(
	    status_of("192.0.2.8:1", "/", VIA("198.51.100.8")), 429);
#undef VIA
}

/* who is slowest to log in goes when there are too many */
static void
test_not_logged_in(void **state)
{
	struct peer p[17];
	char why[128];
	unsigned i;

	(void)state;
	srv.max_clients = 20;
	for (i = 0; i < 16; i++)
		peer_join(&p[i]);
	assert_int_equal(srv.n_not_logged_in, 16);
	peer_join(&p[16]);
	assert_int_equal(peer_closed(&p[0], why, sizeof why), 4100);
	assert_int_equal(srv.n_not_logged_in, 16);
	for (i = 0; i < 17; i++)
		peer_close(&p[i]);
}

/* in a storm they wait for us: they do not go, and are not too many */
static void
test_logging_in(void **state)
{
	struct peer p[20];
	char why[128];
	struct client *first;
	unsigned i;

	(void)state;
	srv.max_clients = 20;
	for (i = 0; i < 16; i++)
		peer_join(&p[i]);
	first = srv.not_logged_in->client;
	client_hold(&first->session);
	assert_int_equal(srv.n_not_logged_in, 15);
	peer_join(&p[16]);
	peer_join(&p[17]);
	/* the rest waits with the kernel */
	assert_int_equal(srv.public_listener.budget, CLIENT_ACCEPTS_CROWDED);
	/* the one behind it is the slowest now */
	assert_int_equal(peer_closed(&p[1], why, sizeof why), 4100);
	assert_true(session_is_open(&first->session));
	/* refused: it owes a login again, as the last of them */
	client_hold_drop(&first->session);
	peer_join(&p[18]);
	assert_int_equal(peer_closed(&p[2], why, sizeof why), 4100);
	assert_true(session_is_open(&first->session));
	client_hold(&first->session);
	client_logged_in(&first->session);
	assert_true(first->logged_in);
	assert_null(srv.logging_in);
	/* one that ends while its login is under way */
	client_hold(&srv.not_logged_in->client->session);
	for (i = 0; i < 19; i++)
		peer_close(&p[i]);
	fx_spin(&fx);
	assert_int_equal(srv.n_not_logged_in, 0);
	assert_int_equal(srv.public_listener.budget, CLIENT_ACCEPTS);
}

/* --- the way in -------------------------------------------------------------
 */

static void
test_commands(void **state)
{
	struct peer p;
	char text[256];

	(void)state;
	peer_join(&p);
	peer_say(&p, MSG("hello"));
	FX_WAIT(&fx, 2000, seen.commands == 1);
	assert_string_equal(seen.last, "hello");
	assert_ptr_equal(seen.s->dialect, &dialect_cchat);
	assert_int_equal(seen.s->cn, 1ULL << 32 | 1);
	/* what is none is answered, and the connection stays */
	peer_say(&p, "not JSON");
	assert_int_equal(peer_next(&p, text, sizeof text), 1);
	assert_string_equal(text, "{\"cmd\":\"error\",\"errCode\":101,"
				  "\"errMsg\":\"无效的命令[1]\"}");
	peer_say(&p, MSG("again"));
	FX_WAIT(&fx, 2000, seen.commands == 2);
	assert_int_equal(srv.stats[S_FRAMES_IN], 3);
	peer_close(&p);
}

static void
test_sizes(void **state)
{
	static char big[65537];
	struct peer p;
	char why[128];

	(void)state;
	memset(big, ' ', sizeof big);
	peer_join(&p);
	peer_frame(&p, 1, big, 4096);
	assert_int_equal(peer_next(&p, why, sizeof why), 1); /* 101 */
	peer_frame(&p, 1, big, 4097);
	assert_int_equal(peer_closed(&p, why, sizeof why), 1009);
	peer_close(&p);
	FX_WAIT(&fx, 4000, srv.n_clients == 0);
	peer_join(&p);
	client_logged_in(&only_client()->session);
	assert_int_equal(srv.n_not_logged_in, 0);
	peer_frame(&p, 1, big, 65536);
	assert_int_equal(peer_next(&p, why, sizeof why), 1);
	peer_frame(&p, 1, big, 65537);
	assert_int_equal(peer_closed(&p, why, sizeof why), 1009);
	peer_close(&p);
	assert_int_equal(srv.stats[S_VIOLATIONS], 2);
}

static void
test_binary_and_ping(void **state)
{
	struct peer p;
	char text[128];

	(void)state;
	peer_join(&p);
	peer_frame(&p, 9, "beat", 4);
	assert_int_equal(peer_next(&p, text, sizeof text), 10);
	assert_string_equal(text, "beat");
	peer_frame(&p, 2, "x", 1);
	assert_int_equal(peer_closed(&p, text, sizeof text), 1003);
	peer_close(&p);
}

/* slowed, slowed, closed */
static void
test_flood(void **state)
{
	struct peer p;
	struct client *c;
	char why[128];
	int round, i;

	(void)state;
	peer_join(&p);
	c = only_client();
	client_logged_in(&c->session);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 201; i++)
			peer_frame(&p, 10, "", 0);
		if (round == 2)
			break;
		FX_WAIT(&fx, 2000, c->flooded);
		assert_true(c->conn.paused);
		fire(c);
		assert_false(c->flooded);
		assert_false(c->conn.paused);
	}
	assert_int_equal(peer_closed(&p, why, sizeof why), 4102);
	assert_non_null(strstr(why, "retry="));
	peer_close(&p);
}

/* --- ends -------------------------------------------------------------------
 */

static void
test_peer_goes(void **state)
{
	struct peer p;

	(void)state;
	peer_join(&p);
	peer_close(&p);
	FX_WAIT(&fx, 2000, srv.n_clients == 0);
	assert_int_equal(seen.detached, 1);
	assert_int_equal(seen.byes, 0);
	/* with a Close of his own it is answered */
	peer_join(&p);
	peer_frame(&p, 8, "\x03\xe8", 2);
	assert_int_equal(peer_closed(&p, (char[64]){0}, 64), 1000);
	FX_WAIT(&fx, 2000, srv.n_clients == 0);
	assert_int_equal(seen.detached, 2);
	peer_close(&p);
}

static void
test_close_and_bye(void **state)
{
	struct peer p;
	char why[128];
	struct session *s;

	(void)state;
	peer_join(&p);
	s = &only_client()->session;
	session_close(s, 4101, "token expired", 1234);
	assert_false(session_is_open(s));
	session_close(s, 4001, "twice", 0); /* the first one counts */
	send_text(s, "x", 1);		    /* goes nowhere */
	assert_int_equal(peer_closed(&p, why, sizeof why), 4101);
	assert_string_equal(why, "token expired retry=1234");
	peer_close(&p);
	peer_join(&p);
	client_bye(&only_client()->session);
	assert_int_equal(peer_closed(&p, why, sizeof why), 1000);
	peer_close(&p);
	FX_WAIT(&fx, 2000, srv.n_clients == 0);
	assert_int_equal(seen.byes, 1);
}

static void
then_close(struct session *s, const struct command *cmd)
{
	(void)cmd;
	session_close(s, 4005, "kicked", 0);
}

/* nothing of it runs any more, and nothing is freed under us */
static void
test_closed_by_its_own_command(void **state)
{
	struct peer p;
	char why[128];

	(void)state;
	seen.then = then_close;
	peer_join(&p);
	peer_say(&p, MSG("one"));
	peer_say(&p, MSG("two"));
	assert_int_equal(peer_closed(&p, why, sizeof why), 4005);
	assert_int_equal(seen.commands, 1);
	peer_close(&p);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_origin),
	    T(test_no_origin),
	    T(test_more_origins),
	    T(test_refusals),
	    T(test_full),
	    T(test_per_address),
	    T(test_trusted_proxies),
	    T(test_not_logged_in),
	    T(test_logging_in),
	    T(test_commands),
	    T(test_sizes),
	    T(test_binary_and_ping),
	    T(test_flood),
	    T(test_peer_goes),
	    T(test_close_and_bye),
	    T(test_closed_by_its_own_command),
	};
#undef T

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
