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
#include <time.h>
#include <unistd.h>

#include "config_server/ctl/ctl_cluster.h"
#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/ctl_verbs.h"
#include "shared/base/err.h"
#include "shared/base/id.h"
#include "shared/proc/clock.h"

/* three roles, each with its own ten seconds, and the time to notice */
enum {
	LOCAL_STOP_MS = 3 * CLUSTER_STOP_MS + 5000,
	LOCAL_ASK_MS = 1000,
	LOCAL_NAP_NS = 50000000
};

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

/* stop, and start with other settings */
static int
local_restart(const struct ctl_args *a)
{
	struct ctl_args now = *a;
	json_t *state = NULL;
	int code;

	if (state_pid(a->set.data) != 0)
		state = state_read(a->set.data);
	now.detach = a->detach || json_bool(state, "detached", false);
	code = local_stop(a);
	if (code != EXIT_FAILED)
		code = cluster_start(&now);
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

/* ---- one after the other ---------------------------------------------- */

/* the supervisor is told to run a child anew */
static int
local_tell(const struct ctl_args *a, const json_t *state, int which)
{
	union sigval v = {.sival_int = which};
	pid_t pid = state_pid(a->set.data);

	if (pid == 0)
		return EXIT_NOT_RUNNING;
	if (!json_bool(state, "again", false)) {
		fprintf(stderr,
		    "cchatctl: this cluster was started by an older cchatctl; "
		    "stop and start it\n");
		return EXIT_FAILED;
	}
	if (sigqueue(pid, SIGUSR1, v) != 0) {
		fprintf(stderr, "cchatctl: can't tell process %d: %s\n",
		    (int)pid, strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int
local_find(const json_t *state, const char *name)
{
	const json_t *list = json_object_get(state, "servers");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(state_text(json_array_get(list, i), "name"), name))
			return (int)i;
	fprintf(stderr,
	    "cchatctl: no server of this machine's cluster is called %s\n",
	    name);
	return -1;
}

static bool
local_is_ready(const json_t *s)
{
	int status;

	json_decref(local_ask(state_text(s, "admin"), "/readyz", &status));
	return status == 200;
}

/* is it again where clients are sent? a config_server that is away decides
 * nothing */
static bool
local_is_listed(const json_t *state, const char *name)
{
	char target[ID_MAX + 32];
	json_t *v;
	int status;
	bool up;

	snprintf(target, sizeof(target), "/v1/servers/%s", name);
	v = local_ask(state_text(state, "config"), target, &status);
	up = status != 200 || !strcmp(state_text(v, "state"), "up");
	json_decref(v);
	return up;
}

/* until server `which` is another process than `was`, ready and listed */
static int
local_wait(const struct ctl_args *a, const char *name, int which, int64_t was)
{
	const struct timespec nap = {.tv_nsec = LOCAL_NAP_NS};
	int64_t until = clock_mono_ms() + a->set.wait * 1000;
	json_t *state, *s;
	int64_t pid;
	bool back;

	do {
		nanosleep(&nap, NULL);
		if (state_pid(a->set.data) == 0)
			break;
		state = state_read(a->set.data);
		s = json_array_get(
		    json_object_get(state, "servers"), (size_t)which);
		pid = 0;
		(void)json_int(s, "pid", &pid);
		/* as long as it drains: the supervisor sees that it ends */
		if (was != 0 && pid == was)
			until = clock_mono_ms() + a->set.wait * 1000;
		back = pid != 0 && pid != was && local_is_ready(s) &&
		       local_is_listed(state, name);
		json_decref(state);
		if (back)
			return EXIT_OK;
	} while (clock_mono_ms() < until);
	fprintf(stderr, "cchatctl: %s does not come back; see %s/log/%s.log\n",
	    name, a->set.data, name);
	return EXIT_FAILED;
}

/* one server ends as it should, is started anew and waited for */
static int
local_anew(const struct ctl_args *a, const json_t *state, int which)
{
	const json_t *s =
	    json_array_get(json_object_get(state, "servers"), (size_t)which);
	const char *name = state_text(s, "name");
	int64_t was = 0, begun = clock_mono_ms();
	int code;

	(void)json_int(s, "pid", &was);
	if (!a->json && isatty(STDOUT_FILENO)) {
		printf("%-10s ...", name);
		fflush(stdout);
	}
	code = local_tell(a, state, which);
	if (code == EXIT_OK)
		code = local_wait(a, name, which, was);
	if (!a->json && isatty(STDOUT_FILENO))
		printf("\r\033[K");
	if (code == EXIT_OK && !a->json)
		printf("%-10s %s after %.1f s\n", name,
		    was != 0 ? "is back" : "is up",
		    (double)(clock_mono_ms() - begun) / 1000.);
	fflush(stdout);
	return code;
}

/* nothing is taken away while something else is missing */
static const char *
local_missing(const json_t *state, int but)
{
	const json_t *list = json_object_get(state, "servers"), *s;

	for (size_t i = 0; i < json_array_size(list); i++) {
		s = json_array_get(list, i);
		if ((int)i != but && !local_is_ready(s))
			return state_text(s, "name");
	}
	return NULL;
}

/*
 * A standby that has just been started does not know who is away for a moment:
 * as the active one it would call those new who come back. NULL: all know.
 */
static const char *
local_unsettled(const json_t *state, int but)
{
	const json_t *list = json_object_get(state, "servers"), *s;
	json_t *v;
	int status;
	bool knows;

	for (size_t i = 0; i < json_array_size(list); i++) {
		s = json_array_get(list, i);
		if ((int)i == but || strcmp(state_text(s, "role"), "proxy"))
			continue;
		v = local_ask(state_text(s, "admin"), "/status", &status);
		/* one of another version says nothing of it */
		knows = status != 200 || json_bool(v, "settled", true);
		json_decref(v);
		if (!knows)
			return state_text(s, "name");
	}
	return NULL;
}

static void
local_settle(const struct ctl_args *a, const char *name)
{
	const struct timespec nap = {.tv_nsec = LOCAL_NAP_NS};
	int64_t until = clock_mono_ms() + a->set.wait * 1000;
	bool tty = !a->json && isatty(STDOUT_FILENO), said = false;
	json_t *state = state_read(a->set.data);
	int which = local_find(state, name);
	const char *who;

	while ((who = local_unsettled(state, which)) != NULL &&
	       clock_mono_ms() < until && state_pid(a->set.data) != 0) {
		if (tty && !said)
			printf("%-10s waits until %s knows who is there", name,
			    who);
		fflush(stdout);
		said = true;
		nanosleep(&nap, NULL);
		json_decref(state);
		state = state_read(a->set.data);
	}
	if (tty && said)
		printf("\r\033[K");
	if (who != NULL)
		fprintf(stderr,
		    "cchatctl: %s does not know yet who is there; going on\n",
		    who);
	json_decref(state);
}

static int
local_roll_one(const struct ctl_args *a, const char *name)
{
	const struct timespec nap = {.tv_nsec = LOCAL_NAP_NS};
	int64_t until = clock_mono_ms() + a->set.wait * 1000;
	json_t *state = state_read(a->set.data);
	int which = local_find(state, name), code = EXIT_FAILED;
	const char *missing = local_missing(state, which);

	while (missing != NULL && clock_mono_ms() < until) {
		nanosleep(&nap, NULL);
		json_decref(state);
		state = state_read(a->set.data);
		missing = local_missing(state, which);
	}
	if (missing != NULL)
		fprintf(stderr,
		    "cchatctl: %s is not ready: %s and those after it are left "
		    "as they are\n",
		    missing, name);
	else if (which >= 0)
		code = local_anew(a, state, which);
	json_decref(state);
	return code;
}

/* the proxy_server that is active, or "" */
static void
local_active(const json_t *state, char out[ID_MAX + 1])
{
	json_t *v;
	int status;

	v = local_ask(state_text(state, "config"), "/status", &status);
	str_copy(out, ID_MAX + 1, str_of(state_text(v, "active")));
	json_decref(v);
}

/*
 * msg_servers, then proxy_servers with the active one last (the lock is handed
 * over once), then the config_server.
 */
static int
local_roll(const struct ctl_args *a)
{
	static const char *const order[] = {"msg", "proxy", "active", "config"};
	json_t *state = state_read(a->set.data), *s;
	const char *role, *name;
	char active[ID_MAX + 1];
	int code = EXIT_OK;
	size_t i;

	local_active(state, active);
	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		json_array_foreach(json_object_get(state, "servers"), i, s)
		{
			name = state_text(s, "name");
			role = strcmp(name, active) ? state_text(s, "role")
						    : "active";
			if (code != EXIT_OK || strcmp(role, order[k]) != 0)
				continue;
			if (!strcmp(role, "active"))
				local_settle(a, name);
			code = local_roll_one(a, name);
		}
	json_decref(state);
	return code;
}

static int
local_one(const struct ctl_args *a, bool start)
{
	json_t *state = state_read(a->set.data);
	int which = local_find(state, a->word[0]), code = EXIT_FAILED;
	int64_t pid = 0;

	(void)json_int(
	    json_array_get(json_object_get(state, "servers"), (size_t)which),
	    "pid", &pid);
	if (which >= 0 && start && pid != 0)
		fprintf(stderr, "cchatctl: %s runs already (pid %d)\n",
		    a->word[0], (int)pid);
	else if (which >= 0)
		code = local_anew(a, state, which);
	json_decref(state);
	return code;
}

static int
local_words(const struct ctl_args *a)
{
	if (a->n_words > 1) {
		fprintf(stderr, "cchatctl: one server at a time; see -h\n");
		return EXIT_USAGE;
	}
	return state_pid(a->set.data) == 0 && a->n_words > 0
		   ? local_not_running(a)
		   : EXIT_OK;
}

/* those that were drained, in a cluster that runs; how many there were */
static size_t
local_start_drained(const struct ctl_args *a, int *code)
{
	json_t *state = NULL, *s;
	size_t i, n = 0;

	if (state_pid(a->set.data) != 0)
		state = state_read(a->set.data);
	json_array_foreach(json_object_get(state, "servers"), i, s)
	{
		if (strcmp(state_text(s, "state"), "drained") != 0)
			continue;
		n++;
		if (*code == EXIT_OK)
			*code = local_anew(a, state, (int)i);
	}
	json_decref(state);
	return n;
}

int
verb_start(const struct ctl_args *a)
{
	int code = local_words(a);

	if (code != EXIT_OK)
		return code;
	if (a->n_words > 0)
		return local_one(a, true);
	return local_start_drained(a, &code) > 0 ? code : cluster_start(a);
}

int
verb_restart(const struct ctl_args *a)
{
	bool where_alone =
	    a->argc == 1 || (a->argc <= 3 && !strncmp(a->argv[1], "--data", 6));
	int code = local_words(a);

	if (code != EXIT_OK)
		return code;
	if (a->n_words > 0)
		return local_one(a, false);
	/* only where it lies was said: everything else as it was */
	if (state_pid(a->set.data) != 0 && where_alone)
		code = local_roll(a);
	else
		code = local_restart(a);
	return code;
}
