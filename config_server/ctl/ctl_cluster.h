/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: config_server first, then proxy_servers and msg_servers,
 * started again with back-off when they end, stopped in the order msg_server,
 * proxy_server, config_server (SIGTERM, after 10 s SIGKILL).
 */
#ifndef CONFIG_SERVER_CTL_CTL_CLUSTER_H
#define CONFIG_SERVER_CTL_CTL_CLUSTER_H

#include "config_server/ctl/ctl_settings.h"

enum { CLUSTER_STOP_MS = 10000 };

/* runs until it is told to stop; the exit code (design.md section 7). With a->detach returns once all is ready */
int cluster_start(const struct ctl_args *a);

#endif
