/* SPDX-License-Identifier: MIT */
/*
 * Settings: one file cchat.conf for all programs (libconfuse), a section per
 * program, and flags that override. A program describes its settings once, as
 * a table of struct conf_opt over its own settings struct:
 *
 *	static const struct conf_opt opts[] = {
 *	    CONF_ADDR(struct settings, listen, "listen", "127.0.0.1:9503", "what
 *it is for"), CONF_INT (struct settings, msg_max, "msg_max", 4096, 1, 65536,
 *"..."),
 *	    ...
 *
 * Every setting is also a long flag: `msg_max` = --msg-max VALUE. Errors are
 * one line on stderr, "cchat.conf:12: no such setting 'x'", exit code 2. An
 * unclosed section is an error (libconfuse alone accepts it silently).
 * Sections of other programs in the file are skipped unread but must be named
 * msg_server, proxy_server, config_server or cluster ("cluster" holds settings
 * shared by all: its keys are accepted for every program that has that key).
 */
#ifndef SHARED_PROC_CONF_H
#define SHARED_PROC_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_T_STR,
	CONF_T_INT,
	CONF_T_BOOL,
	CONF_T_ENUM,
	CONF_T_LIST
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
};

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

struct conf_program {
	const char *name;    /* "msg_server": section and --help title */
	const char *summary; /* one line for --help */
	const struct conf_opt *opts;
	size_t n_opts;
};

/*
 * Fills settings from defaults, file (-c FILE; none is fine) and argv. Handles
 * -h/--help, -V/--version, --check (prints the effective settings, exit 0)
 * itself. On any mistake prints one line and exits with 2. Strings and lists
 * are malloced and stay until exit.
 */
void conf_load(
    const struct conf_program *prog, void *settings, int argc, char **argv);

/* the same without exit, for tests: 0 or ERR_CONF, message in err */
int conf_read(const struct conf_program *prog, void *settings, const char *file,
    int argc, char **argv, char *err, size_t err_size);

#endif
