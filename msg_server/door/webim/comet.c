/* SPDX-License-Identifier: MIT */
/*
 * Sessions that poll. What a handler queues becomes an answer in the flush of
 * the same turn (comet_on_flush) when a poll waits, else when one comes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/client_priv.h"
#include "msg_server/dialect/php_text.h"
#include "msg_server/door/front.h"
#include "msg_server/door/webim/comet.h"
#include "shared/base/digest.h"
#include "shared/base/utf8.h"

enum {
	COMET_TICK_MS = 1000,
	COMET_ORIGIN_MAX = 256,
	COMET_HEADERS_MAX = 1024,
	COMET_ANSWER_MAX = 8 * CLIENT_QUEUE_MAX
};

struct comet {
	struct client client;
	struct table_link by_id;
	struct comets *home;
	struct comet *prev, *next;
	uint64_t poll;	  /* the request that waits for a text; 0: none */
	int64_t until_ms; /* so long */
	int64_t seen_ms;  /* when the last one was answered */
	bool is_2019;
	char origin[COMET_ORIGIN_MAX]; /* of the poll; "": none */
	char id[COMET_ID_LEN + 1];
};

struct comets {
	struct server *srv;
	struct table by_id;
	struct comet *list;
	struct timer tick;
};

static struct str
comet_key(const struct table_link *e)
{
	return str_of(container_of(e, const struct comet, by_id)->id);
}

unsigned
comet_count(const struct server *srv)
{
	return srv->comets != NULL ? srv->comets->by_id.n : 0;
}

/* --- answers ------------------------------------------------------------- */

static void
comet_reply(struct httpd_conn *c, int status, struct str body,
    const char *origin, const char *more)
{
	struct buf extra;

	buf_init(&extra, COMET_HEADERS_MAX);
	buf_puts(&extra, "Cache-Control: no-store\r\n"
			 "Content-Security-Policy: default-src 'none'\r\n");
	/* checked to be one of ours, or the site's */
	if (origin[0] != '\0')
		buf_printf(&extra,
		    "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n",
		    origin);
	buf_puts(&extra, more);
	buf_putc(&extra, '\0');
	httpd_reply(c, status, "text/html; charset=utf-8", body,
	    buf_ok(&extra) ? (const char *)buf_p(&extra) : "");
	buf_fini(&extra);
}

static void
comet_deny(struct httpd_conn *c, const char *origin)
{
	comet_reply(c, 403, STR_LIT("<h1>Access Deny.</h1>"), origin, "");
}

static void
comet_ok(struct httpd_conn *c, bool is_2019, const char *origin)
{
	comet_reply(c, 200,
	    is_2019 ? STR_LIT("{\"success\":true}")
		    : STR_LIT("{\"success\":1}"),
	    origin, "");
}

/* the poll that waits; none waits from now on */
static struct httpd_conn *
comet_poll_end(struct comet *cm)
{
	uint64_t id = cm->poll;

	cm->poll = 0;
	cm->seen_ms = clock_mono_ms();
	return id != 0 ? httpd_find(&cm->home->srv->httpd, id) : NULL;
}

/* there was nothing */
static void
comet_poll_vain(struct comet *cm)
{
	struct httpd_conn *c = comet_poll_end(cm);

	if (c == NULL)
		return;
	comet_reply(c, 200,
	    cm->is_2019 ? STR_LIT("{\"success\":false}")
			: STR_LIT("{\"success\":0,\"text\":\"timeout\"}"),
	    cm->origin, "");
}

/* whose browser has gone meanwhile does not poll; what waits, waits on */
static bool
comet_is_polling(struct comet *cm)
{
	struct httpd_conn *c;

	if (cm->poll == 0)
		return false;
	c = httpd_find(&cm->home->srv->httpd, cm->poll);
	if (c != NULL && !httpd_is_left(c))
		return true;
	comet_poll_vain(cm);
	return false;
}

