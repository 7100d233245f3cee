/* SPDX-License-Identifier: MIT */
/*
 * cchatctl: runs a cchat cluster on this machine and asks it questions. Here
 * are the verbs and their help; what they do is in ctl_local.c (this machine)
 * and ctl_cmds.c (the cluster).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/ctl/ctl_verbs.h"
#include "shared/base/err.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

struct verb {
	const char *name, *args, *help;
	const char *more; /* for -h */
	int (*run)(const struct ctl_args *);
	bool local; /* its settings are those of start */
};

static const struct verb verbs[] = {
    {"start", "[-d] [ID]", "start the cluster and stay with it",
	"Starts a config_server, proxy_servers (one active, the others\n"
	"standby) and msg_servers, starts them again when they end, and stops\n"
	"them on Ctrl-C. With -d it returns when all are ready and leaves\n"
	"them running. In a cluster that runs it starts ID, or all servers\n"
	"that were drained.",
	verb_start, true},
    {"stop", "", "stop it",
	"msg_servers first, then proxy_servers, then the config_server; one\n"
	"that does not end within 10 s is killed.",
	verb_stop, false},
    {"restart", "[ID]", "restart all, one after the other; or one",
	"msg_servers move their clients to the others before they end, then\n"
	"come the standby proxy_servers, the active one (a standby takes "
	"over)\n"
	"and the config_server. Each is waited for until it is ready, the\n"
	"standby until it knows who is there (about 16 s); when one does not\n"
	"come back, the rest is left as it is. cchatctl itself runs on.\n"
	"With other settings: all is stopped and started with them.",
	verb_restart, true},
    {"reload", "[ID]", "read settings and keys again; connections stay",
	"Every daemon, or ID alone, reads its file of settings and its keys\n"
	"again and opens its log anew. What changed is taken over; what takes\n"
	"a restart is named. A mistake in the file changes nothing.\n\n"
	"Exit code 0: read, 1: a mistake, or one does not answer, 3: nothing\n"
	"runs.",
	verb_reload, false},
    {"status", "", "what runs on this machine, and is it ready",
	"Of each process: memory, connections, writes that failed, timers,\n"
	"requests so far and in the last second, how often it was started\n"
	"again and how it ended the last time, where it listens.\n\n"
	"Exit code 0: all ready, 1: not all, 3: nothing runs.",
	verb_status, false},
    {"connections", "[ID] [--limit N]", "who is connected, and how",
	"To all msg_servers of this machine, or to ID: number, user, name,\n"
	"dialect, address, since when, rooms, bytes that wait for it, state.\n"
	"With --json: a JSON line a connection.",
	verb_connections, false},
    {"backup", "FILE", "a copy of the log, while it runs",
	"The active proxy_server writes it, as the user it runs as; FILE must\n"
	"not be there yet. Do not copy messages.db itself.",
	verb_backup, false},
    {"restore", "FILE", "put a backup in the place of the log",
	"Only while the cluster is stopped. The log of before stays beside it\n"
	"under another name. Clients are told that the history is another one.",
	verb_restore, false},
    {"servers", "", "all servers of the cluster", NULL, verb_servers, false},
    {"load", "", "how busy they are", NULL, verb_load, false},
    {"where", "UID", "on which servers a user is", NULL, verb_where, false},
    {"room", "RID", "one room", NULL, verb_room, false},
    {"rooms", "[--srv NAME] [--limit N]", "rooms with people in them", NULL,
	verb_rooms, false},
    {"next", "[UID]", "where a new client should connect", NULL, verb_next,
	false},
    {"events", "[-f] [--since ID]", "what has changed; -f: go on watching",
	NULL, verb_events, false},
    {"check", "", "is the topology sound; exit code 1 when not", NULL,
	verb_check, false},
    {"drain", "ID [--rate N ...]", "empty a msg_server and end it",
	"New clients go to the others, those it has are asked to move, and\n"
	"nobody misses anything. Then its process ends, and stays down until:\n"
	"cchatctl start ID. Shows how far it is, until the end.\n\n"
	"  --rate N             clients a second (200); more, where --within\n"
	"                       is too short for that\n"
	"  --within T           30s, 10m, 2h: who is left then goes at once\n"
	"                       and comes back elsewhere (30s; where only a\n"
	"                       rate is given, as long as that takes)\n"
	"  --no-wait            returns when it has begun\n\n"
	"Exit code 0: drained, 1: it ended before that, or can't be drained.",
	verb_drain, false},
    {"undrain", "ID", "end a drain; the server takes clients again",
	"Those who have moved stay where they are.", verb_undrain, false},
    {"jobs", "[--limit N]", "drains, the newest first", NULL, verb_jobs, false},
    {"forget", "NAME", "drop a server that is down from the lists", NULL,
	verb_forget, false},
    {"import-credentials", "FILE", "who may log in with clients of sok",
	"A line for each: uid, source, token and, in unix seconds, when it\n"
	"ends; 0 or nothing: never. Or a value of the framework's redis,\n"
	"think_serialize:a:1:{...}, whatever stands in front of it. Lines "
	"that\n"
	"begin with # are skipped; FILE - is standard input. A second import\n"
	"changes what the first one said.\n\n"
	"  --api-key FILE       the api_key_file of the msg_servers\n"
	"                       (api.key of --data)\n"
	"  --url ADDR:PORT      this msg_server, not one that the\n"
	"                       config_server names\n\n"
	"Exit code 0: all are set, 1: some are not, 2: usage, 3: nothing runs.",
	verb_import, false},
    {"verify", "[--seconds S ...]",
	"does it keep its promises; exit code 1 when not",
	"People of its own talk through the cluster, in rooms where nobody\n"
	"else is, and a judge reads what each sent, was promised and "
	"received:\n"
	"nothing acked is lost, nothing doubled, one order, no silent hole,\n"
	"nothing shown to others. Kill, restart or drain servers meanwhile.\n"
	"What the people wrote stays in the log as long as keep_days says.\n"
	"Needs node 18 or newer.\n\n"
	"  --seconds S          how long they talk (30, at most 3600)\n"
	"  --clients N          how many people (40, at most 1000)\n"
	"  --rate R             messages a second of all together (150)\n"
	"  --rooms N            in how many rooms (8)\n"
	"  --seed N             the same people and talk again\n"
	"  --url WS[,WS]        these msg_servers, not those that the\n"
	"                       config_server names\n"
	"  --token-key FILE     the key that tokens are made with, where "
	"logins\n"
	"                       need one (token.key of --data)\n"
	"  --grace S            presence_grace of the proxy_servers (15)\n"
	"  --records FILE       what everybody wrote down, as JSON lines\n\n"
	"Exit code 0: every promise was kept, 1: one was not, 2: usage or no\n"
	"node, 3: nothing runs.",
	verb_verify, false},
    {"bench", "[SCENE] [--rate N ...]",
	"how fast is it: a load of its own, and what it cost",
	"People of its own connect to all msg_servers, in rooms where nobody\n"
	"else is, and every delivery is booked: how many a second, how long\n"
	"they took (p50 to p99.9, max), what was lost, doubled or out of "
	"order;\n"
	"of servers on this machine also processor time and memory. Scenes:\n\n"
	"  fan      messages to rooms (where none is named)\n"
	"  pairs    private messages, between two each\n"
	"  storm    connect and log in as fast as it goes; idle: and hold\n"
	"  stall    some stop reading, and read on\n"
	"  limit    the bare send() of this machine, for comparison\n\n"
	"  --rooms N --members N    of each (8, 25; at most 15,000 people)\n"
	"  --senders N              of each room (5)\n"
	"  --rate N                 messages a second of all together (40); "
	"one\n"
	"                           user may send as many as send_rate says\n"
	"  --window N               instead: as fast as it goes, with so many\n"
	"                           of a room under way\n"
	"  --seconds S              how long (10, at most 3600; at most\n"
	"                           2,000,000 messages at a rate)\n"
	"  --size N                 bytes of a message (100)\n"
	"  --ratio                  the bare send loop first: x_limit\n"
	"  --hold S                 of idle and stall (5)\n"
	"  --stalled N              of 1000 people N do not read\n"
	"  --reach N                idle: then a private message to each, N a\n"
	"                           second\n"
	"  --together               idle: the people of a room on one server\n"
	"  --opening N              logins under way at once (16)\n"
	"  --per-address N          people of one 127.0.1.x, where the "
	"servers\n"
	"                           are on this machine (400)\n"
	"  --level 1|2              of the protocol (2)\n"
	"  --dialect workerman      with --url: a workerman-chat beside ours\n"
	"  --url WS[,WS]            these msg_servers (ws:// alone)\n"
	"  --token-key FILE         as for verify\n\n"
	"What was said stays in the log as long as keep_days says; of limits\n"
	"that refuse see cchat.conf(5). With --json: a JSON line a "
	"measurement.\n\n"
	"Exit code 0: all arrived, 1: something was lost, doubled, refused or\n"
	"out of order, 2: usage, 3: nothing runs.",
	verb_bench, false},
};

