#!/bin/sh
# SPDX-License-Identifier: MIT
# A test must be able to fail: each lint finds the fault planted for it in a
# tree of its own, and finds nothing there without it.
src=$(cd "${top_srcdir:-.}" && pwd) || exit 1
export CCHAT_BUILD="${CCHAT_BUILD:-$src}"
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
n=0

fresh() {
	rm -rf "$tree" && mkdir -p "$tree/tests/lint" "$tree/tests/browser" \
		"$tree/tests/unit" "$tree/www" "$tree/shared/base" \
		"$tree/shared/net" "$tree/shared/proto" "$tree/msg_server/dialect" \
		"$tree/config_server" "$tree/proxy_server" \
		"$tree/tests/integration" "$tree/tests/fault" || exit 1
	cp "$src"/tests/lint/*.sh "$tree/tests/lint/" &&
		cp "$src/.clang-format" "$tree/" || exit 1
	lic='/* SPDX-License-Identifier: MIT */'
	printf '%s\nint base_x;\n' "$lic" >"$tree/shared/base/x.c"
	printf '%s\nint net_x;\n' "$lic" >"$tree/shared/net/x.c"
	printf '%s\nint proto_x;\n' "$lic" >"$tree/shared/proto/x.c"
	printf '%s\nint unit_x;\n' "$lic" >"$tree/tests/unit/x.c"
	printf '%s\nint dialect_x;\n' "$lic" >"$tree/msg_server/dialect/x.c"
	printf '%s\nconst x = 1;\n' "$lic" >"$tree/www/x.js"
	printf '%s\nconst x = 1;\n' "$lic" >"$tree/tests/browser/x.mjs"
	printf '%s\n#ifndef SHARED_BASE_X_H\n#define SHARED_BASE_X_H\n#endif\n' \
		"$lic" >"$tree/shared/base/x.h"
	printf '%s\n' "$lic" >"$tree/tests/integration/t101_x.test.mjs"
	printf "%s\n\t'kill-x': 1,\n" "$lic" >"$tree/tests/fault/faults.mjs"
	printf "%s\n\tlost: 'x',\n" "$lic" >"$tree/tests/fault/judge.mjs"
	echo '| all | `fault` kill-*; the judge: `lost`; [x](base/x.h), `t101_x` |' \
		>"$tree/shared/GUARANTEES.md"
	printf '%s\n#ifndef SHARED_NET_STATS_H\n#define SHARED_NET_STATS_H "msg_people"\n#endif\n' "$lic" >"$tree/shared/net/stats.h"
	echo '`cchat_msg_people`' >"$tree/shared/SCALING.md"
	for i in 1 2 3 4 5; do
		printf '## %s\n| a line | x | `t101_x` | here |\n' $i
	done >"$tree/shared/OLD_SYSTEMS.md"
}

lint() {
	(top_srcdir=$tree sh "$tree/tests/lint/$1.sh" 2>&1)
}

# plant SCRIPT NUMBER FILE TEXT...: lint NUMBER of SCRIPT fails, and no other
plant() {
	script=$1 number=$2 file=$3
	shift 3
	fresh
	[ "$number" = 0 ] || printf '%s\n' "$@" >>"$tree/$file"
	bad=$(lint "$script" | sed -n 's/^not ok \([0-9]*\).*/\1/p' | tr '\n' ' ')
	n=$((n + 1))
	want="$number "
	[ "$number" = 0 ] && want=
	if [ "$bad" = "$want" ]; then
		echo "ok $n - $script, rule $number: fault in $file"
	else
		echo "# failed: '$bad', wanted '$want'"
		echo "not ok $n - $script, rule $number: fault in $file"
	fi
}

for s in includes size house promises; do
	plant $s 0 'no file'
