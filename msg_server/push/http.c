/* SPDX-License-Identifier: MIT */
/*
 * Pushes by HTTP; see http.h. The way of one: who asks (at once, or by the
 * credentials in the log), what he wants, the log, the page.
 */
#include "msg_server/push/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/door/api.h"
#include "msg_server/gate.h"
#include "msg_server/push/credentials.h"
#include "msg_server/push/send.h"
#include "msg_server/push/udp.h"
#include "shared/base/digest.h"
#include "shared/base/utf8.h"
#include "shared/proc/clock.h"
#include "shared/proto/push.h"

#define HTTP_TYPE    "text/html;charset=utf-8"
#define HTTP_T_NONE  "请求未授权,或已过期,请重新登陆 validateLogin"
#define HTTP_T_ENDED "授权失效或已过期,请重新登陆validateLogin"
#define HTTP_T_LATE  "消息已过期，请从新发送"
#define HTTP_T_BAD   "参数错误"
#define HTTP_T_BUSY  "服务器繁忙，请稍后再试"
#define HTTP_T_SENT  "send请求成功"

/* a request that waits for the log */
struct push_get {
	struct relay_get get;
	struct push_send send;
	struct server *srv;
	struct gate_ip *ip; /* counted in */
	uint64_t id;	    /* of the request */
	int64_t time;
	char uid[ID_MAX + 1], to_uid[ID_MAX + 1], source[ID_MAX + 1];
	char token[PUSH_TOKEN_MAX + 1];
	struct buf content, query; /* owned; query: as JSON */
};

/* --- answers ------------------------------------------------------------ */

static void
http_page(struct httpd_conn *c, int status, struct str json)
{
	struct buf out;

	buf_init(&out, json.len + 64);
	buf_puts(&out, "<h1>Hello sok</h1><div>");
	buf_putstr(&out, json);
	buf_puts(&out, "</div>");
	httpd_reply(c, status, HTTP_TYPE, buf_str(&out), API_HEADERS);
	buf_fini(&out);
}

static void
http_say(struct httpd_conn *c, int status, const char *text, int code)
{
	struct buf json;

	buf_init(&json, 512);
	buf_puts(&json, "{\"message\":");
	push_put_string(&json, str_of(text));
	buf_printf(&json, ",\"code\":%d,\"data\":null}", code);
	http_page(c, status, buf_str(&json));
	buf_fini(&json);
}

static void
push_get_free(struct push_get *g)
{
	gate_leave(g->srv->gate, g->ip);
	explicit_bzero(g->token, sizeof g->token);
	buf_fini(&g->content);
	buf_fini(&g->query);
	free(g);
}

static void
push_get_fail(struct push_get *g, int status, const char *text, int code)
{
	struct httpd_conn *c = httpd_find(&g->srv->httpd, g->id);

	if (c != NULL)
		http_say(c, status, text, code);
	push_get_free(g);
}

/* the object, with whatever value and end */
static void
http_put_object(const struct push_get *g, struct str value, struct buf *out)
{
	buf_puts(out, "{\"to_uid\":");
	push_put_string(out, str_of(g->to_uid));
	buf_puts(out, ",\"type\":\"chat\",\"uid\":");
	push_put_string(out, str_of(g->uid));
	buf_printf(out,
	    ",\"time\":%" PRId64 ",\"content\":{\"type\":\"chat\",\"value\":",
	    g->time);
	push_put_string(out, value);
	buf_putc(out, '}');
}

static void
http_on_sent(struct push_send *send, unsigned code, bool online)
{
	struct push_get *g = container_of(send, struct push_get, send);
	struct httpd_conn *c = httpd_find(&g->srv->httpd, g->id);
	struct buf json;

	if (code != 200) {
		push_get_fail(g, 503, HTTP_T_BUSY, 503);
		return;
	}
	if (c != NULL) {
		buf_init(&json, 16 * HTTP_HEAD_MAX);
		buf_puts(&json,
		    "{\"message\":\"" HTTP_T_SENT "\",\"code\":200,\"data\":");
		http_put_object(g, buf_str(&g->query), &json);
		buf_printf(&json, ",\"onLine\":%d}}", online);
		http_page(c, 200, buf_str(&json));
		buf_fini(&json);
	}
	push_get_free(g);
}

