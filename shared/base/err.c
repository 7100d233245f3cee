/* SPDX-License-Identifier: MIT */
/*
 * Error texts, and allocation that dies loudly. See err.h. It stands below
 * log, so the one line it may have to say goes to stderr as it is.
 */
#include "shared/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
err_text(int err)
{
	switch ((enum err)err) {
#define X(name, value, text) \
	case name:           \
		return text;
		ERR_TABLE(X)
#undef X
	}
	return "unknown error";
}

static void
err_oom(void)
{
	static const char text[] = "out of memory\n";

	if (fwrite(text, 1, sizeof text - 1, stderr)) {
		/* nothing more can be done */
	}
	abort();
}

void *
xmalloc(unsigned long n)
{
	void *p = malloc(n ? n : 1);

	if (p == NULL)
		err_oom();
	return p;
}

void *
xcalloc(unsigned long n, unsigned long size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (p == NULL)
		err_oom();
	return p;
}

void *
xrealloc(void *p, unsigned long n)
{
	p = realloc(p, n ? n : 1);
	if (p == NULL)
		err_oom();
	return p;
}

char *
xstrdup(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		err_oom();
	return p;
}
