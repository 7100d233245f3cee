/* SPDX-License-Identifier: MIT */
/*
 * cchat.conf, cut into sections before libconfuse reads it. See conf_file.h.
 * It knows braces, comments and quotes as libconfuse's lexer does, but no
 * setting.
 */
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
	if (ferror(f)) {
		conf_fail(e, "%s: %s", file, strerror(errno));
	} else if (n > CONF_FILE_MAX) {
		conf_fail(e, "%s: larger than 1 MiB", file);
	} else if (memchr(text, '\0', n)) {
		conf_fail(e, "%s: not a text file", file);
	} else {
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
	const char *file, *text, *p;
	int line;
	int depth, opened; /* of braces; line of the outermost */
	struct str word;   /* what may become the name of a section */
	struct str section;
	struct conf_error *e;
};

/* libconfuse takes the slashes of http://x for a part of the word */
static bool
conf_at_token(const struct conf_scan *s)
{
	return s->p == s->text || strchr(" \t\r\n{}()=,+\"'", s->p[-1]);
}

/* the end of the comment that begins here; here if none does */
static const char *
conf_comment_end(const struct conf_scan *s)
{
	const char *p = s->p, *end;

	if (*p == '#' || (p[0] == '/' && p[1] == '/' && conf_at_token(s)))
		return p + strcspn(p, "\n");
	if (p[0] == '/' && p[1] == '*' && conf_at_token(s)) {
		end = strstr(p + 2, "*/");
		return end ? end + 2 : p + strlen(p);
	}
	return p;
}

/* the same for quotes */
static const char *
conf_quote_end(const struct conf_scan *s)
{
	const char *p = s->p;
	char quote = *p;

	if (quote != '"' && quote != '\'')
		return p;
	for (p++; *p && *p != quote; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

static bool
conf_is_section(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(conf_sections); i++)
		if (str_eqc(name, conf_sections[i]))
			return true;
	return false;
}

static int
conf_open(struct conf_scan *s)
{
	if (s->depth++)
		return OK;
	s->section = s->word;
	s->word = STR_NONE;
	s->opened = s->line;
	if (conf_is_section(s->section))
		return OK;
	conf_fail(s->e, "%s:%d: no such section '%.*s'", s->file, s->line,
	    STR_ARG(s->section));
	return ERR_CONF;
}

static int
conf_close(struct conf_scan *s)
{
	if (s->depth == 0) {
		conf_fail(
		    s->e, "%s:%d: '}' without a section", s->file, s->line);
		return ERR_CONF;
	}
	s->depth--;
	return OK;
}

/* a character outside of all sections */
static int
conf_outside(struct conf_scan *s)
{
	const char *p = s->p;

	if (isspace((unsigned char)*p))
		return OK;
	if (isalnum((unsigned char)*p) || *p == '_') {
		if (s->word.p && s->word.p + s->word.len == p) {
			s->word.len++;
			return OK;
		}
		if (s->word.p == NULL) {
			s->word = str_n(p, 1);
			return OK;
		}
	}
	conf_fail(s->e,
	    "%s:%d: settings belong inside a section, as in msg_server { }",
	    s->file, s->line);
	return ERR_CONF;
}

/* libconfuse would put the environment's value there; nobody looks for that */
static int
conf_no_env(struct conf_scan *s, const char *to)
{
	for (const char *p = s->p; p < to && *s->p != '\''; p++)
		if (p[0] == '$' && p[1] == '{') {
			conf_fail(s->e,
			    "%s:%d: \"${\" only in single quotes; variables "
			    "are not replaced",
			    s->file, s->line);
			return ERR_CONF;
		}
	return OK;
}

/* moves to `to`; copies to out if it is not NULL */
static void
conf_advance(struct conf_scan *s, const char *to, char *out)
{
	for (; s->p < to; s->p++) {
		s->line += *s->p == '\n';
		if (out)
			out[s->p - s->text] = *s->p;
	}
}

static int
conf_step(struct conf_scan *s, const char *name, char *out)
{
	const char *to = conf_comment_end(s);
	bool mine = s->depth > 0 && str_eqc(s->section, name);

	if (to != s->p) {
		/* left out: libconfuse loses count of lines in comments */
		conf_advance(s, to, NULL);
		return OK;
	}
	to = conf_quote_end(s);
	if (to == s->p)
		to++;
	if (mine && conf_no_env(s, to) != OK)
		return ERR_CONF;
	if (*s->p == '{') {
		if (conf_open(s) != OK)
			return ERR_CONF;
	} else if (*s->p == '}') {
		if (conf_close(s) != OK)
			return ERR_CONF;
		mine = mine && s->depth > 0;
	} else if (s->depth == 0 && conf_outside(s) != OK) {
		return ERR_CONF;
	}
	conf_advance(s, to, mine ? out : NULL);
	return OK;
}

/* cuts what follows the section, so that an error at its end has its line */
static void
conf_cut(char *out, size_t len)
{
	while (len && isspace((unsigned char)out[len - 1]))
		len--;
	out[len] = '\0';
}

char *
conf_section(
    const char *file, const char *text, const char *name, struct conf_error *e)
{
	struct conf_scan s = {
	    .file = file, .text = text, .p = text, .line = 1, .e = e};
	size_t len = strlen(text);
	char *out = xmalloc(len + 1);
	int err = OK;

	for (size_t i = 0; i < len; i++)
		out[i] = text[i] == '\n' ? '\n' : ' ';
	out[len] = '\0';
	while (*s.p && err == OK)
		err = conf_step(&s, name, out);
	if (err == OK && s.depth) {
		conf_fail(e, "%s:%d: section '%.*s' is never closed", file,
		    s.opened, STR_ARG(s.section));
		err = ERR_CONF;
	}
	if (err == OK && s.word.p) {
		conf_fail(e, "%s:%d: '%.*s' is no section", file, s.line,
		    STR_ARG(s.word));
		err = ERR_CONF;
	}
	if (err != OK) {
		free(out);
		return NULL;
	}
	conf_cut(out, len);
	return out;
}
