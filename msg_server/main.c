/* SPDX-License-Identifier: MIT */
/*
 * msg_server: settings, keys and the loop around struct server.
 */
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <unistd.h>

#include "msg_server/door/api.h"
#include "msg_server/server.h"
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
	server_reload(arg);
}

static void
main_on_quit(struct server *srv)
{
	(void)srv;
	ev_break(main_loop, EVBREAK_ALL);
}

static void
main_path(char *out, size_t size, const struct settings *set, const char *path,
    const char *name)
{
	if (path[0] != '\0')
		snprintf(out, size, "%s", path);
	else
		snprintf(out, size, "%s/%s", set->data, name);
}

static void
main_keys(struct server *srv)
{
	struct settings *set = &srv->set;
	char path[4096];

	main_path(path, sizeof path, set, set->link_key, "link.key");
	daemon_key(path, "link key", srv->link_key);
	main_path(path, sizeof path, set, set->token_key, "token.key");
	/* open mode needs a key to have a secret, not an agreement */
	if (set->auth == SETTINGS_AUTH_OPEN && set->token_key[0] == '\0' &&
	    access(path, F_OK) != 0 && errno == ENOENT &&
	    daemon_key_create(path) == 0)
		log_info("%s: a new token key", path);
	daemon_key(path, "token key", srv->auth.key[srv->auth.n_keys++]);
	if (set->token_key_old[0] != '\0')
		daemon_key(set->token_key_old, "old token key",
		    srv->auth.key[srv->auth.n_keys++]);
	srv->auth.mode =
	    set->auth == SETTINGS_AUTH_TOKEN ? AUTH_TOKEN : AUTH_OPEN;
	api_load_key(srv);
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
	enum log_level level = LOG_LEVEL_INFO;
	char who[ID_MAX + 32];

	daemon_init();
	json_init();
	settings_load(&srv.set, argc, argv);
	(void)log_level_parse(srv.set.log_level, &level);
	snprintf(who, sizeof who, "msg_server %s", srv.set.name);
	log_init(who, level);
	daemon_data_dir(srv.set.data);
	main_keys(&srv);
	daemon_pidfile(srv.set.data, srv.set.name);
	srv.inc = daemon_incarnation(srv.set.data, srv.set.name);
	main_loop = daemon_loop(&ops, &srv);
	srv.net = net_new(main_loop);
	srv.on_quit = main_on_quit;
	server_start(&srv);
	daemon_notify("READY=1");
	ev_run(main_loop, 0);
	net_flush(srv.net);
	return EXIT_OK;
}
