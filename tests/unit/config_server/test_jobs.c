/* SPDX-License-Identifier: MIT */
/* The table of drain jobs: numbers, bounds, time left, rows and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "config_server/api.h"
#include "config_server/jobs.h"

static struct jobs jobs;

static int
teardown(void **state)
{
	(void)state;
	jobs_fini(&jobs);
	return 0;
}

static void
test_table(void **state)
{
	struct job old = {.id = 7, .server = "ms2", .state = JOB_DONE};
	struct job none = {.id = 0};

	(void)state;
	assert_int_equal(jobs_add(&jobs, "ms1", 1, 200, 30000, 5)->id, 1);
	assert_int_equal(jobs_restore(&jobs, &old), 0);
	assert_int_equal(jobs_restore(&jobs, &old), ERR_EXISTS);
	assert_int_equal(jobs_restore(&jobs, &none), ERR_INVALID);
	assert_int_equal(jobs_add(&jobs, "ms1", 1, 200, 30000, 5)->id, 8);
	assert_int_equal(jobs_newest(&jobs, "ms1")->id, 8);
	assert_int_equal(jobs_newest(&jobs, "ms2")->id, 7);
	assert_null(jobs_newest(&jobs, "ms3"));
	assert_null(jobs_running(&jobs, "ms2"));
	assert_int_equal(jobs_running(&jobs, "ms1")->id, 8);
	jobs_end(jobs_running(&jobs, "ms1"), JOB_DONE);
	assert_int_equal(jobs_running(&jobs, "ms1")->id, 1);
	assert_int_equal(jobs_count_running(&jobs), 1);
	assert_null(jobs_find(&jobs, 2));
}

/* the oldest that ended go; a running one stays however old it is */
static void
test_bound(void **state)
{
	(void)state;
	(void)jobs_add(&jobs, "old", 1, 1, 1, 0);
	for (int i = 0; i < JOBS_KEEP + 10; i++)
		jobs_end(jobs_add(&jobs, "ms1", 1, 1, 1, 0), JOB_DONE);
	(void)jobs_add(&jobs, "ms1", 1, 1, 1, 0);
	assert_int_equal(jobs.n, JOBS_KEEP + 2);
	assert_non_null(jobs_running(&jobs, "old"));
	assert_int_equal(jobs.list[0].id, 1);
	assert_int_equal(jobs.list[1].id, 12);
	assert_int_equal(jobs.trim, 11);
}

static void
test_eta(void **state)
{
	struct job job = {
	    .rate = 100, .within_ms = 30000, .left = 1000, .t0 = 1000000};

	(void)state;
	assert_int_equal(job_eta_ms(&job, job.t0), 10000);
	job.left = 750; /* 250 in 5 s: slower than it should be */
	job.moved = 250;
	assert_int_equal(job_eta_ms(&job, job.t0 + 5000), 15000);
	/* never beyond the end of `within` */
	assert_int_equal(job_eta_ms(&job, job.t0 + 29000), 1000);
	assert_int_equal(job_eta_ms(&job, job.t0 + 31000), 0);
	job.left = 0;
	assert_int_equal(job_eta_ms(&job, job.t0 + 5000), 0);
	job.left = 5;
	job.state = JOB_ABORTED;
	assert_int_equal(job_eta_ms(&job, job.t0 + 5000), 0);
}

static void
test_args(void **state)
{
	struct job a = {.rate = 7, .within_ms = 86400000, .inc = UINT32_MAX}, b;
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	job_write_args(&a, &out);
	job_read_args(&b, buf_str(&out));
	assert_int_equal(b.rate, 7);
	assert_int_equal(b.within_ms, 86400000);
	assert_int_equal(b.inc, UINT32_MAX);
	buf_fini(&out);
	job_read_args(&b, STR_LIT("{\"rate\":-1,\"within_ms\":86400001}"));
	assert_int_equal(b.rate, JOB_RATE_DEF);
	assert_int_equal(b.within_ms, JOB_WITHIN_DEF_MS);
	job_read_args(&b, STR_LIT("not json"));
	assert_int_equal(b.inc, 0);
}

static void
given(const char *body, uint32_t clients, uint32_t rate, uint32_t within_ms)
{
	struct api_drain d;
	const char *why = api_read_drain(str_of(body), &d);

	if (why != NULL)
		fail_msg("%s: %s", body, why);
	api_fill_drain(&d, clients);
	assert_int_equal(d.rate, rate);
	assert_int_equal(d.within_ms, within_ms);
}

static void
test_body(void **state)
{
	(void)state;
	given("", 100000, 200, 30000);
	given("{}", 5, 200, 30000);
	given("{\"within\":90}", 5, 200, 90000);
	given("{\"within\":\"90\"}", 5, 200, 90000);
	given("{\"within\":\"30s\"}", 5, 200, 30000);
	given("{\"within\":\"10m\"}", 5, 200, 600000);
	given("{\"within\":\"24h\"}", 5, 200, 86400000);
	given("{\"rate\":100000,\"within\":1}", 5, 100000, 1000);
	/* a rate alone is kept to */
	given("{\"rate\":10}", 100, 10, 30000);
	given("{\"rate\":10}", 1000, 10, 125000);
	given("{\"rate\":1}", 100000, 1, 86400000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_table, teardown),
	    cmocka_unit_test_teardown(test_bound, teardown),
	    cmocka_unit_test(test_eta),
	    cmocka_unit_test(test_args),
	    cmocka_unit_test(test_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
