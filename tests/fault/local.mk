## Fault runs: a seeded run by hand is `node tests/fault/run.mjs --seed 1
## --faults 200`; here the judge's own test and a short run.
fault_tests = %D%/judge.test.mjs %D%/relay.test.mjs %D%/socket.test.mjs \
	%D%/shim.test.mjs %D%/short.test.mjs

TESTS += $(fault_tests)
dist_check_SCRIPTS += $(fault_tests)
EXTRA_DIST += %D%/README.md %D%/shim.c %D%/faults.mjs %D%/planted.mjs \
	%D%/relay.mjs %D%/run.mjs %D%/shim.mjs %D%/site.mjs shared/GUARANTEES.md

## What cchatctl verify runs: the people, the judge and a program about them.
verifydir = $(pkgdatadir)/verify
dist_verify_DATA = %D%/crowd.mjs %D%/deeds.mjs %D%/judge.mjs \
	%D%/judge_due.mjs %D%/judge_items.mjs %D%/judge_v1.mjs %D%/line.mjs \
	%D%/people.mjs %D%/presence.mjs %D%/report.mjs \
	%D%/rng.mjs %D%/socket.mjs %D%/verify.mjs %D%/watch.mjs
## A cchatctl that is not installed finds them beside itself.
noinst_DATA = config_server/verify
CLEANFILES += config_server/verify
config_server/verify:
	$(AM_V_GEN)$(MKDIR_P) config_server && rm -f $@ && \
		ln -s $(abs_top_srcdir)/%D% $@

## Preloaded into the daemons, so neither a library of ours nor a program.
check_DATA = %D%/shim.so
CLEANFILES += %D%/shim.so
%D%/shim.so: %D%/shim.c
	$(AM_V_CC)$(MKDIR_P) %D% && $(CC) $(CFLAGS) -shared -fPIC -pthread -o $@ \
		$(top_srcdir)/%D%/shim.c -ldl
