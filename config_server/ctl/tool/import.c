/* SPDX-License-Identifier: MIT */
/*
 * import-credentials: reads a file of credentials (import_line.h) and sets them
 * one by one through the HTTP API of a msg_server. It says how many, and which
 * lines were no good; a token is neither printed nor part of an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/tool/import_line.h"
#include "config_server/ctl/tool/tool.h"
#include "shared/base/err.h"
#include "shared/proc/log.h"

enum {
	IMPORT_KEY_MAX = 128, /* bytes of an API key */
	IMPORT_MS = 15000,
	IMPORT_FAILS = 20, /* in a row: nobody is there */
	IMPORT_TRIES = 5,  /* of one, while the log changes hands */
	IMPORT_PAUSE_MS = 500
};

static const char *const import_flags[] = {"--api-key", "--url"};

static struct tool import_tool = {
    .flags = import_flags, .n_flags = ARRAY_LEN(import_flags)};

struct import {
	char address[128]; /* of a msg_server */
	char field[IMPORT_KEY_MAX + 64];
	unsigned long line, set, refused;
	unsigned in_a_row;
};

int
import_take(int argc, char **argv)
{
	return tool_take(&import_tool, argc, argv);
}

/* "ws://HOST:PORT/ws", "http://HOST:PORT" or "HOST:PORT" */
static void
import_set_address(struct import *m, const char *url)
{
	const char *p = strstr(url, "://");

	p = p != NULL ? p + 3 : url;
	snprintf(
	    m->address, sizeof m->address, "%.*s", (int)strcspn(p, "/"), p);
}

/* a msg_server that is up; an exit code */
static int
import_find(const struct ctl_args *a, struct import *m)
{
	const char *url = tool_value(&import_tool, "--url");
	json_t *v;
	int code;

	if (url != NULL) {
		import_set_address(m, url);
		return EXIT_OK;
	}
	code = cmd_talk(a, "GET", "/v1/next", STR_NONE, CMD_ERRORS, &v);
	if (v == NULL)
		return code;
	url = json_string_value(json_object_get(v, "url"));
	if (url != NULL)
		import_set_address(m, url);
	json_decref(v);
	if (m->address[0] != '\0')
		return EXIT_OK;
	fprintf(stderr, "cchatctl: no msg_server is up; or name one: --url\n");
	return EXIT_NOT_RUNNING;
}

static void
import_read_key(const struct ctl_args *a, struct import *m)
{
	const char *given = tool_value(&import_tool, "--api-key");
	char path[4096], key[IMPORT_KEY_MAX + 2];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/api.key", a->set.data);
	if (given == NULL)
		given = path;
	fd = open(given, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, key, sizeof key - 1) : -1;
	if (fd >= 0)
		close(fd);
	while (n > 0 && (key[n - 1] == '\n' || key[n - 1] == '\r'))
		n--;
	if (n <= 0 || n > IMPORT_KEY_MAX)
		fatal(EXIT_USAGE,
		    "%s: no API key; name the api_key_file of the "
		    "msg_servers: --api-key FILE",
		    given);
	key[n] = '\0';
	snprintf(
	    m->field, sizeof m->field, "Authorization: Bearer %s\r\n", key);
}

static int
import_put(const struct import *m, const char *target, struct str body,
    struct buf *out)
{
	unsigned tries;
	int status = 503;

	for (tries = 0; status == 503 && tries < IMPORT_TRIES; tries++) {
		if (tries > 0)
			(void)poll(NULL, 0, IMPORT_PAUSE_MS);
		buf_reset(out);
		status = ctl_http_put(
		    m->address, target, m->field, body, IMPORT_MS, out);
	}
	return status;
}

static void
import_one(void *arg, const struct import_credential *c)
{
	struct import *m = arg;
	char target[CMD_TARGET_MAX], why[160];
	struct buf body, out;
	struct jw w;
	json_t *v;
	int status, err;

	if (m->in_a_row >= IMPORT_FAILS)
		return;
	snprintf(target, sizeof target, "/v1/users/%.*s/credentials",
	    STR_ARG(c->uid));
	buf_init(&body, 4096);
	buf_init(&out, 65536);
	jw_init(&w, &body);
	jw_obj(&w, NULL);
	jw_str(&w, "source", c->source);
	jw_str(&w, "token", c->token);
	jw_int(&w, "expires", c->expires);
	jw_obj_end(&w);
	status = import_put(m, target, buf_str(&body), &out);
	if (status == 200) {
		m->set++;
		m->in_a_row = 0;
	} else {
		m->refused++;
		m->in_a_row = status < 0 || status == 401 ? m->in_a_row + 1 : 0;
		v = json_read(buf_str(&out), &err);
		str_copy(why, sizeof why,
		    json_str(json_object_get(v, "error"), "msg"));
		json_decref(v);
		fprintf(stderr, "cchatctl: line %lu: %s\n", m->line,
		    status < 0 ? err_text(status)
			       : (why[0] != '\0' ? why : "refused"));
	}
	explicit_bzero(body.data, body.cap);
	buf_fini(&body);
	buf_fini(&out);
}

static void
import_file(struct import *m, FILE *f)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (
	    m->in_a_row < IMPORT_FAILS && (n = getline(&line, &cap, f)) >= 0) {
		m->line++;
		if (import_line(str_n(line, (size_t)n), import_one, m) >= 0)
			continue;
		m->refused++;
		fprintf(stderr,
		    "cchatctl: line %lu: no \"uid source token [expires]\", "
		    "nor think_serialize:\n",
		    m->line);
	}
	if (line != NULL)
		explicit_bzero(line, cap);
	free(line);
}

int
verb_import(const struct ctl_args *a)
{
	struct import m = {.line = 0};
	FILE *f;
	int code;

	if (a->n_words != 1) {
		fprintf(stderr, "cchatctl: import-credentials takes one FILE, "
				"- is standard input\n");
		return EXIT_USAGE;
	}
	import_read_key(a, &m);
	f = strcmp(a->word[0], "-") != 0 ? fopen(a->word[0], "re") : stdin;
	if (f == NULL)
		fatal(EXIT_USAGE, "%s: %s", a->word[0], strerror(errno));
	code = import_find(a, &m);
	if (code == EXIT_OK)
		import_file(&m, f);
	if (f != stdin)
		fclose(f);
	explicit_bzero(m.field, sizeof m.field);
	if (code != EXIT_OK)
		return code;
	if (m.in_a_row >= IMPORT_FAILS)
		fprintf(stderr, "cchatctl: line %lu: given up\n", m.line);
	if (a->json)
		printf("{\"set\":%lu,\"refused\":%lu,\"lines\":%lu}\n", m.set,
		    m.refused, m.line);
	else
		printf("%lu credentials set, %lu refused\n", m.set, m.refused);
	return m.refused == 0 ? EXIT_OK : EXIT_FAILED;
}
