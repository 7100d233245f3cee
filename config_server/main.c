/* SPDX-License-Identifier: MIT */
/*
 * config_server: the directory of a cchat cluster. Settings, the loop, the
 * end; everything else is server.c.
 */
#include <ev.h>
#include <stdio.h>

#include "config_server/server.h"
#include "shared/proc/conf_reload.h"
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

static void
main_on_reload(void *arg)
{
	struct server *s = arg;
	char path[4096];

	(void)conf_reload(&settings_program, &s->set);
	server_key_path(s, path, sizeof(path));
	(void)conf_reload_key("link_key", path, "link key", s->key);
	conf_reload_log(s->set.log_level, s->set.log_file);
	conf_reload_end();
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
	    .on_stop = main_on_stop, .on_reload = main_on_reload};
	static struct server server;
	struct ev_loop *loop;
	struct net *net;
	char who[64];

	settings_load(&server.set, argc, argv);
	snprintf(who, sizeof(who), "config_server %s", server.set.name);
	daemon_init();
	log_setup(who, server.set.log_level, server.set.log_file);
	loop = daemon_loop(&ops, &server);
	net = net_new(loop);
	server_start(&server, net);
	log_started();
	ev_run(loop, 0);
	net_flush(net); /* last words of links */
	server_free(&server);
	net_free(net);
	return EXIT_OK;
}
