/* SPDX-License-Identifier: MIT */
/*
 * Tables for people: columns aligned by what a terminal shows (a Chinese
 * character is two cells wide), cut to the terminal's width, coloured only on
 * a terminal and never with NO_COLOR.
 */
#ifndef CONFIG_SERVER_CTL_CTL_TABLE_H
#define CONFIG_SERVER_CTL_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "shared/base/str.h"

enum { TABLE_COLS_MAX = 16 };
enum table_color { TABLE_PLAIN, TABLE_BOLD, TABLE_GREEN, TABLE_YELLOW, TABLE_RED, TABLE_DIM };

struct table {
	int n_cols;
	const char *head[TABLE_COLS_MAX];
	bool right[TABLE_COLS_MAX]; /* numbers */
	struct table_cell *cells;   /* n_cells, owned */
	size_t n_cells, cap;
};

/* "NAME", "ROLE", ">CONNS" (right-aligned), NULL */
void table_init(struct table *t, const char *const *head);
/* the next cell, row by row; copied; control characters become '?' */
void table_put(struct table *t, struct str text, enum table_color color);
void table_putf(struct table *t, enum table_color color, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* prints and empties it; without rows: `none` alone; to NULL: it is only emptied */
void table_print(struct table *t, FILE *to, const char *none);

/* cells a terminal needs for s */
unsigned table_width(struct str s);
/* "3 s", "12 min", "5 h", "2 d" */
void table_age(int64_t ms, char *out, size_t size);
bool table_has_color(FILE *to);
/* the sequence that begins that colour, "" without colours */
const char *table_color(FILE *to, enum table_color color);

#endif
