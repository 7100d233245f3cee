#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header compiles alone and has the guard its path says.
. "${top_srcdir:-.}/tests/lint/lib.sh"
build=${CCHAT_BUILD:-.}
echo 1..2
sources .h | grep -E '^(shared|msg_server|proxy_server|config_server)/' |
while read -r h; do
	${CC:-cc} -std=gnu11 -fsyntax-only -Wall -Wextra -Wno-unused-function \
		-Wno-missing-field-initializers -I. \
		-include "$build/config.h" -x c "$h" 2>&1 | head -3
done | grep -v 'pragma once' >"$found"
verdict 1 'each header compiles alone' "$found"
sources .h | grep -E '^(shared|msg_server|proxy_server|config_server)/' |
while read -r h; do
	guard=$(echo "$h" | tr 'a-z/.' 'A-Z__')
	grep -q "^#ifndef $guard\$" "$h" || echo "$h: guard is not $guard"
done >"$found"
verdict 2 'guards by path' "$found"
