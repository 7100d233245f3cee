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

build=$(cd "${1:-${CCHAT_BUILD:-.}}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-5} secs=${SECONDS_EACH:-4} idle=${IDLE:-10000} msgs=${MSG:-1}
drop=${DROP:-10000} away=${AWAY:-5} droprate=${DROP_RATE:-200} hold=${HOLD:-30}
scenes=${SCENES:-"idle storm join1 limit A refA B refB C refC rate1 rate2"}
bench=$build/tests/bench/cchat_bench
ref=$build/tests/bench/bench_ref
for p in "$bench" "$ref" "$build/msg_server/msg_server"; do
	[ -x "$p" ] || { echo "run.sh: $p is not built" >&2; exit 2; }
done
if ldd "$build/msg_server/msg_server" | grep -q 'lib[at]san\|libubsan'; then
	echo "run.sh: the servers have sanitizers in them" >&2
	exit 2
fi

dir=${KEEP:-$(mktemp -d)}
mkdir -p "$dir/data"
chmod 700 "$dir/data"
out=$dir/lines.jsonl
: >"$out"
started=
ulimit -n "$(ulimit -Hn)"

finish()
{
	trap - EXIT INT TERM
	for pid in $started; do
		kill "$pid" 2>/dev/null || :
	done
	wait
	[ -n "${KEEP:-}" ] || rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

key()
{
	od -An -tx1 -N32 /dev/urandom | tr -d ' \n'
}

# address NAME WHAT: what a daemon said it listens on, within 10 s
address()
{
	n=0
	while [ $n -lt 100 ]; do
		a=$(sed -n "s/.*listening on \([0-9.:]*\) *($2.*/\1/p" \
			"$dir/$1.log" | tail -1)
		[ -z "$a" ] || { echo "$a"; return; }
		sleep 0.1
		n=$((n + 1))
	done
	echo "run.sh: $1 does not listen" >&2
	tail -5 "$dir/$1.log" >&2
	exit 1
}

# daemon KIND NAME FLAG...
daemon()
{
	kind=$1 name=$2
	shift 2
	"$build/$kind/$kind" -c "$dir/cchat.conf" --data "$dir/data" \
		--link-key "$dir/data/link.key" --name "$name" "$@" \
		>"$dir/$name.log" 2>&1 &
	started="$! $started"
	pids="${pids:+$pids,}$name=$!"
}

# ready ADDRESS: until /readyz says so
ready()
{
	node -e '
	const end = Date.now() + 20000;
	(async function f() {
		const r = await fetch(`http://${process.argv[1]}/readyz`)
		    .catch(() => ({}));
		if (r.status === 200) return;
		if (Date.now() > end) process.exit(1);
		setTimeout(f, 100);
	})()' "$1" || { echo "run.sh: not ready" >&2; exit 1; }
}

cat >"$dir/cchat.conf" <<END
msg_server {
	v1_interval = 0
	send_rate = 100000
	send_burst = 100000
	uid_rate = 100000
	room_rate = 0
	rooms_new = 0
	frame_rate = 1000000
	frame_burst = 4000000
	conns_per_ip = 100000
	conn_rate = 100000
	conn_burst = 1000000
	memory = 2048
	recent_mib = ${RECENT:-32}
}
proxy_server {
	sync = "${SYNC:-full}"
}
END
for k in link token; do
	(umask 077; key >"$dir/data/$k.key")
done
pids=
daemon config_server cf1 --listen 127.0.0.1:0
cf=$(address cf1 http)
daemon proxy_server px1 --config-server "$cf" --link-listen 127.0.0.1:0 \
	--admin 127.0.0.1:0
address px1 link >/dev/null
admins=px1=$(address px1 admin)
targets= m=1
while [ $m -le "$msgs" ]; do
	daemon msg_server "ms$m" --config-server "$cf" \
		--token-key "$dir/data/token.key" --www "$here/../../www" \
		--listen 127.0.0.1:0 --direct 127.0.0.1:0 --admin 127.0.0.1:0
	targets="${targets:+$targets,}$(address "ms$m" direct)"
	admins=$admins,ms$m=$(address "ms$m" admin)
	ready "${admins##*=}"
	m=$((m + 1))
done
cluster="--target=$targets --pids=$pids --admins=$admins"
"$ref" >"$dir/ref.log" 2>&1 &
started="$! $started"
refat="--pids=ms-ref=$! --target=$(n=0; until grep -q listening "$dir/ref.log"; do
	sleep 0.1; n=$((n + 1)); [ $n -lt 50 ] || exit 1; done
	sed -n 's/listening on //p' "$dir/ref.log")"
echo "servers: $pids; msg_servers at $targets" >&2

a='--rooms=1 --members=1000 --senders=10 --window=4'
b='--rooms=100 --members=10 --senders=2 --window=2'
c='--rooms=1 --members=100 --senders=10 --window=8'

# one SCENE ARGS...: its line is kept with the name in front
one()
{
	scene=$1
	shift
	status=0
	# the words of the scenes above are meant to be split
	# shellcheck disable=SC2048,SC2086
	line=$(timeout 300 "$bench" $* --json 2>>"$dir/bench.log") || status=$?
	[ -n "$line" ] || line="{\"mode\":\"broken\",\"status\":$status}"
	echo "$line" | sed "s/^{/{\"scene\":\"$scene\",\"status\":$status,/" \
		>>"$out"
	echo "  $scene: status $status" >&2
}

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
