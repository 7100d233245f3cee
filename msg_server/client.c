/* SPDX-License-Identifier: MIT */
/*
 * One WebSocket client: conn + ws + session in one allocation. The path of a
 * message through this server (design.md section 5):
 *
 *   in   net/listener.c   accept                      a descriptor
 *        svc/httpd.c      head of the request         on_upgrade
 *        client.c         client_on_upgrade           Origin, limits, 101
 *        net/conn.c       one recv per turn           client_on_data
 *        proto/ws.c       ws_feed                     a whole, valid text
 *        client.c         client_text                 which dialect
 *        dialect/x.c      decode                      struct command
 *        command.c        command_run                 state? level?
 *        cmd/cmd_x.c      rights, rates, sizes        relay_append
 *   log  relay.c -> proxy_server -> SQLite -> relay.c
 *   out  channel.c        gap rule                    on_item
 *        turn.c, user.c   who gets it                 a room's turn buffer
 *        dialect/x.c      encode, once per view       one block for all
 *        client_out.c     session_send_block          a reference in the queue
 *        net/conn.c       one write per turn
 *
 * Nothing is written and nobody dies inside a handler: session_close() and
 * everything else that changes who is there is done by client_on_turn(), once
 * per loop turn, before the flush. It knows no rooms and no JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/client_priv.h"
#include "msg_server/door/front.h"
#include "msg_server/follow/delivered.h"
#include "msg_server/upload/upload.h"

static void
client_unlist(struct client *c)
{
	struct server *srv = client_srv(c);

	if (c->logged_in)
		return;
	if (c->asking) {
		DL_DELETE(srv->logging_in, client_busy(c));
	} else {
		DL_DELETE(srv->not_logged_in, client_busy(c));
		srv->n_not_logged_in--;
	}
}

struct session_busy *
session_busy(struct session *s)
{
	struct client *c = client_of(s);
	struct client_busy *b;

	if (s->busy == NULL) {
		b = slab_get(&client_srv(c)->slab, sizeof *b);
		b->client = c;
		ws_init(&b->ws,
		    c->logged_in ? CLIENT_MSG_AFTER : CLIENT_MSG_BEFORE);
		s->busy = &b->session;
	}
	return s->busy;
}

static void
client_busy_free(struct client *c)
{
	struct client_busy *b = client_busy_of(c);

	if (b == NULL)
		return;
	ws_fini(&b->ws);
	c->session.busy = NULL;
	slab_put(&client_srv(c)->slab, b, sizeof *b);
}

void
client_rest(struct client *c)
{
	const struct settings *set = &client_srv(c)->set;
	const struct client_busy *b = client_busy_of(c);

	if (b == NULL || !c->logged_in || c->closing || c->due || c->held ||
	    b->ws.rx != NULL || b->ws.dead || b->session.follows != NULL ||
	    !bucket_is_empty(&b->frames, (uint32_t)set->frame_rate) ||
	    !bucket_is_empty(&b->session.send, (uint32_t)set->send_rate))
		return;
	if (b->strikes > 0 && client_now() - b->strike_s <= CLIENT_STRIKES_S)
		return;
	if (b->session.v1_last_s > 0 &&
	    client_now() + 1 - b->session.v1_last_s <
		(uint32_t)set->v1_interval)
		return;
	client_busy_free(c);
}

void
client_detach(struct client *c)
{
	struct server *srv = client_srv(c);

	if (c->detached)
		return;
	c->detached = 1;
	wheel_cancel(&c->timer);
	table_del(&srv->sessions, &c->session.by_cn, session_key);
	if (srv->on_gone != NULL)
		srv->on_gone(srv, &c->session);
	room_detach(srv, &c->session,
	    c->bye || dialect_has(c->session.dialect, DIALECT_NO_GRACE));
	client_unlist(c);
	srv->n_clients--;
	srv->n_anew -= c->session.logging_in & c->session.anew;
	srv->n_dying++;
	srv->stats[S_CONNECTIONS] = srv->n_clients;
	if (c->logged_in && dialect_has(c->session.dialect, DIALECT_FORMS))
		uploads_out(srv, c->session.cn);
	gate_leave(srv->gate, c->ip);
	client_hold_free(c);
	session_drop_strings(&c->session);
}

/*
 * Who has asked to be let in waits for us, not we for him: in a storm of
 * logins he is not among those who make room for others.
 */
