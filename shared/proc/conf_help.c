/* SPDX-License-Identifier: MIT */
/* --help and --check, made from the table of settings. See conf_help.h. */
#include "shared/proc/conf_help.h"

#include <ctype.h>
#include <string.h>

#include "shared/base/err.h"

enum { CONF_WIDTH = 79, CONF_LEFT_MAX = 27, CONF_NAME_WIDTH = 18 };

/* a row before its layout is known */
struct conf_row {
	char left[96], right[512];
};

/* the right side in words, broken at the margin; [default] stays whole */
static void
conf_print_row(FILE *out, const struct conf_row *row, int column)
{
	const char *p = row->right;
	int col = fprintf(out, "  %s", row->left);

	if (col + 2 > column) {
		fputc('\n', out);
		col = 0;
	}
	col += fprintf(out, "%*s", column - col, "");
	while (*p) {
		int n = (int)(*p == '[' ? strlen(p) : strcspn(p, " "));

		if (col > column && col + 1 + n > CONF_WIDTH)
			col = fprintf(out, "\n%*s", column, "") - 1;
		else if (col > column)
			col += fprintf(out, " ");
		col += fprintf(out, "%.*s", n, p);
		p += n;
		while (*p == ' ')
			p++;
	}
	fputc('\n', out);
}

static void
conf_meta(const struct conf_opt *o, char *to, size_t size)
{
	const char *s = "";

	switch (o->type) {
	case CONF_T_STR:
	case CONF_T_ADDR:
	case CONF_T_ID:
	case CONF_T_LEVEL:
		s = "TEXT";
		break;
	case CONF_T_INT:
		s = "N";
		break;
	case CONF_T_BOOL:
		s = "yes|no";
		break;
	case CONF_T_ENUM:
		conf_words(o, "|", to, size);
		return;
	case CONF_T_LIST:
		s = "A,B,...";
		break;
	case CONF_T_GROUP:
		break;
	}
	snprintf(to, size, "%s", o->meta ? o->meta : s);
}

static struct conf_row
conf_row(const struct conf_opt *o)
{
	char name[CONF_FLAG_MAX], meta[40], flag[8] = "   ";
	struct conf_row row;

	conf_flag_name(o, name);
	conf_meta(o, meta, sizeof meta);
	if (o->flag)
		snprintf(flag, sizeof flag, "-%c,", o->flag);
	snprintf(row.left, sizeof row.left, "%s --%s %s", flag, name, meta);
	if (o->def && o->def[0])
		snprintf(
		    row.right, sizeof row.right, "%s [%s]", o->help, o->def);
	else
		snprintf(row.right, sizeof row.right, "%s", o->help);
	return row;
}

/* one column for all rows; the few that are too long get a line of their own */
static int
conf_column(const struct conf_program *prog)
{
	int column = 24;

	for (size_t i = 0; i < prog->n_opts; i++) {
		struct conf_row row;
		int n;

		if (prog->opts[i].type == CONF_T_GROUP)
			continue;
		row = conf_row(&prog->opts[i]);
		n = (int)strlen(row.left);
		if (n <= CONF_LEFT_MAX && n + 4 > column)
			column = n + 4;
	}
	return column;
}

void
conf_print_settings(FILE *out, const struct conf_program *prog)
{
	int column = conf_column(prog);

	if (prog->n_opts && prog->opts[0].type != CONF_T_GROUP)
		fprintf(out, "Settings:\n");
	for (size_t i = 0; i < prog->n_opts; i++) {
		struct conf_row row;

		if (prog->opts[i].type == CONF_T_GROUP) {
			fprintf(
			    out, "%s%s:\n", i ? "\n" : "", prog->opts[i].name);
			continue;
		}
		row = conf_row(&prog->opts[i]);
		conf_print_row(out, &row, column);
	}
}

void
conf_print_help(FILE *out, const struct conf_program *prog)
{
	struct conf_row general[] = {
	    {"-c, --config FILE", ""},
	    {"    --check", "print the settings in effect and exit"},
	    {"-h, --help", "print this text and exit"},
	    {"-V, --version", "print the version and exit"},
	};
	int column = conf_column(prog);

	snprintf(general[0].right, sizeof general[0].right,
	    "read FILE: its sections cluster and %s; flags override it",
	    prog->name);
	fprintf(
	    out, "Usage: %s [-c FILE] [--SETTING VALUE]...\n\n", prog->name);
	fprintf(out, "%c%s.\n\n", toupper((unsigned char)prog->summary[0]),
	    prog->summary + 1);
	for (size_t i = 0; i < ARRAY_LEN(general); i++)
		conf_print_row(out, &general[i], column);
	fputc('\n', out);
	conf_print_settings(out, prog);
	fprintf(out,
	    "\nIn [] is the default. In FILE a setting is written with _ for "
	    "-, as --check\nprints it. Without -c no file is read.\n\n"
	    "Exit codes: 0 ok, 1 failed, 2 usage or settings, 4 address in "
	    "use,\n5 data unusable.\n");
}

/* ${ is libconfuse's environment lookup in "", but not in '' */
static void
conf_print_quoted(FILE *out, const char *s)
{
	char quote = s && strstr(s, "${") ? '\'' : '"';

	fputc(quote, out);
	for (; s && *s; s++) {
		if (*s == quote || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc(quote, out);
}

static void
conf_print_value(FILE *out, const struct conf_opt *o, const void *at)
{
	char *const *list;

	switch (o->type) {
	case CONF_T_STR:
	case CONF_T_ADDR:
	case CONF_T_ID:
	case CONF_T_LEVEL:
		conf_print_quoted(out, *(char *const *)at);
		break;
	case CONF_T_INT:
		fprintf(out, "%lld", (long long)*(const int64_t *)at);
		break;
	case CONF_T_BOOL:
		fputs(*(const bool *)at ? "yes" : "no", out);
		break;
	case CONF_T_ENUM:
		fputs(o->words[*(const int *)at], out);
		break;
	case CONF_T_LIST:
		list = *(char *const *const *)at;
		fputc('{', out);
		for (char *const *v = list; v && *v; v++) {
			fputs(v == list ? " " : ", ", out);
			conf_print_quoted(out, *v);
		}
		fputs(" }", out);
		break;
	case CONF_T_GROUP:
		break;
	}
}

void
conf_print_effective(FILE *out, const struct conf_program *prog, void *settings)
{
	fprintf(out, "%s {\n", prog->name);
	for (size_t i = 0; i < prog->n_opts; i++) {
		const struct conf_opt *o = &prog->opts[i];

		if (o->type == CONF_T_GROUP) {
			fprintf(out, "%s\t# %s\n", i ? "\n" : "", o->name);
			continue;
		}
		fprintf(out, "\t%-*s = ", CONF_NAME_WIDTH, o->name);
		conf_print_value(out, o, (char *)settings + o->off);
		fputc('\n', out);
	}
	fprintf(out, "}\n");
}
