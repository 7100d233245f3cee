## Every test speaks TAP: C programs through cmocka, node and shell by printing it.
TEST_EXTENSIONS = .sh .mjs
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)
MJS_LOG_DRIVER = $(LOG_DRIVER)
MJS_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/lib/run-mjs.sh
AM_TESTS_ENVIRONMENT = top_srcdir='$(top_srcdir)'; top_builddir='$(top_builddir)'; \
	CC='$(CC)'; CMOCKA_MESSAGE_OUTPUT=TAP; CCHAT_BUILD='$(abs_top_builddir)'; \
	ASAN_OPTIONS=detect_leaks=1; UBSAN_OPTIONS=print_stacktrace=1; \
	export top_srcdir top_builddir CC CMOCKA_MESSAGE_OUTPUT CCHAT_BUILD ASAN_OPTIONS UBSAN_OPTIONS;

unit_ldadd = $(CMOCKA_LIBS) $(shared_libs)

include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/lint/local.mk
include tests/integration/local.mk
include tests/conformance/local.mk
include tests/browser/local.mk
include tests/www/local.mk
include tests/bench/local.mk
include tests/fault/local.mk
