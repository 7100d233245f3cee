/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 heads. First the bytes are judged by rules of our own, stricter
 * than any parser at hand; then http-parser (or llhttp) takes the whole head
 * apart; then the fields that decide about framing are judged. A request
 * passes only where both agree.
 */
#include <string.h>

/* both parsers have an enum http_method of their own */
#define http_method http_parser_method
#ifdef HAVE_LLHTTP
#include <llhttp.h>
#else
#include <http_parser.h>
#endif
#undef http_method

#include "shared/proto/http.h"

/* ---- the bytes -------------------------------------------------------- */

enum { HTTP_TOKEN = 1, HTTP_STOP = 2 };

/* what a byte may be in: a token; nothing but the end of a line, or nothing */
static const uint8_t http_bytes[256] = {
    ['a' ... 'z'] = HTTP_TOKEN,
    ['A' ... 'Z'] = HTTP_TOKEN,
    ['0' ... '9'] = HTTP_TOKEN,
    ['!'] = HTTP_TOKEN,
    ['#' ... '\''] = HTTP_TOKEN,
    ['*' ... '+'] = HTTP_TOKEN,
    ['-' ... '.'] = HTTP_TOKEN,
    ['^' ... '`'] = HTTP_TOKEN,
    ['|'] = HTTP_TOKEN,
    ['~'] = HTTP_TOKEN,
    [0x00 ... 0x08] = HTTP_STOP,
    [0x0a ... 0x1f] = HTTP_STOP,
    [0x7f] = HTTP_STOP,
};

static bool
http_is_token_char(unsigned char c)
{
	return http_bytes[c] & HTTP_TOKEN;
}

static bool
http_is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!http_is_token_char((unsigned char)s.p[i]))
			return false;
	}
	return s.len > 0;
}

/* "HTTP/1.0" or "HTTP/1.1": 0 and minor, else the status */
static int
http_version(struct str s, int *minor)
{
	if (s.len != 8 || memcmp(s.p, "HTTP/", 5) != 0 || s.p[5] < '0' ||
	    s.p[5] > '9' || s.p[6] != '.' || s.p[7] < '0' || s.p[7] > '9')
		return 400;
	if (s.p[5] != '1' || s.p[7] > '1')
		return 505;
	*minor = s.p[7] - '0';
	return 0;
}

/* takes the part before the next blank off the line; false without a blank */
static bool
http_word(struct str *line, struct str *word)
{
	long blank = str_chr(*line, ' ');

	if (blank < 0)
		return false;
	*word = str_n(line->p, (size_t)blank);
	line->p += blank + 1;
	line->len -= (size_t)blank + 1;
	return true;
}

/* METHOD SP target SP version, single spaces */
static int
http_check_request_line(struct str line, int *minor)
{
	struct str method, target;
	size_t i;

	if (!http_word(&line, &method) || !http_word(&line, &target))
		return 400;
	if (!http_is_token(method) || target.len == 0)
		return 400;
	for (i = 0; i < target.len; i++) {
		if (target.p[i] < 0x21 || target.p[i] > 0x7e)
			return 400;
	}
	/* no absolute-form: its host would compete with the Host field */
	if (target.p[0] != '/' &&
	    !(str_eqc(target, "*") && str_eqc(method, "OPTIONS")))
		return 400;
	return http_version(line, minor);
}

static int
http_check_status_line(struct str line, int *minor)
{
	struct str version;

	if (!http_word(&line, &version))
		return 400;
	return http_version(version, minor);
}

static int
http_check_field_line(struct str line)
{
	long colon = str_chr(line, ':');

	/* a line that begins with a blank is a folded one: no token */
	if (colon < 0 || !http_is_token(str_n(line.p, (size_t)colon)))
		return 400;
	return 0;
}

/*
 * Looks at the bytes up to the empty line: 0 and *head_len, ERR_AGAIN, or an
 * error with *status. What is wrong already is refused before the rest comes.
 */
