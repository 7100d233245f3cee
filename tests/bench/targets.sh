#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The targets of this project's speed, one after the other, beside the bare
# send loop and, in the same minutes, the program `uws` of PEERS_DIR (peers.sh,
# README.md) or else the small server without log and relay (bench_ref
# --batch): medians into the table of README.md.
#
#	tests/bench/targets.sh [BUILD-DIR]
#
# RUNS=5 SECONDS_EACH=3 IDLE=10000 HOLD=10 (s that readers are stalled)
# HISTORY=1000000 (messages to read pages from) and KEEP=dir are taken from the
# environment.  What others measure (peers.sh, growth.sh, million.sh) is taken
# from doc/.  Status 3: something was lost, doubled or refused; a row that
# rests on it says so.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
runs=${RUNS:-5} secs=${SECONDS_EACH:-3} idle=${IDLE:-10000}
bench_begin "$@"
make -s -C "$build" tests/bench/bench_log >"$dir/make.log" 2>&1 || {
	echo "targets.sh: bench_log does not build:" >&2
	tail -5 "$dir/make.log" >&2
	exit 2
}
A='--rooms=1 --members=1000 --senders=10 --window=4'
B='--rooms=100 --members=10 --senders=2 --window=2'
C='--rooms=1 --members=100 --senders=10 --window=8'
s="--seconds=$secs"

# the first run of servers tells what a connection takes
cluster_start 1
one idle idle --rooms=$((idle / 10)) --members=10 --hold=3 "$cluster"
if [ -x "${PEERS_DIR:-/nonexistent}/uws" ]; then
	own_start uws
	beside=uws rival=$ownat
else
	ref_start --batch
	beside=ref rival=$refat
fi
run=1
while [ "$run" -le "$runs" ]; do
	echo "run $run of $runs" >&2
	one limit limit --members=1000 --seconds=1
	one A fan "$A" "$s" "$cluster"
	one "${beside}A" fan "$A" "$s" "$rival"
	one A16 fan "$A" --window=16 "$s" "$cluster"
	one B fan "$B" "$s" "$cluster"
	one "${beside}B" fan "$B" "$s" "$rival"
	one C fan "$C" "$s" "$cluster"
	one "${beside}C" fan "$C" "$s" "$rival"
	one rate1 fan "$A" --rate=100 "$s" "$cluster"
	one deaf fan "$A" --rate=100 --stalled=10 "$s" "$cluster"
	one rate2 fan "$B" --rate=2000 "$s" "$cluster"
	one storm storm --rooms=500 --members=10 "$cluster"
	one join storm --level=1 --rooms=1 --members=1000 "$cluster"
	one log fan --rooms=20 --members=1 --senders=1 --window=16 "$s" \
		"$cluster"
	one log200 fan --rooms=200 --members=1 --senders=1 --window=16 "$s" \
		"$cluster"
	run=$((run + 1))
done
cluster_stop
# memory that was never used before, or it has room for those who stall
cluster_start 1
one stall stall --rooms=1 --members=100 --senders=50 --rate=2000 --stalled=100 \
	--hold="${HOLD:-10}" "$s" "$cluster"
cluster_stop
timeout "${MOST:-300}" "$build/tests/bench/bench_log" --history "$dir" \
	"${HISTORY:-1000000}" >>"$out" ||
	echo '{"scene":"history-file","status":3,"mode":"broken"}' >>"$out"
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
	one rate2off fan "$B" --rate=2000 "$s" "$cluster"
	run=$((run + 1))
done
node "$here/targets.mjs" "$here" "$out"
