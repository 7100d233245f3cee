## Lint is tests: what holds the house together is checked with everything else.
lint_tests = %D%/includes.sh %D%/headers.sh %D%/format.sh %D%/size.sh \
	%D%/house.sh %D%/lint_fails.sh %D%/manuals.sh \
	%D%/settings_documented.sh %D%/promises.sh
TESTS += $(lint_tests)
dist_check_SCRIPTS += $(lint_tests)
EXTRA_DIST += %D%/lib.sh
