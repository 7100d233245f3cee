/* SPDX-License-Identifier: MIT */
/*
 * DATA/run/cluster.json: what the running supervisor says of itself and its
 * children, for the other verbs. It is true only while DATA/run/cchatctl.pid is
 * locked.
 */
#ifndef CONFIG_SERVER_CTL_CTL_STATE_H
#define CONFIG_SERVER_CTL_CTL_STATE_H

#include <limits.h>
#include <sys/types.h>

#include "shared/proto/json.h"

/* pid of the supervisor of that data directory, 0: none runs */
pid_t state_pid(const char *data);
/* waits until it is gone; false after ms */
bool state_wait_gone(const char *data, int64_t ms);
/* the file as JSON, owned by the caller; NULL */
json_t *state_read(const char *data);
/* 0, ERR_IO with errno */
int state_write(const char *data, struct str json) MUST_CHECK;
/* member of a state, "" when absent */
const char *state_text(const json_t *obj, const char *key);

#endif
