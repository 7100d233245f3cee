#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The same scenes against a cluster of ours and against what others made, in
# turns, so that they meet the same machine: medians, and ratios to the bare
# send loop and to us.
#
#	tests/bench/peers.sh [BUILD-DIR]
#
# Runs those that are installed (Debian: nginx libnginx-mod-nchan nats-server
# libwebsockets-dev; nothing of theirs is part of this project), says which
# are not, and always bench_ref: a server without a log and a relay that
# writes once for each connection and turn (refbatch), or for each message
# (refwrite).  What Debian does not have comes in by PEERS_DIR: each program
# in there is a peer by its name (own_start in cluster.sh says what it
# prints; README.md, what it must do).
#
# PEERS="ours refbatch refwrite nchan nats lws" RUNS=5 SECONDS_EACH=2
# SCENES="A B C" and KEEP=dir are taken from the environment; of the peers, B
# and C are for those in WIDE="ours refbatch refwrite uws swoole" alone, as
# their targets are.  The lines go to doc/peers.jsonl, the table to README.md.
# Status 3: something was lost, doubled or refused; the table says where.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/cluster.sh"
runs=${RUNS:-5} secs=${SECONDS_EACH:-2} scenes=${SCENES:-A B C}
peers=${PEERS:-ours refbatch refwrite nchan nats lws}
wide=${WIDE:-ours refbatch refwrite uws swoole}
bench_begin "$@"
there='' own=''
for f in "${PEERS_DIR:-/nonexistent}"/*; do
	[ ! -f "$f" ] || [ ! -x "$f" ] || own="$own ${f##*/}"
done

# a port that is free now, for those who take none from the kernel
port()
{
	node -e 'const s = require("net").createServer();
	s.listen(0, "127.0.0.1", () => {
		console.log(s.address().port); s.close(); })'
}

# up PORT: until somebody listens there
up()
{
	node -e '
	const net = require("net"), end = Date.now() + 10000;
	(function f() {
		const s = net.connect(+process.argv[1], "127.0.0.1");
		s.on("connect", () => process.exit(0));
		s.on("error", () => Date.now() > end ? process.exit(1) :
		    setTimeout(f, 50));
	})()' "$1" || { echo "peers.sh: nobody listens" >&2; exit 1; }
}

missing()
{
	echo "peers.sh: $1 is left out: no $2 (Debian: $3)" >&2
}

start_nchan()
{
	module=
	for f in /usr/lib/nginx/modules/ngx_nchan_module.so \
		/usr/lib/*/nginx/modules/ngx_nchan_module.so; do
		[ ! -f "$f" ] || module=$f
	done
	nginx=$(command -v nginx || command -v /usr/sbin/nginx || :)
	if [ -z "$nginx" ] || [ -z "$module" ]; then
		missing nchan nginx 'nginx libnginx-mod-nchan'
		return
	fi
	p=$(port)
	mkdir -p "$dir/nginx"
	cat >"$dir/nginx.conf" <<-CONF
	load_module $module;
	daemon off;
	pid $dir/nginx/pid;
	error_log $dir/nginx/error.log warn;
	worker_processes 1;
	worker_rlimit_nofile 20000;
	events { worker_connections 15000; }
	http {
		access_log off;
		client_body_temp_path $dir/nginx/a;
		proxy_temp_path $dir/nginx/b;
		fastcgi_temp_path $dir/nginx/c;
		uwsgi_temp_path $dir/nginx/d;
		scgi_temp_path $dir/nginx/e;
		nchan_max_reserved_memory 256m;
		server {
			listen 127.0.0.1:$p;
			location ~ /room/(\d+)\$ {
				nchan_pubsub websocket;
				nchan_channel_id \$1;
				nchan_message_buffer_length 1000;
				nchan_subscriber_first_message newest;
			}
		}
	}
	CONF
	"$nginx" -e "$dir/nginx/error.log" -c "$dir/nginx.conf" \
		>"$dir/nginx.log" 2>&1 &
	n=$!
	started="$n $started"
	up "$p"
	# the worker serves; its master only waits
	kids=$(cat "/proc/$n/task/$n/children")
	list=nginx=$n
	for k in $kids; do
		list=$list,ms-$k=$k
	done
	at_nchan="--dialect=nchan --target=127.0.0.1:$p --pids=$list"
	there="$there nchan"
}

start_nats()
{
	nats=$(command -v nats-server || :)
	if [ -z "$nats" ]; then
		missing nats nats-server nats-server
		return
	fi
	p=$(port)
	"$nats" -a 127.0.0.1 -p "$p" >"$dir/nats.log" 2>&1 &
	n=$!
	started="$n $started"
	up "$p"
	at_nats="--dialect=nats --target=127.0.0.1:$p --pids=ms-nats=$n"
	there="$there nats"
}

start_lws()
{
	if [ ! -x "$build/tests/bench/bench_lws" ] &&
		! make -s -C "$build" tests/bench/bench_lws >"$dir/make.log" 2>&1
	then
		missing lws 'headers of libwebsockets' libwebsockets-dev
		return
	fi
	"$build/tests/bench/bench_lws" >"$dir/lws.log" 2>&1 &
	started="$! $started"
	at_lws="--pids=ms-lws=$! --target=$(listening "$dir/lws.log")"
	there="$there lws"
}

for peer in $peers; do
	case $peer in
	ours)
		cluster_start 1
		at_ours=$cluster there="$there ours"
		;;
	refbatch | refwrite)
		ref_start "--${peer#ref}"
		eval "at_$peer=\$refat"
		there="$there $peer"
		;;
	nchan | nats | lws) "start_$peer" ;;
	*) echo "peers.sh: no peer $peer" >&2; exit 2 ;;
	esac
done
for peer in $own; do
	case $peer in
	*[!a-z0-9]*) echo "peers.sh: $peer: a to z and digits" >&2; exit 2 ;;
	esac
	own_start "$peer"
	eval "at_$peer=\$ownat"
	there="$there $peer"
done

A='--rooms=1 --members=1000 --senders=10 --window=4'
B='--rooms=100 --members=10 --senders=2 --window=2'
C='--rooms=1 --members=100 --senders=10 --window=8'
run=1
while [ "$run" -le "$runs" ]; do
	echo "run $run of $runs" >&2
	for scene in $scenes; do
		eval "args=\$$scene"
		one "limit-$scene" limit "$(echo "$args" | sed \
			's/--rooms=100 --members=10 /--members=1000 /')" \
			--joined=1 --seconds=1
		for peer in $there; do
			[ "$scene" = A ] || case " $wide " in
			*" $peer "*) ;;
			*) continue ;;
			esac
			eval "at=\$at_$peer"
			one "$peer-$scene" fan "$args" --seconds="$secs" \
				--warm=0.5 "$at"
		done
	done
	run=$((run + 1))
done
node "$here/peers.mjs" "$here" "$out"
