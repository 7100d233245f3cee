/* SPDX-License-Identifier: MIT */
/*
 * The other half of http.h: asking a parsed head, percent-decoding, and
 * response heads. No parsing of requests here; that is http.c.
 */
#include <string.h>

#include "shared/proto/http.h"

struct str
http_field(const struct http_request *rq, const char *name)
{
	struct str want = str_of(name);
	size_t i;

	for (i = 0; i < rq->n_fields; i++) {
		if (str_ieq(rq->fields[i].name, want))
			return rq->fields[i].value;
	}
	return STR_NONE;
}

unsigned
http_field_count(const struct http_request *rq, const char *name)
{
	struct str want = str_of(name);
	unsigned n = 0;
	size_t i;

	for (i = 0; i < rq->n_fields; i++)
		n += str_ieq(rq->fields[i].name, want);
	return n;
}

/* takes the part before the next sep, or the last one; false when s is used up
 */
static bool
http_part(struct str *s, char sep, struct str *part)
{
	long at;

	if (!str_is_set(*s))
		return false;
	at = str_chr(*s, sep);
	if (at < 0) {
		*part = *s;
		*s = STR_NONE;
		return true;
	}
	*part = str_n(s->p, (size_t)at);
	*s = str_n(s->p + at + 1, s->len - (size_t)at - 1);
	return true;
}

bool
http_has_token(struct str value, const char *token)
{
	struct str want = str_of(token), part;

	while (http_part(&value, ',', &part)) {
		if (str_ieq(str_trim(part), want))
			return true;
	}
	return false;
}

/* plus: '+' stands for a blank, as in query strings only */
static int
http_decode(struct str s, bool plus, struct buf *out)
{
	size_t i, before = buf_len(out);
	int hi, lo;
	char c;

	for (i = 0; i < s.len; i++) {
		c = s.p[i];
		if (c == '%') {
			hi = i + 2 < s.len ? str_hex(s.p[i + 1]) : -1;
			lo = i + 2 < s.len ? str_hex(s.p[i + 2]) : -1;
			if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
				goto bad;
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		} else if (c == '\0') {
			goto bad;
		}
		buf_putc(out, c);
	}
	if (buf_ok(out))
		return 0;
bad:
	if (buf_ok(out))
		buf_truncate(out, before);
	return ERR_INVALID;
}

int
http_unescape(struct str s, struct buf *out)
{
	return http_decode(s, false, out);
}

bool
http_query(struct str query, const char *key, struct buf *out)
{
	struct str want = str_of(key), part;
	long eq;

	while (http_part(&query, '&', &part)) {
		eq = str_chr(part, '=');
		if (!str_eq(
			str_n(part.p, eq < 0 ? part.len : (size_t)eq), want))
			continue;
		part = eq < 0
			   ? STR_LIT("")
			   : str_n(part.p + eq + 1, part.len - (size_t)eq - 1);
		return http_decode(part, true, out) == 0;
	}
	return false;
}

#define HTTP_REASONS(X)                           \
	X(100, "Continue")                        \
	X(101, "Switching Protocols")             \
	X(200, "OK")                              \
	X(201, "Created")                         \
	X(202, "Accepted")                        \
	X(204, "No Content")                      \
	X(206, "Partial Content")                 \
	X(301, "Moved Permanently")               \
	X(302, "Found")                           \
	X(303, "See Other")                       \
	X(304, "Not Modified")                    \
	X(307, "Temporary Redirect")              \
	X(400, "Bad Request")                     \
	X(401, "Unauthorized")                    \
	X(403, "Forbidden")                       \
	X(404, "Not Found")                       \
	X(405, "Method Not Allowed")              \
	X(406, "Not Acceptable")                  \
	X(408, "Request Timeout")                 \
	X(409, "Conflict")                        \
	X(410, "Gone")                            \
	X(411, "Length Required")                 \
	X(412, "Precondition Failed")             \
	X(413, "Content Too Large")               \
	X(414, "URI Too Long")                    \
	X(415, "Unsupported Media Type")          \
	X(416, "Range Not Satisfiable")           \
	X(417, "Expectation Failed")              \
	X(421, "Misdirected Request")             \
	X(422, "Unprocessable Content")           \
	X(426, "Upgrade Required")                \
	X(429, "Too Many Requests")               \
	X(431, "Request Header Fields Too Large") \
	X(500, "Internal Server Error")           \
	X(501, "Not Implemented")                 \
	X(502, "Bad Gateway")                     \
	X(503, "Service Unavailable")             \
	X(504, "Gateway Timeout")                 \
	X(505, "HTTP Version Not Supported")      \
	X(507, "Insufficient Storage")

const char *
http_reason(int status)
{
	switch (status) {
#define X(code, text) \
	case code:    \
		return text;
		HTTP_REASONS(X)
#undef X
	default:
		return "Unknown";
	}
}

void
http_put_head(struct buf *out, int status, const char *type, size_t body_len,
    bool keep_alive, const char *extra)
{
	buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
	if (type != NULL)
		buf_printf(out, "Content-Type: %s\r\n", type);
	/* 304 speaks of the length of what it does not send: say nothing */
	if (status != 101 && status != 204 && status != 304)
		buf_printf(out, "Content-Length: %zu\r\n", body_len);
	if (status != 101 && !keep_alive)
		buf_puts(out, "Connection: close\r\n");
	buf_puts(out, "X-Content-Type-Options: nosniff\r\n"
		      "Referrer-Policy: no-referrer\r\n");
	buf_puts(out, extra != NULL ? extra : "");
	buf_puts(out, "\r\n");
}
