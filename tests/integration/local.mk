## Process tests: real daemons in a directory of their own, ports by the kernel.
integration_tests = %D%/t101_start.test.mjs %D%/t102_room.test.mjs \
	%D%/t103_limits.test.mjs %D%/t200_replayer.test.mjs \
	%D%/t201_cchat.test.mjs %D%/t301_cluster.test.mjs %D%/t302_alone.test.mjs \
	%D%/t400_checker.test.mjs %D%/t401_kill.test.mjs \
	%D%/t402_links.test.mjs %D%/t403_disk.test.mjs %D%/t501_security.test.mjs \
	%D%/t502_abuse.test.mjs %D%/t410_chaos.test.mjs

integration_tests += %D%/t404_lag.test.mjs %D%/t405_disk.test.mjs \
	%D%/t407_keep.test.mjs %D%/t411_history.test.mjs %D%/t411_offline.test.mjs
integration_tests += %D%/t408_drain.test.mjs %D%/t409_rolling.test.mjs
integration_tests += %D%/t406_proxy_links.test.mjs \
	%D%/t405_presence.test.mjs %D%/t412_watch.test.mjs
integration_tests += %D%/t604_verify.test.mjs
integration_tests += %D%/t605_bench.test.mjs
integration_tests += %D%/t601_cchatctl.test.mjs %D%/t602_backup.test.mjs \
	%D%/t603_drain_ctl.test.mjs

integration_tests += %D%/t413_storm.test.mjs %D%/t414_flapping.test.mjs \
	%D%/t415_gather.test.mjs

integration_tests += %D%/t560_rest.test.mjs %D%/t570_nginx.test.mjs \
	%D%/t611_reload.test.mjs %D%/t612_as.test.mjs %D%/t613_connections.test.mjs

## PHPWebIM
integration_tests += %D%/t520_webim.test.mjs %D%/t521_comet.test.mjs \
	%D%/t522_pictures.test.mjs
EXTRA_DIST += tests/lib/webim.mjs tests/dialect/webim/phpwebim-2014-basic.jsonl \
	tests/dialect/webim/phpwebim-2016-basic.jsonl \
	tests/dialect/webim/phpwebim-2016-comet.jsonl

integration_tests += %D%/t540_sok.test.mjs %D%/t541_udp.test.mjs \
	%D%/t542_import.test.mjs

integration_tests += %D%/t550_gateway.test.mjs %D%/t551_register.test.mjs
EXTRA_DIST += tests/lib/gatewayclient.mjs \
	tests/dialect/workerman/workerman-chat-gatewayclient-tcp.jsonl \
	tests/dialect/workerman/workerman-chat-gatewayclient-ws-side.jsonl

TESTS += $(integration_tests)
dist_check_SCRIPTS += $(integration_tests)
EXTRA_DIST += tests/lib/cluster.mjs tests/lib/client.mjs \
	tests/lib/faultproxy.mjs tests/lib/fire.mjs tests/lib/mock.mjs \
	tests/lib/node.mjs tests/lib/player.mjs tests/lib/replay.mjs \
	tests/lib/sip.mjs \
	tests/lib/v1server.mjs tests/dialect/cchat/cchat-basic.jsonl \
	tests/dialect/cchat/cchat-proxy.jsonl
integration_tests += %D%/t510_workerman.test.mjs %D%/t511_replay_old.test.mjs
EXTRA_DIST += tests/lib/replay_old.mjs tests/lib/workerman.mjs \
	tests/dialect/workerman/workerman-chat-basic.jsonl \
	tests/dialect/workerman/workerman-chat-errors.jsonl \
	tests/dialect/workerman/workerman-chat-escape.jsonl \
	tests/dialect/workerman/workerman-chat-ping.jsonl \
	tests/dialect/workerman/workerman-chat-rooms.jsonl
EXTRA_DIST += tests/lib/sok.mjs tests/lib/dgram_flood.mjs \
	tests/dialect/sok/sok-chat.jsonl tests/dialect/sok/sok-http.jsonl \
	tests/dialect/sok/sok-login.jsonl tests/dialect/sok/sok-udp.jsonl
integration_tests += %D%/t530_meteor.test.mjs %D%/t531_groups.test.mjs
EXTRA_DIST += tests/lib/meteor.mjs tests/dialect/meteor/chatmeteor-basic.jsonl
integration_tests += %D%/t580_five.test.mjs
integration_tests += %D%/t620_typing.test.mjs %D%/t630_items.test.mjs

## uploads
integration_tests += %D%/t590_uploads.test.mjs
EXTRA_DIST += tests/lib/media.mjs
