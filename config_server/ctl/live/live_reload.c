/* SPDX-License-Identifier: MIT */
/*
 * reload: the supervisor is told, it tells the daemons, and each is asked how
 * that went. What a daemon reads again is its own matter (conf_reload.h).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/live/live.h"
#include "shared/base/err.h"
#include "shared/proc/clock.h"

enum { RELOAD_NAP_NS = 20000000, RELOAD_MAX = 1 + 16 + 64 };

static int64_t
reload_count(const json_t *server)
{
	int64_t n = -1;
	int status;
	json_t *v = live_ask(state_text(server, "admin"), "/reloads", &status);

	if (status == 200)
		(void)json_int(v, "count", &n);
	json_decref(v);
	return n;
}

/* its answer once it has read them again, to be released; NULL: it has not */
static json_t *
reload_wait(const json_t *server, int64_t was, int64_t until)
{
	const struct timespec nap = {.tv_nsec = RELOAD_NAP_NS};
	int64_t n;
	json_t *v;
	int status;

	for (;;) {
		v = live_ask(state_text(server, "admin"), "/reloads", &status);
		n = -1;
		if (status == 200)
			(void)json_int(v, "count", &n);
		if (n > was)
			return v;
		json_decref(v);
		if (clock_mono_ms() > until)
			return NULL;
		nanosleep(&nap, NULL);
	}
}

static void
reload_names(const json_t *list, char *out, size_t size)
{
	size_t len = 0, i;
	json_t *v;

	out[0] = '\0';
	json_array_foreach((json_t *)(uintptr_t)list, i, v) if (len < size)
	    len += (size_t)snprintf(out + len, size - len, "%s%s",
		i > 0 ? ", " : "", json_string_value(v));
}

static bool
reload_put(struct table *t, const char *name, const json_t *v)
{
	const char *error = state_text(v, "error");
	char changed[400], later[400];

	table_put(t, str_of(name), TABLE_BOLD);
	if (v == NULL) {
		table_put(t, STR_LIT("no answer"), TABLE_RED);
		table_put(t, STR_LIT("see its log"), TABLE_PLAIN);
		return false;
	}
	reload_names(json_object_get(v, "changed"), changed, sizeof(changed));
	reload_names(json_object_get(v, "later"), later, sizeof(later));
	if (error[0] != '\0')
		table_put(t, STR_LIT("mistake"), TABLE_RED);
	else
		table_put(t, STR_LIT("read"), TABLE_GREEN);
	if (error[0] != '\0')
		table_put(t, str_of(error), TABLE_PLAIN);
	else
		table_putf(t, TABLE_PLAIN, "%s%s%s",
		    changed[0] ? changed : "nothing new",
		    later[0] ? "; at its next start: " : "", later);
	return error[0] == '\0';
}

static int
reload_tell(const struct ctl_args *a, const json_t *state, int which)
{
	union sigval v = {.sival_int = which};
	pid_t pid = state_pid(a->set.data);

	if (!json_bool(state, "reload", false)) {
		fprintf(stderr,
		    "cchatctl: this cluster was started by an older cchatctl; "
		    "stop and start it\n");
		return EXIT_FAILED;
	}
	if (pid == 0 || sigqueue(pid, SIGUSR2, v) != 0) {
		fprintf(stderr, "cchatctl: can't tell process %d: %s\n",
		    (int)pid, strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

/* each of them in turn: they read at the same time */
static int
reload_report(
    const struct ctl_args *a, const json_t *list, int which, const int64_t *was)
{
	static const char *const head[] = {"NAME", "SETTINGS", "", NULL};
	int64_t until = clock_mono_ms() + a->set.wait * 1000;
	json_t *all = json_array(), *v, *s;
	bool good = true;
	struct table t;
	size_t i;

	table_init(&t, head);
	json_array_foreach((json_t *)(uintptr_t)list, i, s)
	{
		int64_t pid = 0;

		(void)json_int(s, "pid", &pid);
		if ((which >= 0 && (int)i != which) || pid == 0)
			continue;
		v = reload_wait(s, was[i], until);
		good &= reload_put(&t, state_text(s, "name"), v);
		if (v == NULL)
			v = json_object();
		json_object_set(v, "name", json_object_get(s, "name"));
		json_array_append_new(all, v);
	}
	v = json_pack("{s:o}", "list", all);
	if (a->json)
		live_print_json(v);
	table_print(&t, a->json ? NULL : stdout, "nothing runs");
	json_decref(v);
	return good ? EXIT_OK : EXIT_FAILED;
}

int
verb_reload(const struct ctl_args *a)
{
	int64_t was[RELOAD_MAX];
	json_t *state, *list, *s;
	int code = EXIT_FAILED, which = -1;
	size_t i;

	if (a->n_words > 1) {
		fprintf(stderr, "cchatctl: one server, or all; see -h\n");
		return EXIT_USAGE;
	}
	if (state_pid(a->set.data) == 0)
		return live_not_running(a);
	state = state_read(a->set.data);
	list = json_object_get(state, "servers");
	if (a->n_words > 0)
		which = live_find(state, a->word[0]);
	if ((a->n_words == 0 || which >= 0) &&
	    json_array_size(list) <= RELOAD_MAX) {
		json_array_foreach(list, i, s) was[i] = reload_count(s);
		code = reload_tell(a, state, which);
		if (code == EXIT_OK)
			code = reload_report(a, list, which, was);
	}
	json_decref(state);
	return code;
}
