/* SPDX-License-Identifier: MIT */
/*
 * Log lines on stderr, or in a file that can be opened anew. See log.h. No
 * syslog: whoever started the program collects its stderr.
 */
#include "shared/proc/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/utf8.h"
#include "shared/proc/clock.h"

enum { LOG_LINE_MAX = 1024, LOG_PER_SECOND = 10 };

enum log_level log_level_now = LOG_LEVEL_INFO;
static char log_name[64] = "cchat";
static bool log_journal;
/* of log_file; -1: stderr. One number for the whole life of the process: a
 * file opened anew takes it over under the writing threads */
static int log_fd = -1;
static bool log_file_on, log_both;
static char log_path[4096];

static const struct {
	enum log_level level;
	const char *text;
} log_levels[] = {
    {LOG_LEVEL_ERR, "error"},
    {LOG_LEVEL_ERR, "err"},
    {LOG_LEVEL_WARN, "warn"},
    {LOG_LEVEL_INFO, "info"},
    {LOG_LEVEL_DEBUG, "debug"},
};

/* JOURNAL_STREAM is inherited by children whose stderr goes elsewhere */
static bool
log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

void
log_init(const char *name, enum log_level level)
{
	snprintf(log_name, sizeof log_name, "%s", name);
	__atomic_store_n(&log_level_now, level, __ATOMIC_RELAXED);
	log_journal = log_is_journal();
}

void
log_set_level(enum log_level level)
{
	__atomic_store_n(&log_level_now, level, __ATOMIC_RELAXED);
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

/* length of the code point at p that may be shown as it is; 0: escape p[0] */
static size_t
log_plain(const uint8_t *p, size_t n)
{
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (len > n || !utf8_valid(p, len))
		return 0;
	/* C1: terminals obey U+009B as they do ESC [ */
	return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : len;
}

/* escapes what could forge a line or a terminal sequence; returns the length */
static size_t
log_escape(char *to, size_t size, const char *text, size_t n)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t len = 0;

	for (size_t i = 0; i < n && len + 5 < size;) {
		size_t k = log_plain(p + i, n - i);

		if (k) {
			memcpy(to + len, p + i, k);
			len += k;
			i += k;
		} else {
			len += (size_t)snprintf(
			    to + len, size - len, "\\x%02x", p[i]);
			i++;
		}
	}
	return len;
}

/* one write per line, so that lines of several threads don't mix */
static void
log_put(const char *line, size_t len)
{
	bool file = __atomic_load_n(&log_file_on, __ATOMIC_ACQUIRE);

	if (file && write(log_fd, line, len) < 0)
		file = false;
	if ((!file || __atomic_load_n(&log_both, __ATOMIC_RELAXED)) &&
	    write(STDERR_FILENO, line, len) < 0) {
		/* there is nowhere left to say it */
	}
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
	log_put(line, len);
}

/* --- the file -----------------------------------------------------------
 */

int
log_reopen(void)
{
	int fd;

	if (log_path[0] == '\0')
		return 0;
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (log_fd < 0) {
		log_fd = fd;
	} else {
		/* in one step: a thread writes to the old file or to the new */
		if (dup3(fd, log_fd, O_CLOEXEC) < 0) {
			close(fd);
			return -1;
		}
		close(fd);
	}
	__atomic_store_n(&log_file_on, true, __ATOMIC_RELEASE);
	return 0;
}

int
log_file(const char *path)
{
	char old[sizeof log_path];

	if (strcmp(path, "-") == 0)
		path = "";
	if (strlen(path) >= sizeof log_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (path[0] == '\0') {
		log_path[0] = '\0';
		__atomic_store_n(&log_file_on, false, __ATOMIC_RELEASE);
		return 0;
	}
	memcpy(old, log_path, sizeof old);
	snprintf(log_path, sizeof log_path, "%s", path);
	if (log_reopen() == 0)
		return 0;
	memcpy(log_path, old, sizeof log_path);
	return -1;
}

void
log_setup(const char *name, const char *level, const char *file)
{
	enum log_level l = LOG_LEVEL_INFO;

	(void)log_level_parse(level, &l);
	log_init(name, l);
	if (log_file(file) != 0)
		fatal(EXIT_USAGE, "log_file %s: %s", file, strerror(errno));
	__atomic_store_n(&log_both, true, __ATOMIC_RELAXED);
}

void
log_started(void)
{
	__atomic_store_n(&log_both, false, __ATOMIC_RELAXED);
}

__attribute__((format(printf, 2, 0))) static void
log_vline(enum log_level level, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];
	int saved = errno, n;

	n = vsnprintf(text, sizeof text, fmt, ap);
	if (n >= (int)sizeof text) {
		/* half a code point at the cut is no reason for escapes */
		n = (int)sizeof text - 1;
		while (n && ((uint8_t)text[n - 1] & 0xc0) == 0x80)
			n--;
		if (n && (uint8_t)text[n - 1] >= 0xc0)
			n--;
	}
	if (n >= 0)
		log_write(level, text, (size_t)n);
	errno = saved;
}

void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!log_shows(level))
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

	if (!log_shows(level))
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
	if (log_file_on)
		dprintf(log_fd, "%s: %s\n", log_name, text);
	exit(code);
}
