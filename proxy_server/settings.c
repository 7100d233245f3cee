/* SPDX-License-Identifier: MIT */
/*
 * The table of settings of proxy_server. It knows names, defaults and ranges;
 * what they do is in the modules that read them.
 */
#include "proxy_server/settings.h"

#include <stdio.h>

#include "proxy_server/log.h"
#include "shared/proc/conf.h"

/* in the order of enum log_sync */
static const char *const settings_sync_words[] = {
    "full", "normal", "off", NULL};

#define S struct settings
static const struct conf_opt settings_opts[] = {
    CONF_GROUP("Addresses"),
    CONF_ADDR(S, link_listen, "link_listen", "127.0.0.1:9600",
	"address where msg_servers and standbys link"),
    CONF_ADDR(S, link_address, "link_address", "",
	"address by which other machines reach link_listen"),
    CONF_ADDR(S, admin, "admin", "127.0.0.1:9610",
	"address of healthz, readyz, status and metrics"),
    CONF_GROUP("The cluster"),
    CONF_NAME(S, "proxy1"),
    CONF_CLUSTER(S),
    CONF_DIR(S, data, "data", STATEDIR,
	"data directory; proxy_servers that share it stand in for each other"),
    CONF_CONFIG_SERVER(S),
    CONF_NODE(S, 1000),
    CONF_LINK_KEY(S),
    CONF_GROUP("The log of messages"),
    CONF_ENUM(S, sync, "sync", "full", settings_sync_words,
	"when a message is stored: full (fsync), normal or off (weaker)"),
    CONF_INT(S, keep_days, "keep_days", 90, 0, 36500,
	"days messages are kept; 0: not at all"),
    CONF_INT(S, keep_items, "keep_items", 0, 0, 1000000000,
	"newest messages kept of each conversation; 0: all"),
    CONF_INT(S, disk_min, "disk_min", 256, 0, 1048576,
	"MiB of free disk under which nothing new is taken"),
    CONF_INT(S, disk_warn, "disk_warn", 1024, 0, 1048576,
	"MiB of free disk under which it is said that it gets short"),
    CONF_GROUP("The rest"),
    CONF_INT(S, presence_grace, "presence_grace", 15000, 0, 600000,
	"ms a user may be away before others are told"),
    CONF_INT(S, typing_max, "typing_max", 100, 0, 10000,
	"people in a room who are told who is typing; 0: nobody anywhere"),
    CONF_INT(S, links_max, "links_max", 4096, 1, 65536, "links held at a time"),
    CONF_LOG_LEVEL(S),
    CONF_LOG_FILE(S),
};
#undef S

/* read again at a SIGHUP */
static const char *const settings_live[] = {"link_key", "disk_min", "disk_warn",
    "typing_max", "links_max", "log_level", "log_file", NULL};

const struct conf_program settings_program = {
    .name = "proxy_server",
    .summary = "orders, stores and relays the messages of the cluster",
    .opts = settings_opts,
    .n_opts = ARRAY_LEN(settings_opts),
    .size = sizeof(struct settings),
    .live = settings_live,
};

/* what the table can't say; false: err tells */
static bool
settings_check(struct settings *s, char *err, unsigned long size)
{
	if (s->data[0] == '\0') {
		snprintf(err, size, "data: no directory given");
		return false;
	}
	return true;
}

void
settings_load(struct settings *s, int argc, char **argv)
{
	char err[256];

	conf_load(&settings_program, s, argc, argv);
	if (!settings_check(s, err, sizeof err))
		fatal(EXIT_USAGE, "%s", err);
}

int
settings_read(struct settings *s, const char *file, int argc, char **argv,
    char *err, unsigned long err_size)
{
	int rc;

	rc = conf_read(&settings_program, s, file, argc, argv, err, err_size);
	if (rc == 0 && !settings_check(s, err, err_size))
		rc = ERR_CONF;
	return rc;
}
