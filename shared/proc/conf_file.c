/* SPDX-License-Identifier: MIT */
/* cchat.conf, cut into sections. See conf_file.h. */
#include "shared/proc/conf_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONF_FILE_MAX = 1024 * 1024 };

static const char *const conf_sections[] = {
    "cluster", "msg_server", "proxy_server", "config_server", "cchatctl"};

void
conf_fail(struct conf_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, e->size, fmt, ap);
	va_end(ap);
}

char *
conf_slurp(const char *file, struct conf_error *e)
{
	FILE *f = fopen(file, "re");
	char *text;
	size_t n;

	if (f == NULL) {
		conf_fail(e, "%s: %s", file, strerror(errno));
		return NULL;
	}
	text = xmalloc(CONF_FILE_MAX + 1);
	n = fread(text, 1, CONF_FILE_MAX + 1, f);
	if (ferror(f))
		conf_fail(e, "%s: %s", file, strerror(errno));
	else if (n > CONF_FILE_MAX)
		conf_fail(e, "%s: larger than 1 MiB", file);
	else if (memchr(text, '\0', n))
		conf_fail(e, "%s: not a text file", file);
	else {
		text[n] = '\0';
		fclose(f);
		return text;
	}
	fclose(f);
	free(text);
	return NULL;
}

/* where the scanner stands */
struct conf_scan {
	const char *p;
	int line;
};

/* behind a comment or a quoted string that starts at p; p itself otherwise */
static const char *
conf_skip(struct conf_scan *s)
{
	const char *p = s->p;

	if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
		while (*p && *p != '\n')
			p++;
	} else if (p[0] == '/' && p[1] == '*') {
		for (p += 2; *p && !(p[0] == '*' && p[1] == '/'); p++)
			s->line += *p == '\n';
		p += *p ? 2 : 0;
	} else if (*p == '"' || *p == '\'') {
		char quote = *p++;

		for (; *p && *p != quote; p++) {
			s->line += *p == '\n';
			if (*p == '\\' && p[1])
				p++;
		}
		p += *p ? 1 : 0;
	}
	return p;
}

static bool
conf_is_section(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(conf_sections); i++)
		if (str_eqc(name, conf_sections[i]))
			return true;
	return false;
}

char *
conf_section(
    const char *file, const char *text, const char *name, struct conf_error *e)
{
	size_t len = strlen(text);
	char *out = xmalloc(len + 1);
	struct conf_scan s = {text, 1};
	struct str word = STR_NONE, section = STR_NONE;
	int depth = 0, opened = 0;

	for (size_t i = 0; i < len; i++)
		out[i] = text[i] == '\n' ? '\n' : ' ';
	out[len] = '\0';
	while (*s.p) {
		const char *from = s.p, *to = conf_skip(&s);
		bool inside = depth > 0 && str_eqc(section, name);

		if (to != from) {
			if (inside)
				memcpy(out + (from - text), from,
				    (size_t)(to - from));
			s.p = to;
			continue;
		}
		if (*from == '{' && depth++ == 0) {
			section = word;
			opened = s.line;
			if (!conf_is_section(section)) {
				conf_fail(e, "%s:%d: no such section '%.*s'",
				    file, s.line, STR_ARG(section));
				goto fail;
			}
			inside = false;
		}
		if (*from == '}') {
			if (depth == 0) {
				conf_fail(e, "%s:%d: '}' without a section",
				    file, s.line);
				goto fail;
			}
			if (--depth == 0) {
				inside = false;
				word = STR_NONE;
			}
		}
		if (depth == 0 && *from != '}' && *from != '{') {
			if (isalnum((unsigned char)*from) || *from == '_') {
				if (word.p && word.p + word.len == from)
					word.len++;
				else
					word = str_n(from, 1);
			} else if (!isspace((unsigned char)*from)) {
				conf_fail(e,
				    "%s:%d: settings belong inside a section "
				    "such as msg_server { }",
				    file, s.line);
				goto fail;
			}
		}
		if (inside)
			out[from - text] = *from;
		s.line += *from == '\n';
		s.p++;
	}
	if (depth) {
		conf_fail(e, "%s:%d: section '%.*s' is never closed", file,
		    opened, STR_ARG(section));
		goto fail;
	}
	if (word.p) {
		conf_fail(e, "%s:%d: '%.*s' is no section", file, s.line,
		    STR_ARG(word));
		goto fail;
	}
	return out;
fail:
	free(out);
	return NULL;
}