void
client_asks(struct client *c, bool asks)
{
	struct server *srv = client_srv(c);

	if (c->logged_in || c->detached || c->asking == asks)
		return;
	client_unlist(c);
	c->asking = asks;
	if (asks) {
		DL_APPEND(srv->logging_in, client_busy(c));
	} else {
		DL_APPEND(srv->not_logged_in, client_busy(c));
		srv->n_not_logged_in++;
	}
}

void
client_logged_in(struct session *s)
{
	struct client *c = client_of(s);
	struct client_hold *h = client_hold_of(c);
	struct client_busy *b;

	if (h != NULL)
		h->holds_out = false;
	if (c->logged_in || c->detached)
		return;
	client_unlist(c);
	c->asking = 0;
	c->logged_in = 1;
	c->heard_s = client_now();
	if (dialect_has(s->dialect, DIALECT_FORMS))
		uploads_in(client_srv(c), s->cn, c->ip);
	b = client_busy(c);
	b->ws.msg_max = CLIENT_MSG_AFTER;
	/* coming in, which is once, counts as no flood: it may be silent now */
	b->frames = (struct bucket){0};
	conn_settle(&c->conn);
	client_arm(c);
}

void
client_token_failed(struct session *s)
{
	struct client *c = client_of(s);

	if (gate_token_failed(client_srv(c)->gate, c->ip))
		session_close(s, 4001, "too many bad tokens", 0);
}

/* --- the way in --------------------------------------------------------- */

static void
client_on_command(void *arg, const struct command *cmd)
{
	struct client *c = arg;

	if (!c->closing)
		command_run(client_srv(c), &c->session, cmd);
}

/* what the dialect answers by itself */
static void
client_say(struct client *c, struct buf *text)
{
	struct blob *frame;

	if (buf_len(text) > 0 && buf_ok(text)) {
		client_srv(c)->stats[S_ERRORS]++;
		frame = ws_text(buf_p(text), buf_len(text));
		session_send(&c->session, frame);
		blob_unref(frame);
	}
	buf_fini(text);
}

void
client_text(struct client *c, struct str text)
{
	struct session *s = &c->session;
	uint64_t *stats = client_srv(c)->stats, n = stats[S_COMMANDS];
	struct buf err;

	if (s->dialect == NULL)
		s->dialect = dialect_guess(client_busy(c)->speaks, text);
	buf_init(&err, CLIENT_MSG_AFTER);
	s->dialect->decode(&s->ctx, text, client_on_command, c, &err);
	if (stats[S_COMMANDS] == n && buf_len(&err) == 0)
		stats[S_DROPPED_IN]++;
	client_say(c, &err);
}

/* a dialect may know its own by the handshake */
static void
client_open(struct client *c, struct str path, struct str query)
{
	struct session *s = &c->session;
	struct buf err;

	s->dialect = dialect_at_open(client_busy(c)->speaks, path, query);
	if (s->dialect == NULL || s->dialect->open == NULL)
		return;
	buf_init(&err, CLIENT_MSG_AFTER);
	s->dialect->open(&s->ctx, path, query, client_on_command, c, &err);
	client_say(c, &err);
}

static bool
client_on_text(void *arg, struct str text)
{
	struct client *c = arg;

	if (c->closing)
		return false;
	/* during a login, and behind what came then, in its turn */
	if (c->session.logging_in || c->held)
		return client_hold_text(c, text);
	client_text(c, text);
	return !c->closing;
}

static bool
client_on_ping(void *arg, struct blob *pong)
{
	struct client *c = arg;

	if (!c->closing)
		conn_send(&c->conn, pong);
	return !c->closing;
}

static bool
client_on_pong(void *arg)
{
	struct client *c = arg;

	return !c->closing;
}

static void
client_on_close(void *arg, unsigned code, bool violation, struct blob *answer)
{
	struct client *c = arg;

	(void)code;
	if (c->closing)
		return;
	if (violation)
		client_srv(c)->stats[S_VIOLATIONS]++;
	delivered_leave(client_srv(c), &c->session);
	conn_send(&c->conn, answer);
	client_end(c);
	conn_finish(&c->conn);
}

