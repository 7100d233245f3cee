/* SPDX-License-Identifier: MIT */
/* Processor time and memory of other processes, and of this one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/engine.h"
#include "tests/bench/usage.h"

static void
usage_slurp(const struct server_pid *s, const char *what, char *p, size_t size)
{
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/%s", s->pid, what);
	f = fopen(path, "r");
	if (f == NULL) {
		fprintf(
		    stderr, "cchat_bench: %s (%d) is gone\n", s->name, s->pid);
		exit(1);
	}
	n = fread(p, 1, size - 1, f);
	p[n] = '\0';
	fclose(f);
}

static uint64_t
usage_kib(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p == NULL ? 0 : strtoull(p + strlen(key), NULL, 10) * 1024;
}

/* not readable by everybody: then it is left out */
static uint64_t
usage_disk(const struct server_pid *s)
{
	char path[64], line[128];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/io", s->pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "read_bytes: ", 12) == 0)
			n = strtoull(line + 12, NULL, 10);
	fclose(f);
	return n;
}

/* seconds of all its threads; /proc/PID/stat knows hundredths only */
static double
usage_cpu(const struct server_pid *s)
{
	struct timespec t;
	clockid_t id;

	if (clock_getcpuclockid(s->pid, &id) != 0 ||
	    clock_gettime(id, &t) != 0) {
		fprintf(
		    stderr, "cchat_bench: %s (%d) is gone\n", s->name, s->pid);
		exit(1);
	}
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
usage_one(const struct server_pid *s, struct usage *u)
{
	char text[4096];
	uint64_t rss, anon;
	double cpu = usage_cpu(s);

	usage_slurp(s, "status", text, sizeof text);
	rss = usage_kib(text, "VmRSS:");
	anon = usage_kib(text, "RssAnon:");
	u->disk += usage_disk(s);
	u->cpu += cpu;
	u->rss += rss;
	u->anon += anon;
	if (strncmp(s->name, "ms", 2) == 0) {
		u->msg_cpu += cpu;
		u->msg_rss += rss;
		u->msg_anon += anon;
	}
}

void
usage_read(const struct options *o, struct usage *u)
{
	struct rusage ru;
	size_t i;

	*u = (struct usage){.at_us = engine_clock_us()};
	for (i = 0; i < o->n_pids; i++)
		usage_one(&o->pid[i], u);
	getrusage(RUSAGE_SELF, &ru);
	u->self = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		  (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}
