/* SPDX-License-Identifier: MIT */
/*
 * What ctl_cluster.c (the loop of the supervisor) and ctl_report.c (what it says
 * of itself) share. Nobody else includes it.
 */
#ifndef CONFIG_SERVER_CTL_CTL_CLUSTER_PRIV_H
#define CONFIG_SERVER_CTL_CTL_CLUSTER_PRIV_H

#include "config_server/ctl/ctl_child.h"
#include "config_server/ctl/ctl_cluster.h"

enum {
	CLUSTER_CHILDREN_MAX = 1 + 16 + 64,
	CLUSTER_READY_TICK_MS = 30,
	CLUSTER_READY_ASK_MS = 500,
	CLUSTER_TICK_MS = 1000
};

struct cluster {
	const struct ctl_args *args;
	struct child_env env;
	struct child child[CLUSTER_CHILDREN_MAX];
	int n, signal_fd;
	char config[ADDR_TEXT_MAX];
	int64_t begun_ms, wall_ms, stop_by_ms;
	enum link_role stopping; /* the role that is to end now; 0: none */
	bool ready, killed;
	int code;      /* to exit with */
	int report_fd; /* detached: who waits for the code; else -1 */
};

/* to the terminal, or the log of a detached one */
void cluster_say(const struct cluster *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* DATA/run/cluster.json anew (ctl_state.h) */
void cluster_save(const struct cluster *k);
/* "cchat is up": the page, the table of servers */
void cluster_report(struct cluster *k);

#endif
