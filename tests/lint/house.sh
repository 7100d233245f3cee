#!/bin/sh
# SPDX-License-Identifier: MIT
# Small rules of the house that a compiler does not know.
. "${top_srcdir:-.}/tests/lint/lib.sh"
echo 1..7

# strings, characters and /* */ taken out, what is left of // is a comment
sources .c .h | xargs awk '
FNR == 1 { inside = 0 }
{
	line = $0; rest = ""
	gsub(/\\./, "", line); gsub(/"[^"]*"/, "", line); gsub(/\047[^\047]*\047/, "", line)
	while (line != "") {
		if (inside) {
			i = index(line, "*/")
			if (!i) break
			line = substr(line, i + 2); inside = 0
		} else {
			i = index(line, "/*")
			if (!i) { rest = rest line; break }
			rest = rest substr(line, 1, i - 1)
			line = substr(line, i + 2); inside = 1
		}
	}
	if (index(rest, "//")) print FILENAME ":" FNR ": " $0
}' >"$found"
verdict 1 'no // comments in C' "$found"

mark='TO''DO|FIX''ME|XX''X|not imple''mented|unimple''mented'
sources .c .h .js .mjs .sh .mk | xargs grep -nE "\\b($mark)\\b" >"$found"
verdict 2 'nothing is left open in a comment' "$found"

sources .c .h .js .mjs | while read -r f; do
	head -2 "$f" | grep -q 'SPDX-License-Identifier: MIT' || echo "$f"
done >"$found"
verdict 3 'every source names its licence' "$found"

sinks='innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval *\(|new Function|DOMParser|javascript:|srcdoc'
sources .js .html | grep '^www/' | xargs grep -nE "$sinks" >"$found"
verdict 4 'no HTML sinks in the page' "$found"

# A pause in a node test has its reason in a comment on its line or the one
# above: a pace that is part of the scene, or a time in which nothing may come.
{
	sources .c | grep -E '^tests/(unit|fuzz)/' |
		xargs grep -nE '\b(sleep|usleep|nanosleep) *\('
	sources .mjs .js | grep -E '^tests/(integration|browser|www|dialect)/' |
		xargs awk '
	/await (sleep|delay|setTimeout) *\(/ && !/\/\*/ && before !~ /\*\// {
		print FILENAME ":" FNR ": " $0
	}
	{ before = $0 }'
} >"$found"
verdict 5 'tests wait for conditions, not for the clock' "$found"

grep -rnIE '(^|[^A-Za-z])/(home|root|Users)/[a-z]' shared msg_server proxy_server config_server tests www bootstrap README.md README.zh-CN.md \
	--include='*' --exclude-dir=node_modules 2>/dev/null | grep -v '^tests/lint/' >"$found"
verdict 6 'no path of a machine' "$found"

sources .c | grep '^tests/unit/' | xargs grep -nE '\bskip *\( *\)' >"$found"
verdict 7 'no unit test skips itself' "$found"
