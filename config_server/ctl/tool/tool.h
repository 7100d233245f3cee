/* SPDX-License-Identifier: MIT */
/*
 * What the verbs that start another program have in common (verify, bench):
 * their own flags, which are handed on as they are, and where the program is.
 */
#ifndef CONFIG_SERVER_CTL_TOOL_TOOL_H
#define CONFIG_SERVER_CTL_TOOL_TOOL_H

#include <limits.h>
#include <stddef.h>

enum { TOOL_FLAGS_MAX = 64 };

struct tool {
	const char *const *flags; /* "--clients" ..., each with a value */
	size_t n_flags;
	const char *const *switches; /* without one */
	size_t n_switches;
	char *given[TOOL_FLAGS_MAX + 1]; /* of argv, "--x=5" or "--x", "5" */
	int n;
};

/* takes them out of argv; the argc left. Ends the program on a mistake. */
int tool_take(struct tool *t, int argc, char **argv);
/* the value of a flag that was given (the last one wins), or NULL */
const char *tool_value(const struct tool *t, const char *flag);

/*
 * The first that is there of `near`, beside this program, and `far`. Ends the
 * program with `verb: ... is not there` (exit code 2).
 */
void tool_find(const char *verb, const char *const *near, size_t n, const char *far, char out[PATH_MAX]);

#endif
