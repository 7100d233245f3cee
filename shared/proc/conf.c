/* SPDX-License-Identifier: MIT */
/*
 * Settings from defaults, file and flags into a program's own struct. Every
 * value goes through conf_set() as text, wherever it came from, so limits and
 * messages are the same everywhere. See conf.h.
 */
#include "shared/proc/conf.h"

#include <confuse.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/proc/conf_file.h"

enum { CONF_OPTS_MAX = 96, CONF_LIST_MAX = 64, CONF_FLAG_BASE = 1000 };

/* --- values -------------------------------------------------------------- */

static void *
conf_at(void *settings, const struct conf_opt *o)
{
	return (char *)settings + o->off;
}

static bool
conf_bool(const char *v, bool *out)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (!strcmp(v, yes[i]) || !strcmp(v, no[i])) {
			*out = !strcmp(v, yes[i]);
			return true;
		}
	}
	return false;
}

static void
conf_words(const struct conf_opt *o, char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; o->words[i] && len < size; i++)
		len += (size_t)snprintf(
		    to + len, size - len, "%s%s", i ? ", " : "", o->words[i]);
}

/* one value as text into the struct; the message has no place in front */
static int
conf_set(const struct conf_opt *o, void *settings, const char *v,
    struct conf_error *e)
{
	char words[256], *end;
	long long n;

	switch (o->type) {
	case CONF_T_STR:
		*(char **)conf_at(settings, o) = xstrdup(v);
		return OK;
	case CONF_T_INT:
		errno = 0;
		n = strtoll(v, &end, 10);
		if (end == v || *end || errno) {
			conf_fail(e, "'%s' is not a number (setting '%s')", v,
			    o->name);
			return ERR_CONF;
		}
		if (n < o->min || n > o->max) {
			conf_fail(e,
			    "%lld is out of range for '%s' (%lld to %lld)", n,
			    o->name, (long long)o->min, (long long)o->max);
			return ERR_CONF;
		}
		*(int64_t *)conf_at(settings, o) = n;
		return OK;
	case CONF_T_BOOL:
		if (conf_bool(v, conf_at(settings, o)))
			return OK;
		conf_fail(
		    e, "'%s' is neither yes nor no (setting '%s')", v, o->name);
		return ERR_CONF;
	case CONF_T_ENUM:
		for (int i = 0; o->words[i]; i++)
			if (!strcmp(v, o->words[i])) {
				*(int *)conf_at(settings, o) = i;
				return OK;
			}
		conf_words(o, words, sizeof words);
		conf_fail(
		    e, "'%s' is none of %s (setting '%s')", v, words, o->name);
		return ERR_CONF;
	case CONF_T_LIST:
		break;
	}
	return ERR_CONF;
}

