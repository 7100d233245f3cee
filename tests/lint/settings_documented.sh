#!/bin/sh
# SPDX-License-Identifier: MIT
# Every setting of every program is in cchat.conf(5) and in --help, every
# program has its manual page, and no page speaks of a setting that is gone.
. "${top_srcdir:-.}/tests/lint/lib.sh"
build=${CCHAT_BUILD:-.}
page=config_server/cchat.conf.5
echo 1..5

# names of the settings a page explains: ".It Ic a , Ic b"
explained() {
	sed -n 's/^\.It Ic //p' "$1" | tr ',' '\n' | sed 's/ *Ic *//' |
	grep -oE '^ *[a-z0-9_]+ *$' | tr -d ' ' | LC_ALL=C sort -u
}

# the page NAME is there and names SETTING, or sends its reader to cchat.conf(5)
in_manual() {
	grep -qE '^\.Xr cchat\.conf 5|^Any setting of' "$1" ||
		grep -qE "Fl -$(echo "$2" | tr _ -)( |\$)" "$1"
}

page_names=$(mktemp) && all=$(mktemp) || exit 1
trap 'rm -f "$found" "$page_names" "$all"' EXIT
explained $page >"$page_names" 2>/dev/null
n=0
for p in msg_server proxy_server config_server; do
	n=$((n + 1))
	: >"$found"
	[ -f "$p/$p.8" ] || echo "$p/$p.8 is missing" >>"$found"
	if ! "$build/$p/$p" --check >"$found.set" 2>/dev/null; then
		echo "$p --check does not run" >>"$found"
	fi
	"$build/$p/$p" --help >"$found.help" 2>/dev/null
	sed -n 's/^	\([a-z0-9_]*\) *= .*/\1/p' "$found.set" |
	while read -r s; do
		echo "$s" >>"$all"
		grep -qx "$s" "$page_names" ||
			echo "$p: '$s' is not in cchat.conf(5)"
		grep -qE -- "--$(echo "$s" | tr _ -)( |\$)" "$found.help" ||
			echo "$p: '$s' is not in --help"
		in_manual "$p/$p.8" "$s" 2>/dev/null ||
			echo "$p: '$s' is not in $p(8)"
	done >>"$found"
	grep -qE '^	[a-z]' "$found.set" || echo "$p: no settings" >>"$found"
	# what a terminal shows without folding; a default that is a directory of
	# the installation is as long as that is
	awk -v p="$p" 'length($0) > 80 && $0 !~ /\[\// { print p " --help: line over 80" }' \
		"$found.help" >>"$found"
	verdict $n "settings of $p are documented" "$found"
	rm -f "$found.set" "$found.help"
done

# cchatctl has a page of its own: what -h of it and of `start` tells is there
ctl=config_server/cchatctl
: >"$found"
[ -f $ctl.1 ] || echo "$ctl.1 is missing" >>"$found"
{ "$build/$ctl" -h && "$build/$ctl" start -h; } >"$found.help" 2>/dev/null
grep -oE -- '(^|[^-a-z])--[a-z][a-z-]*' "$found.help" | grep -oE '[a-z].*' |
LC_ALL=C sort -u >"$found.set"
[ -s "$found.set" ] || echo 'cchatctl -h does not run' >>"$found"
while read -r flag; do
	echo "$flag" | tr - _ >>"$all"
	grep -qE "Fl -$flag( |\$)" $ctl.1 2>/dev/null ||
		echo "cchatctl: --$flag is not in cchatctl(1)"
done <"$found.set" >>"$found"
rm -f "$found.set" "$found.help"
verdict 4 'flags of cchatctl are documented' "$found"

LC_ALL=C sort -u "$all" | LC_ALL=C comm -13 - "$page_names" |
	sed 's/^/cchat.conf(5) explains a setting nobody has: /' >"$found"
verdict 5 'cchat.conf(5) explains nothing that is gone' "$found"
