#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How cost grows with the number of members of a room, of connections and of
# rooms: measures, fits an exponent (log-log) and draws the charts of README.md.
#
#	tests/bench/growth.sh [BUILD-DIR] [members|connections|rooms ...]
#
# The lines go to doc/growth.jsonl beside this script, what is measured anew
# in place of what was there; the charts to doc/*.svg, the table to README.md.
# RUNS=1 and SECONDS_EACH=3 are taken from the environment, and MOST_PEOPLE=
# 100000, as that is the machine's matter: six msg_servers and six processes
# that hold the other ends, because one may open 20,000 descriptors here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
runs=${RUNS:-1} secs=${SECONDS_EACH:-3} people=${MOST_PEOPLE:-100000}
bench_begin "${1:-}"
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- members connections rooms

# N for each power of ten and three times that from $1 to $2
steps()
{
	node -e '
	for (let n = +process.argv[1]; n <= +process.argv[2]; n *= 10)
		for (const k of [n, 3 * n])
			if (k <= +process.argv[2]) console.log(k)' "$1" "$2"
}

# one room; ten of it speak as fast as four messages under way let them; and
# the bare send loop to as many sockets
members()
{
	cluster_start 1
	for size in $(steps 10 10000); do
		one members fan --rooms=1 --members="$size" --senders=10 \
			--window=4 --per-address=9000 --seconds="$secs" \
			"$cluster"
		one members-limit limit --members="$size" --joined=1 \
			--per-address=9000 --seconds=1
	done
	cluster_stop
}

# servers that have served nobody yet, or their memory says nothing
connections()
{
	for size in $(steps 1000 "$people"); do
		cluster_start 6
		one connections idle --rooms=$((size / 10)) --members=10 \
			--workers=6 --opening=16 --per-address=9000 --hold=3 \
			--rate=20 --seconds="$((secs * 3))" "$cluster"
		cluster_stop
	done
}

# as many people as rooms: everyone alone in his
rooms()
{
	for size in $(steps 10 "$people"); do
		cluster_start 6
		one rooms idle --rooms="$size" --members=1 --workers=6 \
			--opening=16 --per-address=9000 --hold=3 --rate=1000 \
			--seconds="$((secs * 2))" "$cluster"
		cluster_stop
	done
}

for axis in "$@"; do
	run=1
	while [ "$run" -le "$runs" ]; do
		case $axis in
		members | connections | rooms) "$axis" ;;
		*) echo "growth.sh: no axis $axis" >&2; exit 2 ;;
		esac
		run=$((run + 1))
	done
done
node "$here/growth.mjs" "$here" "$out"
