/* SPDX-License-Identifier: MIT */
/* Log lines on stderr. See log.h. */
#include "shared/proc/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/utf8.h"
#include "shared/proc/clock.h"

enum { LOG_LINE_MAX = 1024, LOG_PER_SECOND = 10 };

enum log_level log_level_now = LOG_LEVEL_INFO;
static char log_name[64] = "cchat";
static bool log_journal;

static const struct {
	enum log_level level;
	const char *text;
} log_levels[] = {
    {LOG_LEVEL_ERR, "error"},
    {LOG_LEVEL_WARN, "warn"},
    {LOG_LEVEL_INFO, "info"},
    {LOG_LEVEL_DEBUG, "debug"},
};

void
log_init(const char *name, enum log_level level)
{
	snprintf(log_name, sizeof log_name, "%s", name);
	log_level_now = level;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void
log_set_level(enum log_level level)
{
	log_level_now = level;
}

bool
log_level_parse(const char *s, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(log_levels); i++)
		if (!strcmp(s, log_levels[i].text)) {
			*out = log_levels[i].level;
			return true;
		}
	return false;
}

static const char *
log_level_text(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_LEN(log_levels); i++)
		if (log_levels[i].level == level)
			return log_levels[i].text;
	return "?";
}

/* escapes what could forge a line or a terminal sequence; returns the length */
static size_t
log_escape(char *to, size_t size, const char *text, size_t n)
{
	bool valid = utf8_valid(text, n);
	size_t len = 0;

	for (size_t i = 0; i < n && len + 5 < size; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !valid))
			len += (size_t)snprintf(
			    to + len, size - len, "\\x%02x", c);
		else
			to[len++] = text[i];
	}
	return len;
}

static void
log_write(enum log_level level, const char *text, size_t n)
{
	char line[LOG_LINE_MAX + 4];
	size_t len;

	if (log_journal) {
		len = (size_t)snprintf(
		    line, sizeof line, "<%d>%s: ", (int)level, log_name);
	} else {
		struct timeval tv;
		struct tm tm;

		gettimeofday(&tv, NULL);
		gmtime_r(&tv.tv_sec, &tm);
		len = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
		len += (size_t)snprintf(line + len, sizeof line - len,
		    ".%03dZ %-5s %s: ", (int)(tv.tv_usec / 1000),
		    log_level_text(level), log_name);
	}
	len += log_escape(line + len, LOG_LINE_MAX - len, text, n);
	line[len++] = '\n';
	/* one write per line, so that lines of several threads don't mix */
	if (write(STDERR_FILENO, line, len) < 0) {
		/* there is nowhere left to say it */
	}
}

static void
log_vline(enum log_level level, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];
	int saved = errno, n;

	n = vsnprintf(text, sizeof text, fmt, ap);
	if (n > 0) {
		size_t len =
		    (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
		/* a cut inside a code point would make all of it "invalid" */
		log_write(level, text, utf8_cut(str_n(text, (size_t)n), len));
	}
	errno = saved;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_level_now)
		return;
	va_start(ap, fmt);
	log_vline(level, fmt, ap);
	va_end(ap);
}

void
log_limited(struct log_limit *limit, enum log_level level, const char *fmt, ...)
{
	int64_t second = clock_mono_ms() / 1000;
	va_list ap;

	if (level > log_level_now)
		return;
	if (limit->second != second) {
		uint32_t dropped = limit->dropped;

		*limit = (struct log_limit){.second = second};
		if (dropped)
			log_line(level, "%u similar lines left out",
			    (unsigned)dropped);
	}
	if (limit->n >= LOG_PER_SECOND) {
		limit->dropped++;
		return;
	}
	limit->n++;
	va_start(ap, fmt);
	log_vline(level, fmt, ap);
	va_end(ap);
}

void
fatal(int code, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: %s\n", log_name, text);
	exit(code);
}
