/* SPDX-License-Identifier: MIT */
/*
 * cchat_bench: measures a server of the cchat dialect, or one of its peers in
 * theirs. This file is the command line; each scene is a file of its own. See
 * the usage below.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "shared/base/digest.h"
#include "shared/base/str.h"
#include "tests/bench/dialect.h"
#include "tests/bench/scene.h"
#include "tests/bench/tally.h"

static const char main_usage[] =
    "cchat_bench fan|pairs|storm|idle|drop|stall|limit [options]\n"
    "  fan    messages to rooms; pairs: private, between two each\n"
    "  storm  connect and log in; idle: the same, then hold\n"
    "  drop   all but --stay of a room are cut off at once and come back\n"
    "         with their positions; --kill=NAME: as their server, the first\n"
    "         target, is killed (kill -9; NAME is one of --pids)\n"
    "  stall  --stalled of 1000 stop reading for --hold s, then read on\n"
    "  limit  the bare send() of this machine, for comparison\n"
    "  --target=ADDR:PORT[,...]  servers; connections go round them\n"
    "  --pids=NAME=PID[,...]     whose processor time and memory counts;\n"
    "                            names ms... are msg_servers\n"
    "  --admins=NAME=ADDR:PORT[,...]  where their counters are read\n"
    "  --rooms=N --members=N --senders=N  (1, 100, 10; pairs: rooms=pairs)\n"
    "  --window=N         messages under way in a room (4)\n"
    "  --window-each      ... times the senders\n"
    "  --rate=N           messages/s in all instead, due at fixed times\n"
    "  --size=BYTES       of a text (100, at least 31)\n"
    "  --seconds=S --warm=S --hold=S      (5, 1, 5); idle: --warm before\n"
    "                     anybody comes, to see what the servers take then\n"
    "  --stalled=N        of 1000 members N do not read (0)\n"
    "  --stay=N           of each room, to see how they fare (2)\n"
    "  --away=S           drop: nobody comes back before (0)\n"
    "  --opening=N        connections under way at once (64)\n"
    "  --per-address=N    connections of one 127.0.1.x (900)\n"
    "  --joined=K[,...]   limit: frames in one send (1,3,8,16)\n"
    "  --limit            fan, pairs: that first, and the ratio to it\n"
    "  --workers=N        idle: processes that hold the connections (1)\n"
    "  --together         idle: the people of a room on one server\n"
    "  --reach=N          idle: then a private message to each, N a second;\n"
    "                     with --rate: to rooms by lot, for --seconds\n"
    "  --most=S           idle: for the logins at most (110)\n"
    "  --dialect=NAME     cchat, workerman, nchan or nats\n"
    "  --level=1|2        of cchat (2); --batch: caps batch\n"
    "  --token-key=FILE   64 hex digits, where logins need a token\n"
    "  --json             the JSON line alone; --table: that alone\n"
    "Status: 0; 3 when something was lost, doubled, late or refused.\n";

static void
main_refuse(const char *what)
{
	fprintf(stderr, "cchat_bench: bad %s\n%s", what, main_usage);
	exit(2);
}

static double
main_number(const char *name, const char *v, double min, double max)
{
	char *end;
	double d = strtod(v, &end);

	if (*end != '\0' || end == v || !(d >= min && d <= max))
		main_refuse(name);
	return d;
}

/* a name becomes its first IPv4 address */
static void
main_resolve(const char *name, char *host, size_t size)
{
	struct addrinfo want = {.ai_family = AF_INET}, *got;

	if (getaddrinfo(host, NULL, &want, &got) != 0)
		main_refuse(name);
	inet_ntop(AF_INET,
	    &((struct sockaddr_in *)(void *)got->ai_addr)->sin_addr, host,
	    (socklen_t)size);
	freeaddrinfo(got);
}

static void
main_address(const char *name, const char *v, struct target *t)
{
	const char *colon = strrchr(v, ':');

	if (colon == NULL || colon - v >= (int)sizeof t->host)
		main_refuse(name);
	memcpy(t->host, v, (size_t)(colon - v));
	main_resolve(name, t->host, sizeof t->host);
	t->port = (uint16_t)main_number(name, colon + 1, 1, 65535);
}

static void
main_target(struct options *o, char *v)
{
	char *part, *save = NULL;

	for (part = strtok_r(v, ",", &save); part != NULL;
	     part = strtok_r(NULL, ",", &save)) {
		if (o->n_targets == BENCH_TARGETS)
			main_refuse("target");
		main_address("target", part, &o->target[o->n_targets++]);
	}
}

