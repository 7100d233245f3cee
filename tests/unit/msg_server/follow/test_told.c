/* SPDX-License-Identifier: MIT */
/* What was told, against a plain array of when each was told last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "msg_server/follow/told.h"
#include "shared/base/map.h"

enum { USERS = 100000, STEPS = 400000 };

static struct {
	uint32_t when; /* the number of the telling; 0: never */
	enum told_what what;
} model[USERS];

static uint64_t seed = 88172645463325252ULL;

static uint32_t
draw(uint32_t below)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (uint32_t)(seed % below);
}

static enum told_what
get(struct told *t, uint32_t i)
{
	char uid[16];

	snprintf(uid, sizeof uid, "u%u", i);
	return told_get(t, 7 + i % 3, str_of(uid));
}

static void
check(struct told *t, uint32_t now, uint32_t i)
{
	enum told_what what = get(t, i);

	if (model[i].when == 0 || what != TOLD_NOTHING)
		assert_int_equal(what, model[i].what);
	else
		assert_true(now - model[i].when >= TOLD_MAX);
}

/* few again and again, then many, then few among many */
static void
test_at_random(void **state)
{
	struct told *t = told_new();
	char uid[16];

	(void)state;
	map_seed = 3;
	for (uint32_t now = 1; now <= STEPS; now++) {
		uint32_t i =
		    draw(now < STEPS / 4 || now % 3 == 0 ? 500 : USERS);

		model[i].what = draw(2) ? TOLD_IN : TOLD_OUT;
		model[i].when = now;
		snprintf(uid, sizeof uid, "u%u", i);
		told_set(t, 7 + i % 3, str_of(uid), model[i].what);
		check(t, now, i);
		check(t, now, draw(USERS));
		if (now % 100000 == 0)
			for (i = 0; i < USERS; i++)
				check(t, now, i);
	}
	told_free(t);
}

/* no more than that is kept, and users and sessions are not one another */
static void
test_bound(void **state)
{
	struct told *t = told_new();
	uint32_t known = 0;

	(void)state;
	assert_false(told_session(t, 7, 1));
	for (uint32_t i = 1; i <= TOLD_MAX + 10; i++)
		told_set_session(t, 7, i);
	for (uint32_t i = 1; i <= TOLD_MAX + 10; i++) {
		assert_int_equal(told_session(t, 7, i), i > 10);
		assert_false(told_session(t, 8, i));
		known += get(t, i) != TOLD_NOTHING;
	}
	assert_int_equal(known, 0);
	told_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_at_random),
	    cmocka_unit_test(test_bound),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
