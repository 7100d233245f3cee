/* SPDX-License-Identifier: MIT */
/*
 * Objects of every size, got and put back at random: nobody gets what another
 * one has, all come zeroed and aligned, and what is empty goes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/slab.h"

enum { MANY = 20000 };

static struct object {
	unsigned char *p;
	size_t n;
	unsigned char mark;
} objects[MANY];

static void
check(const struct object *o, unsigned char want)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->p[i] != want)
			fail_msg("byte %zu of %zu", i, o->n);
}

static void
test_random(void **state)
{
	struct slab s = {0};
	struct object *o;

	(void)state;
	srandom(7);
	for (unsigned i = 0; i < MANY * 20; i++) {
		o = &objects[random() % MANY];
		if (o->p != NULL) {
			check(o, o->mark);
			slab_put(&s, o->p, o->n);
			o->p = NULL;
			continue;
		}
		o->n = 1 + (size_t)random() % (SLAB_MAX + 100);
		o->mark = (unsigned char)random();
		o->p = slab_get(&s, o->n);
		assert_int_equal((uintptr_t)o->p % SLAB_STEP, 0);
		check(o, 0);
		memset(o->p, o->mark, o->n);
	}
	for (unsigned i = 0; i < MANY; i++) {
		if (objects[i].p != NULL)
			check(&objects[i], objects[i].mark);
		slab_put(&s, objects[i].p, objects[i].n);
		objects[i].p = NULL;
	}
	/* one chunk a size at most */
	assert_true(s.bytes <= SLAB_CHUNK * (SLAB_MAX / SLAB_STEP));
	slab_fini(&s);
	assert_int_equal(s.bytes, 0);
}

/* n objects of one size take little more than n times their size */
static void
test_dense(void **state)
{
	struct slab s = {0};

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		objects[i].p = slab_get(&s, 40);
	assert_in_range(s.bytes, 40 * MANY, 40 * MANY + 2 * SLAB_CHUNK);
	/* every second one goes and comes again: nothing grows */
	for (unsigned k = 0; k < 5; k++) {
		for (unsigned i = 0; i < MANY; i += 2)
			slab_put(&s, objects[i].p, 40);
		for (unsigned i = 0; i < MANY; i += 2)
			objects[i].p = slab_get(&s, 40);
	}
	assert_in_range(s.bytes, 40 * MANY, 40 * MANY + 2 * SLAB_CHUNK);
	for (unsigned i = 0; i < MANY; i++) {
		slab_put(&s, objects[i].p, 40);
		objects[i].p = NULL;
	}
	assert_true(s.bytes <= SLAB_CHUNK);
	slab_put(&s, NULL, 40);
	slab_fini(&s);
	assert_int_equal(s.bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_dense),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
