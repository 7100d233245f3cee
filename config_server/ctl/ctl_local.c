/* SPDX-License-Identifier: MIT */
/*
 * start, stop and restart of the cluster on this machine, found by
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
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/live/live.h"
#include "shared/base/err.h"
#include "shared/base/id.h"
#include "shared/proc/clock.h"

/* three roles, each with its own ten seconds, and the time to notice */
enum { LOCAL_STOP_MS = 3 * CLUSTER_STOP_MS + 5000, LOCAL_NAP_NS = 50000000 };

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
		return live_not_running(a);
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

static bool
local_is_ready(const json_t *s)
{
	int status;

	json_decref(live_ask(state_text(s, "admin"), "/readyz", &status));
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
	v = live_ask(state_text(state, "config"), target, &status);
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
		v = live_ask(state_text(s, "admin"), "/status", &status);
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
	int which = live_find(state, name);
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
	int which = live_find(state, name), code = EXIT_FAILED;
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

	v = live_ask(state_text(state, "config"), "/status", &status);
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
	int which = live_find(state, a->word[0]), code = EXIT_FAILED;
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
		   ? live_not_running(a)
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