static void
comet_answer(struct comet *cm, struct httpd_conn *c, struct str text)
{
	struct buf out;

	buf_init(&out, COMET_ANSWER_MAX);
	buf_puts(&out, cm->is_2019 ? "{\"success\":true,\"data\":"
				   : "{\"success\":1,\"data\":");
	php_text_json(&out, text);
	buf_putc(&out, '}');
	comet_reply(c, 200, buf_str(&out), cm->origin, "");
	buf_fini(&out);
}

/* --- out of the queue ---------------------------------------------------- */

/* the frame in front: its head and its text; 0: not whole, which cannot be */
static size_t
comet_frame(struct str s, struct str *text)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t head = 2, n, i, len;

	if (s.len < head)
		return 0;
	len = p[1];
	if (len >= 126) {
		n = len == 126 ? 2 : 8;
		if (s.len < head + n)
			return 0;
		for (i = len = 0; i < n; i++)
			len = len << 8 | p[head + i];
		head += n;
	}
	if (len > s.len - head)
		return 0;
	*text = str_n(s.p + head, len);
	return head + len;
}

/* it is there as long as it polls, or may poll again */
static void
comet_pong(struct comet *cm)
{
	cm->client.pinged = 0;
	cm->client.heard_s = client_now();
}

/* the first text of the queue, and how many bytes that takes of it */
static size_t
comet_first(struct comet *cm, struct str *text)
{
	struct conn *conn = &cm->client.conn;
	struct str s;
	size_t n;

	while (str_is_set(s = conn_peek(conn))) {
		n = comet_frame(s, text);
		if (n == 0) {
			conn_take(conn, s.len);
			continue;
		}
		if ((s.p[0] & 0xf) == 1)
			return n;
		if ((s.p[0] & 0xf) == 9)
			comet_pong(cm);
		conn_take(conn, n);
	}
	return 0;
}

static void
comet_give(struct comet *cm)
{
	struct str text;
	size_t n;

	n = comet_first(cm, &text);
	if (n == 0 || !comet_is_polling(cm))
		return;
	comet_answer(cm, comet_poll_end(cm), text);
	conn_take(&cm->client.conn, n);
	comet_first(cm, &text);
}

static void
comet_on_flush(struct conn *conn)
{
	struct client *c = container_of(conn, struct client, conn);

	comet_give(container_of(c, struct comet, client));
}

static void
comet_on_drain(struct conn *conn)
{
	client_drained(container_of(conn, struct client, conn));
}

/* --- coming and going ---------------------------------------------------- */

static void
comet_on_dead(struct conn *conn)
{
	struct client *client = container_of(conn, struct client, conn);
	struct comet *cm = container_of(client, struct comet, client);
	struct comets *cs = cm->home;
	struct httpd_conn *c = comet_poll_end(cm);

	if (c != NULL)
		comet_deny(c, cm->origin);
	client_over(client);
	table_del(&cs->by_id, &cm->by_id, comet_key);
	cs->srv->stats[S_COMETS] = cs->by_id.n;
	DL_DELETE(cs->list, cm);
	free(cm);
}

static const struct conn_ops comet_conn_ops = {
    .on_flush = comet_on_flush,
    .on_drain = comet_on_drain,
    .on_dead = comet_on_dead,
};

static void
comet_on_tick(void *arg)
{
	struct comets *cs = arg;
	int64_t now = clock_mono_ms();
	int64_t keep_ms = cs->srv->set.comet_keep * 1000;
	struct comet *cm, *next;

	DL_FOREACH_SAFE (cs->list, cm, next) {
		if (comet_is_polling(cm)) {
			if (now >= cm->until_ms)
				comet_poll_vain(cm);
		} else if (now - cm->seen_ms >= keep_ms)
			session_close(&cm->client.session, 4201, "no poll", 0);
	}
	if (cs->list == NULL)
		timer_stop(&cs->tick);
}

static struct comets *
comets_get(struct server *srv)
{
	struct comets *cs = srv->comets;

	if (cs == NULL) {
		cs = srv->comets = xcalloc(1, sizeof *cs);
		cs->srv = srv;
		timer_init(&cs->tick, srv->net, comet_on_tick, cs);
	}
	return cs;
}

