/* SPDX-License-Identifier: MIT */
/*
 * What one who is logged in costs a proxy_server: the structs there is one of
 * for each of them do not grow unseen, and of people who come and go nothing
 * is left. Who needs another field for all of them pays for it here, and looks
 * first whether it can live where it is needed only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "presence_fixture.h"
#include "proxy_server/presence_priv.h"

enum { PEOPLE = 20000 };

static void
test_sizes(void **state)
{
	(void)state;
	if (sizeof(void *) != 8)
		return; /* the figures are those of LP64 */
	assert_in_range(sizeof(struct pres_user), 1, 40);
	assert_in_range(offsetof(struct pres_card, text), 1, 12);
	assert_in_range(offsetof(struct pres_session, dev), 1, 52);
	assert_in_range(sizeof(struct pres_member), 1, 56);
	assert_in_range(offsetof(struct pres_room, rid), 1, 32);
	assert_in_range(sizeof(struct pres_share), 1, 12);
	assert_in_range(offsetof(struct pres_last, uid), 1, 24);
}

/* in rooms of ten, each of them once on either server */
static void
come(unsigned from)
{
	char uid[16], rid[16];

	for (unsigned i = from; i < from + PEOPLE; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		snprintf(rid, sizeof rid, "r%u", i / 10);
		put(i % 2 ? n1 : n2, i, uid, rid, NULL, false);
		if (i % 100 == 99)
			presence_tick(pr);
		told[0] = '\0';
	}
}

static void
test_one_costs(void **state)
{
	size_t each = 40 + 24 + 56 + 56 + (56 + 24) / 10 + 1;

	(void)state;
	come(0);
	if (pr->slab.bytes >= PEOPLE * 512)
		return; /* a sanitizer counts each for itself */
	assert_in_range(
	    pr->slab.bytes, PEOPLE * 100, PEOPLE * each + 10 * SLAB_CHUNK);
}

/* ever new people, and those before are gone for longer than is remembered */
static void
test_nothing_grows(void **state)
{
	size_t bytes[6];

	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(bytes); k++) {
		come(k * PEOPLE);
		presence_lost(pr, n1);
		presence_lost(pr, n2);
		pass(GRACE + 1);
		told[0] = '\0';
		bytes[k] = pr->slab.bytes;
	}
	/* the time when each left, of PRESENCE_LASTS_MAX */
	assert_in_range(bytes[0], 1, PEOPLE * 48 + 10 * SLAB_CHUNK);
	assert_in_range(bytes[5], 1, bytes[4] + SLAB_CHUNK);
	assert_int_equal(pr->n_sessions, 0);
	assert_int_equal(pr->users.n, 0);
	assert_int_equal(pr->rooms.n, 0);
}

/* more than are let go in one turn: the timer comes again at once */
static void
test_thousands_go(void **state)
{
	(void)state;
	come(0);
	presence_lost(pr, n1);
	presence_lost(pr, n2);
	now += GRACE + 1;
	clock_test_set(now, now);
	FX_WAIT(&fx, 5000, pr->rooms.n == 0);
	assert_int_equal(pr->users.n, 0);
	assert_int_equal(pr->n_changes, 0);
	assert_int_equal(pr->n_orphans, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test_setup_teardown(test_one_costs, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_nothing_grows, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_thousands_go, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