static int
conf_set_list(const struct conf_opt *o, void *settings,
    const char *const *values, size_t n, struct conf_error *e)
{
	char **list;

	if (n > CONF_LIST_MAX) {
		conf_fail(
		    e, "more than %d values for '%s'", CONF_LIST_MAX, o->name);
		return ERR_CONF;
	}
	list = xcalloc(n + 1, sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = xstrdup(values[i]);
	*(char ***)conf_at(settings, o) = list;
	return OK;
}

/* "a,b" of a flag or a default */
static int
conf_set_text(const struct conf_opt *o, void *settings, const char *v,
    struct conf_error *e)
{
	const char *values[CONF_LIST_MAX + 1];
	size_t n = 0;
	struct str rest = str_of(v), part;
	int err;

	if (o->type != CONF_T_LIST)
		return conf_set(o, settings, v, e);
	while (n <= CONF_LIST_MAX && str_next(&rest, ',', &part)) {
		part = str_trim(part);
		if (part.len)
			values[n++] = str_dup(part);
	}
	err = conf_set_list(o, settings, values, n, e);
	while (n--)
		free((void *)(uintptr_t)values[n]);
	return err;
}

/* --- the file ---------------------------------------------------------------
 */

static struct conf_error
    *conf_error_now; /* libconfuse hands no argument over */

static void
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

static int
conf_read_section(const struct conf_program *prog, void *settings,
    const char *file, const char *text, const char *section, bool shared,
    struct conf_error *e)
{
	cfg_opt_t opts[CONF_OPTS_MAX + 2];
	char *part = conf_section(file, text, section, e);
	cfg_t *cfg;
	FILE *f;
	int err = OK;
	size_t n = 0;

	if (part == NULL)
		return ERR_CONF;
	for (; n < prog->n_opts && n < CONF_OPTS_MAX; n++) {
		if (prog->opts[n].type == CONF_T_LIST)
			opts[n] = (cfg_opt_t)CFG_STR_LIST(
			    prog->opts[n].name, NULL, CFGF_NONE);
		else
			opts[n] = (cfg_opt_t)CFG_STR(
			    prog->opts[n].name, NULL, CFGF_NONE);
	}
	if (shared)
		opts[n++] = (cfg_opt_t)CFG_STR("__unknown", NULL, CFGF_NONE);
	opts[n] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(opts, shared ? CFGF_IGNORE_UNKNOWN : CFGF_NONE);
	if (cfg == NULL)
		abort();
	cfg->filename = xstrdup(file);
	cfg_set_error_function(cfg, conf_on_error);
	for (size_t i = 0; i < prog->n_opts && i < CONF_OPTS_MAX; i++)
		cfg_set_validate_func(cfg, prog->opts[i].name, conf_on_value);
	conf_error_now = e;
	conf_program_now = prog;
	conf_settings_now = settings;
	f = fmemopen(part, strlen(part), "r");
	if (part[0] && f && cfg_parse_fp(cfg, f) != CFG_SUCCESS) {
		err = ERR_CONF;
		if (!e->text[0])
			conf_fail(e, "%s: can't be parsed", file);
	}
	if (f)
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

/* --- flags ------------------------------------------------------------------
 */

struct conf_flags {
	struct option longs[CONF_OPTS_MAX + 5];
	char names[CONF_OPTS_MAX][40];
	char shorts[2 * CONF_OPTS_MAX + 16];
};

enum { CONF_F_CHECK = CONF_FLAG_BASE - 1 };

static void
conf_flag_name(const struct conf_opt *o, char out[40])
{
	snprintf(out, 40, "%s", o->name);
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
	for (size_t i = 0; i < prog->n_opts && i < CONF_OPTS_MAX; i++) {
		const struct conf_opt *o = &prog->opts[i];

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
	char text[256];
	struct conf_error e = {text, sizeof text};

	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];

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

/* --- what people see
 * ------------------------------------------------------------ */

enum { CONF_COLUMN = 28, CONF_WIDTH = 79 };

static void
conf_print_wrapped(const char *left, const char *text)
{
	int col = printf("  %s", left);

	if (col >= CONF_COLUMN) {
		printf("\n");
		col = 0;
	}
	col += printf("%*s", CONF_COLUMN - col, "");
	while (*text) {
		size_t n = strcspn(text, " ");

		if (col + (int)n > CONF_WIDTH && col > CONF_COLUMN)
			col = printf("\n%*s", CONF_COLUMN, "") - 1;
		col += printf("%.*s", (int)n, text);
		text += n;
		if (*text == ' ') {
			text++;
			if (col < CONF_WIDTH)
				col += printf(" ");
		}
	}
	printf("\n");
}

static const char *
conf_meta(const struct conf_opt *o)
{
	switch (o->type) {
	case CONF_T_STR:
		return "TEXT";
	case CONF_T_INT:
		return "N";
	case CONF_T_BOOL:
		return "yes|no";
	case CONF_T_ENUM:
		return "WORD";
	case CONF_T_LIST:
		return "A,B,...";
	}
	return "";
}

static void
conf_print_help(const struct conf_program *prog)
{
	printf("Usage: %s [-c FILE] [--SETTING VALUE]...\n\n%s\n\n", prog->name,
	    prog->summary);
	conf_print_wrapped("-c, --config FILE",
	    "read settings from FILE (section msg_server, proxy_server or "
	    "config_server); flags win");
	conf_print_wrapped(
	    "    --check", "print the effective settings and end");
	conf_print_wrapped("-h, --help", "this text");
	conf_print_wrapped("-V, --version", "the version");
	printf("\nSettings, as flags or in the file (with _ for -):\n");
	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];
		char name[40], left[96], text[512], words[256];

		conf_flag_name(o, name);
		if (o->flag)
			snprintf(left, sizeof left, "-%c, --%s %s", o->flag,
			    name, conf_meta(o));
		else
			snprintf(left, sizeof left, "    --%s %s", name,
			    conf_meta(o));
		if (o->type == CONF_T_ENUM) {
			conf_words(o, words, sizeof words);
			snprintf(text, sizeof text, "%s: %s (%s)", o->help,
			    words, o->def ? o->def : "none");
		} else if (o->def && o->def[0]) {
			snprintf(text, sizeof text, "%s (%s)", o->help, o->def);
		} else {
			snprintf(text, sizeof text, "%s", o->help);
		}
		conf_print_wrapped(left, text);
	}
	printf("\nExit codes: 0 ok, 1 failed, 2 usage or settings, "
	       "4 address in use, 5 data unusable.\n");
}

static void
conf_print_quoted(const char *s)
{
	putchar('"');
	for (; s && *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
	putchar('"');
}

static void
conf_print_effective(const struct conf_program *prog, void *settings)
{
	printf("%s {\n", prog->name);
	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];
		void *at = conf_at(settings, o);

		printf("\t%s = ", o->name);
		switch (o->type) {
		case CONF_T_STR:
			conf_print_quoted(*(char **)at);
			break;
		case CONF_T_INT:
			printf("%lld", (long long)*(int64_t *)at);
			break;
		case CONF_T_BOOL:
			printf("%s", *(bool *)at ? "yes" : "no");
			break;
		case CONF_T_ENUM:
			printf("%s", o->words[*(int *)at]);
			break;
		case CONF_T_LIST:
			printf("{");
			for (char **v = *(char ***)at; v && *v; v++) {
				printf(v == *(char ***)at ? " " : ", ");
				conf_print_quoted(*v);
			}
			printf(" }");
			break;
		}
		printf("\n");
	}
	printf("}\n");
}

void
conf_load(
    const struct conf_program *prog, void *settings, int argc, char **argv)
{
	char text[512];
	struct conf_error e = {text, sizeof text};
	struct conf_asked asked = {0};

	if (conf_read_all(prog, settings, NULL, argc, argv, &asked, &e) != OK) {
		fprintf(stderr, "%s: %s\n", prog->name, text);
		exit(EXIT_USAGE);
	}
	if (asked.help) {
		conf_print_help(prog);
		exit(EXIT_OK);
	}
	if (asked.version) {
		printf(
		    "%s (%s) %s\n", prog->name, PACKAGE_NAME, PACKAGE_VERSION);
		exit(EXIT_OK);
	}
	if (asked.check) {
		conf_print_effective(prog, settings);
		exit(EXIT_OK);
	}
}
