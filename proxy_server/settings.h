/* SPDX-License-Identifier: MIT */
/*
 * What an operator may set on a proxy_server: one struct, one table
 * (settings.c), read by conf_load() from the section proxy_server of
 * cchat.conf and from flags. Figures and their meaning at the bound:
 * limits.md; names: design.md section 7.
 *
 * Strings are never NULL after settings_load() and live until exit.
 */
#ifndef PROXY_SERVER_SETTINGS_H
#define PROXY_SERVER_SETTINGS_H

#include <stdint.h>

#include "shared/proc/log.h"

struct settings {
	char *link_listen, *admin;
	char *link_address; /* how others reach link_listen; "": as bound */
	char *name, *cluster, *data;
	char *config_server; /* "": stand-alone, then node */
	int64_t node;
	char *link_key; /* file; "": link.key in the data directory */
	int sync;	/* enum log_sync */
	int64_t keep_days, keep_items;
	int64_t disk_min, disk_warn; /* MiB */
	int64_t presence_grace; /* ms */
	int64_t typing_max; /* people in a room; 0 off (route.c) */
	int64_t links_max;
	char *log_level; /* as log_level_parse() takes it */
	char *log_file;	 /* "": stderr */
};

extern const struct conf_program settings_program;

/* from file and flags; ends the program on a mistake (exit code 2) */
void settings_load(struct settings *s, int argc, char **argv);
/* the same without exit: 0 or ERR_CONF, message in err */
int settings_read(struct settings *s, const char *file, int argc, char **argv,
    char *err, unsigned long err_size);

#endif
