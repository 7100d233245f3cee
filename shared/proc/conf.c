/* SPDX-License-Identifier: MIT */
/*
 * Settings from defaults, file and flags into a program's own struct. Every
 * value goes through conf_set() (conf_value.c) as text, wherever it came from,
 * so limits and messages are the same everywhere. See conf.h.
 */
#include "shared/proc/conf.h"

#include <confuse.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/proc/conf_file.h"
#include "shared/proc/conf_help.h"
#include "shared/proc/conf_reload.h"
#include "shared/proc/conf_value.h"

enum { CONF_OPTS_MAX = 96, CONF_FLAG_BASE = 1000 };

/* --- the file --------------------------------------------------------------
 */

/* may stand in section cluster though this program knows nothing of it */
static const char *const conf_shared[] = {"cluster", "config_server", "data",
    "link_key", "log_file", "log_level", "token_key", "www"};

/* libconfuse hands no argument over */
static struct conf_error *conf_error_now;

__attribute__((format(printf, 2, 0))) static void
conf_on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512];

	if (conf_error_now->text[0])
		return; /* the first message is the one that says it */
	vsnprintf(text, sizeof text, fmt, ap);
	/* libconfuse speaks of options, our documents of settings */
	if (!strncmp(text, "no such option", 14)) {
		memmove(text + 15, text + 14, strlen(text + 14) + 1);
		memcpy(text, "no such setting", 15);
	}
	conf_fail(conf_error_now, "%s:%d: %s",
	    cfg && cfg->filename ? cfg->filename : "?", cfg ? cfg->line : 0,
	    text);
}

/* the values are checked while the parser still knows the line */
static const struct conf_program *conf_program_now;
static void *conf_settings_now;

static int
conf_on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct conf_program *prog = conf_program_now;
	char text[256] = "";
	struct conf_error e = {text, sizeof text};
	const char *values[CONF_LIST_MAX + 2];
	int err = OK;

	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];
		unsigned n = cfg_opt_size(opt);

		if (strcmp(o->name, cfg_opt_name(opt)))
			continue;
		if (o->type != CONF_T_LIST) {
			if (n)
				err = conf_set(o, conf_settings_now,
				    cfg_opt_getnstr(opt, 0), &e);
			break;
		}
		if (n > CONF_LIST_MAX + 1)
			n = CONF_LIST_MAX + 1;
		for (unsigned k = 0; k < n; k++)
			values[k] = cfg_opt_getnstr(opt, k);
		err = conf_set_list(o, conf_settings_now, values, n, &e);
		break;
	}
	if (err)
		cfg_error(cfg, "%s", text);
	return err ? -1 : 0;
}

bool
conf_is_live(const struct conf_program *prog, const struct conf_opt *o)
{
	for (const char *const *n = prog->live; n && *n; n++)
		if (!strcmp(*n, o->name))
			return true;
	return false;
}

static bool
conf_has(const struct conf_program *prog, const char *name)
{
	for (size_t i = 0; i < prog->n_opts; i++)
		if (prog->opts[i].type != CONF_T_GROUP &&
		    !strcmp(prog->opts[i].name, name))
			return true;
	return false;
}

/* libconfuse's table of what may stand in the section */
static cfg_t *
conf_grammar(const struct conf_program *prog, bool shared, const char *file)
{
	cfg_opt_t opts[CONF_OPTS_MAX + ARRAY_LEN(conf_shared) + 1];
	size_t k = 0;
	cfg_t *cfg;

	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];

		if (o->type == CONF_T_LIST)
			opts[k++] =
			    (cfg_opt_t)CFG_STR_LIST(o->name, NULL, CFGF_NONE);
		else if (o->type != CONF_T_GROUP)
			opts[k++] =
			    (cfg_opt_t)CFG_STR(o->name, NULL, CFGF_NONE);
	}
	for (size_t i = 0; shared && i < ARRAY_LEN(conf_shared); i++)
		if (!conf_has(prog, conf_shared[i]))
			opts[k++] =
			    (cfg_opt_t)CFG_STR(conf_shared[i], NULL, CFGF_NONE);
	opts[k] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(opts, CFGF_NONE);
	if (cfg == NULL)
		abort();
	cfg->filename = xstrdup(file); /* the parser frees it */
	cfg_set_error_function(cfg, conf_on_error);
	for (size_t i = 0; i < prog->n_opts; i++)
		if (prog->opts[i].type != CONF_T_GROUP)
			cfg_set_validate_func(
			    cfg, prog->opts[i].name, conf_on_value);
	return cfg;
}

