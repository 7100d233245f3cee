/* SPDX-License-Identifier: MIT */
/*
 * The supervisor: config_server first, then proxy_servers and msg_servers,
 * started again with back-off when they end, stopped in the order msg_server,
 * proxy_server, config_server (SIGINT to msg_servers, SIGTERM to the others,
 * after 10 s SIGKILL).
 *
 * A msg_server that a drain job has emptied stays down. SIGUSR1 with the
 * number of a child in DATA/run/cluster.json (sigqueue): that one ends
 * (SIGTERM; after 45 s SIGKILL, unless it says that it drains) and is started
 * anew, or is started when it is down.
 */
#ifndef CONFIG_SERVER_CTL_CTL_CLUSTER_H
#define CONFIG_SERVER_CTL_CTL_CLUSTER_H

#include "config_server/ctl/ctl_settings.h"

enum { CLUSTER_STOP_MS = 10000, CLUSTER_DRAIN_MS = 45000 };

/* runs until it is told to stop; the exit code (design.md section 7). With a->detach returns once all is ready */
int cluster_start(const struct ctl_args *a);

#endif