static void
main_admins(struct options *o, char *v)
{
	char *part, *save = NULL, *eq;
	struct server_admin *s;

	for (part = strtok_r(v, ",", &save); part != NULL;
	     part = strtok_r(NULL, ",", &save)) {
		eq = strchr(part, '=');
		if (eq == NULL || o->n_admins == BENCH_PIDS ||
		    eq - part >= (int)sizeof o->admin[0].name)
			main_refuse("admins");
		s = &o->admin[o->n_admins++];
		memcpy(s->name, part, (size_t)(eq - part));
		main_address("admins", eq + 1, &s->at);
	}
}

static void
main_pids(struct options *o, char *v)
{
	char *part, *save = NULL, *eq;
	struct server_pid *s;

	for (part = strtok_r(v, ",", &save); part != NULL;
	     part = strtok_r(NULL, ",", &save)) {
		eq = strchr(part, '=');
		if (eq == NULL || o->n_pids == BENCH_PIDS ||
		    eq - part >= (int)sizeof o->pid[0].name)
			main_refuse("pids");
		s = &o->pid[o->n_pids++];
		memcpy(s->name, part, (size_t)(eq - part));
		s->pid = (int)main_number("pids", eq + 1, 1, 1 << 30);
	}
}

static void
main_key(struct options *o, const char *file)
{
	char text[65] = "";
	FILE *f = fopen(file, "re");

	if (f == NULL || fread(text, 1, 64, f) != 64 ||
	    digest_unhex(str_n(text, 64), o->key, sizeof o->key) != 0)
		main_refuse("token-key: 64 hex digits in a file");
	fclose(f);
	o->has_key = true;
}

static void
main_joined(struct options *o, char *v)
{
	char *part, *save = NULL;

	o->n_joined = 0;
	for (part = strtok_r(v, ",", &save); part != NULL;
	     part = strtok_r(NULL, ",", &save)) {
		if (o->n_joined == sizeof o->joined / sizeof o->joined[0])
			main_refuse("joined");
		o->joined[o->n_joined++] =
		    (unsigned)main_number("joined", part, 1, 1024);
	}
}

enum main_opt {
	OPT_TARGET,
	OPT_PIDS,
	OPT_ADMINS,
	OPT_KILL,
	OPT_JOINED,
	OPT_BATCH,
	OPT_JSON,
	OPT_TABLE,
	OPT_EACH,
	OPT_HELP,
	OPT_DIALECT,
	OPT_KEY,
	OPT_TOGETHER,
	OPT_LIMIT,
	OPT_UNSIGNED /* from here on: a number */
};

struct main_number {
	const char *name;
	size_t at;
	bool real;
	double min, max;
};

#define U(name, field, min, max)                                       \
	{                                                              \
		name, offsetof(struct options, field), false, min, max \
	}
#define R(name, field, min, max)                                      \
	{                                                             \
		name, offsetof(struct options, field), true, min, max \
	}
static const struct main_number main_numbers[] = {
    U("rooms", rooms, 1, 1000000),
    U("members", members, 1, 1000000),
    U("senders", senders, 1, 1000000),
    U("window", window, 1, 1000),
    U("size", size, TALLY_LEN, 32000),
    U("stay", stay, 1, 1000),
    U("stalled", stalled, 0, 500),
    U("opening", opening, 1, 4096),
    U("per-address", per_addr, 1, 14000),
    U("level", level, 1, 2),
    R("rate", rate, 0, 1e7),
    R("seconds", seconds, 0.1, 3600),
    R("warm", warm, 0, 600),
    R("hold", hold, 0, 86400),
    R("away", away, 0, 600),
    U("workers", workers, 1, BENCH_WORKERS),
    R("reach", reach, 0, 1e6),
    R("most", most, 1, 3600),
};
#undef U
#undef R
enum { MAIN_NUMBERS = sizeof main_numbers / sizeof main_numbers[0] };

