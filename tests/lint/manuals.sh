#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages are correct mdoc.
. "${top_srcdir:-.}/tests/lint/lib.sh"
if ! command -v mandoc >/dev/null 2>&1; then
	echo '1..0 # SKIP mandoc is not here'
	exit 0
fi
echo 1..1
mandoc -T lint -W warning msg_server/*.8 proxy_server/*.8 config_server/*.[158] >"$found" 2>&1
verdict 1 'manual pages' "$found"
