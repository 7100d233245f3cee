#!/bin/sh
# SPDX-License-Identifier: MIT
# Every setting of every program is in cchat.conf(5), and every flag in the
# program's own manual page or in that one.
. "${top_srcdir:-.}/tests/lint/lib.sh"
build=${CCHAT_BUILD:-.}
page=config_server/cchat.conf.5
echo 1..3
n=0
for p in msg_server proxy_server config_server; do
	n=$((n + 1))
	: >"$found"
	if [ ! -x "$build/$p/$p" ]; then
		echo "$p is not built" >"$found"
	else
		"$build/$p/$p" --check |
		sed -n 's/^	\([a-z0-9_]*\) = .*/\1/p' |
		while read -r s; do
			grep -qE "^\.It (Ic|Va|Cm) $s( |\$)" "$page" 2>/dev/null ||
				echo "$p: setting '$s' is not in cchat.conf(5)"
		done >"$found"
		[ -f "$p/$p.8" ] || echo "$p.8 is missing" >>"$found"
	fi
	verdict $n "settings of $p are documented" "$found"
done
