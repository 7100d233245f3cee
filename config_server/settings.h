/* SPDX-License-Identifier: MIT */
/*
 * What an operator may set on a config_server: section config_server of cchat.conf and flags (design.md
 * section 7). Strings are never NULL after settings_load().
 */
#ifndef CONFIG_SERVER_SETTINGS_H
#define CONFIG_SERVER_SETTINGS_H

struct settings {
	char *listen; /* HTTP, and the links of daemons */
	char *name, *cluster, *data;
	char *link_key; /* file; "": link.key in the data directory */
	char *log_level, *log_file;
};

extern const struct conf_program settings_program;

/* from file and flags; ends the program on a mistake (exit code 2) */
void settings_load(struct settings *s, int argc, char **argv);

#endif
