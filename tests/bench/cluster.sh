# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
#
# A cluster for measurements, for the scripts beside it, which source this:
#
#	bench_begin [BUILD-DIR]    $dir, $bench, $ref; all ends with the script
#	cluster_start MSGS         $cluster: the flags of cchat_bench for it
#	ref_start [FLAG...]        $refat: the same for the server without a log
#	refs_start HOWMANY         $refat: the same for several of them
#	own_start NAME             $ownat: the same for a program of PEERS_DIR
#	one NAME ARGS...           a measurement, its lines into $out
#
# Limits are lifted, ports are the kernel's, all is on loopback, and only
# processes started here are ended.  KEEP=dir keeps lines, logs and data;
# SYNC=full, PING=25 (s) and RECENT=32 (MiB of recent items of a msg_server)
# are settings.

# daemons are found before they are started, so nothing is left half up
bench_begin()
{
	build=$(cd "${1:-${CCHAT_BUILD:-.}}" && pwd)
	bench=$build/tests/bench/cchat_bench
	ref=$build/tests/bench/bench_ref
	for p in "$bench" "$ref" "$build/msg_server/msg_server"; do
		[ -x "$p" ] || {
			echo "bench: $p is not built: make -C $build all" \
				"tests/bench/bench_ref" >&2
			exit 2
		}
	done
	if ldd "$build/msg_server/msg_server" |
		grep -q 'lib[at]san\|libubsan'; then
		echo "bench: the servers have sanitizers in them" >&2
		exit 2
	fi
	dir=${KEEP:-$(mktemp -d)}
	mkdir -p "$dir"
	out=$dir/lines.jsonl
	: >"$out"
	started='' pids='' targets='' admins=''
	ulimit -n "$(ulimit -Hn)"
	trap bench_end EXIT
	trap 'exit 1' HUP INT PIPE TERM
}

bench_end()
{
	trap - EXIT INT TERM
	cluster_stop
	[ -n "${KEEP:-}" ] || rm -rf "$dir"
}

# ends what was started, by its process ids; may be followed by a new start
cluster_stop()
{
	for pid in $started; do
		kill -TERM "$pid" 2>/dev/null || :
	done
	# a msg_server sends its people elsewhere first, half a minute at most
	n=0
	for pid in $started; do
		while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do
			sleep 0.1
			n=$((n + 1))
		done
		kill -9 "$pid" 2>/dev/null || :
	done
	wait
	started='' pids='' targets='' admins=''
}

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
			"$dir/$1.log" 2>/dev/null | tail -1)
		[ -z "$a" ] || { echo "$a"; return; }
		sleep 0.1
		n=$((n + 1))
	done
	echo "bench: $1 does not listen" >&2
	tail -5 "$dir/$1.log" >&2
	exit 1
}

# daemon KIND NAME FLAG...
daemon()
{
	kind=$1 name=$2
	shift 2
	# or the address of one that ran before would be found in it
	rm -f "$dir/$name.log"
	"$build/$kind/$kind" -c "$dir/cchat.conf" --data "$dir/data" \
		--link-key "$dir/data/link.key" --name "$name" "$@" \
		>"$dir/$name.log" 2>&1 &
	started="$! $started"
	pids="${pids:+$pids,}$name=$!"
}

# ready ADDRESS...: until /readyz of each says so
ready()
{
	node -e '
	const end = Date.now() + 60000;
	Promise.all(process.argv.slice(1).map(async function f(at) {
		const r = await fetch(`http://${at}/readyz`).catch(() => ({}));
		if (r.status === 200) return;
		if (Date.now() > end) process.exit(1);
		await new Promise(ok => setTimeout(ok, 100));
		return f(at);
	})).then(() => process.exit(0))' "$@" ||
		{ echo "bench: not ready" >&2; exit 1; }
}