static int
conf_read_section(const struct conf_program *prog, void *settings,
    const char *file, const char *text, const char *section, bool shared,
    struct conf_error *e)
{
	char *part = conf_section(file, text, section, e);
	cfg_t *cfg;
	FILE *f;
	int err = OK;

	if (part == NULL)
		return ERR_CONF;
	if (part[0] == '\0') {
		free(part);
		return OK;
	}
	cfg = conf_grammar(prog, shared, file);
	conf_error_now = e;
	conf_program_now = prog;
	conf_settings_now = settings;
	f = fmemopen(part, strlen(part), "r");
	if (f == NULL)
		abort();
	if (cfg_parse_fp(cfg, f) != CFG_SUCCESS) {
		err = ERR_CONF;
		if (!e->text[0])
			conf_fail(e, "%s: can't be parsed", file);
	}
	fclose(f);
	cfg_free(cfg);
	free(part);
	return err;
}

static int
conf_read_file(const struct conf_program *prog, void *settings,
    const char *file, struct conf_error *e)
{
	char *text = conf_slurp(file, e);
	int err;

	if (text == NULL)
		return ERR_CONF;
	err = conf_read_section(prog, settings, file, text, "cluster", true, e);
	if (!err)
		err = conf_read_section(
		    prog, settings, file, text, prog->name, false, e);
	free(text);
	return err;
}

/* --- flags -----------------------------------------------------------------
 */

struct conf_flags {
	struct option longs[CONF_OPTS_MAX + 5];
	char names[CONF_OPTS_MAX][CONF_FLAG_MAX];
	char shorts[2 * CONF_OPTS_MAX + 16];
};

enum { CONF_F_CHECK = CONF_FLAG_BASE - 1 };

void
conf_flag_name(const struct conf_opt *o, char out[CONF_FLAG_MAX])
{
	snprintf(out, CONF_FLAG_MAX, "%s", o->name);
	for (char *p = out; *p; p++)
		if (*p == '_')
			*p = '-';
}

static void
conf_flags_init(struct conf_flags *f, const struct conf_program *prog)
{
	size_t k = 0, s;

	memset(f, 0, sizeof *f);
	s = (size_t)snprintf(f->shorts, sizeof f->shorts, ":c:hV");
	f->longs[k++] = (struct option){"config", required_argument, NULL, 'c'};
	f->longs[k++] = (struct option){"help", no_argument, NULL, 'h'};
	f->longs[k++] = (struct option){"version", no_argument, NULL, 'V'};
	f->longs[k++] =
	    (struct option){"check", no_argument, NULL, CONF_F_CHECK};
	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];

		if (o->type == CONF_T_GROUP)
			continue;
		conf_flag_name(o, f->names[i]);
		f->longs[k++] = (struct option){f->names[i], required_argument,
		    NULL, CONF_FLAG_BASE + (int)i};
		if (o->flag) {
			f->shorts[s++] = o->flag;
			f->shorts[s++] = ':';
		}
	}
}

struct conf_asked {
	const char *file;
	bool help, version, check;
};

/* pass 1 (settings NULL) only finds -c and the informative flags */
static int
conf_read_flags(const struct conf_program *prog, void *settings, int argc,
    char **argv, struct conf_asked *asked, struct conf_error *e)
{
	struct conf_flags *f = xmalloc(sizeof *f);
	int c, index, err = OK;

	conf_flags_init(f, prog);
	optind = 0;
	opterr = 0;
	while (!err && (c = getopt_long(
			    argc, argv, f->shorts, f->longs, &index)) != -1) {
		const struct conf_opt *o = NULL;

		switch (c) {
		case 'c':
			asked->file = optarg;
			continue;
		case 'h':
			asked->help = true;
			continue;
		case 'V':
			asked->version = true;
			continue;
		case CONF_F_CHECK:
			asked->check = true;
			continue;
		case ':':
			conf_fail(e, "%s needs a value", argv[optind - 1]);
			err = ERR_CONF;
			continue;
		case '?':
			conf_fail(e, "no such flag '%s'; see --help",
			    argv[optind - 1]);
			err = ERR_CONF;
			continue;
		default:
			break;
		}
		for (size_t i = 0; i < prog->n_opts; i++)
			if (c == CONF_FLAG_BASE + (int)i ||
			    (prog->opts[i].flag && c == prog->opts[i].flag))
				o = &prog->opts[i];
		if (o && settings)
			err = conf_set_text(o, settings, optarg, e);
	}
	if (!err && optind < argc) {
		conf_fail(e, "unexpected '%s'; see --help", argv[optind]);
		err = ERR_CONF;
	}
	free(f);
	return err;
}

