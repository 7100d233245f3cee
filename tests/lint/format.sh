#!/bin/sh
# SPDX-License-Identifier: MIT
# The text of C files is what clang-format 14 makes of it.
. "${top_srcdir:-.}/tests/lint/lib.sh"
tool=
for t in clang-format-14 clang-format; do
	if command -v $t >/dev/null 2>&1 && $t --version | grep -q 'version 14\.'; then
		tool=$t
		break
	fi
done
if [ -z "$tool" ]; then
	echo '1..0 # SKIP clang-format 14 is not here'
	exit 0
fi
echo 1..1
sources .c | while read -r f; do
	$tool --style=file "$f" | cmp -s - "$f" || echo "$f: run $tool -i"
done >"$found"
verdict 1 'format of C files' "$found"
