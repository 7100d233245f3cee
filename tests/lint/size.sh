#!/bin/sh
# SPDX-License-Identifier: MIT
# A file past 600 lines, or a folder past fifteen modules, is looking for its
# seam. x_y.c beside x.c is a part of module x; main.c is none.
. "${top_srcdir:-.}/tests/lint/lib.sh"
echo 1..2
sources .c .h .js .mjs .sh .css | while read -r f; do
	n=$(wc -l <"$f")
	[ "$n" -le 600 ] || echo "$f: $n lines"
done >"$found"
verdict 1 'no file over 600 lines' "$found"

sources .c | grep -E '^(shared|msg_server|proxy_server|config_server)/' |
grep -v '/main\.c$' | sed 's/\.c$//' | LC_ALL=C sort | awk '
{
	folder = $0; sub(/\/[^\/]*$/, "", folder)
	if (head == "" || index($0, head "_") != 1) {
		head = $0
		n[folder]++
	}
}
END { for (f in n) if (n[f] > 15) print f ": " n[f] " modules" }' >"$found"
verdict 2 'no folder over fifteen modules' "$found"
