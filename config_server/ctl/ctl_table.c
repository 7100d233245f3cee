/* SPDX-License-Identifier: MIT */
/*
 * Text tables on a terminal. Widths of characters are judged by ranges, not
 * by the locale, so that output is the same everywhere.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config_server/ctl/ctl_table.h"
#include "shared/base/err.h"

enum { TABLE_GAP = 2, TABLE_CELL_MAX = 512 };

struct table_cell {
	char *text; /* owned, valid to print */
	size_t len;
	unsigned width;
	enum table_color color;
};

/* ---- width ------------------------------------------------------------ */

/* East Asian wide and fullwidth blocks, emoji (Unicode, UAX 11) */
static const struct {
	uint32_t lo, hi;
} table_wide[] = {{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0x33ff},
    {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa4cf}, {0xac00, 0xd7a3},
    {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
    {0x20000, 0x3fffd}};

static const struct {
	uint32_t lo, hi;
} table_zero[] = {{0x0300, 0x036f}, {0x200b, 0x200f}, {0x202a, 0x202e},
    {0x2060, 0x2064}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};

static unsigned
table_cp_width(uint32_t cp)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(table_zero); i++)
		if (cp >= table_zero[i].lo && cp <= table_zero[i].hi)
			return 0;
	for (i = 0; i < ARRAY_LEN(table_wide); i++)
		if (cp >= table_wide[i].lo && cp <= table_wide[i].hi)
			return 2;
	return 1;
}

/* decodes the code point at p; bytes that are none count as one '?' */
static size_t
table_decode(const char *p, size_t n, uint32_t *cp)
{
	unsigned char c = (unsigned char)p[0];
	size_t len = c < 0x80	? 1
		     : c < 0xc2 ? 0
		     : c < 0xe0 ? 2
		     : c < 0xf0 ? 3
				: 4;
	size_t i;

	*cp = '?';
	if (len == 0 || c > 0xf4 || len > n)
		return 1;
	*cp = len == 1 ? c : c & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80) {
			*cp = '?';
			return 1;
		}
		*cp = *cp << 6 | ((unsigned char)p[i] & 0x3f);
	}
	return len;
}

unsigned
table_width(struct str s)
{
	unsigned width = 0;
	uint32_t cp;
	size_t i;

	for (i = 0; i < s.len;) {
		i += table_decode(s.p + i, s.len - i, &cp);
		width += table_cp_width(cp);
	}
	return width;
}

/* bytes of s that fit into `cells` cells; *used: how many they take */
static size_t
table_fit(struct str s, unsigned cells, unsigned *used)
{
	uint32_t cp;
	size_t i, n;

	*used = 0;
	for (i = 0; i < s.len; i += n) {
		n = table_decode(s.p + i, s.len - i, &cp);
		if (*used + table_cp_width(cp) > cells)
			break;
		*used += table_cp_width(cp);
	}
	return i;
}

/* ---- colour ----------------------------------------------------------- */

bool
table_has_color(FILE *to)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return (no == NULL || no[0] == '\0') && isatty(fileno(to)) &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

const char *
table_color(FILE *to, enum table_color color)
{
	static const char *const seq[] = {"\033[0m", "\033[1m", "\033[32m",
	    "\033[33m", "\033[31m", "\033[2m"};

	return table_has_color(to) ? seq[color] : "";
}

/* ---- cells ------------------------------------------------------------ */

void
table_init(struct table *t, const char *const *head)
{
	memset(t, 0, sizeof(*t));
	while (head[t->n_cols] != NULL && t->n_cols < TABLE_COLS_MAX) {
		const char *h = head[t->n_cols];

		t->right[t->n_cols] = h[0] == '>';
		t->head[t->n_cols++] = h[0] == '>' ? h + 1 : h;
	}
}

