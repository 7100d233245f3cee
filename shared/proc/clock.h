/* SPDX-License-Identifier: MIT */
/*
 * Time. Wall clock only for what people see (ts, logs), the monotonic clock
 * for every timeout. A test may turn both by clock_test_set().
 */
#ifndef SHARED_PROC_CLOCK_H
#define SHARED_PROC_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
/* 0, 0: real clocks again */
void clock_test_set(int64_t wall_ms, int64_t mono_ms);

#endif
