## The WebSocket conformance suite, the test of the suite, and the verdict on
## msg_server.  By hand: node tests/conformance/run.mjs --url ws://...
conformance_tests = %D%/tester.test.mjs %D%/server.test.mjs

TESTS += $(conformance_tests)
dist_check_SCRIPTS += $(conformance_tests)
EXTRA_DIST += %D%/run.mjs %D%/suite.mjs %D%/peer.mjs %D%/wire.mjs \
	%D%/reference.mjs %D%/reference/chat.mjs %D%/reference/frames.mjs \
	%D%/reference/http.mjs %D%/reference/items.mjs \
	%D%/cases/chat.mjs %D%/cases/frames.mjs %D%/cases/http.mjs \
	%D%/cases/limits.mjs %D%/cases/messages.mjs \
	%D%/cases/text.mjs tests/lib/run-mjs.sh tests/package.json \
	tests/package-lock.json
