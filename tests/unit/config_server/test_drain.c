/* SPDX-License-Identifier: MIT */
/*
 * Drain jobs from the request to the end of the server: a whole config_server,
 * and a daemon that says what a msg_server would.
 */
#include "tests/unit/config_server/config_fixture.h"

static const char as_json[] = "Content-Type: application/json\r\n";
static const char ms1_drain[] = "/v1/servers/ms1/drain";

static bool
posted(struct rig *r, const char *target, const char *body, const char *status,
    const char *text)
{
	return answered(
	    r, request(r, "POST", target, as_json, body), status, text);
}

static bool
deleted(struct rig *r, const char *target, const char *status, const char *text)
{
	return answered(r, request(r, "DELETE", target, "", ""), status, text);
}

/* a msg_server whose 17 connections are known */
static void
start_ms(struct rig *r, struct client *c, const char *name)
{
	char part[64];

	client_start(r, c, name, ROLE_MSG, 1, key);
	snprintf(part, sizeof part, "\"id\":\"%s\",\"conns\":17", name);
	FX_WAIT(&r->fx, 5000, answers(r, "/v1/load", "200", part));
}

static void
says(struct rig *r, struct client *c, uint8_t state, uint64_t job,
    uint32_t left, uint32_t moved)
{
	c->beat.state = state;
	c->beat.job = job;
	c->beat.left = left;
	c->beat.moved = moved;
	topology_beat_now(c->t);
	fx_run_for(&r->fx, 20);
}

static void
test_done(void **state)
{
	struct rig *r = *state;
	struct client a, b;

	start_ms(r, &a, "ms1");
	start_ms(r, &b, "ms2");
	assert_true(answers(r, ms1_drain, "404", "never drained"));
	assert_true(
	    posted(r, ms1_drain, "{\"rate\":50,\"within\":\"10m\"}", "202",
		"\"id\":1,\"kind\":\"drain\",\"server\":\"ms1\","
		"\"state\":\"running\",\"left\":17,\"moved\":0,\"total\":17,"
		"\"rate\":50,\"within_ms\":600000,\"eta_ms\":340,"));
	FX_WAIT(&r->fx, 5000, a.jobs == 1);
	assert_int_equal(a.job, 1);
	assert_string_equal(
	    a.args, "{\"rate\":50,\"within_ms\":600000,\"inc\":1}");
	/* draining for all, though its own beats do not say so yet */
	FX_WAIT(
	    &r->fx, 5000, !strcmp(client_sees(&b, "ms1")->state, "draining"));
	says(r, &a, BEAT_UP, 0, 0, 0);
	assert_true(
	    answers(r, "/v1/servers/ms1", "200", "\"state\":\"draining\""));
	assert_true(answers(r, "/v1/next?uid=1", "200", "\"id\":\"ms2\""));
	assert_true(answers(r, "/v1/next?uid=1", "200", "\"alt\":[]"));
	assert_true(posted(r, ms1_drain, "", "409", "already: job 1"));
	says(r, &a, BEAT_DRAINING, 1, 5, 12);
	assert_true(answers(
	    r, ms1_drain, "200", "\"left\":5,\"moved\":12,\"total\":17"));
	assert_true(answers(r, "/metrics", "200", "cchat_config_drains 1"));
	says(r, &a, BEAT_DRAINING, 1, 0, 17);
	assert_true(answers(r, ms1_drain, "200", "\"state\":\"running\""));
	client_stop(r, &a);
	FX_WAIT(&r->fx, 5000,
	    answers(r, ms1_drain, "200", "\"state\":\"done\",\"left\":0"));
	assert_true(answers(r, "/v1/servers/ms1", "200", "\"state\":\"down\""));
	assert_true(answers(r, "/v1/check", "200", "drained, and not back"));
	assert_true(posted(r, ms1_drain, "{}", "409", "it is down"));
	assert_true(deleted(r, ms1_drain, "409", "not being drained"));
	assert_true(answers(r, "/v1/events", "200", "\"drain_start\""));
	assert_true(answers(r, "/v1/events", "200", "\"drain_done\""));
	assert_true(answers(r, "/v1/jobs", "200", "\"server\":\"ms1\""));
	/* it comes back, and clients come to it */
	client_start(r, &a, "ms1", ROLE_MSG, 2, key);
	FX_WAIT(&r->fx, 5000,
	    answers(r, "/v1/servers/ms1", "200", "\"state\":\"up\""));
	assert_int_equal(a.jobs, 0);
	client_stop(r, &a);
	client_stop(r, &b);
}

