#!/bin/sh
# SPDX-License-Identifier: MIT
# The floors of the tree: a file includes its own floor and those below, and
# each library is known to the one module that wraps it.
. "${top_srcdir:-.}/tests/lint/lib.sh"
echo 1..4

# floor of a path; larger stands higher
floors='
function floor(p) {
	if (p ~ /^shared\/base\//) return 1
	if (p ~ /^shared\/proc\//) return 2
	if (p ~ /^shared\/net\//) return 3
	if (p ~ /^shared\/proto\//) return 3
	if (p ~ /^shared\/svc\//) return 5
	if (p ~ /\/main\.c$/) return 9
	if (p ~ /^msg_server\/dialect\//) return 7
	if (p ~ /^(msg_server|proxy_server|config_server)\//) return 6
	return 0
}
function part(p) { sub(/\/.*/, "", p); return p }
'
sources .c .h | grep -E '^(shared|msg_server|proxy_server|config_server)/' |
xargs awk "$floors"'
/^#include "/ {
	split($0, q, "\""); to = q[2]
	a = floor(FILENAME); b = floor(to)
	if (to !~ /\//) { print FILENAME ": " to ": includes are written from the top"; next }
	if (b == 0) { print FILENAME ": " to ": unknown floor"; next }
	# the core knows the dialects by their one header only
	if (to == "msg_server/dialect/dialect.h") next
	# numbers and texts of the older systems, of which many have some
	if (to ~ /^msg_server\/dialect\/(number|php_text)\.h$/) next
	# a dialect sees commands and events of the core, nothing else of it
	if (a == 7 && b == 6 && to !~ /^msg_server\/(command|event)\.h$/)
		print FILENAME ": " to ": a dialect knows commands and events only"
	if (b > a) print FILENAME ": " to ": calls go down the floors only"
	if (FILENAME ~ /^shared\/proto\// && to ~ /^shared\/net\//)
		print FILENAME ": " to ": formats know no sockets"
	if (FILENAME ~ /^shared\/net\// && to ~ /^shared\/proto\//)
		print FILENAME ": " to ": sockets know no formats"
	if (b == 6 && part(FILENAME) != part(to))
		print FILENAME ": " to ": the daemons know only what is shared"
}' >"$found"
verdict 1 'includes go down the floors' "$found"

sources .c .h | grep -E '^(shared|msg_server|proxy_server|config_server)/' |
xargs awk '
function only(lib, pattern) {
	if (index($0, "<" lib) && FILENAME !~ pattern)
		print FILENAME ": <" lib "> belongs elsewhere"
}
/^#include </ {
	only("ev.h", "^shared/net/|^shared/proc/daemon|^proxy_server/log|/main\\.c$")
	only("wslay/", "^shared/proto/ws[_a-z]*\\.c$")
	only("sqlite3.h", "^proxy_server/(log_|writer|reader)|^config_server/store")
	only("http_parser.h", "^shared/proto/http\\.c$")
	only("llhttp.h", "^shared/proto/http\\.c$")
	only("jansson.h", "^shared/proto/json\\.h$")
	only("confuse.h", "^shared/proc/conf\\.c$")
	only("uthash.h", "^shared/base/map\\.h$")
	only("utlist.h", "^shared/base/map\\.h$")
	only("openssl/", "^shared/base/digest\\.c$|^msg_server/auth")
}' >"$found"
verdict 2 'each library has its one module' "$found"

# base does no I/O but for the last words of err; proto is fed bytes
sources .c .h | grep -E '^shared/(base|proto)/' |
xargs grep -nE '#include <(sys/(socket|un|epoll|uio|file|stat)|netinet/.*|arpa/.*|netdb|poll|fcntl|unistd|signal|pthread)\.h>' >"$found"
verdict 3 'base and proto do no input or output' "$found"

# no environment overrides: what systemd hands over is all that is read, and
# cchatctl asks what kind of terminal it has
sources .c .h | grep -E '^(shared|msg_server|proxy_server|config_server)/' |
xargs grep -nE '\b(secure_)?getenv *\(' |
grep -vE '^shared/proc/(log|daemon)\.c:[0-9]+:.*"(JOURNAL_STREAM|NOTIFY_SOCKET)"' |
grep -vE '^config_server/ctl/ctl_table\.c:' >"$found"
verdict 4 'no setting comes from the environment' "$found"
