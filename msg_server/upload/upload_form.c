/* SPDX-License-Identifier: MIT */
/*
 * Pictures of PHPWebIM's pages: a form with one file (multipart.h), answered
 * in the words of its upload, be it of 2016 ("bare": SWFUpload's) or of 2019.
 *
 * Such a page has no key. Who it is is told by its address: whoever of its
 * people has come last from there, to this server, and is still in.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/dialect/php_text.h"
#include "msg_server/door/api.h"
#include "msg_server/gate.h"
#include "msg_server/server.h"
#include "msg_server/upload/upload_priv.h"
#include "shared/proto/json.h"
#include "shared/proto/multipart.h"

enum {
	FORM_ROOM = 65536, /* of a body, for what is not the file */
	FORM_TYPE = 2,	   /* numbers of its error answers */
	FORM_SIZE = 4,
	FORM_ANSWER_MAX = 8192
};

#define FORM_FAILED "上传失败，请重新上传！ Error:"

struct upload_form {
	struct multipart m;
	struct upload *p;
	struct httpd_conn *c; /* while a piece is read */
	struct str field;     /* of the file; static */
	bool bare;
	bool taking, seen; /* the part that comes is the file; there was one */
};

/* --- answers ------------------------------------------------------------- */

static void
form_reply(struct httpd_conn *c, const char *cors, int status, struct str body,
    uint32_t wait_s)
{
	char extra[UPLOAD_CORS_MAX + 256];
	int n = snprintf(extra, sizeof extra, API_HEADERS "%s", cors);

	if (wait_s > 0)
		snprintf(extra + n, sizeof extra - (size_t)n,
		    "Retry-After: %u\r\n", wait_s);
	httpd_reply(c, status, "text/html; charset=utf-8", body, extra);
}

/* what is wrong with a file was said with 200; all else is ours to say */
static void
form_refuse(struct httpd_conn *c, const char *cors, bool bare,
    enum upload_reason reason, int status, const char *why, uint32_t wait_s)
{
	struct buf text, out;
	struct jw w;
	int code = status;

	if (reason == UPLOAD_R_TYPE || reason == UPLOAD_R_SIZE) {
		code = reason == UPLOAD_R_TYPE ? FORM_TYPE : FORM_SIZE;
		status = 200;
	}
	if (reason == UPLOAD_R_SIZE)
		why = "File size go beyond the max_size!";
	buf_init(&text, 512);
	buf_init(&out, FORM_ANSWER_MAX);
	buf_puts(&text, FORM_FAILED);
	buf_puts(&text, why);
	if (bare) {
		buf_putstr(&out, buf_str(&text));
		buf_puts(&out, "false");
	} else {
		jw_init(&w, &out);
		jw_obj(&w, NULL);
		php_text_member(&w, "msg", buf_str(&text));
		jw_arr(&w, "data");
		jw_arr_end(&w);
		jw_int(&w, "code", code);
		jw_obj_end(&w);
	}
	form_reply(c, cors, status, buf_str(&out), wait_s);
	buf_fini(&out);
	buf_fini(&text);
}

static void
form_no_file(struct httpd_conn *c, const char *cors, bool bare)
{
	if (bare)
		form_reply(c, cors, 200, STR_LIT("Bad Request\n"), 0);
	else
		form_reply(c, cors, 403, STR_LIT(""), 0);
}

static void
form_on_refuse(struct httpd_conn *c, const struct upload *p,
    enum upload_reason reason, int status, const char *why)
{
	form_refuse(c, p->cors, p->form->bare, reason, status, why, 0);
}

/* {"thumb":U,"url":U,"size":N,"type":T}; no small one is made of it */
static void
form_answer(struct upload *p, struct httpd_conn *c)
{
	struct buf url, in, out;
	struct jw w;

	buf_init(&url, 1024);
	buf_init(&in, FORM_ANSWER_MAX / 2);
	buf_init(&out, FORM_ANSWER_MAX);
	upload_put_url(p, &url);
	jw_init(&w, &in);
	jw_obj(&w, NULL);
	php_text_member(&w, "thumb", buf_str(&url));
	php_text_member(&w, "url", buf_str(&url));
	jw_int(&w, "size", (int64_t)p->got);
	jw_cstr(&w, "type", p->kind->ext);
	jw_obj_end(&w);
	if (!p->form->bare) {
		jw_init(&w, &out);
		jw_obj(&w, NULL);
		php_text_member(&w, "data", buf_str(&in));
		jw_int(&w, "code", 0);
		jw_cstr(&w, "msg", "");
		jw_obj_end(&w);
	}
	form_reply(c, p->cors, 200, buf_str(p->form->bare ? &in : &out), 0);
	buf_fini(&out);
	buf_fini(&in);
	buf_fini(&url);
}

/* what its page offers: JPEG, PNG and GIF */
static const char *
form_not(const struct kind *k)
{
	static const char *const taken[] = {"jpg", "png", "gif"};
	size_t i;

	if (k == NULL)
		return "File Type 'bin' not allow upload!";
	for (i = 0; i < ARRAY_LEN(taken); i++)
		if (strcmp(k->ext, taken[i]) == 0)
			return NULL;
	return "File Type 'webp' not allow upload!";
}