static const struct ws_ops client_ws_ops = {
    .on_text = client_on_text,
    .on_ping = client_on_ping,
    .on_pong = client_on_pong,
    .on_close = client_on_close,
};

void
client_read_again(struct client *c)
{
	if (!c->flooded && !c->stopped && !c->closing)
		conn_resume(&c->conn);
}

static void
client_count_frames(struct client *c, unsigned n)
{
	const struct settings *set = &client_srv(c)->set;
	struct client_busy *b = client_busy(c);
	uint32_t now = client_now();

	client_srv(c)->stats[S_FRAMES_IN] += n;
	while (n > 0 && bucket_take(&b->frames, (uint32_t)set->frame_rate,
			    (uint32_t)set->frame_burst, NULL))
		n--;
	if (n == 0)
		return;
	if (b->strikes == 0 || now - b->strike_s > CLIENT_STRIKES_S) {
		b->strikes = 0;
		b->strike_s = now;
	}
	if (++b->strikes >= CLIENT_STRIKES) {
		session_close(&c->session, 4102, "flood", 10000);
		return;
	}
	c->flooded = 1;
	conn_pause(&c->conn);
	client_arm(c);
}

static void
client_on_data(struct conn *conn, const uint8_t *p, size_t n)
{
	struct client *c = container_of(conn, struct client, conn);
	struct client_busy *b;
	unsigned frames = 0;

	if (c->closing)
		return;
	b = client_busy(c);
	if (b->ws.dead)
		return;
	if (c->logged_in)
		c->heard_s = client_now();
	c->pinged = 0;
	ws_feed(&b->ws, p, n, &client_ws_ops, c, &frames);
	if (c->closing)
		return;
	if (frames > 0)
		client_count_frames(c, frames);
	if (!c->closing && session_queued(&c->session) > CLIENT_QUEUE_STOP) {
		/* it asks faster than it reads */
		c->stopped = 1;
		conn_pause(&c->conn);
		client_set_due(c);
		c->drain = 1;
	}
}

static void
client_on_end(struct conn *conn, int err)
{
	struct client *c = container_of(conn, struct client, conn);

	if (!c->closing && err == 0)
		delivered_leave(client_srv(c), &c->session);
	if (err != 0) {
		/* client_on_dead() comes in a turn that has time for it */
		c->closing = 1;
		conn_close(conn);
		return;
	}
	if (!c->closing)
		client_end(c);
	conn_finish(conn);
}

void
client_drained(struct client *c)
{
	if (c->closing)
		return;
	c->stopped = 0;
	c->drain = 0;
	client_read_again(c);
	room_on_drain(client_srv(c), &c->session);
}

static void
client_on_drain(struct conn *conn)
{
	client_drained(container_of(conn, struct client, conn));
}

void
client_over(struct client *c)
{
	client_detach(c);
	client_unset_due(c);
	client_busy_free(c);
	client_srv(c)->n_dying--;
}

static void
client_on_dead(struct conn *conn)
{
	struct client *c = container_of(conn, struct client, conn);

	client_over(c);
	slab_put(&client_srv(c)->slab, c, sizeof *c);
}

void
client_hear(struct client *c, struct str text)
{
	if (c->closing)
		return;
	if (c->logged_in)
		c->heard_s = client_now();
	client_on_text(c, text);
	if (!c->closing)
		client_count_frames(c, 1);
}

static const struct conn_ops client_conn_ops = {
    .on_data = client_on_data,
    .on_end = client_on_end,
    .on_drain = client_on_drain,
    .on_dead = client_on_dead,
};

/* --- coming ------------------------------------------------------------- */

static bool
client_refuse(struct server *srv, struct httpd_conn *hc, int status,
    const char *why, const char *extra)
{
	struct buf b;

	srv->stats[S_REFUSED]++;
	buf_init(&b, 256);
	buf_printf(
	    &b, "{\"error\":{\"code\":%d,\"msg\":\"%s\"}}\n", status, why);
	httpd_reply(hc, status, "application/json", buf_str(&b), extra);
	buf_fini(&b);
	return true;
}