static void
test_abort(void **state)
{
	struct rig *r = *state;
	struct client a;

	start_ms(r, &a, "ms1");
	assert_true(deleted(r, ms1_drain, "409", "not being drained"));
	assert_true(posted(
	    r, ms1_drain, "", "202", "\"rate\":200,\"within_ms\":30000"));
	FX_WAIT(&r->fx, 5000, a.jobs == 1);
	says(r, &a, BEAT_DRAINING, 1, 9, 8);
	assert_true(deleted(r, ms1_drain, "200", "\"state\":\"aborted\""));
	FX_WAIT(&r->fx, 5000, a.aborts == 1);
	assert_int_equal(a.job, 1);
	/* it has not heard: told again */
	says(r, &a, BEAT_DRAINING, 1, 9, 8);
	FX_WAIT(&r->fx, 5000, a.aborts >= 2);
	says(r, &a, BEAT_UP, 0, 0, 0);
	assert_true(answers(r, "/v1/servers/ms1", "200", "\"state\":\"up\""));
	assert_true(answers(r, "/v1/events", "200", "\"drain_abort\""));
	/* and again, from the start */
	assert_true(posted(r, ms1_drain, "", "202", "\"id\":2"));
	FX_WAIT(&r->fx, 5000, a.jobs == 2);
	client_stop(r, &a);
}

static void
test_failed(void **state)
{
	struct rig *r = *state;
	struct client a;

	start_ms(r, &a, "ms1");
	assert_true(posted(r, ms1_drain, "", "202", ""));
	FX_WAIT(&r->fx, 5000, a.jobs == 1);
	says(r, &a, BEAT_DRAINING, 1, 9, 8);
	client_stop(r, &a);
	assert_true(answers(r, ms1_drain, "200", "\"state\":\"running\""));
	/* the same process was but cut off: it goes on */
	client_start(r, &a, "ms1", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, a.jobs == 1);
	assert_int_equal(a.job, 1);
	assert_true(
	    answers(r, "/v1/servers/ms1", "200", "\"state\":\"draining\""));
	client_stop(r, &a);
	/* another process of that name: the first one died with clients */
	client_start(r, &a, "ms1", ROLE_MSG, 2, key);
	FX_WAIT(&r->fx, 5000,
	    answers(r, ms1_drain, "200", "\"state\":\"failed\",\"left\":9"));
	assert_int_equal(a.jobs, 0);
	assert_true(answers(r, "/v1/servers/ms1", "200", "\"state\":\"up\""));
	assert_true(answers(r, "/v1/events", "200", "\"drain_fail\""));
	client_stop(r, &a);
}

/* without a job: SIGTERM */
static void
test_by_itself(void **state)
{
	struct rig *r = *state;
	struct client a;

	start_ms(r, &a, "ms1");
	says(r, &a, BEAT_DRAINING, 0, 3, 1);
	assert_true(
	    answers(r, "/v1/servers/ms1", "200", "\"state\":\"draining\""));
	assert_true(posted(r, ms1_drain, "", "409", "told to end"));
	assert_true(deleted(r, ms1_drain, "409", "told to end"));
	assert_true(answers(r, "/v1/jobs", "200", "\"list\":[]"));
	assert_true(answers(r, ms1_drain, "404", "never"));
	says(r, &a, BEAT_DRAINING, 0, 0, 4);
	client_stop(r, &a);
	FX_WAIT(&r->fx, 3000,
	    answers(r, "/v1/servers/ms1", "200", "\"state\":\"down\""));
}