static int
http_scan(const uint8_t *p, size_t n, bool response, size_t *head_len,
    int *minor, int *status)
{
	struct str line;
	size_t i, end, start, lines = 0;

	for (i = start = 0; i < n; start = i) {
		end = start + HTTP_LINE_MAX + 1;
		if (end > HTTP_HEAD_MAX)
			end = HTTP_HEAD_MAX;
		if (end > n)
			end = n;
		while (i < end && !(http_bytes[p[i]] & HTTP_STOP))
			i++;
		if (i == n)
			break;
		if (i >= end) {
			*status = i < HTTP_HEAD_MAX && lines == 0 ? 414 : 431;
			return ERR_LIMIT;
		}
		*status = 400;
		if (p[i] != '\r')
			return ERR_PROTO;
		if (i + 1 == n)
			break;
		if (p[i + 1] != '\n')
			return ERR_PROTO;
		line = str_n(p + start, i - start);
		i += 2;
		if (line.len == 0 && lines > 0) {
			if (i > HTTP_HEAD_MAX) {
				*status = 431;
				return ERR_LIMIT;
			}
			*head_len = i;
			return 0;
		}
		if (lines > HTTP_FIELDS_MAX) {
			*status = 431;
			return ERR_LIMIT;
		}
		*status = lines > 0  ? http_check_field_line(line)
			  : response ? http_check_status_line(line, minor)
				     : http_check_request_line(line, minor);
		if (*status != 0)
			return ERR_PROTO;
		lines++;
	}
	*status = 0;
	return ERR_AGAIN;
}

/* ---- the parser ------------------------------------------------------- */

/* where the callbacks put what they are given; target NULL for a response */
struct http_head {
	struct str *target;
	struct http_field *fields;
	size_t n_fields;
	bool done, bad;
};

#ifdef HAVE_LLHTTP
typedef llhttp_t http_engine;
typedef llhttp_settings_t http_engine_settings;
#else
typedef struct http_parser http_engine;
typedef struct http_parser_settings http_engine_settings;
#endif

/* The head is in one piece, so each element comes in one piece. */
static int
http_on_url(http_engine *e, const char *p, size_t n)
{
	struct http_head *h = e->data;

	*h->target = str_n(p, n);
	return 0;
}

static int
http_on_name(http_engine *e, const char *p, size_t n)
{
	struct http_head *h = e->data;

	if (h->n_fields == HTTP_FIELDS_MAX) {
		h->bad = true;
		return 0;
	}
	h->fields[h->n_fields++] =
	    (struct http_field){str_n(p, n), STR_LIT("")};
	return 0;
}

static int
http_on_value(http_engine *e, const char *p, size_t n)
{
	struct http_head *h = e->data;

	if (h->n_fields == 0)
		h->bad = true;
	else if (n > 0)
		h->fields[h->n_fields - 1].value = str_trim(str_n(p, n));
	return 0;
}

static int
http_on_complete(http_engine *e)
{
	struct http_head *h = e->data;

	h->done = true;
	return 0;
}

/* 0 or the status; *code is the method or the status of a response */
static int
http_run(const uint8_t *p, size_t n, bool response, struct http_head *h,
    unsigned *code)
{
	http_engine e;
	http_engine_settings set;
	bool ok;

#ifdef HAVE_LLHTTP
	llhttp_errno_t err;

	llhttp_settings_init(&set);
#else
	http_parser_settings_init(&set);
#endif
	set.on_url = response ? NULL : http_on_url;
	set.on_header_field = http_on_name;
	set.on_header_value = http_on_value;
	set.on_headers_complete = http_on_complete;
#ifdef HAVE_LLHTTP
	llhttp_init(&e, response ? HTTP_RESPONSE : HTTP_REQUEST, &set);
	e.data = h;
	err = llhttp_execute(&e, (const char *)p, n);
	if (err == HPE_INVALID_METHOD)
		return 501;
	ok = err == HPE_OK || err == HPE_PAUSED_UPGRADE;
	*code = response ? e.status_code : e.method;
#else
	http_parser_init(&e, response ? HTTP_RESPONSE : HTTP_REQUEST);
	e.data = h;
	ok = http_parser_execute(&e, &set, (const char *)p, n) == n &&
	     HTTP_PARSER_ERRNO(&e) == HPE_OK;
	if (HTTP_PARSER_ERRNO(&e) == HPE_INVALID_METHOD)
		return 501;
	*code = response ? e.status_code : e.method;
#endif
	return ok && h->done && !h->bad ? 0 : 400;
}

static enum http_method
http_method_of(unsigned m)
{
	switch (m) {
	case HTTP_GET:
		return HTTP_GET_M;
	case HTTP_HEAD:
		return HTTP_HEAD_M;
	case HTTP_POST:
		return HTTP_POST_M;
	case HTTP_PUT:
		return HTTP_PUT_M;
	case HTTP_DELETE:
		return HTTP_DELETE_M;
	case HTTP_OPTIONS:
		return HTTP_OPTIONS_M;
	default:
		return HTTP_OTHER_M;
	}
}

/* ---- the fields ------------------------------------------------------- */

static bool
http_is_host(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!(http_is_token_char(c) || strchr(":[]();=", c) != NULL) ||
		    c == '\0')
			return false;
	}
	return s.len > 0;
}

