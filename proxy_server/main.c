/* SPDX-License-Identifier: MIT */
/*
 * proxy_server: settings, keys and the loop around struct proxy; and `restore
 * FILE`, which puts a backup in the place of the log and serves nothing.
 */
#include <ev.h>
#include <stdio.h>
#include <string.h>

#include "proxy_server/log_backup.h"
#include "proxy_server/proxy.h"
#include "shared/proc/daemon.h"
#include "shared/proto/json.h"

static void
main_on_stop(void *arg)
{
	proxy_stop(arg);
}

static void
main_on_reload(void *arg)
{
	proxy_reload(arg);
}

static void
main_on_quit(struct proxy *p)
{
	ev_break(p->loop, EVBREAK_ALL);
}

static void
main_key(struct proxy *p)
{
	char path[4096];

	proxy_key_path(p, path, sizeof path);
	daemon_key(path, "link key", p->key);
}

/* proxy_server restore FILE [settings] */
static int
main_restore(int argc, char **argv)
{
	static struct settings set;
	struct log_restored done;
	const char *file = argc > 2 ? argv[2] : "";
	int err;

	if (file[0] == '\0' || file[0] == '-')
		fatal(EXIT_USAGE, "restore: which FILE?");
	argv[2] = argv[0];
	settings_load(&set, argc - 2, argv + 2);
	daemon_data_dir(set.data);
	err = log_restore(set.data, set.cluster, file, &done);
	switch (err) {
	case 0:
		break;
	case ERR_CORRUPT:
	case ERR_FOREIGN:
	case ERR_VERSION:
	case ERR_READONLY:
		fatal(EXIT_DATA, "%s", done.why);
	default:
		fatal(EXIT_FAILED, "%s", done.why);
	}
	printf("restored %s: %llu channels, %llu items\n", file,
	    (unsigned long long)done.channels, (unsigned long long)done.items);
	if (done.aside[0] != '\0')
		printf("the log of before is %s\n", done.aside);
	return EXIT_OK;
}

int
main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
	    .on_stop = main_on_stop, .on_reload = main_on_reload};
	static struct proxy proxy;
	char who[ID_MAX + 32];

	daemon_init();
	json_init();
	log_init("proxy_server", LOG_LEVEL_INFO);
	if (argc > 1 && !strcmp(argv[1], "restore"))
		return main_restore(argc, argv);
	settings_load(&proxy.set, argc, argv);
	snprintf(who, sizeof who, "proxy_server %s", proxy.set.name);
	log_setup(who, proxy.set.log_level, proxy.set.log_file);
	daemon_data_dir(proxy.set.data);
	main_key(&proxy);
	daemon_pidfile(proxy.set.data, proxy.set.name);
	proxy.on_quit = main_on_quit;
	proxy.loop = daemon_loop(&ops, &proxy);
	proxy.net = net_new(proxy.loop);
	proxy_init(&proxy);
	proxy_open(&proxy);
	log_started();
	daemon_notify("READY=1");
	ev_run(proxy.loop, 0);
	proxy_fini(&proxy);
	net_free(proxy.net);
	return proxy.exit_code;
}