static void
usage(FILE *to)
{
	fprintf(to, "Usage: cchatctl VERB [...]\n\nOn this machine:\n");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (verbs[i].run == verb_servers)
			fprintf(to, "\nOf the cluster:\n");
		fprintf(to, "  %-11s %-23s %s\n", verbs[i].name, verbs[i].args,
		    verbs[i].help);
	}
	fprintf(to,
	    "\nEverywhere:\n"
	    "  --data DIR               where the cluster keeps its data "
	    "(data)\n"
	    "  --config-server ADDR     the config_server to ask, if not the "
	    "one of --data\n"
	    "  -c FILE                  settings from a file (section "
	    "cchatctl)\n"
	    "  --json                   answers as JSON, for programs\n"
	    "  -h after a verb tells more; -V prints the version\n"
	    "\nExit codes: 0 ok, 1 failed, 2 usage or settings, 3 not "
	    "running, 4 address in use, 5 data unusable.\n");
}

static void
usage_verb(const struct verb *v)
{
	printf("Usage: cchatctl %s%s%s\n\n%s.\n", v->name,
	    v->args[0] ? " " : "", v->args, v->help);
	if (v->more != NULL)
		printf("\n%s\n", v->more);
	if (v->local) {
		printf(
		    "\nSettings, as flags or in section cchatctl of the file "
		    "given with -c:\n");
		ctl_settings_print();
	} else {
		printf("\n  --data DIR, --config-server ADDR:PORT, --json; see "
		       "cchatctl -h\n");
	}
}

