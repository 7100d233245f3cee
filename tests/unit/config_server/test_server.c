/* SPDX-License-Identifier: MIT */
/*
 * A whole config_server and its daemons: joining, the list pushed to all, who
 * is active, questions passed on, a wrong key, a lost topology.db.
 */
#include "tests/unit/config_server/config_fixture.h"

/* ---- tests ------------------------------------------------------------ */

static void
test_join_and_push(void **state)
{
	struct rig *r = *state;
	struct client a, b;
	uint64_t gen;

	client_start(r, &a, "ms1", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, a.joined && client_sees(&a, "ms1"));
	assert_true(topology_is_linked(a.t));
	assert_int_equal(a.node, topology_node(a.t));
	assert_true(a.node != 0);
	client_start(r, &b, "px1", ROLE_PROXY, 1, key);
	FX_WAIT(&r->fx, 5000, b.joined && client_sees(&a, "px1"));
	assert_true(b.node != a.node);
	assert_string_equal(client_sees(&a, "px1")->link, "127.0.0.1:9600");
	assert_string_equal(client_sees(&b, "config")->state, "up");
	topology_report(b.t, 3, STR_LIT("9f3a01c2"), true);
	FX_WAIT(&r->fx, 5000, !strcmp(topology_active(a.t, &gen), "px1"));
	assert_int_equal(gen, 3);
	topology_event(b.t, "test-event", "took %d ms", 42);
	FX_WAIT(&r->fx, 5000,
	    (fx_run_for(&r->fx, 20),
		answers(r, "/v1/events", "200", "took 42 ms")));
	FX_WAIT(&r->fx, 5000,
	    answers(r, "/v1/load", "200", "\"id\":\"ms1\",\"conns\":17"));
	assert_true(answers(r, "/v1/check", "200", "\"list\":[]"));
	assert_true(answers(r, "/v1/next?uid=1", "200", "\"id\":\"ms1\""));
	client_stop(r, &a);
	client_stop(r, &b);
}

static void
test_wrong_key(void **state)
{
	static const uint8_t wrong[32] = {0x22};
	struct rig *r = *state;
	struct client a;

	client_start(r, &a, "ms1", ROLE_MSG, 1, wrong);
	FX_WAIT(&r->fx, 5000, r->s.stats[S_REFUSED] > 0);
	assert_int_equal(a.joined, 0);
	assert_true(answers(r, "/v1/events", "200", "\"kind\":\"refused\""));
	assert_null(registry_find(&r->s.registry, STR_LIT("ms1")));
	client_stop(r, &a);
}

static void
test_same_name(void **state)
{
	struct rig *r = *state;
	struct client a, b, c;

	client_start(r, &a, "ms1", ROLE_MSG, 5, key);
	FX_WAIT(&r->fx, 5000, a.joined);
	client_start(r, &b, "ms1", ROLE_MSG, 5, key);
	FX_WAIT(&r->fx, 5000,
	    answers(r, "/v1/events", "200", "another process of this name"));
	assert_false(topology_is_linked(b.t));
	assert_true(topology_is_linked(a.t));
	client_stop(r, &b);
	client_start(r, &c, "ms1", ROLE_MSG, 6, key);
	FX_WAIT(&r->fx, 5000, topology_is_linked(c.t));
	FX_WAIT(&r->fx, 5000, !topology_is_linked(a.t));
	assert_int_equal(c.node, a.node);
	client_stop(r, &a);
	client_stop(r, &c);
}

