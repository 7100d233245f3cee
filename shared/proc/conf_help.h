/* SPDX-License-Identifier: MIT */
/*
 * What people see of the settings: --help and --check. Both are made from the
 * table alone, so that they can't say anything else than what is read. Daemons
 * get both from conf_load(); cchatctl, whose help has verbs, prints the
 * settings alone.
 */
#ifndef SHARED_PROC_CONF_HELP_H
#define SHARED_PROC_CONF_HELP_H

#include <stdio.h>

#include "shared/proc/conf.h"

enum { CONF_FLAG_MAX = 40 };

/* "msg_max" -> "msg-max" */
void conf_flag_name(const struct conf_opt *o, char out[CONF_FLAG_MAX]);
/* the words of a CONF_T_ENUM, cut to size */
void conf_words(
    const struct conf_opt *o, const char *between, char *to, size_t size);

/* at most 80 columns, settings grouped, aligned, with their defaults */
void conf_print_help(FILE *out, const struct conf_program *prog);
/* the part of it that is settings */
void conf_print_settings(FILE *out, const struct conf_program *prog);
/* a section of cchat.conf that gives exactly these settings again */
void conf_print_effective(
    FILE *out, const struct conf_program *prog, void *settings);

#endif
