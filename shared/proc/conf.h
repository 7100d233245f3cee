/* SPDX-License-Identifier: MIT */
/*
 * Settings: one file cchat.conf for all programs (libconfuse), a section per
 * program, and flags that override. A program describes its settings once, as
 * a table of struct conf_opt over its own settings struct:
 *
 *	#define S struct settings
 *	static const struct conf_opt opts[] = {
 *	    CONF_GROUP("Addresses"),
 *	    CONF_ADDR(S, listen, "listen", "127.0.0.1:9503", "clients come
 *here"), CONF_GROUP("Limits"), CONF_INT(S, msg_max, "msg_max", 4096, 1, 65536,
 *"bytes of a message"),
 *	};
 *
 * Every setting is also a long flag: `msg_max` = --msg-max VALUE. Errors are
 * one line on stderr, "msg_server: cchat.conf:12: no such setting 'x'", exit
 * code 2. An unclosed section is an error (libconfuse alone accepts it
 * silently), and so is ${NAME} outside of single quotes, which libconfuse
 * would replace by the environment's.
 *
 * Sections are named msg_server, proxy_server, config_server, cchatctl or
 * cluster; those of other programs are skipped unread. "cluster" holds what
 * all share: every key of the program, and those of conf_shared (conf.c) that
 * only other programs have; anything else is a mistake there too.
 */
#ifndef SHARED_PROC_CONF_H
#define SHARED_PROC_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_T_STR,
	/* strings that are judged: */
	CONF_T_ADDR,  /* as shared/net/addr.h will, or "" */
	CONF_T_ID,    /* a name, as shared/base/id.h has it */
	CONF_T_LEVEL, /* as log_level_parse() */
	CONF_T_INT,
	CONF_T_BOOL,
	CONF_T_ENUM,
	CONF_T_LIST,
	CONF_T_GROUP /* no setting: a headline of --help */
};

struct conf_opt {
	const char *name; /* in the file; '_' becomes '-' in the flag */
	enum conf_type type;
	size_t off; /* of char *, int64_t, bool, int or char ** in the struct */
	const char *def;  /* as text; NULL: none */
	int64_t min, max; /* CONF_T_INT */
	const char *const
	    *words;	  /* CONF_T_ENUM: NULL-terminated; value = index */
	const char *help; /* one line, for --help, --check and the manual */
	char flag;	  /* short flag, or 0 */
	const char *meta; /* "FILE": what --help shows as the value; or NULL */
};

/* the settings that follow stand under this headline */
#define CONF_GROUP(title)                                               \
	{                                                               \
		title, CONF_T_GROUP, 0, NULL, 0, 0, NULL, NULL, 0, NULL \
	}
/* a CONF_STR that says what kind of text it wants: a file, a directory */
#define CONF_META(type, field, name, def, meta, help)                     \
	{                                                                 \
		name, CONF_T_STR, offsetof(type, field), def, 0, 0, NULL, \
		    help, 0, meta                                         \
	}
#define CONF_ADDR(type, field, name, def, help)                            \
	{                                                                  \
		name, CONF_T_ADDR, offsetof(type, field), def, 0, 0, NULL, \
		    help, 0, "ADDR:PORT"                                   \
	}
#define CONF_ID(type, field, name, def, help)                            \
	{                                                                \
		name, CONF_T_ID, offsetof(type, field), def, 0, 0, NULL, \
		    help, 0, NULL                                        \
	}
#define CONF_FILE(type, field, name, def, help) \
	CONF_META(type, field, name, def, "FILE", help)
#define CONF_DIR(type, field, name, def, help) \
	CONF_META(type, field, name, def, "DIR", help)

#define CONF_STR(type, field, name, def, help)                            \
	{                                                                 \
		name, CONF_T_STR, offsetof(type, field), def, 0, 0, NULL, \
		    help, 0                                               \
	}
#define CONF_INT(type, field, name, def, min, max, help)                       \
	{                                                                      \
		name, CONF_T_INT, offsetof(type, field), #def, min, max, NULL, \
		    help, 0                                                    \
	}
#define CONF_BOOL(type, field, name, def, help)                            \
	{                                                                  \
		name, CONF_T_BOOL, offsetof(type, field), def, 0, 0, NULL, \
		    help, 0                                                \
	}
#define CONF_ENUM(type, field, name, def, words, help)                      \
	{                                                                   \
		name, CONF_T_ENUM, offsetof(type, field), def, 0, 0, words, \
		    help, 0                                                 \
	}
/* comma-separated on a flag, { "a", "b" } in the file; a NULL-ended array */
#define CONF_LIST(type, field, name, def, help)                            \
	{                                                                  \
		name, CONF_T_LIST, offsetof(type, field), def, 0, 0, NULL, \
		    help, 0                                                \
	}

/* --- rows that several programs have, alike: the struct has such fields */

#define CONF_NAME(S, def) \
	CONF_ID(S, name, "name", def, "name of this server in the cluster")
#define CONF_CLUSTER(S) \
	CONF_ID(S, cluster, "cluster", "cchat", "name of the cluster")
#define CONF_CONFIG_SERVER(S)                             \
	CONF_ADDR(S, config_server, "config_server", "",  \
	    "address of the config_server; none: stand-alone")
#define CONF_NODE(S, def)                             \
	CONF_INT(S, node, "node", def, 1, 65535,      \
	    "node number when there is no config_server")
#define CONF_LINK_KEY(S)                     \
	CONF_FILE(S, link_key, "link_key", "", \
	    "file with the key of the links (link.key in the data directory)")
#define CONF_LOG_LEVEL(S)                                                      \
	{                                                                      \
		"log_level", CONF_T_LEVEL, offsetof(S, log_level), "info", 0,  \
		    0, NULL, "what is logged", 0, "err|warn|info|debug"        \
	}

/* a row of CONF_LOG_LEVEL's struct has log_file beside log_level */
#define CONF_LOG_FILE(S)                                                      \
	CONF_FILE(S, log_file, "log_file", "",                                \
	    "file of log lines, opened anew at a SIGHUP; none: standard error")

struct conf_program {
	const char *name;    /* "msg_server": section and --help title */
	const char *summary; /* one line for --help */
	const struct conf_opt *opts;
	size_t n_opts;
	/* for programs that read their settings again (conf_reload.h) */
	size_t size; /* of the settings struct */
	const char *const *live; /* NULL-ended: names that may change then */
};

/* may this setting change while the program runs? */
bool conf_is_live(const struct conf_program *prog, const struct conf_opt *o);

/*
 * Fills settings (whatever was in it before) from defaults, file (-c FILE; none
 * is fine) and argv. Handles -h/--help, -V/--version, --check (prints the
 * effective settings, exit 0) itself. On any mistake prints one line and exits
 * with 2. Strings and lists are malloced and stay until exit.
 */
void conf_load(
    const struct conf_program *prog, void *settings, int argc, char **argv);

/* the same without exit, for tests: 0 or ERR_CONF, message in err */
int conf_read(const struct conf_program *prog, void *settings, const char *file,
    int argc, char **argv, char *err, size_t err_size);

/* gives back the strings and lists, for programs that read more than once */
void conf_free(const struct conf_program *prog, void *settings);

#endif
