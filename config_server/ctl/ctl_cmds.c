/* SPDX-License-Identifier: MIT */
/*
 * Questions to the config_server, printed as tables. What the answers mean is
 * written in api.h and features.md 5.8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/ctl_verbs.h"
#include "shared/base/id.h"
#include "shared/proc/clock.h"

enum { CMD_FOLLOW_NS = 500000000, CMD_LIMIT_MAX = 1000 };

/* ---- servers ---------------------------------------------------------- */

int
verb_servers(const struct ctl_args *a)
{
	static const char *const head[] = {"NAME", "ROLE", "STATE", ">SINCE",
	    ">CONNS", ">USERS", ">ROOMS", ">NODE", "VERSION", "ADDRESS", NULL};
	struct table t;
	json_t *v;
	const json_t *s;
	int code;

	v = cmd_list(a, "/v1/servers?limit=1000", &code);
	if (v == NULL)
		return code;
	table_init(&t, head);
	for (size_t i = 0; (s = cmd_item(v, "list", i)) != NULL; i++) {
		cmd_put(&t, s, "id");
		cmd_put(&t, s, "role");
		cmd_put_state(&t, s);
		cmd_put_age(&t, cmd_int(s, "since"));
		cmd_put_int(&t, s, "conns");
		cmd_put_int(&t, s, "users");
		cmd_put_int(&t, s, "rooms");
		cmd_put_int(&t, s, "node");
		cmd_put(&t, s, "ver");
		cmd_put(&t, s, "addr");
	}
	table_print(&t, stdout, "no servers");
	json_decref(v);
	return EXIT_OK;
}

int
verb_load(const struct ctl_args *a)
{
	static const char *const head[] = {"NAME", ">CONNS", ">CAP", ">MSG/S",
	    ">OUT KB/S", ">LOOP MS", ">QUEUE KB", ">LAG", NULL};
	static const char *const keys[] = {
	    "conns", "cap", "msgs_s", "out_kB_s", "loop_ms", "queue_kB", "lag"};
	struct table t;
	json_t *v;
	const json_t *s;
	int code;

	v = cmd_list(a, "/v1/load?limit=1000", &code);
	if (v == NULL)
		return code;
	table_init(&t, head);
	for (size_t i = 0; (s = cmd_item(v, "list", i)) != NULL; i++) {
		cmd_put(&t, s, "id");
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			cmd_put_int(&t, s, keys[k]);
	}
	table_print(&t, stdout, "no servers");
	json_decref(v);
	return EXIT_OK;
}

int
verb_next(const struct ctl_args *a)
{
	char target[CMD_TARGET_MAX] = "/v1/next";
	json_t *v;
	const json_t *alt;
	int code;

	if (a->n_words > 0) {
		const char *uid = cmd_word(a, "next takes one UID");

		if (uid == NULL)
			return EXIT_USAGE;
		snprintf(target, sizeof(target), "/v1/next?uid=%s", uid);
	}
	code = cmd_ask(a, "GET", target, &v);
	if (v != NULL && !a->json) {
		printf("%s  %s\n", state_text(v, "id"), state_text(v, "url"));
		for (size_t i = 0; (alt = cmd_item(v, "alt", i)) != NULL; i++)
			printf("else  %s\n", json_string_value(alt));
	}
	json_decref(v);
	return code;
}

/* ---- people and rooms ------------------------------------------------- */

