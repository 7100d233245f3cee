/* SPDX-License-Identifier: MIT */
/*
 * drain, undrain and jobs: emptying a msg_server and watching it. The
 * config_server does it (api.h); nothing is lost when we go away meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"
#include "shared/proc/clock.h"
#include "shared/proto/frames.h"

enum { DRAIN_POLL_NS = 250000000, DRAIN_LINE_MS = 2000, DRAIN_AWAY_MS = 30000 };

static void
drain_target(char out[CMD_TARGET_MAX], const char *name)
{
	snprintf(out, CMD_TARGET_MAX, "/v1/servers/%s/drain", name);
}

static void
drain_time(int64_t ms, char out[32])
{
	if (ms < 10000)
		snprintf(out, 32, "%.1f s", (double)ms / 1000.);
	else
		table_age(ms, out, 32);
}

/* ---- drain ------------------------------------------------------------ */

/* the body of the request; false: a flag is not what it should be */
static bool
drain_body(const struct ctl_args *a, struct buf *out)
{
	struct jw w;

	if (!cmd_number(a->rate, 1, JOB_RATE_MAX)) {
		fprintf(stderr,
		    "cchatctl: --rate is clients a second, 1 to %d\n",
		    JOB_RATE_MAX);
		return false;
	}
	if (!cmd_plain(a->within)) {
		fprintf(stderr, "cchatctl: --within is a time: 30s, 10m, 2h\n");
		return false;
	}
	jw_init(&w, out);
	jw_obj(&w, NULL);
	if (a->rate != NULL)
		jw_raw(&w, "rate", str_of(a->rate));
	if (a->within != NULL)
		jw_cstr(&w, "within", a->within);
	jw_obj_end(&w);
	return true;
}

/* how far it is: one line that is rewritten, or a line now and then */
static void
drain_show(const json_t *job, bool terminal, int64_t *line_ms)
{
	int64_t now = clock_mono_ms();
	char eta[32];

	if (!terminal && *line_ms != 0 && now - *line_ms < DRAIN_LINE_MS)
		return;
	*line_ms = now;
	drain_time(cmd_int(job, "eta_ms"), eta);
	printf("%s%s: %lld of %lld clients moved, %lld left, %s to go%s",
	    terminal ? "\r\033[K" : "", state_text(job, "server"),
	    (long long)cmd_int(job, "moved"), (long long)cmd_int(job, "total"),
	    (long long)cmd_int(job, "left"), eta, terminal ? "" : "\n");
	fflush(stdout);
}

/* what became of it, as a sentence */
static int
drain_result(const struct ctl_args *a, const json_t *job, bool terminal)
{
	const char *state = state_text(job, "state"),
		   *name = state_text(job, "server");
	int64_t moved = cmd_int(job, "moved"), left = cmd_int(job, "left");
	bool done = !strcmp(state, "done");
	char took[32];

	if (terminal)
		printf("\r\033[K");
	drain_time(cmd_int(job, "t1") - cmd_int(job, "t0"), took);
	fflush(stdout);
	if (done)
		printf("%s: %sdrained%s in %s, %lld clients moved; its process "
		       "has ended\n",
		    name, table_color(stdout, TABLE_GREEN),
		    table_color(stdout, TABLE_PLAIN), took, (long long)moved);
	else
		fprintf(stderr,
		    "cchatctl: the drain of %s was %s after %s: %lld moved, "
		    "%lld left\n",
		    name, strcmp(state, "failed") ? "ended" : "cut short", took,
		    (long long)moved, (long long)left);
	if (done && state_pid(a->set.data) != 0)
		printf("start it again with: cchatctl start %s\n", name);
	return done ? EXIT_OK : EXIT_FAILED;
}

/* until it has ended; a config_server that restarts meanwhile is waited for */
static int
drain_watch(
    const struct ctl_args *a, const char *target, int64_t id, bool terminal)
{
	const struct timespec nap = {.tv_nsec = DRAIN_POLL_NS};
	int64_t line_ms = 0, heard_ms = clock_mono_ms();
	json_t *job;
	char *text;
	int code;

	for (;;) {
		code = cmd_talk(a, "GET", target, STR_NONE, CMD_NOTHING, &job);
		if (job != NULL && cmd_int(job, "id") != id) {
			json_decref(job);
			fprintf(stderr, "cchatctl: another drain has begun\n");
			return EXIT_FAILED;
		}
		if (job != NULL && strcmp(state_text(job, "state"), "running"))
			break;
		if (job != NULL) {
			heard_ms = clock_mono_ms();
			if (!a->json)
				drain_show(job, terminal, &line_ms);
			json_decref(job);
		} else if (clock_mono_ms() - heard_ms > DRAIN_AWAY_MS) {
			/* asked once more, to say what is wrong */
			code = cmd_ask(a, "GET", target, &job);
			json_decref(job);
			return code != EXIT_OK ? code : EXIT_FAILED;
		}
		nanosleep(&nap, NULL);
	}
	if (a->json) {
		text = json_dumps(job, JSON_COMPACT);
		printf("%s\n", text != NULL ? text : "{}");
		free(text);
		code = strcmp(state_text(job, "state"), "done") ? EXIT_FAILED
								: EXIT_OK;
	} else {
		code = drain_result(a, job, terminal);
	}
	json_decref(job);
	return code;
}

