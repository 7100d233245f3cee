# SPDX-License-Identifier: MIT
# What the lint tests share: the list of our files, and TAP.
# Sourced; top_srcdir is set by `make check`, or the lint is run from the top.
top=${top_srcdir:-.}
cd "$top" || exit 1

# files of the tree that end in one of the given suffixes
sources() {
	find shared msg_server proxy_server config_server tests www .ci bootstrap \
		-name node_modules -prune -o -type f -print 2>/dev/null |
	while read -r f; do
		for suffix; do
			case $f in *"$suffix") echo "$f" ;; esac
		done
	done | LC_ALL=C sort
}

# verdict NUMBER NAME FILE_OF_FINDINGS
verdict() {
	if [ -s "$3" ]; then
		sed 's/^/# /' "$3" | head -50
		echo "not ok $1 - $2"
	else
		echo "ok $1 - $2"
	fi
}

found=$(mktemp) || exit 1
trap 'rm -f "$found"' EXIT
