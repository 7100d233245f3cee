/* SPDX-License-Identifier: MIT */
/*
 * What cchatctl may be told: section cchatctl of cchat.conf and flags. Flags without a value and words are
 * taken out of argv before (ctl_args), the rest is conf_load()'s.
 */
#ifndef CONFIG_SERVER_CTL_CTL_SETTINGS_H
#define CONFIG_SERVER_CTL_CTL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { CTL_WORDS_MAX = 4 };

struct ctl_settings {
	char *data, *www, *programs, *cluster;
	char *listen, *direct, *admin; /* "": the daemons' own defaults */
	char *link_listen, *proxy_admin, *config_server;
	char *as; /* the older systems whose ports are opened (live/as.h) */
	int64_t msg, proxy, wait;
};

/* the command line without the verb */
struct ctl_args {
	struct ctl_settings set;
	const char *file;                /* of -c, or NULL */
	const char *word[CTL_WORDS_MAX]; /* what is neither flag nor value */
	int n_words;
	const char *srv, *since, *limit; /* flags of the questions, or NULL */
	const char *rate, *within;       /* of drain, or NULL */
	bool json, detach, follow, no_wait, help, given_config;
	char **argv;                     /* what settings were made of */
	int argc;
};

/* ends the program on a mistake (exit code 2) */
void ctl_args_read(struct ctl_args *a, int argc, char **argv);
void ctl_args_free(struct ctl_args *a);
/* the help of the settings, for `start` */
void ctl_settings_print(void);

#endif