static void
conf_defaults(const struct conf_program *prog, void *settings)
{
	static const size_t sizes[] = {
	    [CONF_T_STR] = sizeof(char *),
	    [CONF_T_ADDR] = sizeof(char *),
	    [CONF_T_ID] = sizeof(char *),
	    [CONF_T_LEVEL] = sizeof(char *),
	    [CONF_T_INT] = sizeof(int64_t),
	    [CONF_T_BOOL] = sizeof(bool),
	    [CONF_T_ENUM] = sizeof(int),
	    [CONF_T_LIST] = sizeof(char **),
	    [CONF_T_GROUP] = 0,
	};
	char text[256];
	struct conf_error e = {text, sizeof text};

	if (prog->n_opts > CONF_OPTS_MAX)
		abort();
	for (const char *const *n = prog->live; n && *n; n++)
		if (!conf_has(prog, *n))
			abort();
	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];

		memset(conf_at(settings, o), 0, sizes[o->type]);
		if (o->def && conf_set_text(o, settings, o->def, &e) != OK) {
			fprintf(stderr, "default of '%s': %s\n", o->name, text);
			abort();
		}
		if (!o->def && o->type == CONF_T_LIST)
			conf_set_list(o, settings, NULL, 0, &e);
	}
}

static int
conf_read_all(const struct conf_program *prog, void *settings, const char *file,
    int argc, char **argv, struct conf_asked *asked, struct conf_error *e)
{
	int err;

	e->text[0] = '\0';
	conf_defaults(prog, settings);
	err = conf_read_flags(prog, NULL, argc, argv, asked, e);
	if (err || asked->help || asked->version)
		return err;
	if (asked->file)
		file = asked->file;
	if (file)
		err = conf_read_file(prog, settings, file, e);
	if (!err)
		err = conf_read_flags(prog, settings, argc, argv, asked, e);
	return err;
}

int
conf_read(const struct conf_program *prog, void *settings, const char *file,
    int argc, char **argv, char *err, size_t err_size)
{
	struct conf_asked asked = {0};
	struct conf_error e = {err, err_size};
	char *none[] = {(char *)(uintptr_t)prog->name, NULL};

	if (argc == 0) {
		argc = 1;
		argv = none;
	}
	return conf_read_all(prog, settings, file, argc, argv, &asked, &e);
}

void
conf_free(const struct conf_program *prog, void *settings)
{
	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];
		void *at = conf_at(settings, o);

		if (conf_is_text(o)) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (o->type == CONF_T_LIST) {
			conf_list_free(*(char ***)at);
			*(char ***)at = NULL;
		}
	}
}

/* --- the program -----------------------------------------------------------
 */

void
conf_load(
    const struct conf_program *prog, void *settings, int argc, char **argv)
{
	char text[512];
	struct conf_error e = {text, sizeof text};
	struct conf_asked asked = {0};

	conf_reload_keep(argc, argv);
	if (conf_read_all(prog, settings, NULL, argc, argv, &asked, &e) != OK) {
		fprintf(stderr, "%s: %s\n", prog->name, text);
		exit(EXIT_USAGE);
	}
	if (asked.help) {
		conf_print_help(stdout, prog);
		exit(EXIT_OK);
	}
	if (asked.version) {
		printf(
		    "%s (%s) %s\n", prog->name, PACKAGE_NAME, PACKAGE_VERSION);
		exit(EXIT_OK);
	}
	if (asked.check) {
		conf_print_effective(stdout, prog, settings);
		exit(EXIT_OK);
	}
}
