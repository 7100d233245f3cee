## The SDK and what of the page needs no browser.
www_tests = %D%/words.test.mjs %D%/sdk.test.mjs %D%/asks.test.mjs %D%/page.test.mjs %D%/types.test.mjs \
	%D%/shipped.test.mjs
www_tests += %D%/items.test.mjs %D%/sdk_size.test.mjs \
	%D%/retry.test.mjs %D%/upload.test.mjs
www_tests += %D%/becomes.test.mjs

TESTS += $(www_tests)
dist_check_SCRIPTS += $(www_tests)
EXTRA_DIST += %D%/fake.mjs %D%/chat.mjs %D%/clock.mjs
