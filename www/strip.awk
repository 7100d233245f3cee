# SPDX-License-Identifier: MIT
#
# JavaScript, CSS (and with -v html=1 HTML) without its comments: what
# `make install` compresses beside each file.  The page has no other comments
# than these, and none of their marks in a string or a pattern; a test
# (tests/www/shipped.test.mjs) proves it and that the meaning is the same.
# Lines that held nothing else go, all others stay as they are.
BEGIN {
	from = html ? "<!--" : "/*"
	to = html ? "-->" : "*/"
}
{
	rest = $0
	line = ""
	touched = inside
	while (rest != "") {
		i = index(rest, inside ? to : from)
		if (inside) {
			if (!i)
				break
			rest = substr(rest, i + length(to))
			sub(/^[ \t]+/, "", rest)
			inside = 0
			continue
		}
		touched = touched || i
		line = line (i ? substr(rest, 1, i - 1) : rest)
		if (!i)
			break
		# what stood around a comment stays apart, by one blank
		if (line ~ /[^ \t]$/)
			line = line " "
		rest = substr(rest, i + length(from))
		inside = 1
	}
	if (touched) {
		sub(/[ \t]+$/, "", line)
		if (line == "")
			next
	}
	print line
}