static const struct dialect *
comet_dialect(const struct dialect_set *speaks, bool is_2019)
{
	/* a listener of the door has one of the three in front */
	if (is_2019 || speaks->n == 0)
		return is_2019 ? &dialect_webim_2019 : &dialect_webim;
	return speaks->list[0];
}

/* NULL: refused and answered */
static struct comet *
comet_new(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, bool is_2019, const char *origin)
{
	struct comets *cs = comets_get(srv);
	const char *why = NULL;
	struct gate_ip *ip;
	uint8_t id[COMET_ID_LEN / 2];
	struct comet *cm;
	int status;

	if (cs->by_id.n >= (uint64_t)srv->set.comet_max)
		status = 503;
	else
		status = client_admit(srv, c, rq, &ip, &why);
	if (status != 0) {
		srv->stats[S_REFUSED]++;
		comet_reply(c, status, STR_LIT("<h1>Access Deny.</h1>"), origin,
		    status == 403 ? "" : "Retry-After: 1\r\n");
		return NULL;
	}
	cm = xcalloc(1, sizeof *cm);
	cm->home = cs;
	cm->is_2019 = is_2019;
	cm->seen_ms = clock_mono_ms();
	digest_random(id, sizeof id);
	digest_hex(id, sizeof id, cm->id);
	conn_open_queue(&cm->client.conn, srv->net, &comet_conn_ops);
	table_add(&cs->by_id, &cm->by_id, comet_key);
	srv->stats[S_COMETS] = cs->by_id.n;
	DL_APPEND(cs->list, cm);
	client_begin(srv, &cm->client, ip, front_speaks(srv, c));
	cm->client.session.dialect =
	    comet_dialect(front_speaks(srv, c), is_2019);
	if (!timer_is_set(&cs->tick))
		timer_set(&cs->tick, COMET_TICK_MS, COMET_TICK_MS);
	return cm;
}

static struct comet *
comet_find(struct server *srv, struct str id)
{
	struct table_link *e = NULL;
	struct comet *cm;

	if (srv->comets != NULL && id.len == COMET_ID_LEN)
		e = table_find(&srv->comets->by_id, id, comet_key);
	cm = e != NULL ? container_of(e, struct comet, by_id) : NULL;
	return cm != NULL && !cm->client.closing ? cm : NULL;
}

/* --- requests ------------------------------------------------------------ */

static void
comet_connect(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, const char *origin)
{
	struct comet *cm = comet_new(srv, c, rq, false, origin);
	struct buf body;

	if (cm == NULL)
		return;
	buf_init(&body, 128);
	buf_printf(&body, "{\"success\":1,\"session_id\":\"%s\"}", cm->id);
	comet_reply(c, 200, buf_str(&body), origin, "");
	buf_fini(&body);
}

static void
comet_connect_2019(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, const char *origin)
{
	struct comet *cm = comet_new(srv, c, rq, true, origin);
	char cookie[128];

	if (cm == NULL)
		return;
	snprintf(cookie, sizeof cookie,
	    "Set-Cookie: session_key=%s; Path=/websocket; HttpOnly; "
	    "SameSite=Strict\r\n",
	    cm->id);
	comet_reply(c, 200, STR_LIT("{\"success\":true}"), origin, cookie);
}

/* answered first, then heard: as it was */
static void
comet_pub(struct comet *cm, struct httpd_conn *c, struct str message,
    const char *origin)
{
	size_t most =
	    cm->client.logged_in ? CLIENT_MSG_AFTER : CLIENT_MSG_BEFORE;

	if (message.len == 0 || message.len > most ||
	    !utf8_valid(message.p, message.len)) {
		comet_reply(c, message.len > most ? 413 : 400,
		    STR_LIT("<h1>Bad Message.</h1>"), origin, "");
		return;
	}
	comet_ok(c, cm->is_2019, origin);
	client_hear(&cm->client, message);
}

