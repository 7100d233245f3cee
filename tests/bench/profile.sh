#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where the time of a delivery and of a login goes: perf looks at the servers of
# a cluster while scene A (one room of 1000, ten who speak, window 4) and scene
# B (100 rooms of ten, two who speak, window 2) run and while people come (L:
# 15,000 into rooms of ten), and profile.mjs sorts what it saw into the table of
# README.md, with the deliveries or logins per CPU-second of the same seconds.
# Needs perf (Debian: linux-perf), and the right to see the kernel's names.
#
#	tests/bench/profile.sh [BUILD-DIR]
#
# SCENES="A B L" SECONDS_EACH=6 and KEEP=dir (perf's own data, too) are taken from
# the environment.  The counts go to doc/profile.jsonl, the table to README.md;
# with SHOW=1 they are shown and nothing is changed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
secs=${SECONDS_EACH:-6} scenes=${SCENES:-A B L}
command -v perf >/dev/null || { echo "profile.sh: no perf" >&2; exit 2; }
bench_begin "$@"
cluster_start 1
fan="--warm=1 --seconds=$((secs + 3))"
A="fan --rooms=1 --members=1000 --senders=10 --window=4 $fan"
B="fan --rooms=100 --members=10 --senders=2 --window=2 $fan"
L='storm --rooms=1500 --members=10'
list=$(echo "$pids" | tr , '\n' | sed 's/.*=//' | paste -sd,)
for scene in $scenes; do
	eval "args=\$$scene"
	# from when all are in and the window has opened; or as they come
	late='-D 2500'
	[ "$scene" != L ] || late=
	# shellcheck disable=SC2086
	perf record -q -o "$dir/$scene.perf" -e cpu-clock -F 999 -g $late \
		-p "$list" -- sleep "$((secs + 3))" >"$dir/perf.log" 2>&1 &
	looker=$!
	started="$looker $started"
	one "$scene" "$args" "$cluster"
	[ "$scene" != L ] || kill -INT "$looker" 2>/dev/null || :
	wait "$looker" || :
	perf script -i "$dir/$scene.perf" -F comm,ip,sym,dso \
		>"$dir/$scene.stacks" 2>>"$dir/perf.log" ||
		{ tail -3 "$dir/perf.log" >&2; exit 1; }
done
set --
for scene in $scenes; do
	set -- "$@" "$scene=$dir/$scene.stacks"
done
node "$here/profile.mjs" "$here" "$out" "$@"
