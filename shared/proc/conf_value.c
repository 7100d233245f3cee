/* SPDX-License-Identifier: MIT */
/*
 * One setting as text into the struct of its program, judged by its row.
 * Where the text comes from, and what is said in front of the message, is
 * conf.c's.
 */
#include "shared/proc/conf_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "shared/base/id.h"
#include "shared/proc/conf_help.h"
#include "shared/proc/log.h"

void *
conf_at(void *settings, const struct conf_opt *o)
{
	return (char *)settings + o->off;
}

static bool
conf_bool(const char *v, bool *out)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (!strcmp(v, yes[i]) || !strcmp(v, no[i])) {
			*out = !strcmp(v, yes[i]);
			return true;
		}
	}
	return false;
}

void
conf_words(const struct conf_opt *o, const char *between, char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; o->words[i] && len < size; i++)
		len += (size_t)snprintf(to + len, size - len, "%s%s",
		    i ? between : "", o->words[i]);
}

/* a name that needs a resolver is none: nothing here waits for one */
static bool
conf_is_addr(const char *v)
{
	const char *colon = strrchr(v, ':');
	char host[64];
	uint8_t bin[sizeof(struct in6_addr)];
	uint64_t port;
	size_t n;

	if (v[0] == '\0' || !strncmp(v, "unix:", 5))
		return v[0] == '\0' ||
		       (v[5] != '\0' &&
			   strlen(v + 5) <
			       sizeof(((struct sockaddr_un *)0)->sun_path));
	if (colon == NULL || strlen(colon + 1) > 5 ||
	    str_u64(str_of(colon + 1), &port) != 0 || port > 65535)
		return false;
	n = (size_t)(colon - v);
	if (n >= sizeof(host))
		return false;
	str_copy(host, sizeof(host), str_n(v, n));
	if (host[0] != '[')
		return !strcmp(host, "localhost") ||
		       inet_pton(AF_INET, host, bin) == 1;
	if (host[n - 1] != ']')
		return false;
	host[n - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, bin) == 1;
}

bool
conf_is_text(const struct conf_opt *o)
{
	return o->type == CONF_T_STR || o->type == CONF_T_ADDR ||
	       o->type == CONF_T_ID || o->type == CONF_T_LEVEL;
}

static void
conf_set_str(const struct conf_opt *o, void *settings, const char *v)
{
	free(*(char **)conf_at(settings, o));
	*(char **)conf_at(settings, o) = xstrdup(v);
}

int
conf_set(const struct conf_opt *o, void *settings, const char *v,
    struct conf_error *e)
{
	char words[256], *end;
	enum log_level level;
	long long n;

	switch (o->type) {
	case CONF_T_ADDR:
		if (!conf_is_addr(v)) {
			conf_fail(e,
			    "'%s' is not an address (setting '%s'): "
			    "127.0.0.1:9503, [::1]:9503, unix:/path",
			    v, o->name);
			return ERR_CONF;
		}
		conf_set_str(o, settings, v);
		return OK;
	case CONF_T_ID:
		if (!id_is_word(str_of(v))) {
			conf_fail(e,
			    "'%s' is no name (setting '%s'): letters, digits, "
			    "- and _, at most 32",
			    v, o->name);
			return ERR_CONF;
		}
		conf_set_str(o, settings, v);
		return OK;
	case CONF_T_LEVEL:
		if (!log_level_parse(v, &level)) {
			conf_fail(e,
			    "'%s' is none of err, warn, info, debug "
			    "(setting '%s')",
			    v, o->name);
			return ERR_CONF;
		}
		conf_set_str(o, settings, v);
		return OK;
	case CONF_T_STR:
		conf_set_str(o, settings, v);
		return OK;
	case CONF_T_INT:
		errno = 0;
		n = strtoll(v, &end, 10);
		if (end == v || *end || errno) {
			conf_fail(e, "'%s' is not a number (setting '%s')", v,
			    o->name);
			return ERR_CONF;
		}
		if (n < o->min || n > o->max) {
			conf_fail(e,
			    "%lld is out of range for '%s' (%lld to %lld)", n,
			    o->name, (long long)o->min, (long long)o->max);
			return ERR_CONF;
		}
		*(int64_t *)conf_at(settings, o) = n;
		return OK;
	case CONF_T_BOOL:
		if (conf_bool(v, conf_at(settings, o)))
			return OK;
		conf_fail(
		    e, "'%s' is neither yes nor no (setting '%s')", v, o->name);
		return ERR_CONF;
	case CONF_T_ENUM:
		for (int i = 0; o->words[i]; i++)
			if (!strcmp(v, o->words[i])) {
				*(int *)conf_at(settings, o) = i;
				return OK;
			}
		conf_words(o, ", ", words, sizeof words);
		conf_fail(
		    e, "'%s' is none of %s (setting '%s')", v, words, o->name);
		return ERR_CONF;
	case CONF_T_LIST:
	case CONF_T_GROUP:
		break;
	}
	return ERR_CONF;
}

void
conf_list_free(char **list)
{
	for (char **v = list; v && *v; v++)
		free(*v);
	free(list);
}

int
conf_set_list(const struct conf_opt *o, void *settings,
    const char *const *values, size_t n, struct conf_error *e)
{
	char **list;

	if (n > CONF_LIST_MAX) {
		conf_fail(
		    e, "more than %d values for '%s'", CONF_LIST_MAX, o->name);
		return ERR_CONF;
	}
	list = xcalloc(n + 1, sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = xstrdup(values[i]);
	conf_list_free(*(char ***)conf_at(settings, o));
	*(char ***)conf_at(settings, o) = list;
	return OK;
}

/* "a,b" of a flag or a default */
int
conf_set_text(const struct conf_opt *o, void *settings, const char *v,
    struct conf_error *e)
{
	const char *values[CONF_LIST_MAX + 1];
	size_t n = 0;
	struct str rest = str_of(v), part;
	int err;

	if (o->type != CONF_T_LIST)
		return conf_set(o, settings, v, e);
	while (n <= CONF_LIST_MAX && str_next(&rest, ',', &part)) {
		part = str_trim(part);
		if (part.len)
			values[n++] = str_dup(part);
	}
	err = conf_set_list(o, settings, values, n, e);
	while (n--)
		free((void *)(uintptr_t)values[n]);
	return err;
}