static void
comet_sub(
    struct comet *cm, struct httpd_conn *c, int64_t wait_s, const char *origin)
{
	int64_t most = cm->home->srv->set.comet_poll;

	comet_poll_vain(cm);
	cm->poll = httpd_id(c);
	cm->until_ms = clock_mono_ms() + (wait_s < most ? wait_s : most) * 1000;
	str_copy(cm->origin, sizeof cm->origin, str_of(origin));
	comet_give(cm);
}

/* false: refused and answered; "" in origin: none was named */
static bool
comet_origin(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, char origin[COMET_ORIGIN_MAX])
{
	struct str field = http_field(rq, "origin");

	origin[0] = '\0';
	if (gate_origin_is_ok(srv->gate, rq) && field.len < COMET_ORIGIN_MAX) {
		if (str_is_set(field))
			str_copy(origin, COMET_ORIGIN_MAX, field);
		return true;
	}
	comet_deny(c, "");
	return false;
}

void
comet_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	char origin[COMET_ORIGIN_MAX];
	struct buf type, id, message;
	struct comet *cm;

	if (!comet_origin(srv, c, rq, origin))
		return;
	buf_init(&type, 16);
	buf_init(&id, COMET_ID_LEN);
	buf_init(&message, HTTP_BODY_MAX);
	http_query(body, "type", &type);
	http_query(body, "session_id", &id);
	cm = comet_find(srv, buf_str(&id));
	if (cm == NULL) {
		if (buf_len(&id) == 0 && str_eqc(buf_str(&type), "connect"))
			comet_connect(srv, c, rq, origin);
		else
			comet_deny(c, origin);
	} else if (str_eqc(buf_str(&type), "pub")) {
		http_query(body, "message", &message);
		comet_pub(cm, c, buf_str(&message), origin);
	} else if (str_eqc(buf_str(&type), "sub")) {
		comet_sub(cm, c, srv->set.comet_poll, origin);
	} else {
		comet_reply(
		    c, 404, STR_LIT("<h1>Channel Not Found</h1>"), origin, "");
	}
	buf_fini(&type);
	buf_fini(&id);
	buf_fini(&message);
}

/* --- of 2019 ------------------------------------------------------------- */

struct str
comet_cookie(struct str field, const char *name)
{
	struct str one, key;

	while (str_next(&field, ';', &one)) {
		one = str_trim(one);
		if (str_next(&one, '=', &key) && str_eqc(key, name))
			return one;
	}
	return STR_NONE;
}

static int64_t
comet_time(struct server *srv, struct str query)
{
	struct buf b;
	uint64_t s = 0;

	buf_init(&b, 16);
	if (!http_query(query, "time", &b) || str_u64(buf_str(&b), &s) != 0 ||
	    s == 0 || s > (uint64_t)srv->set.comet_poll)
		s = (uint64_t)srv->set.comet_poll;
	buf_fini(&b);
	return (int64_t)s;
}

bool
comet_request_2019(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	char origin[COMET_ORIGIN_MAX];
	struct comet *cm;
	struct buf message;
	bool connect = str_eqc(rq->path, "/websocket/connect");
	bool pub = str_eqc(rq->path, "/websocket/pub");

	if (!connect && !pub && !str_eqc(rq->path, "/websocket/sub"))
		return false;
	if (!comet_origin(srv, c, rq, origin))
		return true;
	cm = comet_find(
	    srv, comet_cookie(http_field(rq, "cookie"), "session_key"));
	if (connect) {
		comet_connect_2019(srv, c, rq, origin);
	} else if (cm == NULL || !cm->is_2019) {
		comet_deny(c, origin);
	} else if (pub) {
		buf_init(&message, HTTP_BODY_MAX);
		http_query(body, "message", &message);
		comet_pub(cm, c, buf_str(&message), origin);
		buf_fini(&message);
	} else {
		comet_sub(cm, c, comet_time(srv, rq->query), origin);
	}
	return true;
}