/* the config_server ends and comes back, with or without its file */
static void
again(struct rig *r, bool lost)
{
	char listen[ADDR_TEXT_MAX], path[160];
	struct client a;

	start_ms(r, &a, "ms1");
	assert_true(posted(r, ms1_drain, "{\"rate\":7}", "202", "\"rate\":7"));
	FX_WAIT(&r->fx, 5000, a.jobs == 1);
	says(r, &a, BEAT_DRAINING, 1, 9, 8);
	str_copy(listen, sizeof listen, str_of(r->addr));
	rig_stop(r);
	snprintf(path, sizeof path, "%s/run/config.pid", r->dir);
	unlink(path); /* its lock is this process's */
	snprintf(path, sizeof path, "%s/topology.db", r->dir);
	if (lost)
		assert_int_equal(unlink(path), 0);
	rig_start(r, listen);
	if (!lost)
		assert_true(answers(r, ms1_drain, "200",
		    "\"left\":9,\"moved\":8,\"total\":17,\"rate\":7"));
	FX_WAIT(&r->fx, 8000, topology_is_linked(a.t));
	if (!lost)
		FX_WAIT(&r->fx, 5000, a.jobs == 2);
	says(r, &a, BEAT_DRAINING, 1, 4, 13);
	assert_true(answers(r, ms1_drain, "200",
	    "\"state\":\"running\",\"left\":4,\"moved\":13"));
	assert_int_equal(a.jobs, lost ? 1 : 2);
	assert_int_equal(a.aborts, 0);
	assert_true(deleted(r, ms1_drain, "200", "aborted"));
	FX_WAIT(&r->fx, 5000, a.aborts >= 1);
	client_stop(r, &a);
}

static void
test_restart(void **state)
{
	again(*state, false);
}

static void
test_lost(void **state)
{
	again(*state, true);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {"[]", "1", "{", "{\"rate\":0}",
	    "{\"rate\":100001}", "{\"rate\":\"5\"}", "{\"rate\":1.5}",
	    "{\"within\":0}", "{\"within\":\"\"}", "{\"within\":\"s\"}",
	    "{\"within\":\"10d\"}", "{\"within\":\"-1s\"}",
	    "{\"within\":\"25h\"}", "{\"within\":86401}",
	    "{\"within\":\"99999999999999999999h\"}", "{\"to\":\"ms2\"}"};
	struct rig *r = *state;
	struct client a, p;

	start_ms(r, &a, "ms1");
	client_start(r, &p, "px1", ROLE_PROXY, 1, key);
	FX_WAIT(&r->fx, 5000, p.joined);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!posted(r, ms1_drain, bad[i], "400", "\"code\":400"))
			fail_msg("taken: %s", bad[i]);
	assert_true(posted(r, "/v1/servers/px1/drain", "", "400", "SIGTERM"));
	assert_true(
	    posted(r, "/v1/servers/config/drain", "", "400", "SIGTERM"));
	assert_true(posted(r, "/v1/servers/none/drain", "", "404", "no such"));
	assert_true(answers(r, "/v1/servers/none/drain", "404", "no such"));
	assert_true(deleted(r, "/v1/servers/none/drain", "404", "no such"));
	assert_true(posted(r, "/v1/jobs", "", "405", "method"));
	assert_true(answers(r, "/v1/jobs?limit=0", "400", "limit"));
	/* somebody's browser */
	assert_true(answered(r,
	    request(r, "POST", ms1_drain, "Origin: http://localhost\r\n", ""),
	    "403", "web pages"));
	assert_true(answered(r,
	    request(r, "POST", ms1_drain, "Content-Type: text/plain\r\n", "{}"),
	    "415", "json"));
	assert_true(answered(r,
	    request(r, "DELETE", "/v1/servers/ms1",
		"Origin: http://localhost\r\n", ""),
	    "403", "web pages"));
	assert_int_equal(a.jobs, 0);
	client_stop(r, &a);
	client_stop(r, &p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_done), T(test_abort),
	    T(test_failed), T(test_by_itself), T(test_restart), T(test_lost),
	    T(test_refused)};

	log_init("test", LOG_LEVEL_ERR);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
