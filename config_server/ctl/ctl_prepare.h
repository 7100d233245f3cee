/* SPDX-License-Identifier: MIT */
/*
 * What must be so before the first daemon is started: directories, keys, free
 * ports, the programs. Every mistake is one line and the right exit code.
 */
#ifndef CONFIG_SERVER_CTL_CTL_PREPARE_H
#define CONFIG_SERVER_CTL_CTL_PREPARE_H

#include "config_server/ctl/ctl_child.h"

/* where that daemon's program is; ends the program when nowhere */
void prepare_find(const struct ctl_args *a, const char *name, char out[PATH_MAX]);
/* fills env->data and env->programs; ends the program on a mistake */
void prepare_all(const struct ctl_args *a, struct child_env *env);
/*
 * Forks. In the parent: true once the child has reported, with its code, and is
 * gone if that is a failure; in the child: false, with the
 * descriptor to report to.
 */
bool prepare_detach(int *report_fd, int *code);

#endif