/* 0 and *len (0 without one), or the status */
static int
http_content_length(
    const struct http_field *fields, size_t n_fields, uint64_t *len, bool *has)
{
	size_t i;
	int err;

	*has = false;
	*len = 0;
	for (i = 0; i < n_fields; i++) {
		if (!str_ieq(fields[i].name, STR_LIT("content-length")))
			continue;
		if (*has)
			return 400;
		*has = true;
		err = str_u64(fields[i].value, len);
		if (err == ERR_LIMIT)
			return 413;
		if (err != 0)
			return 400;
	}
	return 0;
}

/* one pass over what decides framing, routing and the connection's life */
static int
http_judge(struct http_request *rq)
{
	unsigned hosts = 0;
	bool te = false, has_len, close = false;
	size_t i;
	int status;

	for (i = 0; i < rq->n_fields; i++) {
		struct str name = rq->fields[i].name;
		struct str value = rq->fields[i].value;

		if (str_ieq(name, STR_LIT("host"))) {
			if (++hosts > 1 || !http_is_host(value))
				return 400;
		} else if (str_ieq(name, STR_LIT("transfer-encoding"))) {
			te = true;
		} else if (str_ieq(name, STR_LIT("expect"))) {
			if (!str_ieq(value, STR_LIT("100-continue")))
				return 417;
		} else if (str_ieq(name, STR_LIT("connection"))) {
			rq->upgrade =
			    rq->upgrade || http_has_token(value, "upgrade");
			close = close || http_has_token(value, "close");
			rq->keep_alive = rq->keep_alive ||
					 http_has_token(value, "keep-alive");
		}
	}
	if (hosts == 0 && rq->minor == 1)
		return 400;
	status = http_content_length(
	    rq->fields, rq->n_fields, &rq->body_len, &has_len);
	if (status != 0)
		return status;
	/* both together is how requests are smuggled; alone it is not spoken */
	if (te)
		return has_len || rq->minor == 0 ? 400 : 501;
	rq->keep_alive = (rq->keep_alive || rq->minor == 1) && !close;
	return 0;
}

int
http_parse(const uint8_t *p, size_t n, struct http_request *rq)
{
	struct http_head h = {.target = &rq->target, .fields = rq->fields};
	unsigned method = 0;
	long mark;
	int err;

	/* all but the fields, which are many and counted */
	rq->method = HTTP_OTHER_M;
	rq->target = rq->path = rq->query = STR_NONE;
	rq->n_fields = rq->head_len = 0;
	rq->body_len = 0;
	rq->minor = rq->status = 0;
	rq->keep_alive = rq->upgrade = false;

	err = http_scan(p, n, false, &rq->head_len, &rq->minor, &rq->status);
	if (err != 0)
		return err;
	rq->status = http_run(p, rq->head_len, false, &h, &method);
	if (rq->status != 0)
		return ERR_PROTO;
	rq->n_fields = h.n_fields;
	rq->method = http_method_of(method);
	mark = str_chr(rq->target, '?');
	rq->path = rq->target;
	if (mark >= 0) {
		rq->path.len = (size_t)mark;
		rq->query = str_n(
		    rq->target.p + mark + 1, rq->target.len - (size_t)mark - 1);
	}
	rq->status = http_judge(rq);
	if (rq->status == 0)
		return 0;
	return rq->status == 413 ? ERR_LIMIT : ERR_PROTO;
}

int
http_parse_response(const uint8_t *p, size_t n, struct http_response *rs)
{
	struct http_head h = {.fields = rs->fields};
	unsigned code = 0;
	uint64_t len;
	bool has_len;
	size_t i;
	int err, minor = 0, status;

	rs->status = 0;
	rs->head_len = rs->n_fields = 0;
	rs->body_len = -1;
	err = http_scan(p, n, true, &rs->head_len, &minor, &status);
	if (err != 0)
		return err;
	if (http_run(p, rs->head_len, true, &h, &code) != 0)
		return ERR_PROTO;
	rs->status = (int)code;
	rs->n_fields = h.n_fields;
	for (i = 0; i < rs->n_fields; i++) {
		if (str_ieq(rs->fields[i].name, STR_LIT("transfer-encoding")))
			return ERR_PROTO; /* none of our servers sends one */
	}
	if (http_content_length(rs->fields, rs->n_fields, &len, &has_len) !=
		0 ||
	    len > INT64_MAX)
		return ERR_PROTO;
	if (code < 200 || code == 204 || code == 304)
		rs->body_len = 0;
	else if (has_len)
		rs->body_len = (int64_t)len;
	return 0;
}