done
plant includes 1 shared/base/x.c '#include "shared/net/x.h"'
plant includes 1 shared/proto/x.c '#include "shared/net/x.h"'
plant includes 1 shared/net/x.c '#include "shared/proto/x.h"'
plant includes 1 shared/net/x.c '#include "msg_server/x.h"'
plant includes 1 msg_server/dialect/x.c '#include "msg_server/session.h"'
plant includes 1 shared/net/x.c '#include "x.h"'
plant includes 2 shared/base/x.c '#include <ev.h>'
plant includes 2 shared/net/x.c '#include <jansson.h>'
plant includes 2 shared/proto/x.c '#include <wslay/wslay.h>'
plant includes 2 msg_server/dialect/x.c '#include <sqlite3.h>'
plant includes 2 shared/net/x.c '#include <http_parser.h>'
plant includes 3 shared/base/x.c '#include <unistd.h>'
plant includes 3 shared/proto/x.c '#include <sys/socket.h>'
plant includes 4 shared/net/x.c 'char *p = getenv("X");'
plant size 1 www/x.js "$(yes '/* line */' | head -600)"
plant house 1 shared/base/x.c 'int y; // comment'
plant house 1 shared/base/x.c '/* a */ int y; /* b' 'c */ // comment'
plant house 2 shared/base/x.c "/* TO""DO later */"
plant house 4 www/x.js 'x.innerHTML = 1;'
plant house 5 tests/unit/x.c 'void f(void) { usleep(1); }'
plant house 5 tests/browser/x.mjs 'await sleep(1);'
plant house 7 tests/unit/x.c 'void f(void) { skip(); }'
plant promises 1 shared/GUARANTEES.md '(`t102_x`)'
plant promises 1 shared/GUARANTEES.md '(unit `test_y`)'
plant promises 1 shared/GUARANTEES.md '(`y.test.mjs`)'
plant promises 1 shared/OLD_SYSTEMS.md '(unit `test_y`)'
plant promises 1 shared/OLD_SYSTEMS.md '| a line | x | somewhere | here |'
plant promises 1 shared/OLD_SYSTEMS.md '| a line | x | `t101_x` | done |'
plant promises 2 shared/GUARANTEES.md '| x | `fault` kill-x, kill-y; |'
plant promises 3 shared/GUARANTEES.md 'the judge: `lost`, `late`'
plant promises 4 shared/GUARANTEES.md '[y](base/y.h)'
plant promises 5 shared/SCALING.md '`cchat_msg_ghosts`'

# not a fault: // in a string, a pause with its reason
fresh
printf 'char *u = "http://x"; /* // */\n' >>"$tree/shared/base/x.c"
printf '/* the pace of the scene */\nawait sleep(1);\n' >>"$tree/tests/browser/x.mjs"
n=$((n + 1))
lint house | grep -q '^not ok' && printf 'not '
echo "ok $n - house takes what only looks like a fault"

fresh
i=0
while [ $i -lt 16 ]; do
	i=$((i + 1))
	cp "$tree/shared/base/x.c" "$tree/shared/base/y$i.c"
done
n=$((n + 1))
lint size | grep -q '^not ok 2' || printf 'not '
echo "ok $n - size counts modules"

fresh
printf '%s\nint y;\n' '/* no licence here */' >"$tree/shared/base/y.c"
n=$((n + 1))
lint house | grep -q '^not ok 3' || printf 'not '
echo "ok $n - house asks for the licence"

if [ -f "$CCHAT_BUILD/config.h" ]; then
	fresh
	printf 'struct y { size_t n; };\n' >>"$tree/shared/base/x.h"
	n=$((n + 1))
	lint headers | grep -q '^not ok 1' || printf 'not '
	echo "ok $n - headers compiles each alone"
	fresh
	sed -i 's/SHARED_BASE_X_H/X_H/' "$tree/shared/base/x.h"
	n=$((n + 1))
	lint headers | grep -q '^not ok 2' || printf 'not '
	echo "ok $n - headers knows the guards"
fi
fresh
printf 'int  y ;\n' >>"$tree/shared/base/x.c"
n=$((n + 1))
lint format | grep -qE '^not ok|SKIP' || printf 'not '
echo "ok $n - format finds a crooked line"
echo "1..$n"
