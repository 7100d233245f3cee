/* SPDX-License-Identifier: MIT */
/* One JSON line, and the same as a table. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/report.h"

static FILE *report_json;
static char *report_line;
static size_t report_len;
static bool report_quiet, report_table;

void
report_begin(const struct options *o)
{
	report_quiet = o->json;
	report_table = o->table;
	report_json = open_memstream(&report_line, &report_len);
	fprintf(report_json, "{\"mode\":\"%s\"", o->mode);
	if (!report_quiet)
		printf("%s\n", o->mode);
}

void
report_num(const char *key, double v, const char *unit)
{
	fprintf(report_json, ",\"%s\":%.6g", key, v);
	if (!report_quiet)
		printf("  %-24s %12.6g %s\n", key, v, unit);
}

void
report_int(const char *key, uint64_t v, const char *unit)
{
	fprintf(report_json, ",\"%s\":%" PRIu64, key, v);
	if (!report_quiet)
		printf("  %-24s %12" PRIu64 " %s\n", key, v, unit);
}

void
report_text(const char *key, const char *v)
{
	fprintf(report_json, ",\"%s\":\"%s\"", key, v);
	if (!report_quiet)
		printf("  %-24s %12s\n", key, v);
}

void
report_latency_of(const char *prefix, const struct tally *t)
{
	static const struct {
		const char *key;
		double share;
	} q[] = {
	    {"p50_ms", .5}, {"p90_ms", .9}, {"p99_ms", .99}, {"p999_ms", .999}};
	char key[64];
	size_t i;

	if (t->count == 0)
		return;
	for (i = 0; i < sizeof q / sizeof q[0]; i++) {
		snprintf(key, sizeof key, "%s%s", prefix, q[i].key);
		report_num(key, tally_quantile(t, q[i].share) / 1e3, "");
	}
	snprintf(key, sizeof key, "%smax_ms", prefix);
	report_num(key, (double)t->max_us / 1e3, "");
}

void
report_latency(const struct tally *t)
{
	report_latency_of("", t);
}

static void
report_per_cpu(const char *prefix, const char *what, double work, double cpu)
{
	char key[64];

	/* below ten ticks of the kernel's clock it is a guess */
	if (cpu < 0.1 || work <= 0)
		return;
	snprintf(key, sizeof key, "%s_per_%scpu_s", what, prefix);
	report_num(key, work / cpu, "");
}

void
report_cpu(const struct options *o, const struct usage *a,
    const struct usage *b, double work, const char *what)
{
	double s = (double)(b->at_us - a->at_us) / 1e6;

	report_num("self_cpu_share", (b->self - a->self) / s, "of one core");
	if (o->n_pids == 0)
		return;
	report_num("cpu_share", (b->cpu - a->cpu) / s, "of one core");
	report_num("msg_cpu_share", (b->msg_cpu - a->msg_cpu) / s, "");
	report_per_cpu("", what, work, b->cpu - a->cpu);
	report_per_cpu("msg_", what, work, b->msg_cpu - a->msg_cpu);
	report_int("rss", b->rss, "bytes, all servers");
	report_int("msg_rss", b->msg_rss, "bytes");
}

void
report_end(void)
{
	fprintf(report_json, "}");
	fclose(report_json);
	if (!report_table)
		puts(report_line);
	free(report_line);
	fflush(stdout);
}
