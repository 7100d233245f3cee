/* SPDX-License-Identifier: MIT */
/*
 * Asking the config_server, and the cells of tables made of its answers. What
 * is asked is in ctl_cmds.c and ctl_drain.c.
 */
#include <stdio.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"
#include "shared/base/id.h"
#include "shared/proc/clock.h"

/* ---- asking ----------------------------------------------------------- */

const char *
cmd_address(const struct ctl_args *a)
{
	static char text[128];
	json_t *state;

	if (a->given_config || state_pid(a->set.data) == 0)
		return a->set.config_server;
	state = state_read(a->set.data);
	snprintf(text, sizeof(text), "%s", state_text(state, "config"));
	json_decref(state);
	return text[0] != '\0' ? text : a->set.config_server;
}

static int
cmd_fail(const char *address, int status, struct str body)
{
	const char *msg = NULL;
	json_t *v;
	int err;

	if (status == ERR_IO) {
		fprintf(stderr,
		    "cchatctl: no config_server answers at %s; does the "
		    "cluster run? (cchatctl status)\n",
		    address);
		return EXIT_NOT_RUNNING;
	}
	v = json_read(body, &err);
	msg = json_string_value(
	    json_object_get(json_object_get(v, "error"), "msg"));
	if (status < 0)
		fprintf(
		    stderr, "cchatctl: %s: %s\n", address, err_text(status));
	else
		fprintf(stderr, "cchatctl: %s (%d)\n",
		    msg != NULL ? msg : "unexpected answer", status);
	json_decref(v);
	return EXIT_FAILED;
}

int
cmd_talk(const struct ctl_args *a, const char *method, const char *target,
    struct str body, enum cmd_loud loud, json_t **out)
{
	const char *address = cmd_address(a);
	struct buf in;
	int status, code = EXIT_OK, err;
	bool good;

	*out = NULL;
	buf_init(&in, CTL_HTTP_MAX);
	status = body.len > 0
		     ? ctl_http_post(address, target, body, CTL_HTTP_MS, &in)
		     : ctl_http(method, address, target, CTL_HTTP_MS, &in);
	good = status == 200 || status == 202;
	if (a->json && status > 0 && loud <= (good ? CMD_ALL : CMD_ERRORS))
		printf("%.*s\n", STR_ARG(buf_str(&in)));
	if (good) {
		*out = json_read(buf_str(&in), &err);
		if (*out == NULL)
			status = ERR_PROTO;
	}
	if (*out == NULL && (loud == CMD_NOTHING || (a->json && status > 0)))
		code = status == ERR_IO ? EXIT_NOT_RUNNING : EXIT_FAILED;
	else if (*out == NULL)
		code = cmd_fail(address, status, buf_str(&in));
	buf_fini(&in);
	return code;
}

int
cmd_ask(const struct ctl_args *a, const char *method, const char *target,
    json_t **out)
{
	return cmd_talk(a, method, target, STR_NONE, CMD_ALL, out);
}

json_t *
cmd_list(const struct ctl_args *a, const char *target, int *code)
{
	json_t *v;

	*code = cmd_ask(a, "GET", target, &v);
	if (!a->json)
		return v;
	json_decref(v);
	return NULL;
}

int64_t
cmd_int(const json_t *obj, const char *key)
{
	int64_t v = 0;

	(void)json_int(obj, key, &v);
	return v;
}

void
cmd_put(struct table *t, const json_t *obj, const char *key)
{
	struct str s = json_str(obj, key);

	table_put(t, s.len > 0 ? s : STR_LIT("-"), TABLE_PLAIN);
}

void
cmd_put_int(struct table *t, const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (v == NULL)
		table_put(t, STR_LIT("-"), TABLE_PLAIN);
	else if (json_is_real(v))
		table_putf(t, TABLE_PLAIN, "%.1f", json_real_value(v));
	else
		table_putf(
		    t, TABLE_PLAIN, "%lld", (long long)cmd_int(obj, key));
}

void
cmd_put_age(struct table *t, int64_t wall_ms)
{
	char age[32];

	table_age(clock_wall_ms() - wall_ms, age, sizeof(age));
	table_put(t, str_of(wall_ms > 0 ? age : "-"), TABLE_PLAIN);
}

void
cmd_put_state(struct table *t, const json_t *obj)
{
	struct str s = json_str(obj, "state");

	table_put(t, s,
	    str_eqc(s, "up")	 ? TABLE_GREEN
	    : str_eqc(s, "down") ? TABLE_RED
				 : TABLE_YELLOW);
}

const json_t *
cmd_item(const json_t *v, const char *key, size_t i)
{
	return json_array_get(json_object_get(v, key), i);
}

const char *
cmd_word(const struct ctl_args *a, const char *what)
{
	if (a->n_words == 1 && id_is_word(str_of(a->word[0])))
		return a->word[0];
	fprintf(stderr, "cchatctl: %s; see -h\n", what);
	return NULL;
}

const char *
cmd_limit(const struct ctl_args *a, const char *def)
{
	return a->limit != NULL ? a->limit : def;
}

bool
cmd_plain(const char *s)
{
	return s == NULL || id_is_word(str_of(s));
}

bool
cmd_number(const char *s, uint64_t min, uint64_t max)
{
	uint64_t n;

	return s == NULL ||
	       (str_u64(str_of(s), &n) == 0 && n >= min && n <= max);
}
