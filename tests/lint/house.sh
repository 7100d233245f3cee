#!/bin/sh
# SPDX-License-Identifier: MIT
# Small rules of the house that a compiler does not know.
. "${top_srcdir:-.}/tests/lint/lib.sh"
echo 1..6

sources .c .h | xargs grep -nE '^[[:space:]]*//|;[[:space:]]+//' >"$found"
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

sources .c | grep -E '^tests/(unit|fuzz)/' |
	xargs grep -nE '\b(sleep|usleep|nanosleep) *\(' >"$found"
sources .mjs .js | grep -E '^tests/(integration|browser|www|dialect)/' |
	xargs grep -nE 'await (sleep|delay|wait)\( *[0-9]' >>"$found"
verdict 5 'tests wait for conditions, not for the clock' "$found"

grep -rnIE '(^|[^A-Za-z])/(home|root|Users)/[a-z]' shared msg_server proxy_server config_server tests www bootstrap README.md README.zh-CN.md \
	--include='*' --exclude-dir=node_modules 2>/dev/null | grep -v '^tests/lint/' >"$found"
verdict 6 'no path of a machine' "$found"