static uint32_t
client_new_max(const struct server *srv)
{
	uint32_t most = srv->max_clients / 10;

	return most < CLIENT_NEW_MIN ? CLIENT_NEW_MIN : most;
}

/*
 * Nearly as many on their way in as may be: whoever is taken now would make
 * one go who is nearly done, and who only comes again. So they wait with the
 * kernel, and few are taken in a turn.
 */
void
client_pace(struct server *srv)
{
	uint32_t most = client_new_max(srv);
	uint32_t coming = srv->n_not_logged_in + srv->httpd.conns;
	unsigned budget =
	    coming > most - most / 4 ? CLIENT_ACCEPTS_CROWDED : CLIENT_ACCEPTS;

	fronts_set_budget(srv, budget);
}

static void
client_enlist(struct server *srv, struct client *c)
{
	uint32_t most = client_new_max(srv);

	DL_APPEND(srv->not_logged_in, client_busy(c));
	srv->n_not_logged_in++;
	srv->n_clients++;
	srv->stats[S_CONNECTIONS] = srv->n_clients;
	srv->stats[S_ACCEPTED]++;
	client_draw_silence(c);
	client_arm(c);
	/* who is slowest to log in makes room for who comes */
	if (srv->n_not_logged_in > most)
		session_close(&srv->not_logged_in->client->session, 4100,
		    "over capacity", 1000);
}

int
client_admit(struct server *srv, const struct httpd_conn *hc,
    const struct http_request *rq, struct gate_ip **ip, const char **why)
{
	struct addr peer = *httpd_peer(hc);
	int status = 503;

	if (srv->draining || srv->node_no == 0)
		*why = srv->draining ? "draining" : "not joined";
	else if (!gate_origin_is_ok(srv->gate, rq))
		status = 403, *why = "origin not allowed";
	else if (srv->n_clients >= srv->max_clients)
		*why = "full";
	else if ((status = gate_enter(srv->gate, &peer, rq, ip)) != 0)
		*why = "too many connections";
	return status;
}

void
client_begin(struct server *srv, struct client *c, struct gate_ip *ip,
    const struct dialect_set *speaks)
{
	c->ip = ip;
	c->heard_s = client_now();
	c->timer.own = (uint32_t)(clock_wall_ms() / 1000); /* connections.c */
	c->session.cn = (uint64_t)srv->node_no << 32 | srv->next_session++;
	table_add(&srv->sessions, &c->session.by_cn, session_key);
	client_busy(c)->speaks = speaks;
	client_enlist(srv, c);
}

bool
client_on_upgrade(struct httpd *h, struct httpd_conn *hc,
    const struct http_request *rq, struct str rest)
{
	struct server *srv = h->arg;
	struct gate_ip *ip;
	struct client *c;
	struct buf out;
	const char *why = NULL;
	int status;

	if (!http_has_token(http_field(rq, "upgrade"), "websocket"))
		return false;
	if (!front_has_path(srv, hc, rq->path))
		return client_refuse(srv, hc, 404, "no WebSocket here", "");
	buf_init(&out, HTTP_HEAD_MAX);
	status = ws_upgrade(rq, &out, &why);
	if (status != 0) {
		buf_fini(&out);
		return client_refuse(srv, hc, status,
		    why != NULL ? why : "bad upgrade",
		    status == 426 ? "Sec-WebSocket-Version: 13\r\n" : "");
	}
	status = client_admit(srv, hc, rq, &ip, &why);
	if (status != 0) {
		buf_fini(&out);
		return client_refuse(srv, hc, status, why,
		    status == 403 ? "" : "Retry-After: 1\r\n");
	}
	c = slab_get(&srv->slab, sizeof *c);
	httpd_take(hc, &c->conn, &client_conn_ops);
	conn_send_bytes(&c->conn, buf_p(&out), buf_len(&out));
	buf_fini(&out);
	client_begin(srv, c, ip, front_speaks(srv, hc));
	client_open(c, rq->path, rq->query);
	if (c->closing)
		return true;
	if (rest.len > 0)
		client_on_data(&c->conn, (const uint8_t *)rest.p, rest.len);
	return true;
}
