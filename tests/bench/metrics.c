/* SPDX-License-Identifier: MIT */
/* One plain HTTP question each, with a deadline; no parser but strstr. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/bench/metrics.h"
#include "tests/bench/report.h"

enum { METRICS_TEXT = 1 << 18, METRICS_WAIT_S = 5 };

static const struct {
	const char *name;
	size_t at;
} metrics_names[] = {
    {"cchat_proxy_reads_file_total", offsetof(struct metrics, log_file)},
    {"cchat_proxy_reads_memory_total", offsetof(struct metrics, log_memory)},
    {"cchat_msg_recent_hits_total", offsetof(struct metrics, hits)},
    {"cchat_msg_recent_misses_total", offsetof(struct metrics, misses)},
    {"cchat_msg_recent_shared_total", offsetof(struct metrics, shared)},
    {"cchat_msg_lag_total", offsetof(struct metrics, lagged)},
    {"cchat_msg_gap_repairs_total", offsetof(struct metrics, repairs)},
};

static size_t
metrics_fetch(const struct target *t, char *text)
{
	static const char ask[] = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				  "Connection: close\r\n\r\n";
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(t->port)};
	struct timeval wait = {.tv_sec = METRICS_WAIT_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t r;

	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (inet_pton(AF_INET, t->host, &to.sin_addr) == 1 &&
	    connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	    send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == sizeof ask - 1)
		while (n < METRICS_TEXT - 1 &&
		       (r = recv(fd, text + n, METRICS_TEXT - 1 - n, 0)) > 0)
			n += (size_t)r;
	close(fd);
	text[n] = '\0';
	return n;
}

static void
metrics_add(struct metrics *m, const char *text)
{
	size_t i, len;
	const char *p;

	for (i = 0; i < sizeof metrics_names / sizeof metrics_names[0]; i++) {
		len = strlen(metrics_names[i].name);
		for (p = text; (p = strstr(p, metrics_names[i].name)) != NULL;
		     p += len)
			if (p > text && p[-1] == '\n' && p[len] == ' ')
				*(double *)((char *)m + metrics_names[i].at) +=
				    strtod(p + len, NULL);
	}
}

void
metrics_read(const struct options *o, const char *except, struct metrics *m)
{
	char *text = malloc(METRICS_TEXT);
	size_t i;

	*m = (struct metrics){.known = o->n_admins > 0 && text != NULL};
	for (i = 0; m->known && i < o->n_admins; i++) {
		if (except != NULL && strcmp(except, o->admin[i].name) == 0)
			continue;
		if (metrics_fetch(&o->admin[i].at, text) > 0 &&
		    strncmp(text, "HTTP/1.1 200", 12) == 0)
			metrics_add(m, text);
		else
			fprintf(stderr, "cchat_bench: no counters of %s\n",
			    o->admin[i].name);
	}
	free(text);
}

static void
metrics_one(const char *key, double v, const char *what)
{
	report_int(key, v > 0 ? (uint64_t)v : 0, what);
}

void
metrics_report(const struct metrics *a, const struct metrics *b)
{
	if (!a->known || !b->known)
		return;
	metrics_one("log_file_reads", b->log_file - a->log_file,
	    "pages of the log from its file");
	metrics_one("log_memory_reads", b->log_memory - a->log_memory,
	    "pages of the log from its memory");
	metrics_one("recent_hits", b->hits - a->hits,
	    "pages from the msg_servers' memory");
	metrics_one(
	    "recent_misses", b->misses - a->misses, "pages asked of the log");
	metrics_one(
	    "recent_shared", b->shared - a->shared, "cursors sharing those");
	metrics_one("lagged", b->lagged - a->lagged, "times");
	metrics_one("repairs", b->repairs - a->repairs, "gaps read back");
}