/* topology.db is gone; with it everything beside it, or not */
static void
lose(struct rig *r, bool list_too)
{
	struct client a, b, c;
	char listen[ADDR_TEXT_MAX], path[160];

	client_start(r, &a, "ms1", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, a.joined);
	client_start(r, &b, "ms2", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, b.joined && client_sees(&a, "ms2"));
	str_copy(listen, sizeof listen, str_of(r->addr));
	rig_stop(r);
	assert_int_equal(topology_node(a.t), a.node); /* goes on without */
	snprintf(path, sizeof path, "%s/topology.db", r->dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/config.topology.json", r->dir);
	if (list_too)
		assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/run/config.pid", r->dir);
	unlink(path); /* its lock is this process's */
	rig_start(r, listen);
	FX_WAIT(
	    &r->fx, 8000, topology_is_linked(a.t) && topology_is_linked(b.t));
	client_start(r, &c, "ms3", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, c.joined && client_sees(&a, "ms3"));
	assert_int_equal(a.joined, 1);
	assert_int_equal(client_sees(&c, "ms1")->node_no, a.node);
	assert_int_equal(client_sees(&c, "ms2")->node_no, b.node);
	assert_true(c.node != a.node && c.node != b.node);
	client_stop(r, &a);
	client_stop(r, &b);
	client_stop(r, &c);
}

static void
test_db_lost(void **state)
{
	lose(*state, false);
}

static void
test_all_lost(void **state)
{
	lose(*state, true);
}

static void
test_questions(void **state)
{
	struct rig *r = *state;
	struct f_whois f = {.code = 200};
	struct client p;
	struct buf out;
	int fd;

	assert_true(answers(r, "/v1/users/1001", "503", "no active proxy"));
	client_start(r, &p, "px1", ROLE_PROXY, 1, key);
	FX_WAIT(&r->fx, 5000, p.joined);
	topology_report(p.t, 1, STR_LIT("9f3a01c2"), true);
	FX_WAIT(&r->fx, 5000, registry_active(&r->s.registry) != NULL);
	fd = ask(r, "/v1/users/1001");
	FX_WAIT(&r->fx, 5000, p.asked == 1);
	f.rid = p.rid;
	f.json = STR_LIT("{\"uid\":\"1001\",\"online\":true}");
	put_whois(linkconn_out(p.lc), &f);
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out),
	    "\"gen\":1,\"uid\":\"1001\",\"online\":true}"));
	buf_fini(&out);
	fd = ask(r, "/v1/rooms/none");
	FX_WAIT(&r->fx, 5000, p.asked == 2);
	f.rid = p.rid;
	f.code = 404;
	f.json = STR_NONE;
	put_whois(linkconn_out(p.lc), &f);
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), "no such room"));
	buf_fini(&out);
	/* no answer within 2 s */
	fd = ask(r, "/v1/rooms");
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), "does not answer"));
	buf_fini(&out);
	assert_int_equal(r->s.n_asks, 0);
	/* who asked has gone before the answer */
	fd = ask(r, "/v1/rooms");
	FX_WAIT(&r->fx, 5000, p.asked == 4);
	close(fd);
	fx_run_for(&r->fx, 30);
	f.rid = p.rid;
	f.code = 200;
	f.json = STR_LIT("[]");
	put_whois(linkconn_out(p.lc), &f);
	FX_WAIT(&r->fx, 5000, r->s.n_asks == 0);
	/* the proxy goes while it is asked */
	fd = ask(r, "/v1/rooms");
	FX_WAIT(&r->fx, 5000, p.asked == 5);
	client_stop(r, &p);
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), "is gone"));
	buf_fini(&out);
}

static void
test_requests(void **state)
{
	struct rig *r = *state;
	int fd;
	struct buf out;

	assert_true(answers(r, "/v1/servers", "200", "\"id\":\"config\""));
	assert_true(answers(r, "/v1/servers/config", "200",
	    "\"id\":\"config\",\"role\":\"config\",\"version\":"));
	assert_true(answers(r, "/v1/servers/none", "404", "no such server"));
	assert_true(answers(r, "/v1/servers/", "404", "no such path"));
	assert_true(answers(r, "/v1/servers/a/b", "404", "no such path"));
	assert_true(answers(r, "/v1/servers?limit=0", "400", "limit"));
	assert_true(answers(r, "/v1/servers?limit=1001", "400", "limit"));
	assert_true(answers(r, "/v1/servers?limit=x", "400", "limit"));
	assert_true(answers(r, "/v1/servers?role=ctl", "400", "role"));
	assert_true(answers(r, "/v1/events?since=-1", "400", "since"));
	assert_true(answers(r, "/v1/users/a%20b", "400", "not an id"));
	assert_true(answers(r, "/v1/users/", "404", "no such path"));
	assert_true(answers(r, "/v1/nothing", "404", "\"code\":404"));
	assert_true(answers(r, "/v1/next", "503", "no msg_server"));
	assert_true(answers(r, "/v1/next?uid=a%2fb", "400", "uid"));
	assert_true(answers(r, "/readyz", "200", "\"store\":true"));
	assert_true(answers(r, "/status", "200", "\"role\":\"config\""));
	assert_true(answers(r, "/metrics", "200", "cchat_topology_ver"));
	assert_true(answers(r, "/healthz", "200", "ok"));
	/* an upgrade to something else is an ordinary request */
	fd = fd_connected(r);
	fx_write(fd, "GET /link HTTP/1.1\r\nHost: localhost\r\n"
		     "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	FX_WAIT(&r->fx, 3000, r->s.http.httpd.requests > 15);
	fx_run_for(&r->fx, 30);
	close(fd);
	/* a page of a foreign name, asking through somebody's browser */
	fd = fd_connected(r);
	fx_write(fd, "GET /v1/servers HTTP/1.1\r\nHost: evil.example\r\n"
		     "Connection: close\r\n\r\n");
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), " 421 "));
	buf_fini(&out);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_join_and_push),
	    T(test_wrong_key), T(test_same_name), T(test_db_lost),
	    T(test_all_lost), T(test_questions), T(test_requests)};

	log_init("test", LOG_LEVEL_ERR);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
