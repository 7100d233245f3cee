/* SPDX-License-Identifier: MIT */
/*
 * Flags and whereabouts of the programs that verbs start. What the values may
 * be is the matter of who reads them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_server/ctl/tool/tool.h"
#include "shared/base/err.h"
#include "shared/proc/log.h"

static bool
tool_is_one_of(const char *const *list, size_t n_list, const char *arg)
{
	size_t n = strcspn(arg, "=");

	for (size_t i = 0; i < n_list; i++)
		if (strlen(list[i]) == n && !strncmp(arg, list[i], n))
			return true;
	return false;
}

int
tool_take(struct tool *t, int argc, char **argv)
{
	int i, n = 1;
	bool plain;

	for (i = 1; i < argc; i++) {
		plain = tool_is_one_of(t->switches, t->n_switches, argv[i]);
		if (!plain && !tool_is_one_of(t->flags, t->n_flags, argv[i])) {
			argv[n++] = argv[i];
			continue;
		}
		if (t->n + 2 > TOOL_FLAGS_MAX)
			fatal(EXIT_USAGE, "too many flags; see -h");
		t->given[t->n++] = argv[i];
		if (plain || strchr(argv[i], '=') != NULL)
			continue;
		if (i + 1 >= argc)
			fatal(EXIT_USAGE, "%s needs a value", argv[i]);
		t->given[t->n++] = argv[++i];
	}
	argv[n] = NULL;
	return n;
}

const char *
tool_value(const struct tool *t, const char *flag)
{
	size_t n = strlen(flag);
	const char *v = NULL;

	for (int i = 0; i < t->n; i++) {
		bool plain =
		    tool_is_one_of(t->switches, t->n_switches, t->given[i]);
		bool here = !strncmp(t->given[i], flag, n);

		if (plain) {
			if (here && t->given[i][n] == '\0')
				v = t->given[i];
		} else if (strchr(t->given[i], '=') != NULL) {
			if (here && t->given[i][n] == '=')
				v = t->given[i] + n + 1;
		} else {
			if (here && t->given[i][n] == '\0')
				v = t->given[i + 1];
			i++;
		}
	}
	return v;
}

void
tool_find(const char *verb, const char *const *near, size_t n, const char *far,
    char out[PATH_MAX])
{
	char own[PATH_MAX - 64], *slash;
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[len > 0 ? len : 0] = '\0';
	slash = strrchr(own, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; i < n; i++) {
		snprintf(out, PATH_MAX, "%s/%s", own, near[i]);
		if (access(out, R_OK) == 0)
			return;
	}
	snprintf(out, PATH_MAX, "%s", far);
	if (access(out, R_OK) != 0)
		fatal(EXIT_USAGE, "%s: %s is not there", verb, out);
}
