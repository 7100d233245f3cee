/* SPDX-License-Identifier: MIT */
/*
 * Sections of cchat.conf as text, before libconfuse sees them: finds the
 * sections of the top level, checks that every brace is closed (libconfuse
 * accepts an unclosed section silently) and that every section is one of
 * ours. Inside of proc/conf only.
 */
#ifndef SHARED_PROC_CONF_FILE_H
#define SHARED_PROC_CONF_FILE_H

#include <stddef.h>

#include "shared/base/str.h"

/* one line for people; "file:line: text" */
struct conf_error {
	char *text;
	size_t size;
};

void conf_fail(struct conf_error *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* the whole file, NUL-terminated and malloced; NULL and an error otherwise */
char *conf_slurp(const char *file, struct conf_error *e);
/*
 * The inside of section `name`, with everything else (comments too) blanked
 * out but the line ends, so that line numbers stay true. Malloced; NULL with
 * an error; "" when the file has no such section or it is empty.
 */
char *conf_section(
    const char *file, const char *text, const char *name, struct conf_error *e);

#endif
