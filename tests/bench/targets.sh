#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The targets of this project's speed, one after the other, beside the bare
# send loop and the small server without log and relay (bench_ref --batch) in
# the same minutes: medians into the table of README.md.
#
#	tests/bench/targets.sh [BUILD-DIR]
#
# RUNS=5 SECONDS_EACH=3 IDLE=10000 and KEEP=dir are taken from the environment.
# What others measure (growth.sh, peers.sh, million.sh) is taken from doc/.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
runs=${RUNS:-5} secs=${SECONDS_EACH:-3} idle=${IDLE:-10000}
bench_begin "$@"
a='--rooms=1 --members=1000 --senders=10 --window=4'
b='--rooms=100 --members=10 --senders=2 --window=2'
c='--rooms=1 --members=100 --senders=10 --window=8'
s="--seconds=$secs"

# the first run of servers tells what a connection takes
cluster_start 1
one idle idle --rooms=$((idle / 10)) --members=10 --hold=3 "$cluster"
ref_start --batch
run=1
while [ "$run" -le "$runs" ]; do
	echo "run $run of $runs" >&2
	one limit limit --members=1000 --seconds=1
	one A fan "$a" "$s" "$cluster"
	one refA fan "$a" "$s" "$refat"
	one A16 fan "$a" --window=16 "$s" "$cluster"
	one B fan "$b" "$s" "$cluster"
	one refB fan "$b" "$s" "$refat"
	one C fan "$c" "$s" "$cluster"
	one refC fan "$c" "$s" "$refat"
	one rate1 fan "$a" --rate=100 "$s" "$cluster"
	one deaf fan "$a" --rate=100 --stalled=10 "$s" "$cluster"
	one rate2 fan "$b" --rate=2000 "$s" "$cluster"
	one storm storm --rooms=500 --members=10 "$cluster"
	one join storm --rooms=1 --members=1000 "$cluster"
	one log fan --rooms=200 --members=1 --senders=1 --window=16 "$s" \
		"$cluster"
	run=$((run + 1))
done
cluster_stop
# version 1 does not hear itself, so all that is heard is remote
cluster_start 2
pair='--level=1 --rooms=1 --members=2 --senders=1 --rate=100'
run=1
while [ "$run" -le "$runs" ]; do
	one local fan "$pair" "$s" --pids="$pids" \
		--target="${targets%%,*}"
	one remote fan "$pair" "$s" "$cluster"
	run=$((run + 1))
done
cluster_stop
SYNC=off cluster_start 1
run=1
while [ "$run" -le "$runs" ]; do
	one rate2off fan "$b" --rate=2000 "$s" "$cluster"
	run=$((run + 1))
done
node "$here/targets.mjs" "$here" "$out"
