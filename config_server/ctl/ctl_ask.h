/* SPDX-License-Identifier: MIT */
/*
 * What the verbs that ask the config_server have in common: the question, what
 * is printed when it fails, words and numbers of the command line, and cells
 * of tables by the key of an answer.
 */
#ifndef CONFIG_SERVER_CTL_CTL_ASK_H
#define CONFIG_SERVER_CTL_CTL_ASK_H

#include "config_server/ctl/ctl_settings.h"
#include "config_server/ctl/ctl_table.h"
#include "shared/proto/json.h"

enum { CMD_TARGET_MAX = 512 };

/*
 * Asks; with --json prints the answer. *out: the answer of a 200 or 202, to be
 * released, or NULL when there is nothing more to print. An exit code.
 */
int cmd_ask(const struct ctl_args *a, const char *method, const char *target, json_t **out);
/* GET of what becomes a table; NULL: nothing is left to print, *code is the exit code */
json_t *cmd_list(const struct ctl_args *a, const char *target, int *code);
/* as cmd_ask(); a body that is not empty is POSTed; loud: what is printed */
enum cmd_loud { CMD_ALL, CMD_ERRORS, CMD_NOTHING };
int cmd_talk(const struct ctl_args *a, const char *method, const char *target, struct str body, enum cmd_loud loud, json_t **out);

/* the one word of a verb, an id (it becomes part of a path); NULL: it was said that it is `what` */
const char *cmd_word(const struct ctl_args *a, const char *what);
const char *cmd_limit(const struct ctl_args *a, const char *def);
/* may go into a query as it is; NULL may */
bool cmd_plain(const char *s);
/* a number of that range; NULL is */
bool cmd_number(const char *s, uint64_t min, uint64_t max);

/* members of an answer; 0 when absent */
int64_t cmd_int(const json_t *obj, const char *key);
const json_t *cmd_item(const json_t *v, const char *key, size_t i);

/* cells; "-" when absent */
void cmd_put(struct table *t, const json_t *obj, const char *key);
void cmd_put_int(struct table *t, const json_t *obj, const char *key);
void cmd_put_age(struct table *t, int64_t wall_ms);
void cmd_put_state(struct table *t, const json_t *obj);

#endif
