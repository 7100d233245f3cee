/* SPDX-License-Identifier: MIT */
/*
 * An upload that comes: judged by its head, written as it comes, put on the
 * disk, given its name, answered.
 *
 *	RECEIVING -> FILE -> FOLDER -> answered
 *	             synced  synced
 *
 * An upload outlives its connection while the disk is busy with it: whoever
 * waits for an answer is found by the number of his request.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msg_server/door/api.h"
#include "msg_server/gate.h"
#include "msg_server/server.h"
#include "msg_server/upload/upload_priv.h"
#include "shared/base/map.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

enum upload_state { UPLOAD_RECEIVING, UPLOAD_FILE, UPLOAD_FOLDER };

struct upload {
	struct uploads *u;
	struct upload *prev, *next;
	struct sync_call sync;
	struct httpd_conn *conn; /* while its body comes; else NULL */
	uint64_t request;
	enum upload_state state;
	bool syncing,
	    over; /* over: nobody waits for it, it ends with its sync */
	int fd;
	struct upload_who who;
	enum kind_said said;
	const struct kind *kind; /* NULL: not known yet */
	uint64_t len, got, unsynced;
	uint32_t ms;	       /* of sound, as its sender says */
	struct digest *digest; /* NULL: ended */
	struct name name;
	uint32_t w, h;
	uint8_t head[KIND_HEAD];
	char temp[STORE_TEMP_MAX];
	char given[NAME_GIVEN_MAX + 1];
	char cors[UPLOAD_CORS_MAX];
};

static void upload_on_synced(struct sync_call *call, int err);

/* --- refusals ----------------------------------------------------------- */

static void
upload_refuse(struct uploads *u, struct httpd_conn *c, const char *cors,
    enum upload_reason reason, int status, const char *why, uint32_t wait_s)
{
	char extra[UPLOAD_CORS_MAX + 256];
	int n = snprintf(extra, sizeof extra, API_HEADERS "%s", cors);

	if (wait_s > 0)
		n += snprintf(extra + n, sizeof extra - (size_t)n,
		    "Retry-After: %u\r\n", wait_s);
	if (status == 405)
		snprintf(extra + n, sizeof extra - (size_t)n,
		    "Allow: POST, OPTIONS\r\n");
	u->refused[reason]++;
	httpd_error_with(c, status, why, extra);
}

/* --- its end ------------------------------------------------------------ */

static void
upload_free(struct upload *p)
{
	struct uploads *u = p->u;

	DL_DELETE(u->list, p);
	u->n--;
	if (p->temp[0] != '\0')
		store_drop(u->store, p->temp);
	close(p->fd);
	digest_free(p->digest);
	upload_end(u, &p->who, p->len, p->len - p->got);
	free(p);
}

/* nothing more will come of it */
static void
upload_over(struct upload *p)
{
	p->over = true;
	p->conn = NULL;
	if (!p->syncing)
		upload_free(p);
}

static void
upload_fail(struct upload *p, struct httpd_conn *c, enum upload_reason reason,
    int status, const char *why)
{
	if (c != NULL)
		upload_refuse(p->u, c, p->cors, reason, status, why, 0);
	upload_over(p);
}

