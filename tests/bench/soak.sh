#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Ten minutes at half of what the cluster can: is memory flat, is p99 flat, is
# nothing lost?  First the most it does (100 rooms x 10, window 2, for 5 s),
# then slices of SLICE seconds at a rate of half that, one after the other.
#
#	tests/bench/soak.sh [BUILD-DIR]
#
# MINUTES=10 SLICE=20 SHARE=0.5 RATE (messages/s, instead of measuring) and
# KEEP=dir are taken from the environment.  The lines go to doc/soak.jsonl, the
# chart to doc/soak.svg, the verdict to README.md.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
minutes=${MINUTES:-10} slice=${SLICE:-20} share=${SHARE:-0.5} rate=${RATE:-}
bench_begin "$@"
cluster_start 2
b='--rooms=100 --members=10 --senders=2'
if [ -z "$rate" ]; then
	one most fan "$b" --window=2 --seconds=5 "$cluster"
	rate=$(node -p 'const l = JSON.parse(require("fs").readFileSync(
		process.argv[1], "utf8").trim().split("\n").pop());
		Math.round(l.messages_per_s * process.argv[2])' "$out" "$share")
fi
echo "soak.sh: $rate messages/s for $minutes minutes" >&2
end=$(($(date +%s) + minutes * 60))
while [ "$(date +%s)" -lt "$end" ]; do
	one soak fan "$b" --rate="$rate" --seconds="$slice" "$cluster"
done
node "$here/soak.mjs" "$here" "$out"