static const struct upload_way form_way = {
    .refuse = form_on_refuse,
    .answer = form_answer,
    .not = form_not,
};

/* --- the form ------------------------------------------------------------ */

static int
form_on_part(void *arg, const struct multipart_part *part)
{
	struct upload_form *f = arg;

	/* a browser in which no file was chosen sends one without a name */
	f->taking = str_eq(part->name, f->field) && part->file.len > 0;
	if (f->taking && f->seen)
		return ERR_PROTO;
	f->seen |= f->taking;
	return OK;
}

static int
form_on_content(void *arg, const uint8_t *b, size_t n)
{
	struct upload_form *f = arg;

	/* not OK: it was answered, and f is gone */
	if (f->taking && upload_bytes(f->p, f->c, b, n) != OK)
		return ERR_STALE;
	return OK;
}

static int
form_on_part_end(void *arg)
{
	struct upload_form *f = arg;

	f->taking = false;
	return OK;
}

static const struct multipart_ops form_ops = {
    .on_part = form_on_part,
    .on_content = form_on_content,
    .on_part_end = form_on_part_end,
};

static void
form_on_body(struct httpd_conn *c, void *arg, const uint8_t *b, size_t n)
{
	struct upload *p = arg;
	int err;

	p->form->c = c;
	err = multipart_feed(&p->form->m, b, n);
	if (err != OK && err != ERR_STALE)
		upload_fail(p, c, UPLOAD_R_FORM, 400,
		    err == ERR_LIMIT ? "too many parts" : "no form");
}

static void
form_on_end(struct httpd_conn *c, void *arg)
{
	struct upload *p = arg;
	struct upload_form *f = p->form;

	if (!multipart_is_whole(&f->m)) {
		upload_fail(p, c, UPLOAD_R_FORM, 400, "not all of it");
	} else if (!f->seen) {
		p->u->refused[UPLOAD_R_FORM]++;
		form_no_file(c, p->cors, f->bare);
		upload_fail(p, NULL, UPLOAD_R_FORM, 0, NULL);
	} else {
		upload_whole(p, c);
	}
}

static const struct httpd_sink form_sink = {
    .on_body = form_on_body,
    .on_end = form_on_end,
    .on_lost = upload_on_lost,
};

/* --- the head ------------------------------------------------------------ */

static uint64_t
form_max(const struct uploads *u)
{
	uint64_t max = (uint64_t)u->srv->set.upload_webim << 10;
	uint64_t pic = upload_max(u, KIND_PIC);

	return max < pic ? max : pic;
}

/* a body is to come that may come: 0, or why not */
static int
form_check(struct uploads *u, const struct httpd_conn *c,
    const struct http_request *rq, struct upload_who *w,
    enum upload_reason *reason, const char **why)
{
	*reason = UPLOAD_R_ORIGIN;
	*why = "not from that page";
	if (!gate_origin_is_ok(u->srv->gate, rq))
		return 403;
	*reason = UPLOAD_R_KEY;
	*why = "nobody is logged in from there";
	if (!upload_who_near(u, c, rq, w))
		return 403;
	*reason = UPLOAD_R_FORM;
	*why = "its length is needed";
	if (http_field_count(rq, "content-length") != 1)
		return 411;
	*reason = UPLOAD_R_SIZE;
	*why = "too long";
	return rq->body_len > form_max(u) + FORM_ROOM ? 413 : 0;
}

void
upload_form(struct uploads *u, struct httpd_conn *c,
    const struct http_request *rq, struct str field, bool bare)
{
	struct upload_form *f;
	char cors[UPLOAD_CORS_MAX];
	enum upload_reason reason;
	struct upload_who w;
	const char *why;
	uint32_t wait_s = 0;
	int status;

	if (!upload_cors(u, rq, cors))
		cors[0] = '\0';
	status = form_check(u, c, rq, &w, &reason, &why);
	f = xcalloc(1, sizeof *f);
	if (status == 0 &&
	    multipart_begin(
		&f->m, http_field(rq, "content-type"), &form_ops, f) != OK) {
		u->refused[UPLOAD_R_FORM]++;
		form_no_file(c, cors, bare);
		free(f);
		return;
	}
	if (status == 0)
		status =
		    upload_admit(u, &w, rq->body_len, &reason, &why, &wait_s);
	if (status == 0) {
		f->p = upload_new(u, c, rq, &w, &form_way);
		reason = UPLOAD_R_FULL;
		why = "not kept";
		if (f->p == NULL)
			status = 507;
	} else {
		u->refused[reason]++;
	}
	if (status != 0) {
		form_refuse(c, cors, bare, reason, status, why, wait_s);
		free(f);
		return;
	}
	f->field = field;
	f->bare = bare;
	f->p->form = f;
	f->p->said = KIND_SAID_PIC;
	f->p->max = form_max(u);
	str_copy(f->p->cors, sizeof f->p->cors, str_of(cors));
	httpd_stream(c, &form_sink, f->p);
}
