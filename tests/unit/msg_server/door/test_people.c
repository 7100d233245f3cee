/* SPDX-License-Identifier: MIT */
/*
 * What back ends have said of sessions: uids, groups and arrays come, go and
 * are found, the account of their memory comes back to nothing, and each bound
 * is one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg_server/door/gateway/people.h"

static struct people p;

static int
teardown(void **state)
{
	(void)state;
	/* all is forgotten by now, and it was all counted */
	assert_null(p.by_cn);
	assert_null(p.uids);
	assert_null(p.groups);
	assert_int_equal(p.bytes, 0);
	return 0;
}

static unsigned
n_of(const struct people_name *n)
{
	return n != NULL ? n->n : 0;
}

static void
test_uids(void **state)
{
	(void)state;
	assert_int_equal(people_bind(&p, 1, STR_LIT("u1")), 0);
	assert_int_equal(people_bind(&p, 2, STR_LIT("u1")), 0);
	assert_int_equal(n_of(people_uid(&p, STR_LIT("u1"))), 2);
	/* oldest first */
	assert_int_equal(people_uid(&p, STR_LIT("u1"))->ties->person->cn, 1);
	/* one uid a person */
	assert_int_equal(people_bind(&p, 1, STR_LIT("42")), 0);
	assert_int_equal(n_of(people_uid(&p, STR_LIT("u1"))), 1);
	assert_int_equal(people_bind(&p, 1, STR_LIT("42")), 0);
	assert_int_equal(n_of(people_uid(&p, STR_LIT("42"))), 1);
	people_unbind(&p, 1);
	people_unbind(&p, 1);
	people_unbind(&p, 99);
	assert_null(people_uid(&p, STR_LIT("42")));
	assert_null(people_find(&p, 1));
	people_forget(&p, 2);
	people_forget(&p, 2);
}

static void
test_groups(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i < PEOPLE_GROUPS_MAX; i++) {
		snprintf(name, sizeof name, "g%u", i);
		assert_int_equal(people_join(&p, 1, str_of(name)), 0);
	}
	assert_int_equal(people_join(&p, 1, STR_LIT("more")), ERR_LIMIT);
	assert_int_equal(people_join(&p, 1, STR_LIT("g7")), 0); /* is in it */
	assert_true(people_leave(&p, 1, STR_LIT("g0")));
	assert_false(people_leave(&p, 1, STR_LIT("g0")));
	assert_int_equal(people_join(&p, 1, STR_LIT("more")), 0);
	assert_true(
	    str_eqc(people_text(people_find(&p, 1)->groups->name), "g1"));
	assert_int_equal(people_join(&p, 2, STR_LIT("g1")), 0);
	assert_int_equal(n_of(people_group(&p, STR_LIT("g1"))), 2);
	people_forget(&p, 1);
	assert_int_equal(n_of(people_group(&p, STR_LIT("g1"))), 1);
	/* that he was in one is remembered as long as he is here */
	assert_true(people_leave(&p, 2, STR_LIT("g1")));
	assert_true(people_find(&p, 2)->was_in_group);
	people_forget(&p, 2);
}

static void
test_names(void **state)
{
	char name[PEOPLE_NAME_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof name);
	assert_int_equal(people_bind(&p, 1, str_n(name, PEOPLE_NAME_MAX)), 0);
	assert_int_equal(
	    people_bind(&p, 1, str_n(name, sizeof name)), ERR_LIMIT);
	assert_int_equal(people_find(&p, 1)->uid->name->len, PEOPLE_NAME_MAX);
	assert_int_equal(
	    people_join(&p, 2, str_n(name, sizeof name)), ERR_LIMIT);
	assert_int_equal(people_join(&p, 2, STR_LIT("")), ERR_LIMIT);
	assert_null(people_find(&p, 2));
	people_forget(&p, 1);
}

static void
test_arrays(void **state)
{
	char *text = calloc(1, PEOPLE_ARRAY_MAX + 1);
	uint64_t cn, most = PEOPLE_BYTES_MAX / PEOPLE_ARRAY_MAX;

	(void)state;
	assert_int_equal(
	    people_set_array(&p, 1, str_n(text, PEOPLE_ARRAY_MAX)), 0);
	assert_int_equal(
	    people_set_array(&p, 1, str_n(text, PEOPLE_ARRAY_MAX + 1)),
	    ERR_LIMIT);
	assert_int_equal(people_find(&p, 1)->array_len, PEOPLE_ARRAY_MAX);
	/* all of them together */
	for (cn = 2; cn <= most; cn++)
		if (people_set_array(&p, cn, str_n(text, PEOPLE_ARRAY_MAX)) !=
		    0)
			break;
	/* what they take beside their arrays counts, too */
	assert_in_range(cn, most - 8, most);
	assert_int_equal(
	    people_set_array(&p, cn, str_n(text, PEOPLE_ARRAY_MAX)), ERR_LIMIT);
	/* another one in the place of one there is */
	assert_int_equal(
	    people_set_array(&p, 1, str_n(text, PEOPLE_ARRAY_MAX)), 0);
	assert_int_equal(people_set_array(&p, 1, STR_LIT("")), 0);
	assert_null(people_find(&p, 1));
	while (--cn > 0)
		people_forget(&p, cn);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_uids, teardown),
	    cmocka_unit_test_teardown(test_groups, teardown),
	    cmocka_unit_test_teardown(test_names, teardown),
	    cmocka_unit_test_teardown(test_arrays, teardown),
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
