/* SPDX-License-Identifier: MIT */
/*
 * What is asked of a drain, and what a row of a job says: any bytes are refused
 * or end up within the bounds of frames.h; a row that is written again reads
 * the same.
 */
#include <stdlib.h>

#include "config_server/api.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_bounds(uint32_t rate, uint32_t within_ms)
{
	if (rate > JOB_RATE_MAX || within_ms > JOB_WITHIN_MAX_MS)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size);
	struct job job = {0}, again = {0};
	struct api_drain d;
	struct buf out;

	if (api_read_drain(text, &d) == NULL) {
		fuzz_bounds(d.rate, d.within_ms);
		api_fill_drain(&d, (uint32_t)size * 100000);
		fuzz_bounds(d.rate, d.within_ms);
		if (d.rate == 0 || d.within_ms == 0)
			abort();
	}
	job_read_args(&job, text);
	fuzz_bounds(job.rate, job.within_ms);
	buf_init(&out, 256);
	job_write_args(&job, &out);
	if (!buf_ok(&out))
		abort();
	job_read_args(&again, buf_str(&out));
	if (again.rate != job.rate || again.within_ms != job.within_ms ||
	    again.inc != job.inc)
		abort();
	buf_fini(&out);
	return 0;
}
