#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs one node test under automake's TAP driver.  A test names what it needs
# in a comment `needs: node modules build chromium`; what is missing makes it
# a skip with the reason, never a silent pass.
set -eu

test=$1
here=$(cd "$(dirname "$0")" && pwd)
tests=$(dirname "$here")
build=${CCHAT_BUILD:-$(dirname "$tests")}

skip()
{
	echo "1..0 # SKIP $1"
	exit 0
}

node=$(command -v node) || skip "no node"
major=$($node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node $major is too old"
# Half a gigabyte of core per sanitizer report helps nobody.
ulimit -c 0

needs=$(sed -n '1,5s/.*needs: \([a-z ]*\).*/\1/p' "$test")
for need in $needs; do
	case $need in
	node) ;;
	modules)
		[ -d "$tests/node_modules/ws" ] ||
			skip "no node_modules: npm ci in tests/"
		;;
	build)
		for d in msg_server proxy_server config_server; do
			[ -x "$build/$d/$d" ] || [ -x "$build/$d" -a ! -d "$build/$d" ] ||
				skip "$d is not built"
		done
		;;
	chromium)
		[ -d "$tests/node_modules/playwright-core" ] ||
			skip "no node_modules: npm ci in tests/"
		[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || skip "no chromium"
		;;
	nginx)
		# a test package like the others: its absence is a mistake
		PATH=$PATH:/usr/sbin:/sbin
		export PATH
		if ! command -v nginx >/dev/null || ! command -v openssl >/dev/null
		then
			echo "Bail out! no nginx or no openssl; ./bootstrap check installs them"
			exit 1
		fi
		;;
	*)
		echo "Bail out! $test needs '$need', which nobody knows"
		exit 1
		;;
	esac
done

exec $node --test-reporter=tap "$test"
