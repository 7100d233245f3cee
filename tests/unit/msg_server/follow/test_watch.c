/* SPDX-License-Identifier: MIT */
/*
 * Watched users (msg_server/follow/watch.h): one question for all who watch
 * him, each told what is news to him, nothing left in the end.
 */
#include "tests/unit/msg_server/core_fixture.h"

static struct f_status status_f;

static void
says(const char *uid, enum user_status st, int64_t last)
{
	memset(&status_f, 0, sizeof status_f);
	status_f.n = 1;
	status_f.list[0] = (struct status_rec){str_of(uid), (uint8_t)st, last};
	watch_on_status(&srv, &status_f);
}

#define ASKED(want)                                 \
	do {                                        \
		assert_string_equal(watched, want); \
		watched[0] = '\0';                  \
	} while (0)

static void
list(struct fake *f, const char *a, const char *b, const char *c)
{
	struct str uids[3];
	size_t n = 0;

	if (a != NULL)
		uids[n++] = str_of(a);
	if (b != NULL)
		uids[n++] = str_of(b);
	if (c != NULL)
		uids[n++] = str_of(c);
	assert_int_equal(watch_set(&srv, &f->s, uids, n), OK);
	watch_greet(&srv, &f->s);
}

static void
test_one_question(void **state)
{
	struct fake a, b;

	(void)state;
	fake_open(&a, 2);
	fake_open(&b, 2);
	list(&a, "amy", "bob", "amy");
	ASKED("+amy+bob;");
	assert_int_equal(a.frames, 0);
	says("amy", STATUS_ON, 0);
	says("bob", STATUS_OFF, 77);
	assert_int_equal(a.frames, 2);
	assert_string_equal(a.last, "status bob 0 77");
	/* what is known is told at once */
	list(&b, "bob", NULL, NULL);
	ASKED("");
	assert_string_equal(b.last, "status bob 0 77");
	/* said again: no news */
	says("bob", STATUS_OFF, 78);
	assert_int_equal(a.frames + b.frames, 3);
	says("bob", STATUS_AWAY, 0);
	assert_string_equal(a.last, "status bob 1 0");
	assert_string_equal(b.last, "status bob 1 0");
	/* another list: who stays is told again, who goes is let go */
	list(&a, "bob", "eve", NULL);
	ASKED("+eve-amy;");
	assert_int_equal(a.frames, 4);
	says("amy", STATUS_OFF, 0);
	assert_int_equal(a.frames, 4);
	fake_close(&a);
	ASKED("-eve;");
	list(&b, NULL, NULL, NULL);
	ASKED("-bob;");
	fake_close(&b);
}

/* a new active one is asked again; without one the list is kept for it */
static void
test_promoted(void **state)
{
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	list(&a, "amy", "bob", NULL);
	says("amy", STATUS_ON, 0);
	watched[0] = '\0';
	watch_on_promoted(&srv);
	ASKED("!+amy;+bob;");
	says("amy", STATUS_ON, 0);
	assert_int_equal(a.frames, 1);
	says("amy", STATUS_OFF, 5);
	assert_int_equal(a.frames, 2);
	fake_close(&a);
}

/* who lags is told what is true when his queue is short again */
static void
test_lag(void **state)
{
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	list(&a, "amy", NULL, NULL);
	a.queued = QUEUE_LAG + 1;
	says("amy", STATUS_ON, 0);
	says("amy", STATUS_OFF, 0);
	says("amy", STATUS_ON, 0);
	assert_int_equal(a.frames, 0);
	a.queued = 0;
	room_on_drain(&srv, &a.s);
	assert_int_equal(a.frames, 1);
	assert_string_equal(a.last, "status amy 2 0");
	fake_close(&a);
}

static void
test_bounds(void **state)
{
	enum { N = WATCH_SEATS_MAX / UIDS_MAX };
	static struct fake f[N + 1];
	static char names[UIDS_MAX][8];
	struct str uids[UIDS_MAX];
	uint64_t users, seats;

	(void)state;
	for (unsigned i = 0; i < UIDS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "u%u", i);
		uids[i] = str_of(names[i]);
	}
	for (unsigned i = 0; i < N; i++) {
		fake_open(&f[i], 2);
		assert_int_equal(watch_set(&srv, &f[i].s, uids, UIDS_MAX), OK);
	}
	fake_open(&f[N], 2);
	assert_int_equal(watch_set(&srv, &f[N].s, uids, 1), ERR_BUSY);
	watch_count(srv.watch, &users, &seats);
	assert_int_equal(users, UIDS_MAX);
	assert_int_equal(seats, WATCH_SEATS_MAX);
	/* a shorter list is fine, and makes room */
	assert_int_equal(watch_set(&srv, &f[0].s, NULL, 0), OK);
	assert_int_equal(watch_set(&srv, &f[N].s, uids, 1), OK);
	for (unsigned i = 0; i <= N; i++)
		fake_close(&f[i]);
	watch_count(srv.watch, &users, &seats);
	assert_int_equal(users + seats, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)
	    T(test_one_question), T(test_promoted), T(test_lag),
	    T(test_bounds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
