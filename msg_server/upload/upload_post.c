/* SPDX-License-Identifier: MIT */
/*
 * POST /v1/upload: a raw body, judged by its head, and what is said of it.
 */
#include <stdio.h>

#include "msg_server/door/api.h"
#include "msg_server/gate.h"
#include "msg_server/server.h"
#include "msg_server/upload/upload_priv.h"
#include "shared/proto/json.h"

/* --- answers ------------------------------------------------------------ */

static void
post_refuse(struct httpd_conn *c, const char *cors, int status, const char *why,
    uint32_t wait_s)
{
	char extra[UPLOAD_CORS_MAX + 256];
	int n = snprintf(extra, sizeof extra, API_HEADERS "%s", cors);

	if (wait_s > 0)
		n += snprintf(extra + n, sizeof extra - (size_t)n,
		    "Retry-After: %u\r\n", wait_s);
	if (status == 405)
		snprintf(extra + n, sizeof extra - (size_t)n,
		    "Allow: POST, OPTIONS\r\n");
	httpd_error_with(c, status, why, extra);
}

static void
post_on_refuse(struct httpd_conn *c, const struct upload *p,
    enum upload_reason reason, int status, const char *why)
{
	(void)reason;
	post_refuse(c, p->cors, status, why, 0);
}

static void
post_answer(struct upload *p, struct httpd_conn *c)
{
	struct buf out, url;
	struct jw w;
	char extra[UPLOAD_CORS_MAX + 256];

	buf_init(&url, 2048);
	upload_put_url(p, &url);
	buf_init(&out, 4096);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_str(&w, "url", buf_str(&url));
	jw_cstr(&w, "type", kind_word(p->kind->class));
	jw_cstr(&w, "mime", p->kind->mime);
	jw_int(&w, "bytes", (int64_t)p->got);
	if (p->w > 0) {
		jw_int(&w, "w", p->w);
		jw_int(&w, "h", p->h);
	}
	if (p->ms > 0 && p->kind->class == KIND_AUDIO)
		jw_int(&w, "ms", p->ms);
	if (p->given[0] != '\0')
		jw_cstr(&w, "name", p->given);
	jw_obj_end(&w);
	snprintf(extra, sizeof extra, API_HEADERS "%s", p->cors);
	httpd_reply(c, 200, "application/json", buf_str(&out), extra);
	buf_fini(&out);
	buf_fini(&url);
}

static const struct upload_way post_way = {
    .refuse = post_on_refuse,
    .answer = post_answer,
};

/* --- the body ----------------------------------------------------------- */

static void
post_on_body(struct httpd_conn *c, void *arg, const uint8_t *b, size_t n)
{
	int err = upload_bytes(arg, c, b, n);

	(void)err; /* it was answered, and no more will come */
}

static void
post_on_end(struct httpd_conn *c, void *arg)
{
	upload_whole(arg, c);
}

static const struct httpd_sink post_sink = {
    .on_body = post_on_body,
    .on_end = post_on_end,
    .on_lost = upload_on_lost,
};

/* --- the head ----------------------------------------------------------- */

bool
upload_cors(struct uploads *u, const struct http_request *rq,
    char cors[UPLOAD_CORS_MAX])
{
	struct str origin = http_field(rq, "origin");

	cors[0] = '\0';
	if (!str_is_set(origin))
		return true;
	if (origin.len > UPLOAD_CORS_MAX / 2 ||
	    !gate_origin_is_ok(u->srv->gate, rq))
		return false;
	snprintf(cors, UPLOAD_CORS_MAX,
	    "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
	    (int)origin.len, origin.p);
	return true;
}

static void
post_preflight(struct httpd_conn *c, const char *cors)
{
	char extra[UPLOAD_CORS_MAX + 512];

	snprintf(extra, sizeof extra,
	    API_HEADERS
	    "%sAccess-Control-Allow-Methods: POST\r\n"
	    "Access-Control-Allow-Headers: Authorization, Content-Type, "
	    "X-CChat-Name\r\n"
	    "Access-Control-Max-Age: 600\r\n",
	    cors);
	httpd_reply(c, 204, NULL, STR_LIT(""), extra);
}

/* a body is to come that may come: 0, or why not */
static int
post_check(struct uploads *u, const struct httpd_conn *c,
    const struct http_request *rq, struct upload_who *w, enum kind_said *said,
    enum upload_reason *reason, const char **why)
{
	uint64_t max;

	*reason = UPLOAD_R_FORM;
	*why = "POST it";
	if (rq->method != HTTP_POST_M)
		return 405;
	*reason = UPLOAD_R_KEY;
	*why = "a key of uploads is needed";
	if (!upload_who(u, c, rq, w))
		return 401;
	*reason = UPLOAD_R_FORM;
	*why = "its length is needed";
	if (http_field_count(rq, "content-length") != 1)
		return 411;
	*why = "nothing is in it";
	if (rq->body_len == 0)
		return 400;
	*reason = UPLOAD_R_TYPE;
	*why = "nothing of that type";
	*said = kind_said(http_field(rq, "content-type"));
	if (*said == KIND_SAID_BAD)
		return 415;
	*reason = UPLOAD_R_SIZE;
	*why = "too long";
	max = upload_max(u, *said == KIND_SAID_PIC     ? KIND_PIC
			    : *said == KIND_SAID_AUDIO ? KIND_AUDIO
						       : KIND_FILE);
	return rq->body_len > max ? 413 : 0;
}

static uint32_t
post_said_ms(const struct http_request *rq)
{
	struct buf b;
	uint64_t ms = 0;

	buf_init(&b, 16);
	if (!http_query(rq->query, "ms", &b) || !buf_ok(&b) ||
	    str_u64(buf_str(&b), &ms) != 0 || ms > 86400000)
		ms = 0;
	buf_fini(&b);
	return (uint32_t)ms;
}

void
upload_post(
    struct uploads *u, struct httpd_conn *c, const struct http_request *rq)
{
	struct str given = http_field(rq, "x-cchat-name");
	enum upload_reason reason = UPLOAD_R_ORIGIN;
	const char *why = "not from that page";
	char cors[UPLOAD_CORS_MAX];
	struct upload_who w;
	enum kind_said said;
	struct upload *p;
	uint32_t wait_s = 0;
	int status = 403;

	if (upload_cors(u, rq, cors)) {
		if (rq->method == HTTP_OPTIONS_M) {
			post_preflight(c, cors);
			return;
		}
		status = post_check(u, c, rq, &w, &said, &reason, &why);
	}
	if (status == 0)
		status =
		    upload_admit(u, &w, rq->body_len, &reason, &why, &wait_s);
	if (status != 0) {
		u->refused[reason]++;
		post_refuse(c, cors, status, why, wait_s);
		return;
	}
	p = upload_new(u, c, rq, &w, &post_way);
	if (p == NULL) {
		post_refuse(c, cors, 507, "not kept", 0);
		return;
	}
	p->said = said;
	p->ms = post_said_ms(rq);
	if (str_is_set(given))
		name_clean(given, p->given);
	str_copy(p->cors, sizeof p->cors, str_of(cors));
	httpd_stream(c, &post_sink, p);
}
