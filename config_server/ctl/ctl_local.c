/* SPDX-License-Identifier: MIT */
/*
 * start, stop, restart and status of the cluster on this machine, found by
 * its data directory (ctl_state.h).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/ctl/ctl_cluster.h"
#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/ctl_verbs.h"
#include "shared/base/err.h"
#include "shared/proc/clock.h"

/* three roles, each with its own ten seconds, and the time to notice */
enum { LOCAL_STOP_MS = 3 * CLUSTER_STOP_MS + 5000, LOCAL_ASK_MS = 1000 };

int
verb_start(const struct ctl_args *a)
{
	return cluster_start(a);
}

static int
local_not_running(const struct ctl_args *a)
{
	if (a->json)
		printf("{\"running\":false}\n");
	else
		printf("no cluster runs in %s\n", a->set.data);
	return EXIT_NOT_RUNNING;
}

static int
local_stop(const struct ctl_args *a)
{
	pid_t pid = state_pid(a->set.data);

	if (pid == 0)
		return EXIT_NOT_RUNNING;
	if (kill(pid, SIGTERM) != 0) {
		fprintf(stderr, "cchatctl: can't stop process %d: %s\n",
		    (int)pid, strerror(errno));
		return EXIT_FAILED;
	}
	if (!state_wait_gone(a->set.data, LOCAL_STOP_MS)) {
		fprintf(
		    stderr, "cchatctl: process %d does not end\n", (int)pid);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int
verb_stop(const struct ctl_args *a)
{
	int code = local_stop(a);

	if (code == EXIT_NOT_RUNNING)
		return local_not_running(a);
	if (code == EXIT_OK)
		printf(a->json ? "{\"running\":false}\n" : "stopped\n");
	return code;
}

/* the settings it was started with; the words stay in `state` */
static char **
local_same_again(struct ctl_args *now, json_t *state)
{
	json_t *args = json_object_get(state, "args");
	size_t n = json_array_size(args), i;
	char **argv = xcalloc(n + 3, sizeof(*argv));

	argv[0] = now->argv[0];
	for (i = 0; i < n; i++) {
		const char *v = json_string_value(json_array_get(args, i));

		argv[i + 1] = (char *)(v != NULL ? v : "");
	}
	ctl_args_read(now, (int)n + 1, argv);
	return argv;
}

int
verb_restart(const struct ctl_args *a)
{
	struct ctl_args now = *a;
	bool others = a->argc > 1;
	char **argv = NULL;
	json_t *state = NULL;
	int code;

	/* only where it lies was said: everything else as it was */
	if (a->argc <= 3 && (a->argc == 1 || !strcmp(a->argv[1], "--data")))
		others = false;
	if (state_pid(a->set.data) != 0)
		state = state_read(a->set.data);
	if (state != NULL && !others) {
		argv = local_same_again(&now, state);
		free(now.set.data);
		now.set.data = xstrdup(a->set.data);
	}
	now.detach = a->detach || json_bool(state, "detached", false);
	code = local_stop(a);
	if (code != EXIT_FAILED)
		code = cluster_start(&now);
	if (argv != NULL)
		ctl_args_free(&now);
	free(argv);
	json_decref(state);
	return code;
}

/* ---- status ----------------------------------------------------------- */

/* the body of a question to one of the daemons, or NULL; *status as ctl_http */
static json_t *
local_ask(const char *address, const char *target, int *status)
{
	struct buf body;
	json_t *v;
	int err;

	*status = ERR_IO;
	if (address[0] == '\0')
		return NULL;
	buf_init(&body, 1 << 20);
	*status = ctl_http("GET", address, target, LOCAL_ASK_MS, &body);
	v = *status > 0 ? json_read(buf_str(&body), &err) : NULL;
	buf_fini(&body);
	return v;
}

/* asks every server whether it is ready; writes it into the state */
static bool
local_look(json_t *state, json_t *config)
{
	const char *active = state_text(config, "active");
	json_t *list = json_object_get(state, "servers"), *s, *v;
	bool all = true, ready;
	int status;
	size_t i;

	json_array_foreach(list, i, s)
	{
		v = local_ask(state_text(s, "admin"), "/readyz", &status);
		json_decref(v);
		ready = status == 200;
		all &= ready;
		json_object_set_new(s, "ready", json_boolean(ready));
		if (!strcmp(state_text(s, "role"), "proxy"))
			json_object_set_new(s, "active",
			    json_boolean(
				!strcmp(active, state_text(s, "name"))));
	}
	return all;
}

static void
local_put_server(struct table *t, const json_t *s)
{
	bool ready = json_bool(s, "ready", false);
	const char *state = state_text(s, "state"), *role;
	char addr[300], age[32] = "-";
	int64_t pid = 0, since = 0, restarts = 0;

	(void)json_int(s, "pid", &pid);
	(void)json_int(s, "since", &since);
	(void)json_int(s, "restarts", &restarts);
	role = state_text(s, "role");
	if (pid > 0)
		table_age(clock_wall_ms() - since, age, sizeof(age));
	snprintf(addr, sizeof(addr), "%s%s%s", state_text(s, "listen"),
	    state_text(s, "direct")[0] ? ", direct " : "",
	    state_text(s, "direct"));
	table_put(t, json_str(s, "name"), TABLE_BOLD);
	table_putf(t, TABLE_PLAIN, "%s_server", role);
	if (ready && json_bool(s, "active", false))
		table_put(t, STR_LIT("active"), TABLE_GREEN);
	else if (ready && !strcmp(role, "proxy"))
		table_put(t, STR_LIT("standby"), TABLE_GREEN);
	else if (ready)
		table_put(t, STR_LIT("ready"), TABLE_GREEN);
	else
		table_putf(t, TABLE_RED, "%s",
		    strcmp(state, "up") != 0 ? state : "not ready");
	table_putf(t, TABLE_PLAIN, "%lld", (long long)pid);
	table_put(t, str_of(age), TABLE_PLAIN);
	table_putf(t, restarts > 0 ? TABLE_YELLOW : TABLE_PLAIN, "%lld",
	    (long long)restarts);
	table_put(t, str_of(addr), TABLE_PLAIN);
	table_put(t, json_str(s, "admin"), TABLE_DIM);
}

static void
local_print(const json_t *state)
{
	static const char *const head[] = {"NAME", "ROLE", "STATE", ">PID",
	    ">UP", ">RESTARTS", "ADDRESS", "ADMIN", NULL};
	const json_t *s;
	struct table t;

	printf("%s%s%s  version %s, data in %s\n\n",
	    table_color(stdout, TABLE_GREEN), state_text(state, "page"),
	    table_color(stdout, TABLE_PLAIN), state_text(state, "version"),
	    state_text(state, "data"));
	table_init(&t, head);
	for (size_t i = 0;
	     (s = json_array_get(json_object_get(state, "servers"), i)) != NULL;
	     i++)
		local_put_server(&t, s);
	table_print(&t, stdout, NULL);
}

int
verb_status(const struct ctl_args *a)
{
	json_t *state, *config;
	int status;
	char *text;
	bool all;

	if (state_pid(a->set.data) == 0)
		return local_not_running(a);
	state = state_read(a->set.data);
	config = local_ask(state_text(state, "config"), "/status", &status);
	all = local_look(state, config);
	json_decref(config);
	if (a->json) {
		json_object_set_new(state, "running", json_true());
		json_object_set_new(state, "ready", json_boolean(all));
		text = json_dumps(state, JSON_COMPACT);
		printf("%s\n", text != NULL ? text : "{}");
		free(text);
	} else {
		local_print(state);
	}
	json_decref(state);
	return all ? EXIT_OK : EXIT_FAILED;
}