static void
main_options(struct options *o, int argc, char **argv)
{
	struct option all[OPT_UNSIGNED + MAIN_NUMBERS + 1] = {
	    {"target", required_argument, NULL, OPT_TARGET},
	    {"pids", required_argument, NULL, OPT_PIDS},
	    {"admins", required_argument, NULL, OPT_ADMINS},
	    {"kill", required_argument, NULL, OPT_KILL},
	    {"joined", required_argument, NULL, OPT_JOINED},
	    {"batch", no_argument, NULL, OPT_BATCH},
	    {"json", no_argument, NULL, OPT_JSON},
	    {"table", no_argument, NULL, OPT_TABLE},
	    {"window-each", no_argument, NULL, OPT_EACH},
	    {"help", no_argument, NULL, OPT_HELP},
	    {"dialect", required_argument, NULL, OPT_DIALECT},
	    {"token-key", required_argument, NULL, OPT_KEY},
	    {"together", no_argument, NULL, OPT_TOGETHER},
	    {"limit", no_argument, NULL, OPT_LIMIT},
	};
	const struct main_number *num;
	double v;
	int c, i;

	for (i = 0; i < MAIN_NUMBERS; i++)
		all[OPT_UNSIGNED + i] = (struct option){main_numbers[i].name,
		    required_argument, NULL, OPT_UNSIGNED + i};
	while ((c = getopt_long(argc, argv, "", all, NULL)) != -1) {
		if (c == OPT_TARGET) {
			main_target(o, optarg);
		} else if (c == OPT_PIDS) {
			main_pids(o, optarg);
		} else if (c == OPT_ADMINS) {
			main_admins(o, optarg);
		} else if (c == OPT_KILL) {
			if (strlen(optarg) >= sizeof o->kill)
				main_refuse("kill");
			strcpy(o->kill, optarg);
		} else if (c == OPT_JOINED) {
			main_joined(o, optarg);
		} else if (c == OPT_BATCH) {
			o->batch = true;
		} else if (c == OPT_JSON) {
			o->json = true;
		} else if (c == OPT_TABLE) {
			o->table = true;
		} else if (c == OPT_EACH) {
			o->window_each = true;
		} else if (c == OPT_DIALECT) {
			o->dialect = dialect_named(optarg);
			if (o->dialect == NULL)
				main_refuse("dialect");
		} else if (c == OPT_KEY) {
			main_key(o, optarg);
		} else if (c == OPT_TOGETHER) {
			o->together = true;
		} else if (c == OPT_LIMIT) {
			o->limit = true;
		} else if (c == OPT_HELP) {
			fputs(main_usage, stdout);
			exit(0);
		} else if (c == '?') {
			main_refuse("option");
		} else {
			num = &main_numbers[c - OPT_UNSIGNED];
			v = main_number(num->name, optarg, num->min, num->max);
			if (num->real)
				*(double *)((char *)o + num->at) = v;
			else
				*(unsigned *)((char *)o + num->at) =
				    (unsigned)v;
		}
	}
	/* a mistyped list of flags would measure another scene */
	if (optind < argc) {
		fprintf(stderr, "cchat_bench: %s is no flag\n", argv[optind]);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct options o = {.dialect = dialect_named("cchat"),
	    .level = 2,
	    .workers = 1,
	    .most = 110,
	    .rooms = 1,
	    .members = 100,
	    .senders = 10,
	    .window = 4,
	    .size = 100,
	    .seconds = 5,
	    .warm = 1,
	    .hold = 5,
	    .stay = 2,
	    .opening = 64,
	    .per_addr = 900,
	    .joined = {1, 3, 8, 16},
	    .n_joined = 4};
	struct rlimit rl;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		main_refuse("mode");
	o.mode = argv[1];
	main_options(&o, argc - 1, argv + 1);
	o.tag = (uint32_t)digest_random_below(0xffff) + 1;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (strcmp(o.mode, "limit") == 0)
		return scene_limit(&o);
	if (o.n_targets == 0)
		main_refuse("target");
	if (strcmp(o.dialect->name, "cchat") != 0 &&
	    (strcmp(o.mode, "pairs") == 0 || strcmp(o.mode, "drop") == 0 ||
		strcmp(o.mode, "stall") == 0 || o.reach > 0))
		main_refuse("dialect: it has rooms alone");
	if (o.workers > o.rooms)
		main_refuse("workers: each has a room at least");
	if (strcmp(o.mode, "drop") == 0)
		return scene_drop(&o);
	if (strcmp(o.mode, "stall") == 0)
		return scene_stall(&o);
	if (strcmp(o.mode, "idle") == 0)
		return scene_hold(&o);
	if (strcmp(o.mode, "storm") == 0) {
		o.hold = o.rate = o.reach = 0;
		return scene_hold(&o);
	}
	if (strcmp(o.mode, "pairs") == 0) {
		o.pairs = true;
		o.members = o.senders = 2;
	} else if (strcmp(o.mode, "fan") != 0) {
		main_refuse("mode");
	}
	if (o.senders > o.members)
		main_refuse("senders");
	return scene_fan(&o);
}
