/* SPDX-License-Identifier: MIT */
/*
 * status: what runs on this machine, from the supervisor's own state and each
 * daemon's /readyz and /process.
 */
#include <stdio.h>
#include <string.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/live/live.h"
#include "shared/base/err.h"
#include "shared/proc/clock.h"

/* asks every server whether it is ready and what it does; into the state */
static bool
status_look(json_t *state, json_t *config)
{
	const char *active = state_text(config, "active");
	json_t *list = json_object_get(state, "servers"), *s, *v;
	bool all = true, ready;
	int status;
	size_t i;

	json_array_foreach(list, i, s)
	{
		v = live_ask(state_text(s, "admin"), "/readyz", &status);
		json_decref(v);
		ready = status == 200;
		all &= ready;
		json_object_set_new(s, "ready", json_boolean(ready));
		v = live_ask(state_text(s, "admin"), "/process", &status);
		if (status == 200)
			json_object_set(s, "process", v);
		json_decref(v);
		if (!strcmp(state_text(s, "role"), "proxy"))
			json_object_set_new(s, "active",
			    json_boolean(
				!strcmp(active, state_text(s, "name"))));
	}
	return all;
}

static void
status_put_state(struct table *t, const json_t *s)
{
	bool ready = json_bool(s, "ready", false);
	const char *state = state_text(s, "state");

	if (ready && json_bool(s, "active", false))
		table_put(t, STR_LIT("active"), TABLE_GREEN);
	else if (ready && !strcmp(state_text(s, "role"), "proxy"))
		table_put(t, STR_LIT("standby"), TABLE_GREEN);
	else if (ready)
		table_put(t, STR_LIT("ready"), TABLE_GREEN);
	else
		table_putf(t, TABLE_RED, "%s",
		    strcmp(state, "up") != 0 ? state : "not ready");
}

/* "127.0.0.1:9503 (public)" of all but the admin's, which is a column */
static void
status_put_listening(struct table *t, const json_t *s)
{
	json_t *list = json_object_get(s, "listening"), *v;
	char text[800] = "";
	size_t i, n = 0;

	json_array_foreach(list, i, v)
	{
		const char *one = json_string_value(v);

		if (one == NULL || strstr(one, "(admin)") != NULL)
			continue;
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "%s%s", n > 0 ? ", " : "", one);
		if (n >= sizeof(text))
			break;
	}
	table_put(t, str_of(text), TABLE_PLAIN);
}

/* how often it ended, and how the last time */
static void
status_put_restarts(struct table *t, const json_t *s)
{
	int64_t restarts = cmd_int(s, "restarts"), code = cmd_int(s, "exit");

	table_putf(t, restarts > 0 ? TABLE_YELLOW : TABLE_PLAIN, "%lld",
	    (long long)restarts);
	if (code < 0)
		table_put(t, STR_LIT("-"), TABLE_DIM);
	else if (code > 128)
		table_putf(
		    t, TABLE_YELLOW, "signal %lld", (long long)code - 128);
	else
		table_putf(t, TABLE_PLAIN, "code %lld", (long long)code);
}

static void
status_put_server(struct table *t, const json_t *s)
{
	static const char *const figures[] = {
	    "connections", "send_failures", "timers", "requests", "qps"};
	const json_t *p = json_object_get(s, "process");
	int64_t pid = cmd_int(s, "pid");
	char age[32] = "-";

	if (pid > 0)
		table_age(
		    clock_wall_ms() - cmd_int(s, "since"), age, sizeof(age));
	table_put(t, json_str(s, "name"), TABLE_BOLD);
	table_putf(t, TABLE_PLAIN, "%s_server", state_text(s, "role"));
	status_put_state(t, s);
	table_putf(t, TABLE_PLAIN, "%lld", (long long)pid);
	table_put(t, str_of(age), TABLE_PLAIN);
	if (p != NULL)
		table_putf(t, TABLE_PLAIN, "%.1f",
		    (double)cmd_int(p, "rss_kb") / 1024.);
	else
		table_put(t, STR_LIT("-"), TABLE_DIM);
	for (size_t i = 0; i < ARRAY_LEN(figures); i++)
		cmd_put_int(t, p, figures[i]);
	status_put_restarts(t, s);
	table_put(t, json_str(s, "admin"), TABLE_DIM);
	/* the only one that may be wider than a terminal: last */
	status_put_listening(t, s);
}

static void
status_print(const json_t *state)
{
	static const char *const head[] = {"NAME", "ROLE", "STATE", ">PID",
	    ">UP", ">MEM MB", ">CONNS", ">FAILS", ">TIMERS", ">REQUESTS",
	    ">QPS", ">RESTARTS", "EXIT", "ADMIN", "LISTENING", NULL};
	const json_t *s;
	struct table t;

	printf("%s%s%s  version %s, data in %s\n\n",
	    table_color(stdout, TABLE_GREEN), state_text(state, "page"),
	    table_color(stdout, TABLE_PLAIN), state_text(state, "version"),
	    state_text(state, "data"));
	table_init(&t, head);
	for (size_t i = 0; (s = cmd_item(state, "servers", i)) != NULL; i++)
		status_put_server(&t, s);
	table_print(&t, stdout, NULL);
}

int
verb_status(const struct ctl_args *a)
{
	json_t *state, *config;
	int status;
	bool all;

	if (state_pid(a->set.data) == 0)
		return live_not_running(a);
	state = state_read(a->set.data);
	config = live_ask(state_text(state, "config"), "/status", &status);
	all = status_look(state, config);
	json_decref(config);
	if (a->json) {
		json_object_set_new(state, "running", json_true());
		json_object_set_new(state, "ready", json_boolean(all));
		live_print_json(state);
	} else {
		status_print(state);
	}
	json_decref(state);
	return all ? EXIT_OK : EXIT_FAILED;
}
