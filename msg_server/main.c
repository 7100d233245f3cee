/* SPDX-License-Identifier: MIT */
/*
 * msg_server: settings, keys and the loop around struct server.
 */
#include <ev.h>
#include <stdio.h>

#include "msg_server/reload.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

static struct ev_loop *main_loop;

static void
main_on_stop(void *arg)
{
	server_stop(arg);
}

static void
main_on_hurry(void *arg, bool again)
{
	server_hurry(arg, again);
}

static void
main_on_reload(void *arg)
{
	reload_settings(arg);
}

static void
main_on_quit(struct server *srv)
{
	(void)srv;
	ev_break(main_loop, EVBREAK_ALL);
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
	    .on_stop = main_on_stop,
	    .on_reload = main_on_reload,
	    .on_hurry = main_on_hurry,
	};
	static struct server srv;
	char who[ID_MAX + 32];

	daemon_init();
	json_init();
	settings_load(&srv.set, argc, argv);
	snprintf(who, sizeof who, "msg_server %s", srv.set.name);
	log_setup(who, srv.set.log_level, srv.set.log_file);
	daemon_data_dir(srv.set.data);
	reload_first_keys(&srv);
	daemon_pidfile(srv.set.data, srv.set.name);
	srv.inc = daemon_incarnation(srv.set.data, srv.set.name);
	main_loop = daemon_loop(&ops, &srv);
	srv.net = net_new(main_loop);
	srv.on_quit = main_on_quit;
	server_start(&srv);
	log_started();
	daemon_notify("READY=1");
	ev_run(main_loop, 0);
	net_flush(srv.net);
	return EXIT_OK;
}
