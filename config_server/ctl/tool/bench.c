/* SPDX-License-Identifier: MIT */
/*
 * bench: the load generator of the project (tests/bench) at work on a live
 * cluster. Here it is found and started, within bounds, with what this
 * machine knows: the msg_servers that the config_server names, the processes
 * whose processor time and memory count, and the key of a site's tokens.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/tool/tool.h"
#include "shared/base/err.h"
#include "shared/proc/log.h"

enum {
	BENCH_ARGS = 32,
	BENCH_LIST = 4096,
	BENCH_PEOPLE_MAX = 15000,
	BENCH_MESSAGES_MAX = 2000000,
	BENCH_WRONG = 3 /* of cchat_bench: something was lost ... */
};

/* handed on as they are, within these bounds; NULL: a text */
static const struct bench_flag {
	const char *name;
	uint64_t min, max;
	const char *def; /* NULL: the program's own */
} bench_flags[] = {
    {"--rooms", 1, 5000, "8"},
    {"--members", 1, 10000, "25"},
    {"--senders", 1, 1000, "5"},
    {"--window", 1, 64, NULL},
    {"--rate", 1, 20000, "40"},
    {"--size", 31, 32000, NULL},
    {"--seconds", 1, 3600, "10"},
    {"--hold", 0, 3600, NULL},
    {"--stalled", 0, 500, NULL},
    {"--reach", 1, 20000, NULL},
    {"--opening", 1, 256, "16"},
    {"--per-address", 1, 14000, "400"},
    {"--level", 1, 2, NULL},
};

static const char *const bench_words[] = {"--rooms", "--members", "--senders",
    "--window", "--rate", "--size", "--seconds", "--hold", "--stalled",
    "--reach", "--opening", "--per-address", "--level", "--url", "--token-key",
    "--dialect"};
static const char *const bench_switches[] = {"--ratio", "--together"};
static const char *const bench_scenes[] = {
    "fan", "pairs", "storm", "idle", "stall", "limit"};

static struct tool bench_tool = {.flags = bench_words,
    .n_flags = ARRAY_LEN(bench_words),
    .switches = bench_switches,
    .n_switches = ARRAY_LEN(bench_switches)};

/* the command line that is being made */
struct bench {
	const char *argv[BENCH_ARGS + 1];
	int n;
	char text[BENCH_ARGS][64];
	char program[PATH_MAX], key[PATH_MAX + 32];
	char targets[BENCH_LIST], pids[BENCH_LIST];
};

int
bench_take(int argc, char **argv)
{
	return tool_take(&bench_tool, argc, argv);
}

static uint64_t
bench_number(const char *name)
{
	const char *v = tool_value(&bench_tool, name);

	for (size_t i = 0; v == NULL && i < ARRAY_LEN(bench_flags); i++)
		if (!strcmp(bench_flags[i].name, name))
			v = bench_flags[i].def;
	return v == NULL ? 0 : strtoull(v, NULL, 10);
}

static bool
bench_is_fast(void)
{
	return tool_value(&bench_tool, "--window") != NULL;
}

/* a mistake ends the program, before anything is touched */
static void
bench_check(const char *scene)
{
	const char *v, *dialect = tool_value(&bench_tool, "--dialect");
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(bench_scenes); i++)
		known = known || !strcmp(scene, bench_scenes[i]);
	if (!known)
		fatal(EXIT_USAGE, "bench: no scene '%s'; see bench -h", scene);
	for (size_t i = 0; i < ARRAY_LEN(bench_flags); i++) {
		const struct bench_flag *f = &bench_flags[i];

		v = tool_value(&bench_tool, f->name);
		if (v != NULL && !cmd_number(v, f->min, f->max))
			fatal(EXIT_USAGE,
			    "bench: %s: a number from %llu to %llu", f->name,
			    (unsigned long long)f->min,
			    (unsigned long long)f->max);
	}
	if (dialect != NULL && strcmp(dialect, "cchat") != 0 &&
	    strcmp(dialect, "workerman") != 0)
		fatal(EXIT_USAGE, "bench: --dialect: cchat or workerman");
	if (dialect != NULL && strcmp(dialect, "cchat") != 0 &&
	    tool_value(&bench_tool, "--url") == NULL)
		fatal(EXIT_USAGE,
		    "bench: --dialect %s: not one of ours; where? say --url",
		    dialect);
	if (bench_is_fast() && tool_value(&bench_tool, "--rate") != NULL)
		fatal(EXIT_USAGE, "bench: --window or --rate, not both");
	if (bench_number("--rooms") * bench_number("--members") >
	    BENCH_PEOPLE_MAX)
		fatal(EXIT_USAGE,
		    "bench: --rooms times --members is at most %d people",
		    BENCH_PEOPLE_MAX);
	if (bench_number("--rate") * bench_number("--seconds") >
	    BENCH_MESSAGES_MAX)
		fatal(EXIT_USAGE,
		    "bench: --rate times --seconds is at most %d messages",
		    BENCH_MESSAGES_MAX);
}

