/* SPDX-License-Identifier: MIT */
/*
 * Settings read again. The new ones are read into a struct of their own and
 * compared row by row; only rows that may change move over. See conf_reload.h.
 */
#include "shared/proc/conf_reload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/str.h"
#include "shared/proc/clock.h"
#include "shared/proc/conf_value.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"

static int reload_argc;
static char **reload_argv;
static struct conf_news reload_news;

void
conf_reload_keep(int argc, char **argv)
{
	reload_argc = argc;
	reload_argv = argv;
}

static bool
reload_text_differs(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") != 0;
}

static bool
reload_list_differs(char **a, char **b)
{
	static char *none[] = {NULL};

	for (a = a ? a : none, b = b ? b : none; *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return true;
	return *a != *b;
}

static bool
reload_differs(const struct conf_opt *o, void *was, void *now)
{
	void *a = conf_at(was, o), *b = conf_at(now, o);

	switch (o->type) {
	case CONF_T_STR:
	case CONF_T_ADDR:
	case CONF_T_ID:
	case CONF_T_LEVEL:
		return reload_text_differs(*(char **)a, *(char **)b);
	case CONF_T_INT:
		return *(int64_t *)a != *(int64_t *)b;
	case CONF_T_BOOL:
		return *(bool *)a != *(bool *)b;
	case CONF_T_ENUM:
		return *(int *)a != *(int *)b;
	case CONF_T_LIST:
		return reload_list_differs(*(char ***)a, *(char ***)b);
	case CONF_T_GROUP:
		break;
	}
	return false;
}

/* a is the value of b now, and b that of a: whose struct is freed has it */
static void
reload_swap(const struct conf_opt *o, void *was, void *now)
{
	size_t n = o->type == CONF_T_INT    ? sizeof(int64_t)
		   : o->type == CONF_T_BOOL ? sizeof(bool)
		   : o->type == CONF_T_ENUM ? sizeof(int)
					    : sizeof(void *);
	char tmp[sizeof(int64_t)];

	memcpy(tmp, conf_at(was, o), n);
	memcpy(conf_at(was, o), conf_at(now, o), n);
	memcpy(conf_at(now, o), tmp, n);
}

static void
reload_take(const struct conf_program *prog, void *was, void *now)
{
	struct conf_news *news = &reload_news;

	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];

		if (!reload_differs(o, was, now))
			continue;
		if (conf_is_live(prog, o)) {
			news->changed[news->n_changed++] = o->name;
			reload_swap(o, was, now);
			/* no setting is NULL, whatever the file left out */
			if (conf_is_text(o) &&
			    *(char **)conf_at(was, o) == NULL)
				*(char **)conf_at(was, o) = xstrdup("");
		} else {
			news->later[news->n_later++] = o->name;
		}
	}
}

int
conf_reload(const struct conf_program *prog, void *settings)
{
	void *fresh = xcalloc(1, prog->size);
	struct conf_news *news = &reload_news;
	int err;

	news->n_changed = news->n_later = 0;
	news->error[0] = '\0';
	err = conf_read(prog, fresh, NULL, reload_argc, reload_argv,
	    news->error, sizeof news->error);
	if (err == OK)
		reload_take(prog, settings, fresh);
	conf_free(prog, fresh);
	free(fresh);
	return err;
}

void
conf_reload_changed(const char *name)
{
	struct conf_news *news = &reload_news;

	if (!conf_reload_has(name) && news->n_changed < CONF_NEWS_MAX)
		news->changed[news->n_changed++] = name;
}

bool
conf_reload_key(
    const char *name, const char *path, const char *what, uint8_t key[32])
{
	uint8_t fresh[32];
	char why[512];
	bool other;

	if (daemon_key_read(path, what, fresh, why, sizeof why) != OK) {
		conf_reload_trouble("%s", why);
		return false;
	}
	other = memcmp(fresh, key, sizeof fresh) != 0;
	if (other) {
		memcpy(key, fresh, sizeof fresh);
		conf_reload_changed(name);
	}
	explicit_bzero(fresh, sizeof fresh);
	return other;
}

bool
conf_reload_has(const char *name)
{
	for (unsigned i = 0; i < reload_news.n_changed; i++)
		if (!strcmp(reload_news.changed[i], name))
			return true;
	return false;
}

void
conf_reload_trouble(const char *fmt, ...)
{
	size_t n = strlen(reload_news.error);
	va_list ap;

	if (n > 0 && n + 2 < sizeof reload_news.error) {
		memcpy(reload_news.error + n, "; ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(reload_news.error + n, sizeof reload_news.error - n, fmt, ap);
	va_end(ap);
}

void
conf_reload_log(const char *level, const char *file)
{
	enum log_level l;
	int err = conf_reload_has("log_file") ? log_file(file) : log_reopen();

	if (err != 0)
		conf_reload_trouble("log_file %s: %s", file, strerror(errno));
	if (log_level_parse(level, &l))
		log_set_level(l);
}

/* "a, b, c" */
static const char *
reload_names(const char *const *name, unsigned n, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(
		    out + len, size - len, "%s%s", i > 0 ? ", " : "", name[i]);
	return out;
}

void
conf_reload_end(void)
{
	struct conf_news *news = &reload_news;
	char names[600];

	news->count++;
	news->when_ms = clock_wall_ms();
	if (news->error[0] != '\0')
		log_err("settings: %s; what that says stays as it was",
		    news->error);
	if (news->error[0] == '\0' || news->n_changed > 0)
		log_info("settings are read again: %s",
		    news->n_changed == 0
			? "nothing new"
			: reload_names(news->changed, news->n_changed, names,
			      sizeof names));
	if (news->n_later > 0)
		log_warn("a new value is taken at the next start: %s",
		    reload_names(
			news->later, news->n_later, names, sizeof names));
}

const struct conf_news *
conf_reload_news(void)
{
	return &reload_news;
}
