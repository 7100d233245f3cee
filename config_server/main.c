/* SPDX-License-Identifier: MIT */
/*
 * config_server: the directory of a cchat cluster. Settings, the loop, the
 * end; everything else is server.c.
 */
#include <ev.h>
#include <stdio.h>

#include "config_server/server.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"

static void
main_on_stop(void *arg)
{
	struct server *s = arg;

	log_info("stopping");
	server_stop(s);
	ev_break(s->net->loop, EVBREAK_ALL);
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {.on_stop = main_on_stop};
	static struct server server;
	enum log_level level = LOG_LEVEL_INFO;
	struct ev_loop *loop;
	struct net *net;
	char who[64];

	settings_load(&server.set, argc, argv);
	(void)log_level_parse(server.set.log_level, &level);
	snprintf(who, sizeof(who), "config_server %s", server.set.name);
	log_init(who, level);
	daemon_init();
	loop = daemon_loop(&ops, &server);
	net = net_new(loop);
	server_start(&server, net);
	ev_run(loop, 0);
	net_flush(net); /* last words of links */
	server_free(&server);
	net_free(net);
	return EXIT_OK;
}
