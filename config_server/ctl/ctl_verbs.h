/* SPDX-License-Identifier: MIT */
/*
 * The verbs of cchatctl that ask or tell a running cluster. Each prints for
 * people, or with --json what the server answered, and returns the exit code.
 */
#ifndef CONFIG_SERVER_CTL_CTL_VERBS_H
#define CONFIG_SERVER_CTL_CTL_VERBS_H

#include "config_server/ctl/ctl_settings.h"

/* of this machine's cluster (ctl_local.c) */
int verb_start(const struct ctl_args *a);
int verb_stop(const struct ctl_args *a);
int verb_restart(const struct ctl_args *a);

/* its daemons, asked one by one (live/) */
int verb_status(const struct ctl_args *a);
int verb_reload(const struct ctl_args *a);
int verb_connections(const struct ctl_args *a);

/* the log of this machine's cluster (ctl_data.c) */
int verb_backup(const struct ctl_args *a);
int verb_restore(const struct ctl_args *a);

/* of the config_server (ctl_cmds.c) */
int verb_servers(const struct ctl_args *a);
int verb_load(const struct ctl_args *a);
int verb_where(const struct ctl_args *a);
int verb_room(const struct ctl_args *a);
int verb_rooms(const struct ctl_args *a);
int verb_next(const struct ctl_args *a);
int verb_events(const struct ctl_args *a);
int verb_check(const struct ctl_args *a);
int verb_forget(const struct ctl_args *a);

/* of the config_server: drain jobs (ctl_drain.c) */
int verb_drain(const struct ctl_args *a);
int verb_undrain(const struct ctl_args *a);
int verb_jobs(const struct ctl_args *a);

/* where it is: --config-server, else what runs here, else the default (ctl_ask.c) */
const char *cmd_address(const struct ctl_args *a);

/* of a live cluster, by load of its own (tool/verify.c) */
int verb_verify(const struct ctl_args *a);
/* takes its own flags out of argv, before the others are read; the argc left */
int verify_take(int argc, char **argv);
/* the same (tool/bench.c) */
int verb_bench(const struct ctl_args *a);
int bench_take(int argc, char **argv);
/* credentials of sok's users, from a file; the same (tool/import.c) */
int verb_import(const struct ctl_args *a);
int import_take(int argc, char **argv);

#endif