static void
http_send(struct push_get *g)
{
	struct push_message m = {
	    .from = str_of(g->uid), .to = str_of(g->to_uid), .json = true};
	struct buf body;

	buf_init(&body, 8 * PUSH_BODY_MAX);
	http_put_object(g, buf_str(&g->content), &body);
	buf_putc(&body, '}');
	m.body = buf_str(&body);
	g->send.done = http_on_sent;
	push_send(g->srv, &m, &g->send);
	buf_fini(&body);
}

/* --- who asks ----------------------------------------------------------- */

static void
http_on_got(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct push_get *g = container_of(get, struct push_get, get);
	const struct credential *one = NULL;
	struct credentials all;

	if (code != 200) {
		push_get_fail(g, 503, HTTP_T_BUSY, 503);
		return;
	}
	if (credentials_read(got->val, &all) == 0) {
		credentials_keep(&all, str_of(g->source));
		one = credentials_match(&all, str_of(g->uid), str_of(g->token));
	}
	if (one != NULL && credential_is_live(one, clock_wall_ms() / 1000)) {
		http_send(g);
		return;
	}
	(void)gate_token_failed(g->srv->gate, g->ip);
	push_get_fail(g, 441, HTTP_T_ENDED, 441);
}

/* a program of this machine, and nobody through a proxy of it */
static bool
http_may(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str secret)
{
	return !str_is_set(http_field(rq, "x-forwarded-for")) &&
	       !str_is_set(http_field(rq, "forwarded")) &&
	       udp_push_may(srv->udp_push, httpd_peer(c), secret);
}

/* a word of the query; false: it is there and is none */
static bool
http_word(struct str query, const char *key, char out[ID_MAX + 1])
{
	struct buf b;
	bool ok = true;

	buf_init(&b, 256);
	if (http_query(query, key, &b)) {
		ok = buf_ok(&b) && id_is_word(buf_str(&b));
		if (ok)
			str_copy(out, ID_MAX + 1, buf_str(&b));
	}
	buf_fini(&b);
	return ok;
}

static void
http_by_token(struct push_get *g, struct str text)
{
	struct chan_name chan;
	struct f_get get = {.key = STR_LIT(CREDENTIALS_KEY)};
	struct push_token t;
	struct buf b;
	bool ok;

	buf_init(&b, HTTP_LINE_MAX);
	ok = push_token_read(text, &b, &t) == 0 && id_is_word(t.source);
	if (ok) {
		str_copy(g->uid, sizeof g->uid, t.uid);
		str_copy(g->token, sizeof g->token, t.token);
		str_copy(g->source, sizeof g->source, t.source);
	}
	buf_fini(&b);
	if (!ok) {
		(void)gate_token_failed(g->srv->gate, g->ip);
		push_get_fail(g, 441, HTTP_T_ENDED, 441);
		return;
	}
	chan = chan_user(str_of(g->uid));
	get.chan = chan_str(&chan);
	g->get.done = http_on_got;
	if (relay_get(g->srv->relay, &get, &g->get) != 0)
		push_get_fail(g, 503, HTTP_T_BUSY, 503);
}

/* --- what is asked ------------------------------------------------------ */

/* the query as PHP has it in $_GET, in its order, and without its secrets */
static void
http_query_json(struct str query, struct buf *out)
{
	struct str part, key;
	struct buf name, value;
	bool comma = false;

	buf_init(&name, HTTP_LINE_MAX);
	buf_init(&value, HTTP_LINE_MAX);
	buf_putc(out, '{');
	while (str_next(&query, '&', &part)) {
		buf_reset(&name);
		buf_reset(&value);
		if (!str_next(&part, '=', &key) ||
		    http_unescape(key, &name) != 0 ||
		    !utf8_valid(buf_p(&name), buf_len(&name)) ||
		    str_eqc(buf_str(&name), "access_token") ||
		    str_eqc(buf_str(&name), "token") ||
		    str_eqc(buf_str(&name), "sk"))
			continue;
		buf_putc(&name, '\0');
		(void)http_query(
		    str_n(key.p, key.len + (part.p != NULL) + part.len),
		    (const char *)buf_p(&name), &value);
		if (!utf8_valid(buf_p(&value), buf_len(&value)))
			continue;
		if (comma)
			buf_putc(out, ',');
		comma = true;
		push_put_string(out, str_n(buf_p(&name), buf_len(&name) - 1));
		buf_putc(out, ':');
		push_put_string(out, buf_str(&value));
	}
	buf_putc(out, '}');
	buf_fini(&name);
	buf_fini(&value);
}