static void
upload_answer(struct upload *p, struct httpd_conn *c)
{
	struct buf out, url;
	struct jw w;
	char extra[UPLOAD_CORS_MAX + 256];

	buf_init(&url, 2048);
	buf_printf(&url, "%s/u/%s", p->u->prefix, p->name.file);
	if (p->w > 0)
		buf_printf(&url, "?w=%u&h=%u", p->w, p->h);
	else if (p->ms > 0 && p->kind->class == KIND_AUDIO)
		buf_printf(&url, "?ms=%u", p->ms);
	if (p->given[0] != '\0' && p->kind->class == KIND_FILE) {
		buf_puts(&url, "?name=");
		name_escape(str_of(p->given), &url);
	}
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

/* --- the disk ----------------------------------------------------------- */

static void
upload_sync(struct upload *p, int fd)
{
	p->syncing = true;
	p->unsynced = 0;
	p->sync.done = upload_on_synced;
	sync_start(p->u->sync, fd, &p->sync);
}

/* the file is on the disk: now it has its name */
static int
upload_publish(struct upload *p)
{
	int err = store_publish(p->u->store, p->temp, &p->name, p->got);

	if (err != OK)
		return err;
	p->temp[0] = '\0';
	p->state = UPLOAD_FOLDER;
	upload_sync(p, store_fd(p->u->store));
	return OK;
}

static void
upload_on_synced(struct sync_call *call, int err)
{
	struct upload *p = container_of(call, struct upload, sync);
	struct uploads *u = p->u;
	struct httpd_conn *c;

	p->syncing = false;
	if (p->over) {
		upload_free(p);
		return;
	}
	c = p->state == UPLOAD_RECEIVING
		? p->conn
		: httpd_find(&u->srv->httpd, p->request);
	if (err != 0) {
		log_warn("uploads: %s", strerror(err));
		upload_fail(p, c, UPLOAD_R_FULL, 507, "not on the disk");
	} else if (p->state == UPLOAD_RECEIVING) {
		if (p->unsynced >= UPLOAD_SYNC)
			upload_sync(p, p->fd);
		httpd_go_on(c);
	} else if (p->state == UPLOAD_FILE) {
		/* the last bytes were behind the one that has ended */
		if (p->unsynced > 0)
			upload_sync(p, p->fd);
		else if (upload_publish(p) != OK)
			upload_fail(p, c, UPLOAD_R_FULL, 507, "not kept");
	} else {
		u->done++;
		u->bytes += p->got;
		if (c != NULL)
			upload_answer(p, c);
		upload_over(p);
	}
}

static bool
upload_write(struct upload *p, const uint8_t *b, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = write(p->fd, b, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		b += k;
		n -= (size_t)k;
		p->unsynced += (uint64_t)k;
	}
	return true;
}

/* --- the body ----------------------------------------------------------- */

/* 0; or the status: its first bytes say that it may not come */
static int
upload_judge(struct upload *p, const char **why, enum upload_reason *reason)
{
	size_t n = p->got < KIND_HEAD ? (size_t)p->got : KIND_HEAD;

	p->kind = kind_find(p->said, p->head, n);
	if (p->kind == NULL) {
		*why = "not what its Content-Type says";
		*reason = UPLOAD_R_TYPE;
		return 415;
	}
	if (p->len > upload_max(p->u, p->kind->class)) {
		*why = "too long";
		*reason = UPLOAD_R_SIZE;
		return 413;
	}
	return 0;
}

static void
upload_on_body(struct httpd_conn *c, void *arg, const uint8_t *b, size_t n)
{
	struct upload *p = arg;
	enum upload_reason reason;
	const char *why;
	int status;
	size_t k = KIND_HEAD;

	if (p->got < KIND_HEAD) {
		k = KIND_HEAD - (size_t)p->got;
		memcpy(p->head + p->got, b, n < k ? n : k);
	}
	p->got += n;
	if (p->kind == NULL && (p->got >= KIND_HEAD || p->got == p->len)) {
		status = upload_judge(p, &why, &reason);
		if (status != 0) {
			upload_fail(p, c, reason, status, why);
			return;
		}
	}
	digest_add(p->digest, b, n);
	if (!upload_write(p, b, n)) {
		upload_fail(p, c, UPLOAD_R_FULL, 507, "no space left");
		return;
	}
	if (p->unsynced < UPLOAD_SYNC)
		return;
	if (p->syncing)
		httpd_hold(c);
	else
		upload_sync(p, p->fd);
}

/* what its head says, the file being whole; false: a picture without a size */
static bool
upload_measure(struct upload *p)
{
	void *map;
	bool ok = true;

	if (p->kind->class == KIND_FILE)
		return true;
	map = mmap(NULL, p->got, PROT_READ, MAP_PRIVATE, p->fd, 0);
	if (map == MAP_FAILED)
		return p->kind->class != KIND_PIC;
	if (p->kind->class == KIND_PIC)
		ok = kind_size(p->kind, map, p->got, &p->w, &p->h);
	else if (p->ms == 0)
		p->ms = kind_ms(p->kind, map, p->got);
	munmap(map, p->got);
	return ok;
}

static void
upload_on_end(struct httpd_conn *c, void *arg)
{
	struct upload *p = arg;
	uint8_t sum[SHA256_LEN];

	p->conn = NULL;
	p->request = httpd_id(c);
	digest_end(p->digest, sum);
	p->digest = NULL;
	if (!upload_measure(p)) {
		upload_fail(p, c, UPLOAD_R_TYPE, 415, "no such picture");
		return;
	}
	name_make(&p->name, sum, p->kind);
	p->state = UPLOAD_FILE;
	if (!p->syncing)
		upload_sync(p, p->fd);
}

static void
upload_on_lost(void *arg)
{
	struct upload *p = arg;

	p->u->refused[UPLOAD_R_LOST]++;
	upload_over(p);
}

static const struct httpd_sink upload_sink = {
    .on_body = upload_on_body,
    .on_end = upload_on_end,
    .on_lost = upload_on_lost,
};

/* --- the head ----------------------------------------------------------- */

/* who may read the answer: false: a page that may not ask */
static bool
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
upload_preflight(struct httpd_conn *c, const char *cors)
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
upload_check(struct uploads *u, const struct httpd_conn *c,
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
upload_said_ms(const struct http_request *rq)
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

static struct upload *
upload_new(struct uploads *u, const struct http_request *rq,
    const struct upload_who *w, enum kind_said said, const char *cors)
{
	struct upload *p = xcalloc(1, sizeof *p);
	struct str given = http_field(rq, "x-cchat-name");

	p->fd = store_temp(u->store, p->temp);
	if (p->fd < 0) {
		log_warn("uploads: %s", strerror(errno));
		free(p);
		return NULL;
	}
	p->u = u;
	p->who = *w;
	p->said = said;
	p->len = rq->body_len;
	p->ms = upload_said_ms(rq);
	p->digest = digest_sha256_begin();
	if (str_is_set(given))
		name_clean(given, p->given);
	str_copy(p->cors, sizeof p->cors, str_of(cors));
	DL_APPEND(u->list, p);
	u->n++;
	return p;
}

void
upload_post(
    struct uploads *u, struct httpd_conn *c, const struct http_request *rq)
{
	char cors[UPLOAD_CORS_MAX];
	enum upload_reason reason;
	struct upload_who w;
	enum kind_said said;
	struct upload *p;
	const char *why;
	uint32_t wait_s = 0;
	int status;

	if (!upload_cors(u, rq, cors)) {
		upload_refuse(
		    u, c, "", UPLOAD_R_ORIGIN, 403, "not from that page", 0);
		return;
	}
	if (rq->method == HTTP_OPTIONS_M) {
		upload_preflight(c, cors);
		return;
	}
	status = upload_check(u, c, rq, &w, &said, &reason, &why);
	if (status == 0)
		status =
		    upload_admit(u, &w, rq->body_len, &reason, &why, &wait_s);
	if (status != 0) {
		upload_refuse(u, c, cors, reason, status, why, wait_s);
		return;
	}
	p = upload_new(u, rq, &w, said, cors);
	if (p == NULL) {
		upload_end(u, &w, rq->body_len, rq->body_len);
		upload_refuse(u, c, cors, UPLOAD_R_FULL, 507, "not kept", 0);
		return;
	}
	p->conn = c;
	httpd_stream(c, &upload_sink, p);
}