int
verb_drain(const struct ctl_args *a)
{
	const char *name = cmd_word(a, "drain takes the name of one server");
	bool terminal = isatty(STDOUT_FILENO);
	char target[CMD_TARGET_MAX];
	struct buf body;
	json_t *job = NULL;
	int64_t id;
	int code = EXIT_USAGE;

	if (name == NULL)
		return code;
	drain_target(target, name);
	buf_init(&body, 1024);
	if (drain_body(a, &body))
		code = cmd_talk(a, "POST", target, buf_str(&body),
		    a->no_wait ? CMD_ALL : CMD_ERRORS, &job);
	buf_fini(&body);
	if (job == NULL)
		return code;
	if (!a->json)
		printf("%s: job %lld, %lld clients, %lld a second, within "
		       "%lld s; end it with: cchatctl undrain %s\n",
		    name, (long long)cmd_int(job, "id"),
		    (long long)cmd_int(job, "total"),
		    (long long)cmd_int(job, "rate"),
		    (long long)(cmd_int(job, "within_ms") + 999) / 1000, name);
	fflush(stdout);
	id = cmd_int(job, "id");
	json_decref(job);
	return a->no_wait ? EXIT_OK : drain_watch(a, target, id, terminal);
}

int
verb_undrain(const struct ctl_args *a)
{
	const char *name = cmd_word(a, "undrain takes the name of one server");
	char target[CMD_TARGET_MAX];
	json_t *job;
	int code;

	if (name == NULL)
		return EXIT_USAGE;
	drain_target(target, name);
	code = cmd_ask(a, "DELETE", target, &job);
	if (job != NULL && !a->json)
		printf("%s takes clients again; %lld had moved, %lld stay\n",
		    name, (long long)cmd_int(job, "moved"),
		    (long long)cmd_int(job, "left"));
	json_decref(job);
	return code;
}

/* ---- jobs ------------------------------------------------------------- */

static void
drain_put_job(struct table *t, const json_t *job)
{
	struct str state = json_str(job, "state");
	bool running = str_eqc(state, "running");
	int64_t t0 = cmd_int(job, "t0"), t1 = cmd_int(job, "t1");
	char text[32];

	cmd_put_int(t, job, "id");
	cmd_put(t, job, "server");
	table_put(t, state,
	    running		     ? TABLE_YELLOW
	    : str_eqc(state, "done") ? TABLE_GREEN
				     : TABLE_RED);
	cmd_put_int(t, job, "moved");
	cmd_put_int(t, job, "left");
	cmd_put_int(t, job, "rate");
	cmd_put_age(t, t0);
	drain_time((running ? clock_wall_ms() : t1) - t0, text);
	table_put(t, str_of(text), TABLE_PLAIN);
	drain_time(cmd_int(job, "eta_ms"), text);
	table_put(t, running ? str_of(text) : STR_LIT("-"), TABLE_PLAIN);
}

int
verb_jobs(const struct ctl_args *a)
{
	static const char *const head[] = {">JOB", "SERVER", "STATE", ">MOVED",
	    ">LEFT", ">PER S", ">BEGUN", ">TOOK", ">TO GO", NULL};
	char target[CMD_TARGET_MAX];
	struct table t;
	const json_t *job;
	json_t *v;
	int code;

	if (a->n_words > 0 || !cmd_number(a->limit, 1, 1000)) {
		fprintf(stderr, "cchatctl: jobs takes --limit, 1 to 1000\n");
		return EXIT_USAGE;
	}
	snprintf(
	    target, sizeof(target), "/v1/jobs?limit=%s", cmd_limit(a, "20"));
	v = cmd_list(a, target, &code);
	if (v == NULL)
		return code;
	table_init(&t, head);
	for (size_t i = 0; (job = cmd_item(v, "list", i)) != NULL; i++)
		drain_put_job(&t, job);
	table_print(&t, stdout, "no server was ever drained");
	if (json_is_string(json_object_get(v, "next")))
		printf("... and older ones\n");
	json_decref(v);
	return EXIT_OK;
}
