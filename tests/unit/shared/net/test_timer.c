/* SPDX-License-Identifier: MIT */
/* Timers are never early; the wheel fires each entry at its tick and once. */
#include "tests/unit/shared/net/fixture.h"

#include "shared/net/timer.h"

enum { ENTRIES = 8 };

static struct timer once, again;
static int n_once, n_again;

static void
on_once(void *arg)
{
	assert_ptr_equal(arg, &n_once);
	n_once++;
}

static void
on_again(void *arg)
{
	(void)arg;
	if (++n_again == 3)
		timer_stop(&again);
}

static void
test_timer(void **state)
{
	struct fx fx;
	int64_t start;

	(void)state;
	fx_init(&fx);
	timer_init(&once, fx.net, on_once, &n_once);
	timer_init(&again, fx.net, on_again, NULL);
	assert_false(timer_is_set(&once));
	/* the loop's idea of now is old: it must not matter */
	ev_run(fx.loop, EVRUN_NOWAIT);
	start = fx_ms();
	while (fx_ms() < start + 60)
		;
	start = fx_ms();
	timer_set(&once, 50, 0);
	assert_true(timer_is_set(&once));
	FX_WAIT(&fx, 2000, n_once == 1);
	assert_true(fx_ms() - start >= 49);
	assert_false(timer_is_set(&once));
	timer_set(&again, 5, 5);
	FX_WAIT(&fx, 2000, n_again == 3);
	assert_false(timer_is_set(&again));
	/* set twice is set once, with the later word */
	timer_set(&once, 5, 0);
	timer_set(&once, 100000, 0);
	fx_run_for(&fx, 40);
	assert_int_equal(n_once, 1);
	timer_stop(&once);
	timer_stop(&once);
	fx_fini(&fx);
}

static struct wheel wheel;
static struct wheel_entry entry[ENTRIES];
static int fired[ENTRIES];
static uint32_t fired_at[ENTRIES];
static struct wheel_entry *cancel_too, *set_again;

static void
on_due(struct wheel_entry *e, void *arg)
{
	size_t i = (size_t)(e - entry);

	assert_ptr_equal(arg, &wheel);
	assert_null(e->prevp); /* disarmed before the call */
	fired[i]++;
	fired_at[i] = wheel.now;
	if (cancel_too != NULL)
		wheel_cancel(cancel_too);
	if (set_again == e)
		wheel_set(&wheel, e, WHEEL_SLOTS - 1);
}

/* the wheel turns without the clock */
static void
tick(unsigned n)
{
	while (n-- > 0)
		wheel.tick.fn(wheel.tick.arg);
}

static void
wheel_start(struct fx *fx)
{
	memset(entry, 0, sizeof(entry));
	memset(fired, 0, sizeof(fired));
	cancel_too = set_again = NULL;
	fx_init(fx);
	wheel_init(&wheel, fx->net, on_due, &wheel);
}

static void
test_wheel(void **state)
{
	static const uint32_t after[ENTRIES] = {0, 1, 5, 62, 63, 64, 65, 200};
	struct fx fx;
	size_t i;

	(void)state;
	wheel_start(&fx);
	tick(17); /* begin anywhere on the rim */
	for (i = 0; i < ENTRIES; i++)
		wheel_set(&wheel, &entry[i], after[i]);
	tick(300);
	for (i = 0; i < ENTRIES; i++) {
		/* the tick under way does not count: late by up to 1 s */
		assert_int_equal(fired[i], 1);
		assert_int_equal(fired_at[i], 17 + after[i] + 1);
	}
	wheel_fini(&wheel);
	fx_fini(&fx);
}

static void
test_wheel_cancel(void **state)
{
	struct fx fx;

	(void)state;
	wheel_start(&fx);
	wheel_set(&wheel, &entry[0], 5);
	wheel_set(&wheel, &entry[1], 5);
	wheel_set(&wheel, &entry[2], 5);
	wheel_cancel(&entry[1]);
	wheel_cancel(&entry[1]);
	wheel_set(&wheel, &entry[2], 7); /* moved, not doubled */
	tick(6);
	assert_int_equal(fired[0], 1);
	assert_int_equal(fired[1], 0);
	assert_int_equal(fired[2], 0);
	tick(2);
	assert_int_equal(fired[2], 1);
	assert_int_equal(fired_at[2], 8);

	/* whoever fires first cancels the other, whichever that is */
	wheel_set(&wheel, &entry[3], 3);
	wheel_set(&wheel, &entry[4], 3);
	wheel_set(&wheel, &entry[5], 3);
	cancel_too = &entry[4];
	tick(100);
	assert_int_equal(fired[3], 1);
	assert_true(fired[4] <= 1);
	assert_int_equal(fired[5], 1);
	cancel_too = NULL;

	/* set again from its own call into the very same slot */
	set_again = &entry[6];
	wheel_set(&wheel, &entry[6], 0);
	tick(1);
	assert_int_equal(fired[6], 1);
	tick(63);
	assert_int_equal(fired[6], 1);
	tick(1);
	assert_int_equal(fired[6], 2);

	wheel_set(&wheel, &entry[7], 9);
	wheel_fini(&wheel);
	assert_null(entry[7].prevp);
	assert_null(entry[6].prevp);
	fx_fini(&fx);
}

static void
test_wheel_runs(void **state)
{
	struct fx fx;
	int64_t start = fx_ms();

	(void)state;
	wheel_start(&fx);
	wheel_set(&wheel, &entry[0], 1);
	FX_WAIT(&fx, 5000, fired[0] == 1);
	assert_true(fx_ms() - start >= 1000);
	wheel_fini(&wheel);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_timer),
	    cmocka_unit_test(test_wheel),
	    cmocka_unit_test(test_wheel_cancel),
	    cmocka_unit_test(test_wheel_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
