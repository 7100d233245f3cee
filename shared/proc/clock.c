/* SPDX-License-Identifier: MIT */
/*
 * Time, and the one place a test can turn it. See clock.h.
 */
#include "shared/proc/clock.h"

#include <time.h>

/* set by a test's thread while others read */
static _Atomic int64_t clock_test_wall, clock_test_mono;

static int64_t
clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_wall_ms(void)
{
	int64_t set = clock_test_wall;

	return set ? set : clock_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_mono_us(void)
{
	int64_t set = clock_test_mono;

	return set ? set * 1000 : clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

void
clock_test_set(int64_t wall_ms, int64_t mono_ms)
{
	clock_test_wall = wall_ms;
	clock_test_mono = mono_ms;
}
