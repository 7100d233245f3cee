/* SPDX-License-Identifier: MIT */
/*
 * The table of settings of config_server: names, defaults, help.
 */
#include "config_server/settings.h"
#include "shared/base/err.h"
#include "shared/proc/conf.h"
#include "shared/proc/log.h"

#define S struct settings
static const struct conf_opt settings_opts[] = {
    CONF_ADDR(S, listen, "listen", "127.0.0.1:9700",
	"address for questions (HTTP, JSON) and for the daemons' links"),
    CONF_NAME(S, "config"),
    CONF_CLUSTER(S),
    CONF_DIR(S, data, "data", STATEDIR, "directory of topology.db and keys"),
    CONF_LINK_KEY(S),
    CONF_LOG_LEVEL(S),
    CONF_LOG_FILE(S),
};
#undef S

/* read again at a SIGHUP */
static const char *const settings_live[] = {
    "link_key", "log_level", "log_file", NULL};

const struct conf_program settings_program = {
    .name = "config_server",
    .summary = "knows which servers of a cchat cluster are up",
    .opts = settings_opts,
    .n_opts = ARRAY_LEN(settings_opts),
    .size = sizeof(struct settings),
    .live = settings_live,
};

void
settings_load(struct settings *s, int argc, char **argv)
{
	conf_load(&settings_program, s, argc, argv);
}
