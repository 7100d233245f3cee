## The page and the SDK: what lies in www is what runs, nothing is built.
www_page = \
	www/index.html www/icon.svg www/icon-dot.svg \
	www/css/app.css www/css/more.css \
	www/i18n/en.js www/i18n/en-more.js www/i18n/zh.js www/i18n/zh-more.js \
	www/js/main.js www/js/dom.js www/js/i18n.js www/js/prefs.js \
	www/js/chat.js www/js/store.js www/js/conv.js www/js/log.js \
	www/js/people.js www/js/items.js www/js/rows.js www/js/row.js \
	www/js/format.js www/js/side.js www/js/composer.js \
	www/js/lazy/line.js www/js/lazy/heard.js www/js/lazy/folk.js \
	www/js/lazy/keys.js www/js/lazy/frame.js www/js/lazy/settings.js www/js/lazy/notify.js \
	www/js/lazy/dialogs.js www/js/lazy/emoji.js \
	www/js/lazy/menu.js www/js/lazy/viewer.js \
	www/js/lazy/rich.js www/js/lazy/markup.js \
	www/js/lazy/complete.js www/js/lazy/commands.js www/js/lazy/write.js \
	www/js/lazy/upload.js www/js/lazy/voice.js

www_sdk = \
	www/sdk/cchat.js www/sdk/link.js \
	www/sdk/session.js www/sdk/keep.js www/sdk/asks.js www/sdk/upload.js \
	www/sdk/cchat.d.ts www/sdk/README.md \
	www/sdk/example.html www/sdk/example.css www/sdk/example.js

nobase_dist_pkgdata_DATA += $(www_page) $(www_sdk)

EXTRA_DIST += www/tsconfig.json www/doc/room.webp www/doc/phones.webp

EXTRA_DIST += www/strip.awk

## A compressed sibling of each file, without its comments and as old as it:
## msg_server sends it to whoever takes it.
install-data-hook:
	strip='$(abs_top_srcdir)/www/strip.awk'; \
	cd '$(DESTDIR)$(pkgdatadir)' && \
	for f in $(www_page) $(www_sdk); do \
		case $$f in \
		*.js|*.css) $(AWK) -f "$$strip" "$$f" ;; \
		*.html) $(AWK) -v html=1 -f "$$strip" "$$f" ;; \
		*) cat "$$f" ;; \
		esac >"$$f.less" && gzip -9 -n <"$$f.less" >"$$f.gz" && \
			rm -f "$$f.less" && touch -r "$$f" "$$f.gz" || exit 1; \
	done

uninstall-hook:
	cd '$(DESTDIR)$(pkgdatadir)' 2>/dev/null && \
		for f in $(www_page) $(www_sdk); do rm -f "$$f.gz"; done || :
