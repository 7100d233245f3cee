## Benchmarks: built only when asked for (`make tests/bench/bench_log`), never
## part of `make check`.
EXTRA_PROGRAMS = %D%/bench_log %D%/bench_lws
%C%_bench_log_SOURCES = %D%/bench_log.c
%C%_bench_log_LDADD = proxy_server/libproxy_server.a $(shared_libs) $(SQLITE_LIBS)

## A peer, where libwebsockets is installed (make tests/bench/bench_lws).
%C%_bench_lws_SOURCES = %D%/bench_lws.c
%C%_bench_lws_LDADD = shared/libshared.a $(CRYPTO_LIBS) -lwebsockets -lm

## The load generator, installed for cchatctl bench, and a small server with
## counted faults to test it with.
pkglibexec_PROGRAMS += %D%/cchat_bench
%C%_cchat_bench_SOURCES = %D%/main.c %D%/bench.h %D%/engine.c %D%/engine.h \
	%D%/dialect.c %D%/dialect.h %D%/hold.h %D%/hold_worker.c \
	%D%/tally.c %D%/tally.h %D%/cchat.c %D%/cchat.h %D%/usage.c \
	%D%/usage.h %D%/report.c %D%/report.h %D%/crowd.c %D%/crowd.h \
	%D%/metrics.c %D%/metrics.h %D%/scene.h %D%/scene_drop.c \
	%D%/scene_fan.c %D%/scene_fan.h \
	%D%/scene_fan_owed.c %D%/scene_hold.c %D%/scene_limit.c %D%/scene_stall.c
%C%_cchat_bench_LDADD = $(shared_libs)
check_PROGRAMS += %D%/bench_ref
%C%_bench_ref_SOURCES = %D%/bench_ref.c
%C%_bench_ref_LDADD = $(shared_libs)

bench_tests = %D%/bench.test.mjs %D%/fit.test.mjs %D%/instr.test.mjs \
	%D%/tables.test.mjs
TESTS += $(bench_tests)
dist_check_SCRIPTS += $(bench_tests)
EXTRA_DIST += %D%/README.md %D%/run.sh %D%/cluster.sh %D%/median.mjs \
	%D%/million.sh %D%/million.mjs %D%/profile.sh %D%/profile.mjs \
	%D%/growth.sh %D%/growth.mjs %D%/chart.mjs %D%/page.mjs \
	%D%/peers.sh %D%/peers.mjs %D%/soak.sh %D%/soak.mjs \
	%D%/targets.sh %D%/targets.mjs %D%/udp.mjs %D%/browser.mjs %D%/doc %D%/instr.json

check_PROGRAMS += %D%/test_tally
%C%_test_tally_SOURCES = %D%/test_tally.c %D%/tally.c
%C%_test_tally_LDADD = $(unit_ldadd)
TESTS += %D%/test_tally
