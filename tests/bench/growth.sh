#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How cost grows with the number of members of a room, of connections, of
# logins and of rooms: measures, fits an exponent (log-log) and draws the charts
# of README.md.
#
#	tests/bench/growth.sh [BUILD-DIR] [members|connections|logins|rooms ...]
#
# The lines go to doc/growth.jsonl beside this script, what is measured anew
# in place of what was there; the charts to doc/*.svg, the table to README.md.
# RUNS=1, SECONDS_EACH=3 and SCENES="members ..." in the place of arguments are
# taken from the environment (four minutes for RUNS=3 of the logins), and
# MOST_PEOPLE=100000, as that is the machine's matter: six msg_servers and six
# processes that hold the other ends, because one may open 20,000 descriptors
# here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
runs=${RUNS:-1} secs=${SECONDS_EACH:-3} people=${MOST_PEOPLE:-100000}
bench_begin "${1:-}"
[ $# -eq 0 ] || shift
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- ${SCENES:-members connections logins rooms}

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

# storm NAME PEOPLE FLAGS: after a few who come and go, or the first would pay
# for all that is touched only once
storm()
{
	held="--members=10 --workers=6 --opening=16 --per-address=9000 --hold=0"
	# flags like these are meant to be split
	# shellcheck disable=SC2086
	timeout 60 "$bench" idle --rooms=12 $held --warm=0 $3 --json \
		>/dev/null 2>>"$dir/bench.log" || :
	one "$1" idle --rooms=$(($2 / 10)) "$held" "$3"
}

# ... and at a server without log, relay and tables, in as many processes
logins()
{
	for size in $(steps 1000 "$people"); do
		cluster_start 6
		storm connections-logins "$size" "$cluster"
		cluster_stop
		refs_start 6
		storm connections-ref "$size" "$refat"
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
		members | connections | logins | rooms) "$axis" ;;
		*) echo "growth.sh: no axis $axis" >&2; exit 2 ;;
		esac
		run=$((run + 1))
	done
done
node "$here/growth.mjs" "$here" "$out"
