/* SPDX-License-Identifier: MIT */
/*
 * What the verbs that look into the running daemons of this machine have in
 * common: a question to a daemon's admin listener, and finding it by its name.
 */
#ifndef CONFIG_SERVER_CTL_LIVE_LIVE_H
#define CONFIG_SERVER_CTL_LIVE_LIVE_H

#include "config_server/ctl/ctl_settings.h"
#include "shared/proto/json.h"

enum { LIVE_ASK_MS = 1000 };

/* the body, to be released, or NULL; *status as ctl_http() */
json_t *live_ask(const char *address, const char *target, int *status);
/* "no cluster runs"; its exit code */
int live_not_running(const struct ctl_args *a);
/* index in "servers" of a state; -1: it was said that there is none */
int live_find(const json_t *state, const char *name);
/* v on stdout, in one line */
void live_print_json(const json_t *v);

#endif
