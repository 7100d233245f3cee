/* SPDX-License-Identifier: MIT */
/*
 * Counters as Prometheus text. See stats.h. The tables belong to the daemons.
 */
#include "shared/proc/stats.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define PREFIX "cchat_"

static void
stats_head(
    struct buf *out, const char *name, const char *help, const char *kind)
{
	buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
	    name, help, name, kind);
}

void
stats_render(struct buf *out, const struct stat_def *defs,
    const uint64_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		stats_head(out, defs[i].name, defs[i].help,
		    defs[i].kind == STAT_COUNTER ? "counter" : "gauge");
		buf_printf(out, PREFIX "%s %llu\n", defs[i].name,
		    (unsigned long long)values[i]);
	}
}

void
histogram_add(struct histogram *h, uint64_t us)
{
	unsigned i = us ? 64 - (unsigned)__builtin_clzll(us) : 0;

	h->bucket[i < 31 ? i : 31]++;
	h->n++;
	h->sum_us += us;
}

uint64_t
histogram_quantile(const struct histogram *h, double q)
{
	uint64_t want = (uint64_t)((double)h->n * q), seen = 0;

	for (unsigned i = 0; i < 32; i++) {
		seen += h->bucket[i];
		if (seen > want || (seen == h->n && h->n))
			return (uint64_t)1 << i;
	}
	return 0;
}

void
histogram_render(struct buf *out, const char *name, const char *help,
    const struct histogram *h)
{
	uint64_t seen = 0;

	stats_head(out, name, help, "histogram");
	for (unsigned i = 0; i < 31; i++) {
		seen += h->bucket[i];
		buf_printf(out, PREFIX "%s_bucket{le=\"%.6f\"} %llu\n", name,
		    (double)((uint64_t)1 << i) / 1e6, (unsigned long long)seen);
	}
	buf_printf(out,
	    PREFIX "%s_bucket{le=\"+Inf\"} %llu\n" PREFIX "%s_sum %.6f\n" PREFIX
		   "%s_count %llu\n",
	    name, (unsigned long long)h->n, name, (double)h->sum_us / 1e6, name,
	    (unsigned long long)h->n);
}

uint64_t
stats_resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, resident = 0;

	if (f) {
		if (fscanf(f, "%lu %lu", &size, &resident) != 2)
			resident = 0;
		fclose(f);
	}
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
stats_open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (d == NULL)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the directory itself */
}

void
stats_render_process(struct buf *out)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	stats_head(out, "process_resident_bytes", "resident memory", "gauge");
	buf_printf(out, PREFIX "process_resident_bytes %llu\n",
	    (unsigned long long)stats_resident());
	stats_head(out, "process_open_fds", "open descriptors", "gauge");
	buf_printf(out, PREFIX "process_open_fds %llu\n",
	    (unsigned long long)stats_open_fds());
	stats_head(out, "process_cpu_seconds_total", "user and system time",
	    "counter");
	buf_printf(out, PREFIX "process_cpu_seconds_total %.3f\n",
	    (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
}
