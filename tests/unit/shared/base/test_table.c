/* SPDX-License-Identifier: MIT */
/*
 * Tables against a plain array: adding, finding and taking out at random,
 * growth, rows of colliding keys, those who pass, going through while taking
 * out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/err.h"
#include "shared/base/map.h"
#include "shared/base/table.h"

enum { MANY = 5000 };

struct item {
	uint64_t n;
	struct table_link link;
	bool in, seen;
};

static struct item items[MANY];
static struct table table;

static struct item *
item_of(struct table_link *e)
{
	return container_of(e, struct item, link);
}

static struct str
item_key(const struct table_link *e)
{
	const struct item *it = container_of(e, const struct item, link);

	return str_n((const char *)&it->n, sizeof it->n);
}

static struct table_link *
find(uint64_t n)
{
	return table_find(&table, str_n((const char *)&n, sizeof n), item_key);
}

static void
put(struct item *it)
{
	table_add(&table, &it->link, item_key);
	it->in = true;
}

static void
take(struct item *it)
{
	table_del(&table, &it->link, item_key);
	it->in = false;
}

static int
setup(void **state)
{
	(void)state;
	map_seed = 1;
	memset(&table, 0, sizeof table);
	memset(items, 0, sizeof items);
	for (unsigned i = 0; i < MANY; i++)
		items[i].n = i * 1000003ULL;
	return 0;
}

/* each that is in is found and met once, and nothing else is */
static void
check(void)
{
	struct table_link *e, *next;
	uint32_t n = 0, met = 0;

	for (unsigned i = 0; i < MANY; i++) {
		items[i].seen = false;
		n += items[i].in;
		assert_ptr_equal(
		    find(items[i].n), items[i].in ? &items[i].link : NULL);
	}
	assert_int_equal(table.n, n);
	TABLE_EACH(&table, e, next, item_key)
	{
		assert_true(item_of(e)->in);
		assert_false(item_of(e)->seen);
		item_of(e)->seen = true;
		met++;
	}
	assert_int_equal(met, n);
}

/* all are taken out by table_any(), which looks at no slot twice */
static void
test_any(void **state)
{
	struct table_link *e;
	uint32_t at = 0, n = 0;

	(void)state;
	assert_null(table_any(&table, &at));
	for (unsigned i = 0; i < MANY; i++)
		put(&items[i]);
	while ((e = table_any(&table, &at)) != NULL) {
		take(item_of(e));
		n++;
	}
	assert_int_equal(n, MANY);
	assert_int_equal(table.n, 0);
}

static void
test_empty(void **state)
{
	(void)state;
	assert_null(find(1));
	assert_null(table_first(&table));
	put(&items[0]);
	assert_ptr_equal(table_first(&table), &items[0].link);
	assert_null(table_next(&table, &items[0].link, item_key));
	take(&items[0]);
	assert_null(find(0));
	assert_null(table.slot); /* nothing is kept for nobody */
	put(&items[0]);
	check();
	take(&items[0]);
}

static void
test_growth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		put(&items[i]);
		/* some are free always, and never two thirds of them */
		assert_int_equal(table.used, table.n);
		assert_true(table.n * 5ULL <= table.cap * 4ULL + 5);
		assert_true(table.cap <= 8 || table.n * 3 > table.cap);
		if ((i & (i + 1)) == 0)
			check();
	}
	check();
	for (unsigned i = MANY; i-- > 0;)
		take(&items[i]);
	assert_null(table.slot);
}

static void
test_at_random(void **state)
{
	uint64_t r = 88172645463325252ULL;

	(void)state;
	for (unsigned step = 0; step < 200000; step++) {
		struct item *it;

		r ^= r << 13, r ^= r >> 7, r ^= r << 17;
		/* now among few, now among many */
		it = &items[r % (step & 65536 ? 300 : MANY)];
		if (it->in)
			take(it);
		else
			put(it);
		if (step % 20000 == 0)
			check();
	}
	check();
	for (unsigned i = 0; i < MANY; i++)
		if (items[i].in)
			take(&items[i]);
	check();
}

/* where an element's home is: it rises with this */
static uint32_t
hash_of(uint64_t n)
{
	return (uint32_t)(XXH3_64bits_withSeed(&n, sizeof n, map_seed) >> 32);
}

/* all in a row, round the end, as somebody who knew the seed could have it */
static void
test_collisions(void **state)
{
	uint64_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 300; i++, n++) {
		while (hash_of(n) >> 22 != 1023)
			n++;
		items[i].n = n;
		put(&items[i]);
	}
	check();
	/* first, last and middle of the row */
	take(&items[0]);
	take(&items[299]);
	take(&items[150]);
	check();
	for (unsigned i = 0; i < 300; i++)
		if (items[i].in)
			take(&items[i]);
	check();
	assert_null(table.slot);
}

/* few stay and many pass: what is gone leaves no room taken for ever */
static void
test_passing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		put(&items[i]);
	for (unsigned k = 0; k < 200000; k++) {
		struct item *it = &items[100 + k % (MANY - 100)];

		it->n += MANY * 1000003ULL;
		put(it);
		take(it);
		assert_true(table.used >= table.n && table.used < table.cap);
	}
	assert_true(table.cap < 400);
	check();
	for (unsigned i = 0; i < 100; i++)
		take(&items[i]);
}

/* who does not know the seed cannot choose names that collide */
static void
test_seed(void **state)
{
	unsigned most = 0, row = 0;
	uint64_t k = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++, k++) {
		while (hash_of(k) >> 23 != 0)
			k++;
		items[i].n = k;
	}
	map_seed = 2;
	for (unsigned i = 0; i < 1000; i++)
		put(&items[i]);
	/* no long row is taken */
	for (uint32_t i = 0; i < table.cap; i++) {
		row = table.slot[i] != 0 ? row + 1 : 0;
		most = row > most ? row : most;
	}
	assert_in_range(most, 2, 150);
	for (unsigned i = 0; i < 1000; i++)
		take(&items[i]);
}

static void
test_going_through(void **state)
{
	struct table_link *e, *next;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		put(&items[i]);
	TABLE_EACH(&table, e, next, item_key)
	if (item_of(e)->n % 3)
		take(item_of(e));
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(items[i].in, items[i].n % 3 == 0);
	check();
	TABLE_EACH(&table, e, next, item_key)
	take(item_of(e));
	check();
	assert_null(table.slot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_empty, setup),
	    cmocka_unit_test_setup(test_any, setup),
	    cmocka_unit_test_setup(test_growth, setup),
	    cmocka_unit_test_setup(test_at_random, setup),
	    cmocka_unit_test_setup(test_collisions, setup),
	    cmocka_unit_test_setup(test_passing, setup),
	    cmocka_unit_test_setup(test_seed, setup),
	    cmocka_unit_test_setup(test_going_through, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
