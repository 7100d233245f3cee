## Chromium, headless, against real daemons; page.md (d) by its numbers.
browser_tests = %D%/b00_two_people.test.mjs %D%/b01_login.test.mjs \
	%D%/b02_log.test.mjs %D%/b03_sending.test.mjs \
	%D%/b04_connection.test.mjs %D%/b05_safety.test.mjs \
	%D%/b06_people.test.mjs %D%/b07_devices.test.mjs
browser_tests += %D%/b08_workerman.test.mjs
browser_tests += %D%/b09_webim.test.mjs %D%/b10_pictures.test.mjs
browser_tests += %D%/b11_items.test.mjs %D%/b12_long.test.mjs \
	%D%/b13_rows.test.mjs
browser_tests += %D%/b14_composer.test.mjs
browser_tests += %D%/b15_media.test.mjs
browser_tests += %D%/b20_shell.test.mjs %D%/b21_keyboard.test.mjs \
	%D%/b22_looks.test.mjs %D%/b23_settings.test.mjs \
	%D%/b24_first.test.mjs
browser_tests += %D%/b16_sdk.test.mjs
browser_tests += %D%/b31_axe.test.mjs %D%/b32_installed.test.mjs
EXTRA_DIST += %D%/old/workerman/index.php \
	%D%/old/webim/index.html %D%/old/webim/main.html

TESTS += $(browser_tests)
dist_check_SCRIPTS += $(browser_tests)
EXTRA_DIST += %D%/page.mjs %D%/scene.mjs %D%/shots.mjs

## Pictures of every state of the page, to be looked at.
screenshots: all
	CCHAT_BUILD='$(abs_top_builddir)' node $(srcdir)/%D%/shots.mjs \
		'$(abs_top_builddir)/screenshots'
.PHONY: screenshots