/* not one of those whose usage shows flags alone: `stop ms1` is not `stop` */
static bool
verb_takes_words(const struct verb *v)
{
	return v->args[0] != '\0' && strncmp(v->args, "[--", 3) != 0;
}

int
main(int argc, char **argv)
{
	struct ctl_args args;
	const struct verb *v = NULL;
	const char *name = argc > 1 ? argv[1] : "-h";
	int code;

	log_init("cchatctl", LOG_LEVEL_INFO);
	json_init();
	if (!strcmp(name, "-h") || !strcmp(name, "--help") ||
	    !strcmp(name, "help")) {
		usage(argc > 1 ? stdout : stderr);
		return argc > 1 ? EXIT_OK : EXIT_USAGE;
	}
	if (!strcmp(name, "-V") || !strcmp(name, "--version")) {
		printf("cchatctl (%s) %s\n", PACKAGE_NAME, PACKAGE_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(name, verbs[i].name))
			v = &verbs[i];
	if (v == NULL)
		fatal(EXIT_USAGE, "no such verb '%s'; see cchatctl -h", name);
	argv[1] = argv[0];
	argc--;
	argv++;
	if (v->run == verb_verify)
		argc = verify_take(argc, argv);
	else if (v->run == verb_bench)
		argc = bench_take(argc, argv);
	else if (v->run == verb_import)
		argc = import_take(argc, argv);
	ctl_args_read(&args, argc, argv);
	if (args.help) {
		usage_verb(v);
		ctl_args_free(&args);
		return EXIT_OK;
	}
	if (args.n_words > 0 && !verb_takes_words(v))
		fatal(EXIT_USAGE, "%s takes no names; see %s -h", v->name,
		    v->name);
	code = v->run(&args);
	ctl_args_free(&args);
	return code;
}
