/* SPDX-License-Identifier: MIT */
/*
 * The way of a backup from the admin listener to the log and back. The request
 * is known by its id only: who asked may be gone when the copy is whole.
 */
#include <stdio.h>

#include "proxy_server/backup.h"
#include "proxy_server/proxy.h"
#include "shared/proto/json.h"

enum { BACKUP_PATH_MAX = 4000, BACKUP_ANSWER_MAX = 16384 };

static void
backup_ask(struct proxy *p, struct httpd_conn *c, struct str body)
{
	char path[BACKUP_PATH_MAX + 1];
	struct str s;
	json_t *v;
	int err;

	v = json_read(body, &err);
	s = json_str(v, "path");
	path[0] = '\0';
	if (s.len > 0 && s.len < sizeof path && s.p[0] == '/' &&
	    memchr(s.p, '\0', s.len) == NULL)
		str_copy(path, sizeof path, s);
	json_decref(v);
	if (path[0] == '\0') {
		httpd_error(c, 400, "path: an absolute one is needed");
		return;
	}
	if (p->log == NULL || !proxy_is_active(p)) {
		httpd_error(c, 409, "this server is not the active one");
		return;
	}
	err = log_backup(p->log, httpd_id(c), path);
	if (err == 0)
		log_info("backup: to %s", path);
	else if (err == ERR_BUSY)
		httpd_error(c, 409, "a backup is being made");
	else
		httpd_error(c, 400, "path: not usable");
}

bool
backup_on_request(void *arg, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	struct str type = http_field(rq, "content-type");

	if (!str_eqc(rq->path, "/backup"))
		return false;
	if (rq->method != HTTP_POST_M)
		httpd_error(c, 405, "ask with POST");
	else if (!addr_is_loopback(httpd_peer(c)))
		httpd_error(c, 403, "only from the machine itself");
	else if (str_is_set(http_field(rq, "origin")))
		httpd_error(c, 403, "not for web pages");
	else if (!str_ieq(type, STR_LIT("application/json")))
		httpd_error(c, 415, "application/json is needed");
	else
		backup_ask(arg, c, body);
	return true;
}

static int
backup_status(int err)
{
	switch (err) {
	case ERR_EXISTS:
	case ERR_AGAIN:
		return 409;
	case ERR_FULL:
		return 507;
	default:
		return 500;
	}
}

void
backup_on_done(void *arg, uint64_t token, const struct log_backup_done *done)
{
	struct proxy *p = arg;
	struct httpd_conn *c = httpd_find(&p->admin.httpd, token);
	struct buf out;
	struct jw w;

	if (done->err != 0) {
		log_err("backup: %s", done->why);
		if (c != NULL)
			httpd_error(c, backup_status(done->err), done->why);
		return;
	}
	log_info("backup: done, %llu bytes, %llu channels",
	    (unsigned long long)done->bytes,
	    (unsigned long long)done->channels);
	if (c == NULL)
		return;
	buf_init(&out, BACKUP_ANSWER_MAX);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_int(&w, "bytes", (int64_t)done->bytes);
	jw_int(&w, "channels", (int64_t)done->channels);
	jw_int(&w, "items", (int64_t)done->items);
	jw_obj_end(&w);
	httpd_reply(c, 200, "application/json", buf_str(&out),
	    "Cache-Control: no-store\r\n");
	buf_fini(&out);
}