static void
bench_arg(struct bench *b, const char *name, const char *value)
{
	if (b->n == BENCH_ARGS)
		fatal(EXIT_USAGE, "too many flags; see -h");
	snprintf(b->text[b->n], sizeof(b->text[0]), "%s%s%s", name,
	    value != NULL ? "=" : "", value != NULL ? value : "");
	b->argv[b->n] = b->text[b->n];
	b->n++;
}

/* a long one, kept elsewhere */
static void
bench_arg_long(struct bench *b, const char *name, const char *text)
{
	bench_arg(b, name, NULL);
	if (b->n == BENCH_ARGS)
		fatal(EXIT_USAGE, "too many flags; see -h");
	b->argv[b->n++] = text;
}

/* HOST:PORT out of ws://HOST:PORT/ws; false: it is another thing */
static bool
bench_target(struct bench *b, const char *url)
{
	size_t n, at = strlen(b->targets);
	const char *host = url + 5;

	if (strncmp(url, "ws://", 5) != 0)
		return false;
	n = strcspn(host, "/?#");
	if (n == 0 || memchr(host, ':', n) == NULL || *host == '[' ||
	    at + n + 2 > sizeof(b->targets))
		return false;
	snprintf(b->targets + at, sizeof(b->targets) - at, "%s%.*s",
	    at > 0 ? "," : "", (int)n, host);
	return true;
}

static void
bench_urls(struct bench *b, const char *list)
{
	char *copy = strdup(list), *save = NULL, *url;

	if (copy == NULL)
		fatal(EXIT_FAILED, "bench: out of memory");
	for (url = strtok_r(copy, ",", &save); url != NULL;
	     url = strtok_r(NULL, ",", &save))
		if (!bench_target(b, url))
			fatal(EXIT_USAGE, "bench: --url %s: ws://HOST:PORT/ws",
			    url);
	free(copy);
}

/* the msg_servers that are up, at their own addresses */
static int
bench_ask(struct bench *b, const struct ctl_args *a)
{
	struct ctl_args quiet = *a;
	const json_t *s;
	json_t *v;
	int code;

	quiet.json = false;
	code = cmd_ask(&quiet, "GET", "/v1/servers?limit=1000", &v);
	if (v == NULL)
		return code;
	for (size_t i = 0; (s = cmd_item(v, "list", i)) != NULL; i++)
		if (!strcmp(state_text(s, "role"), "msg") &&
		    !strcmp(state_text(s, "state"), "up") &&
		    !bench_target(b, state_text(s, "addr")))
			fprintf(stderr,
			    "cchatctl: bench: %s at %s is left out: it wants "
			    "ws://HOST:PORT; say --url\n",
			    state_text(s, "id"), state_text(s, "addr"));
	json_decref(v);
	if (b->targets[0] != '\0')
		return EXIT_OK;
	fprintf(stderr, "cchatctl: bench: no msg_server is up\n");
	return EXIT_NOT_RUNNING;
}

