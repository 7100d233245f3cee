/* SPDX-License-Identifier: MIT */
/*
 * Flags and settings of cchatctl. What they do is in ctl_cluster.c and
 * ctl_cmds.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/ctl/ctl_settings.h"
#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/proc/conf.h"
#include "shared/proc/log.h"

#define S struct ctl_settings
static const struct conf_opt ctl_opts[] = {
    CONF_STR(S, data, "data", "data", "directory of everything that is kept"),
    CONF_STR(S, www, "www", "", "directory of the chat page"),
    CONF_INT(S, msg, "msg", 0, 0, 64,
	"msg_servers to run; 0: 2, but 1 with --as webim, whose long poll "
	"finds its session at one server"),
    CONF_INT(S, proxy, "proxy", 2, 1, 16,
	"proxy_servers to run: one active, the others standby"),
    CONF_STR(S, as, "as", "",
	"stand where an older system stood: cchat, workerman, webim, meteor, "
	"sok, with , between; none: only here"),
    CONF_STR(S, listen, "listen", "127.0.0.1:9503",
	"public address of the page and of chat, shared by all msg_servers"),
    CONF_STR(S, direct, "direct", "127.0.0.1:0",
	"address of each msg_server alone; port 0 unless there is one"),
    CONF_STR(S, admin, "admin", "127.0.0.1:9510",
	"admin address of the first msg_server; the others get port 0"),
    CONF_STR(S, link_listen, "link_listen", "127.0.0.1:9600",
	"link address of the first proxy_server; the others get port 0"),
    CONF_STR(S, proxy_admin, "proxy_admin", "127.0.0.1:9610",
	"admin address of the first proxy_server; the others get port 0"),
    CONF_STR(S, config_server, "config_server", "127.0.0.1:9700",
	"address of the config_server: to start it there, or to ask it"),
    CONF_CLUSTER(S),
    CONF_STR(S, programs, "programs", "",
	"directory of the daemons; found beside cchatctl when empty"),
    CONF_INT(S, wait, "wait", 30, 1, 600, "seconds `start` waits for all"),
};
#undef S

static const struct conf_program ctl_program = {
    .name = "cchatctl",
    .summary = "runs a cchat cluster on this machine and asks it questions",
    .opts = ctl_opts,
    .n_opts = ARRAY_LEN(ctl_opts),
};

enum { CTL_COLUMN = 26, CTL_WIDTH = 79 };

/* text from the column on, folded at the width of a terminal */
static void
ctl_print_folded(int col, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " ");
		if (col > CTL_COLUMN && col + 1 + (int)n > CTL_WIDTH) {
			printf("\n%*s", CTL_COLUMN, "");
			col = CTL_COLUMN;
		} else if (col > CTL_COLUMN) {
			col += printf(" ");
		}
		col += printf("%.*s", (int)n, text);
	}
	printf("\n");
}

void
ctl_settings_print(void)
{
	char name[40], left[64], text[256];
	size_t i, k;
	int col;

	for (i = 0; i < ARRAY_LEN(ctl_opts); i++) {
		const struct conf_opt *o = &ctl_opts[i];

		snprintf(name, sizeof(name), "%s", o->name);
		for (k = 0; name[k] != '\0'; k++)
			if (name[k] == '_')
				name[k] = '-';
		snprintf(left, sizeof(left), "--%s %s", name,
		    o->type == CONF_T_INT ? "N" : "TEXT");
		snprintf(text, sizeof(text), "%s%s%s%s", o->help,
		    o->def != NULL && o->def[0] != '\0' ? " (" : "",
		    o->def != NULL ? o->def : "",
		    o->def != NULL && o->def[0] != '\0' ? ")" : "");
		col = printf("  %-*s", CTL_COLUMN - 2, left);
		ctl_print_folded(col, text);
	}
}

/* a flag of the questions: --name VALUE or --name=VALUE */
static bool
ctl_value(const char *flag, int argc, char **argv, int *i, const char **out)
{
	size_t n = strlen(flag);

	if (strncmp(argv[*i], flag, n) != 0)
		return false;
	if (argv[*i][n] == '=') {
		*out = argv[*i] + n + 1;
		return true;
	}
	if (argv[*i][n] != '\0')
		return false;
	if (*i + 1 >= argc)
		fatal(EXIT_USAGE, "%s needs a value", flag);
	*out = argv[++*i];
	return true;
}

static bool
ctl_switch(struct ctl_args *a, const char *arg)
{
	if (!strcmp(arg, "--json"))
		a->json = true;
	else if (!strcmp(arg, "-d") || !strcmp(arg, "--detach"))
		a->detach = true;
	else if (!strcmp(arg, "-f") || !strcmp(arg, "--follow"))
		a->follow = true;
	else if (!strcmp(arg, "--no-wait"))
		a->no_wait = true;
	else if (!strcmp(arg, "-h") || !strcmp(arg, "--help"))
		a->help = true;
	else
		return false;
	return true;
}

/* one argument; settings are gathered for conf_load() */
static void
ctl_args_one(struct ctl_args *a, int argc, char **argv, int *i)
{
	char *arg = argv[*i];

	if (ctl_switch(a, arg) || ctl_value("--srv", argc, argv, i, &a->srv) ||
	    ctl_value("--since", argc, argv, i, &a->since) ||
	    ctl_value("--limit", argc, argv, i, &a->limit) ||
	    ctl_value("--rate", argc, argv, i, &a->rate) ||
	    ctl_value("--within", argc, argv, i, &a->within))
		return;
	if (arg[0] != '-' || arg[1] == '\0') {
		if (a->n_words == CTL_WORDS_MAX)
			fatal(EXIT_USAGE, "too many words; see -h");
		a->word[a->n_words++] = arg;
		return;
	}
	if (!strncmp(arg, "--config-server", 15))
		a->given_config = true;
	a->argv[a->argc++] = arg;
	if (!strcmp(arg, "-c") || !strcmp(arg, "--config"))
		a->file = *i + 1 < argc ? argv[*i + 1] : NULL;
	if (strchr(arg, '=') == NULL && *i + 1 < argc &&
	    (arg[1] == '-' || !strcmp(arg, "-c")) && strcmp(arg, "--check") &&
	    strcmp(arg, "--version"))
		a->argv[a->argc++] = argv[++*i];
}

void
ctl_args_read(struct ctl_args *a, int argc, char **argv)
{
	int i;

	memset(a, 0, sizeof(*a));
	a->argv = xcalloc((size_t)argc + 2, sizeof(*a->argv));
	a->argv[a->argc++] = argv[0];
	for (i = 1; i < argc; i++)
		ctl_args_one(a, argc, argv, &i);
	if (a->help)
		return;
	conf_load(&ctl_program, &a->set, a->argc, a->argv);
}

void
ctl_args_free(struct ctl_args *a)
{
	conf_free(&ctl_program, &a->set);
	free(a->argv);
}