static void
cmd_print_user(const json_t *v)
{
	static const char *const head[] = {
	    "SERVER", "SESSION", "DEVICE", ">SINCE", ">V", "STATE", NULL};
	struct str name = json_str(v, "name");
	struct table t;
	const json_t *s;
	char age[32];

	printf("%s%s%.*s%s: %s\n", state_text(v, "uid"),
	    name.len > 0 ? " (" : "", STR_ARG(name), name.len > 0 ? ")" : "",
	    json_bool(v, "online", false) ? "online" : "offline");
	if (cmd_int(v, "last") > 0 && !json_bool(v, "online", false)) {
		table_age(
		    clock_wall_ms() - cmd_int(v, "last"), age, sizeof(age));
		printf("last seen %s ago\n", age);
	}
	if (json_array_size(json_object_get(v, "sessions")) == 0)
		return;
	table_init(&t, head);
	for (size_t i = 0; (s = cmd_item(v, "sessions", i)) != NULL; i++) {
		cmd_put(&t, s, "srv");
		cmd_put(&t, s, "sid");
		cmd_put(&t, s, "dev");
		cmd_put_age(&t, cmd_int(s, "since"));
		cmd_put_int(&t, s, "v");
		cmd_put(&t, s, "st");
	}
	table_print(&t, stdout, NULL);
	if (json_array_size(json_object_get(v, "rooms")) == 0)
		return;
	printf("rooms:");
	for (size_t i = 0; (s = cmd_item(v, "rooms", i)) != NULL; i++)
		printf(" %s", json_string_value(s));
	printf("\n");
}

int
verb_where(const struct ctl_args *a)
{
	const char *uid = cmd_word(a, "where takes one UID");
	char target[CMD_TARGET_MAX];
	json_t *v;
	int code;

	if (uid == NULL)
		return EXIT_USAGE;
	snprintf(target, sizeof(target), "/v1/users/%s", uid);
	code = cmd_ask(a, "GET", target, &v);
	if (v != NULL && !a->json)
		cmd_print_user(v);
	json_decref(v);
	return code;
}

static int
cmd_by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* {"ms2":1,"ms1":2} as "ms1: 2, ms2: 1" */
static void
cmd_members(const json_t *members, char *out, size_t size)
{
	const char **name =
	    xcalloc(json_object_size(members) + 1, sizeof(*name));
	const char *key;
	size_t n = 0, len = 0, i;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)members, key, v) name[n++] =
	    key;
	qsort(name, n, sizeof(*name), cmd_by_name);
	out[0] = '\0';
	for (i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s: %lld",
		    i > 0 ? ", " : "", name[i],
		    (long long)cmd_int(members, name[i]));
	free(name);
}

int
verb_room(const struct ctl_args *a)
{
	static const char *const keys[] = {
	    "rid", "title", "users", "seq", "ep", "owner", "gen"};
	const char *rid = cmd_word(a, "room takes one RID");
	char target[CMD_TARGET_MAX], members[1024];
	json_t *v;
	const json_t *x;
	int code;

	if (rid == NULL)
		return EXIT_USAGE;
	snprintf(target, sizeof(target), "/v1/rooms/%s", rid);
	code = cmd_ask(a, "GET", target, &v);
	for (size_t i = 0; v != NULL && !a->json && i < ARRAY_LEN(keys); i++) {
		x = json_object_get(v, keys[i]);
		if (json_is_string(x))
			printf("%-8s %s\n", keys[i], json_string_value(x));
		else if (json_is_integer(x))
			printf("%-8s %lld\n", keys[i],
			    (long long)json_integer_value(x));
	}
	if (v != NULL && !a->json) {
		cmd_members(
		    json_object_get(v, "members"), members, sizeof(members));
		printf("%-8s %s\n", "members", members[0] ? members : "-");
	}
	json_decref(v);
	return code;
}

