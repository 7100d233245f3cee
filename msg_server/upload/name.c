/* SPDX-License-Identifier: MIT */
/*
 * Names of uploads. See name.h. Nothing here opens a file.
 */
#include <stdio.h>
#include <string.h>

#include "msg_server/upload/name.h"
#include "shared/base/utf8.h"
#include "shared/proto/http.h"

enum { NAME_RAW_MAX = 2048, NAME_END_MAX = 16 };

void
name_make(struct name *n, const uint8_t sum[SHA256_LEN], const struct kind *k)
{
	n->kind = k;
	digest_hex(sum, SHA256_LEN, n->file);
	snprintf(n->file + NAME_HASH_LEN, sizeof n->file - NAME_HASH_LEN, ".%s",
	    k->ext);
}

bool
name_parse(struct str s, struct name *out)
{
	size_t i;

	if (s.len < NAME_HASH_LEN + 2 || s.len >= NAME_STORED_MAX ||
	    s.p[NAME_HASH_LEN] != '.')
		return false;
	for (i = 0; i < NAME_HASH_LEN; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	out->kind = kind_by_ext(
	    str_n(s.p + NAME_HASH_LEN + 1, s.len - NAME_HASH_LEN - 1));
	str_copy(out->file, sizeof out->file, s);
	return out->kind != NULL;
}

bool
name_in_url(struct str url, struct name *out)
{
	long mark = str_chr(url, '?');
	size_t i;

	if (mark >= 0)
		url.len = (size_t)mark;
	for (i = url.len; i >= 3; i--)
		if (memcmp(url.p + i - 3, "/u/", 3) == 0)
			return name_parse(str_n(url.p + i, url.len - i), out);
	return false;
}

/* what no file system likes; a name of a file is no path */
static bool
name_is_odd(char c)
{
	return strchr("\\:*?\"<>|", c) != NULL;
}

bool
name_clean(struct str raw, char out[NAME_GIVEN_MAX + 1])
{
	struct buf text, clean;
	struct str s, end;
	size_t i, from = 0, tail;
	bool ok = false;

	out[0] = '\0';
	if (raw.len > NAME_RAW_MAX)
		return false;
	buf_init(&text, NAME_RAW_MAX);
	buf_init(&clean, NAME_RAW_MAX);
	if (http_unescape(raw, &text) != 0 ||
	    utf8_clean_name(buf_str(&text), &clean) != 0)
		goto out;
	s = buf_str(&clean);
	for (i = 0; i < s.len; i++)
		if (s.p[i] == '/' || s.p[i] == '\\')
			from = i + 1;
	/* nor one that is hidden, or this very folder */
	while (from < s.len && (s.p[from] == '.' || s.p[from] == ' '))
		from++;
	s = str_n(s.p + from, s.len - from);
	if (s.len <= NAME_GIVEN_MAX) {
		str_copy(out, NAME_GIVEN_MAX + 1, s);
	} else {
		/* "a very long na...ort.pdf" */
		for (tail = s.len - NAME_END_MAX;
		     tail < s.len && (s.p[tail] & 0xc0) == 0x80; tail++)
			;
		end = str_n(s.p + tail, s.len - tail);
		s.len = utf8_cut(s, NAME_GIVEN_MAX - 3 - end.len);
		snprintf(out, NAME_GIVEN_MAX + 1, "%.*s...%.*s", (int)s.len,
		    s.p, (int)end.len, end.p);
	}
	for (i = 0; out[i] != '\0'; i++)
		if (name_is_odd(out[i]))
			out[i] = '_';
	ok = out[0] != '\0';
out:
	buf_fini(&text);
	buf_fini(&clean);
	return ok;
}

static bool
name_is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

void
name_escape(struct str s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (name_is_plain(s.p[i]))
			buf_putc(out, s.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)s.p[i]);
	}
}

void
name_put_attachment(const char *given, const struct name *n, struct buf *out)
{
	const char *p;

	if (given[0] == '\0') {
		/* sixteen digits tell one from another well enough */
		buf_printf(out,
		    "Content-Disposition: attachment; "
		    "filename=\"%.16s.%s\"\r\n",
		    n->file, n->kind->ext);
		return;
	}
	buf_puts(out, "Content-Disposition: attachment; filename=\"");
	for (p = given; *p != '\0'; p++)
		if ((*p & 0xc0) != 0x80) /* one for each character */
			buf_putc(
			    out, name_is_plain(*p) || *p == ' ' ? *p : '_');
	buf_puts(out, "\"; filename*=UTF-8''");
	name_escape(str_of(given), out);
	buf_puts(out, "\r\n");
}
