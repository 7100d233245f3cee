#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Measures a cluster of its own on this machine beside what the machine can do
# at most, in the same minutes: scenes A (1 room x 1000, 10 senders, window 4),
# B (100 rooms x 10, 2 senders, window 2), C (1 room x 100, 10 senders, window
# 8), each also against the small server without log and relay (bench_ref);
# 1x1000 and 100x10 at a fixed rate, a storm of logins and idle users (first:
# the memory of a connection is right in servers that have served none yet,
# so look at the line of the first run for it).
#
#	tests/bench/run.sh [BUILD-DIR]
#
# Not among the scenes unless asked for: drop (DROP clients of 100 rooms lose
# their connections at once and come back with their positions), dropkill (the
# same because their msg_server is killed; MSG=2 and once, as the last) and
# stall (one in a hundred does not read for HOLD s at 2000 messages/s).
#
# RUNS=5 SECONDS_EACH=4 IDLE=10000 DROP=10000 AWAY=5 DROP_RATE=200 HOLD=30 MSG=1 SYNC=full
# RECENT=32 (MiB of recent items of a msg_server) SCENES="limit A refA ..."
# and KEEP=dir (JSON lines, logs) are taken from the environment.  Build with
# CFLAGS="-O2 -g" and without sanitizers.  Ports are the kernel's, all on
# loopback; only processes started here are ended.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
runs=${RUNS:-5} secs=${SECONDS_EACH:-4} idle=${IDLE:-10000} msgs=${MSG:-1}
drop=${DROP:-10000} away=${AWAY:-5} droprate=${DROP_RATE:-200} hold=${HOLD:-30}
scenes=${SCENES:-"idle storm join1 limit A refA B refB C refC rate1 rate2"}
bench_begin "$@"
cluster_start "$msgs"
ref_start

a='--rooms=1 --members=1000 --senders=10 --window=4'
b='--rooms=100 --members=10 --senders=2 --window=2'
c='--rooms=1 --members=100 --senders=10 --window=8'

s="--seconds=$secs"
run=1
while [ "$run" -le "$runs" ]; do
	echo "run $run of $runs" >&2
	for scene in $scenes; do
		case $scene in
		limit) one limit limit --members=1000 --seconds=1 ;;
		A) one A fan $a $s $cluster ;;
		A16) one A16 fan $a --window=16 $s $cluster ;;
		B) one B fan $b $s $cluster ;;
		C) one C fan $c $s $cluster ;;
		refA) one refA fan $a $s $refat ;;
		refB) one refB fan $b $s $refat ;;
		refC) one refC fan $c $s $refat ;;
		rate1) one rate1 fan $a --rate=100 $s $cluster ;;
		rate2) one rate2 fan $b --rate=2000 $s $cluster ;;
		deaf) one deaf fan $a --rate=100 --stalled=10 $s $cluster ;;
		stall) one stall stall --rooms=1 --members=100 --senders=50 \
			--rate=2000 --stalled=10 --hold=$hold $s $cluster ;;
		drop) one drop drop --rooms=100 --members=$((drop / 100)) \
			--rate=$droprate --away=$away $s $cluster ;;
		dropkill) one dropkill drop --kill=ms1 --rooms=100 \
			--members=$((drop / 100)) --rate=$droprate --away=$away $s $cluster ;;
		pairs) one pairs pairs --rooms=500 --window=1 $s $cluster ;;
		storm) one storm storm --rooms=500 --members=10 $cluster ;;
		join) one join storm --rooms=1 --members=1000 $cluster ;;
		join1) one join1 storm --level=1 --rooms=1 --members=1000 \
			$cluster ;;
		A1) one A1 fan $a --level=1 $s $cluster ;;
		idle) one idle idle --rooms=$((idle / 10)) --members=10 \
			--hold=3 $cluster ;;
		*) echo "run.sh: no scene $scene" >&2; exit 2 ;;
		esac
	done
	run=$((run + 1))
done
node "$here/median.mjs" "$out"
