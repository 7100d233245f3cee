## The page and the SDK: what lies in www is what runs, nothing is built.
nobase_dist_pkgdata_DATA += \
	www/sdk/cchat.js www/sdk/link.js www/sdk/outbox.js www/sdk/stream.js \
	www/sdk/cchat.d.ts www/sdk/README.md \
	www/sdk/example.html www/sdk/example.js

EXTRA_DIST += www/tsconfig.json