/* what is wrong with it, or NULL */
static const char *
http_read(struct push_get *g, struct str query)
{
	int64_t now = clock_wall_ms() / 1000;
	const char *why = NULL;
	uint64_t time;
	struct buf b;

	g->time = now;
	buf_init(&b, 64);
	if (http_query(query, "time", &b) && str_u64(buf_str(&b), &time) == 0 &&
	    time < (uint64_t)(now - PUSH_HTTP_LATE_S))
		why = HTTP_T_LATE;
	buf_fini(&b);
	if (!http_query(query, "content", &g->content) ||
	    !buf_ok(&g->content) || buf_len(&g->content) == 0 ||
	    !utf8_valid(buf_p(&g->content), buf_len(&g->content)) ||
	    !http_word(query, "to_uid", g->to_uid) || g->to_uid[0] == '\0' ||
	    !http_word(query, "uid", g->uid))
		why = HTTP_T_BAD;
	return why;
}

static void
http_chat_send(
    struct server *srv, struct httpd_conn *c, const struct http_request *rq)
{
	struct buf token, secret;
	struct gate_ip *ip;
	struct push_get *g;
	const char *why;
	int status = gate_enter(srv->gate, httpd_peer(c), rq, &ip);

	if (status != 0) {
		httpd_error(c, status, "too many requests");
		return;
	}
	g = xcalloc(1, sizeof *g);
	g->srv = srv;
	g->ip = ip;
	g->id = httpd_id(c);
	buf_init(&g->content, HTTP_LINE_MAX);
	buf_init(&g->query, 8 * HTTP_LINE_MAX);
	buf_init(&token, HTTP_LINE_MAX);
	buf_init(&secret, HTTP_LINE_MAX);
	why = http_read(g, rq->query);
	http_query_json(rq->query, &g->query);
	(void)http_query(rq->query, "sk", &secret);
	if (http_query(rq->query, "access_token", &token)) {
		if (why != NULL)
			push_get_fail(g, 400, why, 400);
		else
			http_by_token(g, buf_str(&token));
	} else if (!http_may(srv, c, rq, buf_str(&secret))) {
		push_get_fail(g, 441, HTTP_T_NONE, 441);
	} else if (why != NULL) {
		push_get_fail(g, 400, why, 400);
	} else {
		if (g->uid[0] == '\0')
			str_copy(g->uid, sizeof g->uid, str_of(PUSH_NOBODY));
		http_send(g);
	}
	buf_fini(&token);
	buf_fini(&secret);
}

/* --- doors -------------------------------------------------------------- */

bool
push_http_hello(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	char text[96];

	(void)srv;
	(void)rq;
	(void)body;
	snprintf(text, sizeof text,
	    "<h1>Hello Swoole. #%u</h1><div>websocket-HTTP请求</div>",
	    1000 + (unsigned)digest_jitter_below(9000));
	httpd_reply(c, 200, HTTP_TYPE, str_of(text), API_HEADERS);
	return true;
}

bool
push_http_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	(void)body;
	if (str_eqc(rq->path, "/favicon.ico"))
		httpd_reply(c, 200, HTTP_TYPE, STR_LIT(""), API_HEADERS);
	else if (rq->method == HTTP_GET_M && str_eqc(rq->path, "/chat/send"))
		http_chat_send(srv, c, rq);
	else
		http_page(c, 200, STR_LIT(""));
	return true;
}
