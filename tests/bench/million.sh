#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A million people who are logged in and say nothing, on one machine, and each
# of them reached by a private message in the end.  53 msg_servers, as one
# process opens at most 20,000 descriptors here; as many processes hold the
# other ends.
#
#	tests/bench/million.sh [BUILD-DIR]
#
# PEOPLE=1000000, SERVERS (one for each 18,900), REACH=5000 private messages a
# second, SPREAD=1 (the people of a room on different servers), HOLD=30 s,
# PING=300 (s; a million pings every 25 s would be the load) and KEEP=dir are
# taken from the environment.  Before it starts it looks whether the memory
# suffices (NEED KiB of the kernel and both programs for each, 14), and it says
# at which number it stopped, if it did.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
people=${PEOPLE:-1000000} reach=${REACH:-5000} hold=${HOLD:-30}
servers=${SERVERS:-$(((people + 18899) / 18900))}
need=${NEED:-14}

memory()
{
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

free=$(memory MemAvailable)
if [ $((people * need)) -gt "$free" ]; then
	echo "million.sh: $people people want $((people * need / 1024)) MiB," \
		"there are $((free / 1024))" >&2
	exit 1
fi
PING=${PING:-300}
bench_begin "$@"
cluster_start "$servers"
slab=$(memory Slab)

# what the kernel holds meanwhile, when it is at its most
watch()
{
	least=$free most=$slab
	while :; do
		a=$(memory MemAvailable) s=$(memory Slab)
		[ "$a" -ge "$least" ] || least=$a
		[ "$s" -le "$most" ] || most=$s
		echo "$least $most" >"$dir/memory.now"
		mv "$dir/memory.now" "$dir/memory"
		# both ends of it all are here: better to stop than to be killed
		if [ "$a" -lt 1000000 ]; then
			echo "million.sh: less than 1 GB is left, stopping" >&2
			kill -TERM $$
			exit 1
		fi
		sleep 1
	done
}
watch &
started="$! $started"

together=--together
[ -z "${SPREAD:-}" ] || together=
MOST=1500
one million idle --rooms=$((people / 10)) --members=10 \
	--workers="$servers" --opening=8 --per-address=9000 --hold="$hold" \
	--reach="$reach" --most=600 $together "$cluster"
read -r least most <"$dir/memory"
sed -i "s/}\$/,\"servers\":$servers,\"slab_per_person\":$(((most - slab) * \
1024 / people))}/" \
	"$out"
mkdir -p "$here/doc"
tail -1 "$out" >"$here/doc/million.jsonl"
node "$here/million.mjs" "$out"
