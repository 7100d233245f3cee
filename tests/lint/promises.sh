#!/bin/sh
# SPDX-License-Identifier: MIT
# What GUARANTEES.md and OLD_SYSTEMS.md name as a proof is there: tests, kinds
# of faults, words of the judge. Where a page points to a file of ours, there is one; and what
# SCALING.md says to look at is measured.
. "${top_srcdir:-.}/tests/lint/lib.sh"
page=shared/GUARANTEES.md
echo 1..5

names=$(mktemp) || exit 1
trap 'rm -f "$found" "$names"' EXIT

# a test by the name it has among its kind
is_test() {
	case $1 in
	t[0-9]*) [ -f "tests/integration/$1.test.mjs" ] ;;
	*.test.mjs) [ -n "$(find tests -name node_modules -prune -o -name "$1" -print)" ] ;;
	*) [ -n "$(find tests/unit -name "$1.c")" ] ;;
	esac
}
: >"$found"
old=shared/OLD_SYSTEMS.md
for p in $page $old; do
	grep -oE '`(t[0-9]+_[a-z0-9_]+|test_[a-z0-9_]+|[a-z0-9_]+\.test\.mjs)`' $p |
	tr -d '`' | LC_ALL=C sort -u >"$names"
	[ -s "$names" ] || echo "$p names no test"
	while read -r t; do
		is_test "$t" || echo "$p: there is no test $t"
	done <"$names"
done >"$found"
# what is said to be here has a test, what has none is said to be missing
awk -F'|' '/^## /{ s = $0 } s != "" && NF == 6 && $5 ~ /^ (here|other|to come|no) $/ {
	if ($5 ~ /^ (here|other) $/ && $4 !~ /`/)
		print FILENAME ":" FNR ": here, and no test"
	rows[s]++
}
NF == 6 && $2 !~ /^ (line|system|---)/ && $2 !~ /^-/ && s !~ /otherwise/ &&
$5 !~ /^ (here|other|to come|no) $/ { print FILENAME ":" FNR ": no state" }
END { n = 0; for (s in rows) n++; if (n < 5) print FILENAME ": not five systems" }' \
	$old >>"$found"
verdict 1 'tests named in GUARANTEES.md and OLD_SYSTEMS.md' "$found"

# behind the word `fault` in a row of the table, up to what is no kind of it
sed -n '/^|/s/[^`]*`fault` \([^`;|(]*\).*/\1/p' $page | tr ', ' '\n\n' |
grep -E '^[a-z]+-[a-z*]+$|^vanishing$' | LC_ALL=C sort -u >"$names"
: >"$found"
[ -s "$names" ] || echo "$page names no fault" >"$found"
while read -r k; do
	grep -qE "^	'?$(echo "$k" | sed 's/\*/[a-z-]*/')'?: " tests/fault/faults.mjs ||
		echo "$page: there is no fault $k"
done <"$names" >>"$found"
verdict 2 'faults named in GUARANTEES.md' "$found"

grep -oE "the judge('s|:)( |)(\`[a-z]+\`(, )?)+" $page | grep -oE '`[a-z]+`' |
tr -d '`' | LC_ALL=C sort -u >"$names"
: >"$found"
[ -s "$names" ] || echo "$page names no word of the judge" >"$found"
while read -r w; do
	grep -qE "^	$w: '" tests/fault/judge.mjs ||
		echo "$page: the judge has no word '$w'"
done <"$names" >>"$found"
verdict 3 'words of the judge named in GUARANTEES.md' "$found"

for md in README.md README.zh-CN.md $page $old shared/HTTP.md shared/SCALING.md \
	www/sdk/README.md tests/fault/README.md tests/bench/README.md; do
	[ -f "$md" ] || continue
	grep -oE '\]\([^)#:]+\)' "$md" | sed 's/^](//; s/)$//' |
	while read -r to; do
		[ -e "$(dirname "$md")/$to" ] || echo "$md: there is no $to"
	done
done >"$found"
verdict 4 'files that our pages point to' "$found"

# histograms and what all servers have are written with their prefix, or not
grep -oE '`cchat_[a-z_]+`' shared/SCALING.md | tr -d '`' | sed 's/^cchat_//' |
LC_ALL=C sort -u >"$names"
: >"$found"
[ -s "$names" ] || echo "shared/SCALING.md names no metric" >"$found"
while read -r m; do
	grep -rqE "(\"|cchat_)$m[\" ]" shared msg_server proxy_server \
		config_server --include='*.[ch]' ||
		echo "shared/SCALING.md: there is no metric cchat_$m"
done <"$names" >>"$found"
verdict 5 'metrics named in SCALING.md' "$found"