int
verb_rooms(const struct ctl_args *a)
{
	static const char *const head[] = {"ROOM", ">USERS", "MEMBERS", NULL};
	char target[CMD_TARGET_MAX], members[1024];
	struct table t;
	json_t *v;
	const json_t *r;
	int code;

	if (!cmd_plain(a->srv) || !cmd_number(a->limit, 1, CMD_LIMIT_MAX)) {
		fprintf(
		    stderr, "cchatctl: --srv is a name, --limit 1 to 1000\n");
		return EXIT_USAGE;
	}
	snprintf(target, sizeof(target), "/v1/rooms?limit=%s%s%s",
	    cmd_limit(a, "1000"), a->srv != NULL ? "&srv=" : "",
	    a->srv != NULL ? a->srv : "");
	v = cmd_list(a, target, &code);
	if (v == NULL)
		return code;
	table_init(&t, head);
	for (size_t i = 0; (r = cmd_item(v, "list", i)) != NULL; i++) {
		cmd_put(&t, r, "rid");
		cmd_put_int(&t, r, "users");
		cmd_members(
		    json_object_get(r, "members"), members, sizeof(members));
		table_put(&t, str_of(members), TABLE_PLAIN);
	}
	table_print(&t, stdout, "no rooms with people");
	if (json_is_string(json_object_get(v, "next")))
		printf("... and more\n");
	json_decref(v);
	return EXIT_OK;
}

/* ---- events and problems ---------------------------------------------- */

static void
cmd_print_event(const json_t *e)
{
	time_t t = (time_t)(cmd_int(e, "t") / 1000);
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s%s%s  %6lld  %-11s %-10s %s\n",
	    table_color(stdout, TABLE_DIM), when,
	    table_color(stdout, TABLE_PLAIN), (long long)cmd_int(e, "id"),
	    state_text(e, "kind"), state_text(e, "srv"),
	    state_text(e, "detail"));
}

int
verb_events(const struct ctl_args *a)
{
	const struct timespec nap = {.tv_nsec = CMD_FOLLOW_NS};
	const char *since = a->since != NULL ? a->since : "0";
	char target[CMD_TARGET_MAX];
	const json_t *e;
	long long last;
	json_t *v;
	bool more;
	int code;

	if (a->n_words > 0 || !cmd_number(a->since, 0, INT64_MAX) ||
	    !cmd_number(a->limit, 1, CMD_LIMIT_MAX)) {
		fprintf(stderr,
		    "cchatctl: --since is the id of an event, --limit 1 to "
		    "1000\n");
		return EXIT_USAGE;
	}
	last = strtoll(since, NULL, 10);
	do {
		snprintf(target, sizeof(target),
		    "/v1/events?since=%lld&limit=%s", last,
		    cmd_limit(a, "1000"));
		code = cmd_ask(a, "GET", target, &v);
		for (size_t i = 0; (e = cmd_item(v, "list", i)) != NULL; i++) {
			if (!a->json)
				cmd_print_event(e);
			last = (long long)cmd_int(e, "id");
		}
		more = json_is_string(json_object_get(v, "next"));
		fflush(stdout);
		json_decref(v);
		if (a->follow && !more)
			nanosleep(&nap, NULL);
	} while (code == EXIT_OK && (a->follow || (more && !a->limit)));
	return code;
}

int
verb_check(const struct ctl_args *a)
{
	static const char *const head[] = {"PROBLEM", "SERVER", "WHAT", NULL};
	struct table t;
	const json_t *p;
	json_t *v;
	bool sound;
	int code;

	code = cmd_ask(a, "GET", "/v1/check", &v);
	if (v == NULL)
		return code;
	sound = json_array_size(json_object_get(v, "list")) == 0;
	if (!a->json) {
		table_init(&t, head);
		for (size_t i = 0; (p = cmd_item(v, "list", i)) != NULL; i++) {
			table_put(&t, json_str(p, "kind"), TABLE_RED);
			cmd_put(&t, p, "srv");
			cmd_put(&t, p, "detail");
		}
		table_print(&t, stdout, "the topology is sound");
	}
	json_decref(v);
	return sound ? EXIT_OK : EXIT_FAILED;
}

int
verb_forget(const struct ctl_args *a)
{
	const char *name = cmd_word(a, "forget takes the name of one server");
	char target[CMD_TARGET_MAX];
	json_t *v;
	int code;

	if (name == NULL)
		return EXIT_USAGE;
	snprintf(target, sizeof(target), "/v1/servers/%s", name);
	code = cmd_ask(a, "DELETE", target, &v);
	json_decref(v);
	return code;
}
