/* SPDX-License-Identifier: MIT */
/*
 * Values of settings: text that is judged by its row of the table and put into
 * the program's struct. 0 or ERR_CONF with a message that has no place in
 * front; strings and lists in the struct are malloced. Inside of proc/conf
 * only.
 */
#ifndef SHARED_PROC_CONF_VALUE_H
#define SHARED_PROC_CONF_VALUE_H

#include "shared/proc/conf.h"
#include "shared/proc/conf_file.h"

enum { CONF_LIST_MAX = 64 };

void *conf_at(void *settings, const struct conf_opt *o);
/* is it a char * in the struct? */
bool conf_is_text(const struct conf_opt *o);
/* one value, of a setting that is no list */
int conf_set(const struct conf_opt *o, void *settings, const char *v,
    struct conf_error *e);
int conf_set_list(const struct conf_opt *o, void *settings,
    const char *const *values, size_t n, struct conf_error *e);
/* a value, or "a,b" of a list: as flags and defaults have it */
int conf_set_text(const struct conf_opt *o, void *settings, const char *v,
    struct conf_error *e);
void conf_list_free(char **list);

#endif
