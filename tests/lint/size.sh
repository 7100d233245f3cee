#!/bin/sh
# SPDX-License-Identifier: MIT
# A file past 600 lines, or a folder past fifteen modules, is looking for its seam.
. "${top_srcdir:-.}/tests/lint/lib.sh"
echo 1..1
sources .c .h .js .mjs .sh .css | while read -r f; do
	n=$(wc -l <"$f")
	[ "$n" -le 600 ] || echo "$f: $n lines"
done >"$found"
verdict 1 'no file over 600 lines' "$found"
