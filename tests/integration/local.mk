## Process tests: real daemons in a directory of their own, ports by the kernel.
integration_tests = %D%/t200_replayer.test.mjs

TESTS += $(integration_tests)
dist_check_SCRIPTS += $(integration_tests)
EXTRA_DIST += tests/lib/cluster.mjs tests/lib/client.mjs \
	tests/lib/faultproxy.mjs tests/lib/mock.mjs tests/lib/replay.mjs \
	tests/lib/v1server.mjs tests/dialect/cchat/cchat-basic.jsonl \
	tests/dialect/cchat/cchat-proxy.jsonl