cluster_conf()
{
	cat <<-END
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
		ping = ${PING:-25}
		recent_mib = ${RECENT:-32}
	}
	proxy_server {
		sync = "${SYNC:-full}"
	}
	END
}

cluster_start()
{
	rm -rf "$dir/data"
	mkdir -m 700 "$dir/data"
	cluster_conf >"$dir/cchat.conf"
	for k in link token; do
		(umask 077; key >"$dir/data/$k.key")
	done
	daemon config_server cf1 --listen 127.0.0.1:0
	cf=$(address cf1 http)
	daemon proxy_server px1 --config-server "$cf" \
		--link-listen 127.0.0.1:0 --admin 127.0.0.1:0
	address px1 link >/dev/null
	admins=px1=$(address px1 admin)
	targets='' m=1 at=
	while [ $m -le "$1" ]; do
		daemon msg_server "ms$m" --config-server "$cf" \
			--token-key "$dir/data/token.key" \
			--www "$here/../../www" --listen 127.0.0.1:0 \
			--direct 127.0.0.1:0 --admin 127.0.0.1:0
		m=$((m + 1))
	done
	m=1
	while [ $m -le "$1" ]; do
		targets="${targets:+$targets,}$(address "ms$m" direct)"
		admin=$(address "ms$m" admin)
		admins=$admins,ms$m=$admin
		at="$at $admin"
		m=$((m + 1))
	done
	# shellcheck disable=SC2086
	ready $at
	cluster="--target=$targets --pids=$pids --admins=$admins"
	echo "servers: $pids; msg_servers at $targets" >&2
}

# listening FILE: the address that a small server printed
listening()
{
	n=0
	until grep -qs 'listening on' "$1"; do
		sleep 0.1
		n=$((n + 1))
		[ $n -lt 100 ] || { echo "bench: nothing in $1" >&2; exit 1; }
	done
	sed -n 's/listening on //p' "$1"
}

ref_start()
{
	rm -f "$dir/ref.log"
	"$ref" "$@" >"$dir/ref.log" 2>&1 &
	started="$! $started"
	refat="--pids=ms-ref=$! --target=$(listening "$dir/ref.log")"
}

refs_start()
{
	list='' at=''
	while [ "$(echo "$list" | wc -w)" -lt "$1" ]; do
		ref_start
		list="$list ${refat%% *}"
		at=$at,${refat##*=}
	done
	list=$(echo "$list" | sed 's/ --pids=/,/g')
	refat="--pids=${list#,} --target=${at#,}"
}

# what came of a process, itself first
family()
{
	echo "$1"
	for k in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
		family "$k"
	done
}

# own_start NAME: a program somebody has put into PEERS_DIR.  It prints
# `listening on ADDR:PORT` when it serves, and before that `flags FLAG...` if
# cchat_bench needs some to speak with it; it ends on SIGTERM, and all that it
# started is of its process group and counts.
own_start()
{
	rm -f "$dir/$1.log"
	setsid "$PEERS_DIR/$1" >"$dir/$1.log" 2>"$dir/$1.err" &
	started="-$! $started"
	ownat=$(listening "$dir/$1.log")
	ownat="--target=$ownat $(sed -n 's/^flags //p' "$dir/$1.log")"
	n=0 list=
	for k in $(family $!); do
		n=$((n + 1))
		list=$list,ms-$n=$k
	done
	ownat="$ownat --pids=${list#,}"
}

# one NAME ARGS...: its lines are kept with the name in front
one()
{
	called=$1
	shift
	status=0
	# flags like $cluster are meant to be split
	# shellcheck disable=SC2048,SC2086
	line=$(timeout "${MOST:-300}" "$bench" $* --json 2>>"$dir/bench.log") ||
		status=$?
	[ -n "$line" ] || line="{\"mode\":\"broken\",\"status\":$status}"
	echo "$line" | sed "s/^{/{\"scene\":\"$called\",\"status\":$status,/" \
		>>"$out"
	echo "  $called: status $status" >&2
}