/* what runs here is counted, if that is the cluster we ask */
static void
bench_pids(struct bench *b, const struct ctl_args *a)
{
	json_t *v = state_pid(a->set.data) > 0 ? state_read(a->set.data) : NULL;
	const json_t *s;
	size_t at;

	if (v == NULL || strcmp(state_text(v, "config"), cmd_address(a)) != 0) {
		json_decref(v);
		return;
	}
	for (size_t i = 0; (s = cmd_item(v, "servers", i)) != NULL; i++) {
		at = strlen(b->pids);
		if (cmd_int(s, "pid") > 0 && at + 64 < sizeof(b->pids))
			snprintf(b->pids + at, sizeof(b->pids) - at,
			    "%s%s%.20s=%lld", at > 0 ? "," : "",
			    strcmp(state_text(s, "role"), "msg") ? "" : "ms-",
			    state_text(s, "name"),
			    (long long)cmd_int(s, "pid"));
	}
	json_decref(v);
}

/* where logins need a token; a key that is not there is not handed on */
static void
bench_key(struct bench *b, const struct ctl_args *a)
{
	const char *own = tool_value(&bench_tool, "--token-key");

	if (own != NULL)
		snprintf(b->key, sizeof(b->key), "%s", own);
	else
		snprintf(b->key, sizeof(b->key), "%s/token.key", a->set.data);
	if (own != NULL || access(b->key, R_OK) == 0)
		bench_arg_long(b, "--token-key", b->key);
}

static void
bench_args(struct bench *b, const struct ctl_args *a, const char *scene)
{
	const char *v;

	bench_arg(b, "cchat_bench", NULL);
	bench_arg(b, scene, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bench_flags); i++) {
		const struct bench_flag *f = &bench_flags[i];

		v = tool_value(&bench_tool, f->name);
		if (v == NULL)
			v = f->def;
		/* a closed window has no rate, a storm and `limit` neither */
		if (!strcmp(f->name, "--rate") &&
		    tool_value(&bench_tool, "--rate") == NULL &&
		    (bench_is_fast() || !strcmp(scene, "idle")))
			v = NULL;
		if (!strcmp(f->name, "--senders") &&
		    bench_number("--members") < bench_number("--senders"))
			v = "1";
		if (v != NULL)
			bench_arg(b, f->name, v);
	}
	v = tool_value(&bench_tool, "--dialect");
	if (v != NULL)
		bench_arg(b, "--dialect", v);
	if (tool_value(&bench_tool, "--ratio") != NULL)
		bench_arg(b, "--limit", NULL);
	if (tool_value(&bench_tool, "--together") != NULL)
		bench_arg(b, "--together", NULL);
	bench_arg(b, a->json ? "--json" : "--table", NULL);
}

static int
bench_run(struct bench *b)
{
	int status;
	pid_t pid;

	b->argv[b->n] = NULL;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execv(b->program, (char *const *)(uintptr_t)b->argv);
		fprintf(
		    stderr, "cchatctl: %s: %s\n", b->program, strerror(errno));
		_exit(EXIT_FAILED);
	}
	if (pid < 0)
		fatal(EXIT_FAILED, "bench: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	if (!WIFEXITED(status))
		return EXIT_FAILED;
	return WEXITSTATUS(status) == BENCH_WRONG ? EXIT_FAILED
						  : WEXITSTATUS(status);
}

int
verb_bench(const struct ctl_args *a)
{
	static const char *const near[] = {
	    "../tests/bench/cchat_bench", "../libexec/" PACKAGE "/cchat_bench"};
	static struct bench b;
	const char *scene = a->n_words > 0 ? a->word[0] : "fan";
	const char *urls = tool_value(&bench_tool, "--url");
	int code = EXIT_OK;

	if (a->n_words > 1)
		fatal(EXIT_USAGE, "bench: one scene; see bench -h");
	bench_check(scene);
	tool_find("bench", near, ARRAY_LEN(near), PKGLIBEXECDIR "/cchat_bench",
	    b.program);
	bench_args(&b, a, scene);
	if (strcmp(scene, "limit") != 0) {
		if (urls != NULL)
			bench_urls(&b, urls);
		else
			code = bench_ask(&b, a);
		if (code != EXIT_OK)
			return code;
		bench_arg_long(&b, "--target", b.targets);
		bench_pids(&b, a);
		if (b.pids[0] != '\0')
			bench_arg_long(&b, "--pids", b.pids);
		bench_key(&b, a);
	}
	return bench_run(&b);
}
