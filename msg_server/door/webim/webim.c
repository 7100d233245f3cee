/* SPDX-License-Identifier: MIT */
/*
 * What PHPWebIM's page and its browsers without a WebSocket ask by HTTP. The
 * pages themselves are files, which others give.
 */
#include "msg_server/door/webim/webim.h"
#include "msg_server/door/static.h"
#include "msg_server/door/webim/comet.h"
#include "msg_server/server.h"
#include "msg_server/upload/upload.h"
#include "shared/proc/clock.h"

enum { WEBIM_HOST_MAX = 255 };

/* as in a URL, and nothing that ends a text of JavaScript */
static bool
webim_host_is_ok(struct str host)
{
	size_t i;
	char c;

	for (i = 0; i < host.len; i++) {
		c = host.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && strchr(".:-_[]", c) == NULL)
			return false;
	}
	return host.len > 0 && host.len <= WEBIM_HOST_MAX;
}

static bool
webim_config(
    struct server *srv, struct httpd_conn *c, const struct http_request *rq)
{
	struct str host = http_field(rq, "host");
	bool tls = str_ieq(
	    str_trim(http_field(rq, "x-forwarded-proto")), STR_LIT("https"));
	struct buf out;

	if (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M)
		return false;
	if (statics_has(srv->statics, rq->path) || !webim_host_is_ok(host))
		return false;
	buf_init(&out, 1024);
	buf_puts(&out, "var webim = {'server':'");
	buf_puts(&out, tls ? "wss://" : "ws://");
	buf_putstr(&out, host);
	buf_puts(&out, "'}\n");
	httpd_reply(c, 200, "text/javascript; charset=utf-8", buf_str(&out),
	    "Cache-Control: no-store\r\n");
	buf_fini(&out);
	return true;
}

static bool
webim_is_chatroom(const struct http_request *rq)
{
	return (rq->method == HTTP_GET_M || rq->method == HTTP_HEAD_M) &&
	       (str_eqc(rq->path, "/") || str_eqc(rq->path, "/chatroom") ||
		   str_eqc(rq->path, "/page/chatroom/"));
}

/*
 * The page of 2017 and 2019, which PHP filled in: chatroom.html is it as it
 * came out. False: there is none.
 */
static bool
webim_chatroom(
    struct server *srv, struct httpd_conn *c, const struct http_request *rq)
{
	static const struct str file = {"/chatroom.html", 14};
	struct http_request page = *rq;

	/* somebody may have made it just now */
	if (statics_changed(srv->statics, file, clock_mono_ms()))
		server_reload(srv);
	if (!statics_has(srv->statics, file))
		return false;
	if (!str_eqc(rq->path, "/")) {
		page.path = file;
		statics_reply(srv->statics, c, &page, STR_NONE);
		return true;
	}
	if (statics_has(srv->statics, rq->path))
		return false;
	httpd_reply(c, 302, "text/plain; charset=utf-8", STR_LIT(""),
	    "Location: /chatroom\r\nCache-Control: no-store\r\n");
	return true;
}

static bool
webim_is_form(const struct http_request *rq)
{
	struct str type = http_field(rq, "content-type"), word;

	return rq->method == HTTP_POST_M && str_next(&type, ';', &word) &&
	       str_ieq(str_trim(word),
		   STR_LIT("application/x-www-form-urlencoded")) &&
	       !str_starts(rq->path, STR_LIT("/v1/"));
}

static bool
webim_on_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	if (str_eqc(rq->path, "/config.js"))
		return webim_config(srv, c, rq);
	if (webim_is_chatroom(rq) && webim_chatroom(srv, c, rq))
		return true;
	if (str_starts(rq->path, STR_LIT("/websocket/")))
		return comet_request_2019(srv, c, rq, body);
	if (!webim_is_form(rq))
		return false;
	comet_request(srv, c, rq, body);
	return true;
}

/* where the pages of 2019, of 2016 and of 2017 bring their pictures */
static bool
webim_on_head(
    struct server *srv, struct httpd_conn *c, const struct http_request *rq)
{
	if (rq->method != HTTP_POST_M)
		return false;
	if (str_eqc(rq->path, "/upload"))
		uploads_form(srv, c, rq, STR_LIT("photo"), false);
	else if (str_eqc(rq->path, "/apps/upload.php") ||
		 str_eqc(rq->path, "/page/upload/"))
		uploads_form(srv, c, rq, STR_LIT("Filedata"), true);
	else
		return false;
	return true;
}

#define WEBIM_DOOR(word)                                      \
	{                                                     \
		.name = word, .on_request = webim_on_request, \
		.on_head = webim_on_head                      \
	}

const struct door door_webim = WEBIM_DOOR("webim");
const struct door door_webim_2014 = WEBIM_DOOR("webim2014");
const struct door door_webim_2019 = WEBIM_DOOR("webim2019");
