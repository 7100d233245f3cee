/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 requests and responses as bytes; no sockets. Parsing is
 * http-parser's (or llhttp's), behind strict checks of our own
 * (reliability.md 3.6): CRLF only, no folding, token field names, exactly one
 * Host, no Transfer-Encoding, one Content-Length, visible-ASCII target,
 * version 1.0 or 1.1, line <= 4 KiB, head <= 8 KiB, <= 64 fields (limits.md).
 *
 * http_parse() works on a buffer that holds the request from its first byte;
 * call it again with more bytes after ERR_AGAIN. All struct str of the request
 * point into that buffer.
 */
#ifndef SHARED_PROTO_HTTP_H
#define SHARED_PROTO_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

enum {
	HTTP_LINE_MAX = 4096,
	HTTP_HEAD_MAX = 8192,
	HTTP_FIELDS_MAX = 64,
	HTTP_BODY_MAX = 65536
};

enum http_method { HTTP_GET_M, HTTP_HEAD_M, HTTP_POST_M, HTTP_PUT_M, HTTP_DELETE_M, HTTP_OPTIONS_M, HTTP_OTHER_M };

struct http_field {
	struct str name, value;
};

struct http_request {
	enum http_method method;
	int minor; /* HTTP/1.minor */
	struct str target, path, query; /* path is raw: not percent-decoded; query without '?', may be absent */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t n_fields;
	size_t head_len; /* bytes of the head, final CRLF CRLF included */
	uint64_t body_len; /* Content-Length, 0 without one */
	bool keep_alive, upgrade; /* upgrade: Connection has the token "upgrade" */
	int status; /* on ERR_PROTO/ERR_LIMIT: 400, 405, 413, 414, 417, 431, 501, 505 to answer with */
};

/* 0 whole head parsed; ERR_AGAIN; ERR_PROTO or ERR_LIMIT with rq->status */
int http_parse(const uint8_t *p, size_t n, struct http_request *rq) MUST_CHECK;
/* the value of the first field of that name (case-insensitive), or STR_NONE */
struct str http_field(const struct http_request *rq, const char *name);
unsigned http_field_count(const struct http_request *rq, const char *name);
/* is token one of the comma-separated tokens of value (case-insensitive)? */
bool http_has_token(struct str value, const char *token);
/* value of key in a query string, percent-decoded into out; false when absent or malformed */
bool http_query(struct str query, const char *key, struct buf *out);
/* percent-decodes a path segment; ERR_INVALID on bad escapes, NUL */
int http_unescape(struct str s, struct buf *out) MUST_CHECK;

/*
 * Response head: status line, Date-less, "Content-Length: body_len", Connection: close unless
 * keep_alive, the security fields every response carries (nosniff, Referrer-Policy), then extra
 * (complete lines with CRLF, or ""), then the empty line. Statuses 101 and 204 get no length.
 */
void http_put_head(struct buf *out, int status, const char *type, size_t body_len, bool keep_alive, const char *extra);
const char *http_reason(int status);

/* A response, for our own small clients: same contract as http_parse. */
struct http_response {
	int status;
	size_t head_len;
	int64_t body_len; /* -1: until the end of the stream */
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t n_fields;
};
int http_parse_response(const uint8_t *p, size_t n, struct http_response *rs) MUST_CHECK;

#endif
