/* SPDX-License-Identifier: MIT */
/*
 * verify: the judge of the fault runs at work on a live cluster. He and the
 * people he listens to are node modules (tests/fault), installed as they are;
 * here they are found and started, with what this machine knows: where the
 * config_server is, and the key that a site's tokens are made with.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/tool/tool.h"
#include "shared/base/err.h"
#include "shared/proc/log.h"

enum { VERIFY_NODE_MIN = 18, VERIFY_OWN = 16 };

/* its own flags, each with a value; what they may be is verify.mjs's matter */
static const char *const verify_flags[] = {"--clients", "--rate", "--seconds",
    "--rooms", "--seed", "--grace", "--url", "--token-key", "--records"};

static struct tool verify_tool = {
    .flags = verify_flags, .n_flags = ARRAY_LEN(verify_flags)};

int
verify_take(int argc, char **argv)
{
	return tool_take(&verify_tool, argc, argv);
}

/* ends the program, with one line, where there is no node or an old one */
static void
verify_check_node(void)
{
	char line[64] = "";
	FILE *f = popen("node --version 2>/dev/null", "re");
	long major = 0;

	if (f != NULL) {
		if (fgets(line, sizeof(line), f) != NULL && line[0] == 'v')
			major = strtol(line + 1, NULL, 10);
		(void)pclose(f);
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (major == 0)
		fatal(EXIT_USAGE,
		    "verify runs on node %d or newer, and there is no node "
		    "(Debian: apt install nodejs)",
		    VERIFY_NODE_MIN);
	if (major < VERIFY_NODE_MIN)
		fatal(EXIT_USAGE, "verify runs on node %d or newer, not on %s",
		    VERIFY_NODE_MIN, line);
}

int
verb_verify(const struct ctl_args *a)
{
	char program[PATH_MAX], key[PATH_MAX];
	const char *argv[TOOL_FLAGS_MAX + VERIFY_OWN];
	int n = 0;

	if (a->n_words > 0) {
		fprintf(stderr,
		    "cchatctl: verify takes flags alone; see verify -h\n");
		return EXIT_USAGE;
	}
	static const char *const near[] = {
	    "verify/verify.mjs", "../share/" PACKAGE "/verify/verify.mjs"};

	tool_find("verify", near, ARRAY_LEN(near),
	    PKGDATADIR "/verify/verify.mjs", program);
	verify_check_node();
	snprintf(key, sizeof(key), "%s/token.key", a->set.data);
	argv[n++] = "node";
	argv[n++] = program;
	argv[n++] = "--config";
	argv[n++] = cmd_address(a);
	argv[n++] = "--own-key";
	argv[n++] = key;
	if (a->json)
		argv[n++] = "--json";
	for (int i = 0; i < verify_tool.n; i++)
		argv[n++] = verify_tool.given[i];
	argv[n] = NULL;
	fflush(NULL);
	execvp("node", (char *const *)(uintptr_t)argv);
	fprintf(stderr, "cchatctl: node: %s\n", strerror(errno));
	return EXIT_FAILED;
}