void
table_put(struct table *t, struct str s, enum table_color color)
{
	struct table_cell *c;
	uint32_t cp;
	size_t i, n;

	if (t->n_cells == t->cap) {
		t->cap = t->cap > 0 ? 2 * t->cap : 64;
		t->cells = xrealloc(t->cells, t->cap * sizeof(*t->cells));
	}
	if (s.len > TABLE_CELL_MAX)
		s.len = TABLE_CELL_MAX;
	c = &t->cells[t->n_cells++];
	c->text = xmalloc(s.len + 1);
	c->len = 0;
	c->color = color;
	/* names come from people: nothing of theirs moves the cursor */
	for (i = 0; i < s.len; i += n) {
		n = table_decode(s.p + i, s.len - i, &cp);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == '?')) {
			c->text[c->len++] = '?';
			continue;
		}
		memcpy(c->text + c->len, s.p + i, n);
		c->len += n;
	}
	c->text[c->len] = '\0';
	c->width = table_width(str_n(c->text, c->len));
}

void
table_putf(struct table *t, enum table_color color, const char *fmt, ...)
{
	char text[TABLE_CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_put(t, str_of(text), color);
}

/* ---- printing --------------------------------------------------------- */

static unsigned
table_columns(FILE *to)
{
	const char *env = getenv("COLUMNS");
	struct winsize ws;
	uint64_t n;

	if (!isatty(fileno(to)))
		return 0;
	if (ioctl(fileno(to), TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return env != NULL && str_u64(str_of(env), &n) == 0 ? (unsigned)n : 0;
}

static void
table_put_cell(FILE *to, struct str s, unsigned pad, bool right, bool last,
    const char *color)
{
	if (right)
		fprintf(to, "%*s", (int)pad, "");
	fprintf(to, "%s%.*s%s", color, STR_ARG(s), color[0] ? "\033[0m" : "");
	if (!last)
		fprintf(
		    to, "%*s", (int)(right ? TABLE_GAP : pad + TABLE_GAP), "");
}

/* the last column gives way when the terminal is narrow */
static void
table_print_row(const struct table *t, FILE *to, const unsigned *width,
    unsigned columns, const struct table_cell *row)
{
	unsigned at = 0, used;
	int i;

	for (i = 0; i < t->n_cols; i++) {
		struct str s = row != NULL ? str_n(row[i].text, row[i].len)
					   : str_of(t->head[i]);
		unsigned w = row != NULL ? row[i].width : table_width(s);
		enum table_color color =
		    row != NULL ? row[i].color : TABLE_BOLD;

		if (i == t->n_cols - 1 && columns > at && at + w > columns) {
			s.len = table_fit(s, columns - at, &used);
			w = used;
		}
		table_put_cell(to, s, width[i] > w ? width[i] - w : 0,
		    t->right[i], i == t->n_cols - 1,
		    color == TABLE_PLAIN ? "" : table_color(to, color));
		at += width[i] + TABLE_GAP;
	}
	fputc('\n', to);
}

void
table_print(struct table *t, FILE *to, const char *none)
{
	unsigned width[TABLE_COLS_MAX] = {0};
	unsigned columns = to != NULL ? table_columns(to) : 0;
	size_t rows = t->n_cols > 0 ? t->n_cells / (size_t)t->n_cols : 0, i;
	int k;

	for (k = 0; k < t->n_cols; k++)
		width[k] = table_width(str_of(t->head[k]));
	for (i = 0; i < rows * (size_t)t->n_cols; i++) {
		k = (int)(i % (size_t)t->n_cols);
		if (t->cells[i].width > width[k])
			width[k] = t->cells[i].width;
	}
	if (to == NULL)
		rows = 0;
	else if (rows == 0 && none != NULL)
		fprintf(to, "%s\n", none);
	else
		table_print_row(t, to, width, columns, NULL);
	for (i = 0; i < rows; i++)
		table_print_row(
		    t, to, width, columns, t->cells + i * (size_t)t->n_cols);
	for (i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	t->cells = NULL;
	t->n_cells = t->cap = 0;
}

void
table_age(int64_t ms, char *out, size_t size)
{
	long long s = ms > 0 ? ms / 1000 : 0;

	if (s < 120)
		snprintf(out, size, "%lld s", s);
	else if (s < 7200)
		snprintf(out, size, "%lld min", s / 60);
	else if (s < 172800)
		snprintf(out, size, "%lld h", s / 3600);
	else
		snprintf(out, size, "%lld d", s / 86400);
}
