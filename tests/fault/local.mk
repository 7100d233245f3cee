## Fault runs: a seeded run by hand is `node tests/fault/run.mjs --seed 1
## --faults 200`; here the judge's own test and a short run.
fault_tests = %D%/judge.test.mjs %D%/socket.test.mjs %D%/shim.test.mjs \
	%D%/short.test.mjs

TESTS += $(fault_tests)
dist_check_SCRIPTS += $(fault_tests)
EXTRA_DIST += %D%/shim.c %D%/crowd.mjs %D%/faults.mjs %D%/judge.mjs \
	%D%/line.mjs %D%/people.mjs %D%/planted.mjs %D%/relay.mjs %D%/rng.mjs \
	%D%/run.mjs %D%/shim.mjs %D%/site.mjs %D%/socket.mjs \
	shared/GUARANTEES.md

## Preloaded into the daemons, so neither a library of ours nor a program.
check_DATA = %D%/shim.so
CLEANFILES += %D%/shim.so
%D%/shim.so: %D%/shim.c
	$(AM_V_CC)$(MKDIR_P) %D% && $(CC) $(CFLAGS) -shared -fPIC -pthread -o $@ \
		$(top_srcdir)/%D%/shim.c -ldl
