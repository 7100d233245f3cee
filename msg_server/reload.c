/* SPDX-License-Identifier: MIT */
/*
 * What of a msg_server is read at the start and again at a SIGHUP. See
 * reload.h. What a new value means is in the modules that read it; here is
 * only what they have made of the old one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "msg_server/door/api.h"
#include "msg_server/gate.h"
#include "msg_server/reload.h"
#include "msg_server/upload/upload.h"
#include "shared/proc/conf.h"
#include "shared/proc/conf_reload.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"

enum { RELOAD_WHY_MAX = 512 };

static void
reload_path(char *out, size_t size, const struct settings *set,
    const char *path, const char *name)
{
	if (path[0] != '\0')
		snprintf(out, size, "%s", path);
	else
		snprintf(out, size, "%s/%s", set->data, name);
}

/* both token keys as they are now, or none of them */
static int
reload_token_keys(struct server *srv, char *why, size_t size)
{
	const struct settings *set = &srv->set;
	struct auth fresh = {.mode = srv->auth.mode};
	char path[4096];
	int err;

	reload_path(path, sizeof path, set, set->token_key, "token.key");
	err = daemon_key_read(
	    path, "token key", fresh.key[fresh.n_keys++], why, size);
	if (err == OK && set->token_key_old[0] != '\0')
		err = daemon_key_read(set->token_key_old, "old token key",
		    fresh.key[fresh.n_keys++], why, size);
	if (err == OK) {
		if (memcmp(fresh.key[0], srv->auth.key[0],
			sizeof fresh.key[0]) != 0)
			conf_reload_changed("token_key");
		if (memcmp(fresh.key[1], srv->auth.key[1],
			sizeof fresh.key[1]) != 0)
			conf_reload_changed("token_key_old");
		srv->auth = fresh;
	}
	explicit_bzero(&fresh, sizeof fresh);
	return err;
}

void
reload_first_keys(struct server *srv)
{
	const struct settings *set = &srv->set;
	char path[4096], why[RELOAD_WHY_MAX];

	reload_path(path, sizeof path, set, set->link_key, "link.key");
	daemon_key(path, "link key", srv->link_key);
	reload_path(path, sizeof path, set, set->token_key, "token.key");
	/* open mode needs a key to have a secret, not an agreement */
	if (set->auth == SETTINGS_AUTH_OPEN && set->token_key[0] == '\0' &&
	    access(path, F_OK) != 0 && errno == ENOENT &&
	    daemon_key_create(path) == 0)
		log_info("%s: a new token key", path);
	srv->auth.mode =
	    set->auth == SETTINGS_AUTH_TOKEN ? AUTH_TOKEN : AUTH_OPEN;
	if (reload_token_keys(srv, why, sizeof why) != OK ||
	    api_load_key(srv, why, sizeof why) != OK)
		fatal(EXIT_USAGE, "%s", why);
}

/* links that are up stay: those to come need the one the others have, too */
static void
reload_link_key(struct server *srv)
{
	const struct settings *set = &srv->set;
	char path[4096];

	reload_path(path, sizeof path, set, set->link_key, "link.key");
	if (!conf_reload_key("link_key", path, "link key", srv->link_key))
		return;
	relay_set_key(srv->relay, srv->link_key);
	topology_set_key(srv->topology, srv->link_key);
}

void
reload_settings(struct server *srv)
{
	char why[RELOAD_WHY_MAX], api_key[sizeof srv->api_key];

	if (conf_reload(&settings_program, &srv->set) == OK) {
		srv->max_clients = settings_connections(&srv->set);
		gate_refresh(srv->gate);
		uploads_reload(srv);
	}
	if (reload_token_keys(srv, why, sizeof why) != OK)
		conf_reload_trouble("%s", why);
	memcpy(api_key, srv->api_key, sizeof api_key);
	if (api_load_key(srv, why, sizeof why) != OK)
		conf_reload_trouble("%s", why);
	else if (strcmp(api_key, srv->api_key) != 0)
		conf_reload_changed("api_key_file");
	explicit_bzero(api_key, sizeof api_key);
	reload_link_key(srv);
	conf_reload_log(srv->set.log_level, srv->set.log_file);
	server_reload(srv);
	conf_reload_end();
}
