/* SPDX-License-Identifier: MIT */
/*
 * The HTTP door: who may come in, and where to. Questions are api_ask.c's, what
 * is sent api_send.c's and api_many.c's, who is sent away api_kick.c's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msg_server/door/api_priv.h"
#include "msg_server/push/api_credentials.h"
#include "shared/base/digest.h"
#include "shared/proc/log.h"

int
api_load_key(struct server *srv, char *why, size_t size)
{
	const char *path = srv->set.api_key;
	char key[sizeof srv->api_key + 1];
	ssize_t n;
	int fd;

	if (path[0] == '\0') {
		srv->api_key[0] = '\0';
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, key, sizeof key) : -1;
	if (fd >= 0)
		close(fd);
	while (n > 0 && (key[n - 1] == '\n' || key[n - 1] == '\r'))
		n--;
	if (n < 16 || n >= (ssize_t)sizeof srv->api_key) {
		snprintf(why, size,
		    "%s: the API key must be a file of 16 to 128 characters",
		    path);
		return ERR_CONF;
	}
	memcpy(srv->api_key, key, (size_t)n);
	srv->api_key[n] = '\0';
	explicit_bzero(key, sizeof key);
	return 0;
}

static bool
api_may(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    bool changes)
{
	struct str auth = http_field(rq, "authorization"), key;
	struct str want = str_of(srv->api_key);

	if (want.len == 0)
		return !changes && addr_is_loopback(httpd_peer(c)) &&
		       !str_is_set(http_field(rq, "x-forwarded-for")) &&
		       !str_is_set(http_field(rq, "forwarded"));
	if (!str_starts(auth, STR_LIT("Bearer ")))
		return false;
	key = str_trim(str_n(auth.p + 7, auth.len - 7));
	return key.len == want.len && digest_equal(key.p, want.p, key.len);
}

json_t *
api_body(struct httpd_conn *c, struct str body)
{
	json_t *obj;
	int err;

	obj = json_read(body, &err);
	if (json_is_object(obj))
		return obj;
	json_decref(obj);
	httpd_error(c, 400, "the body must be a JSON object");
	return NULL;
}

void
api_reply(struct httpd_conn *c, const struct buf *out)
{
	if (buf_ok(out))
		httpd_reply(
		    c, 200, "application/json", buf_str(out), API_HEADERS);
	else
		httpd_error(c, 503, "the answer is too long");
}

/* --- routes ------------------------------------------------------------- */

static const struct api_route {
	const char *path;
	void (*fn)(struct server *, struct httpd_conn *, struct str body);
} api_posts[] = {
    {"/v1/send", api_send},
    {"/v1/kick", api_kick},
};

static void
api_post(
    struct server *srv, struct httpd_conn *c, struct str path, struct str body)
{
	for (size_t i = 0; i < ARRAY_LEN(api_posts); i++)
		if (str_eqc(path, api_posts[i].path)) {
			api_posts[i].fn(srv, c, body);
			return;
		}
	httpd_error(c, 405, "not with this method");
}

bool
api_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	static const struct str prefix = {"/v1/", 4};
	bool get = rq->method == HTTP_GET_M || rq->method == HTTP_HEAD_M;

	if (!str_starts(rq->path, prefix))
		return false;
	if (!api_may(srv, c, rq, !get))
		httpd_error(c, srv->api_key[0] != '\0' ? 401 : 403,
		    "the API key is needed");
	else if (api_credentials(srv, c, rq, body))
		;
	else if (str_eqc(rq->path, "/v1/groups") ||
		 str_starts(rq->path, STR_LIT("/v1/groups/")))
		api_groups(srv, c, rq,
		    str_n(rq->path.p + prefix.len, rq->path.len - prefix.len),
		    body);
	else if (api_title(srv, c, rq, body))
		;
	else if (get)
		api_get(srv, c, rq,
		    str_n(rq->path.p + prefix.len, rq->path.len - prefix.len));
	else if (rq->method == HTTP_POST_M)
		api_post(srv, c, rq->path, body);
	else
		httpd_error(c, 405, "not with this method");
	return true;
}
