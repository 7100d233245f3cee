/* SPDX-License-Identifier: MIT */
/*
 * What the tests of clients share: a server with real httpd, gate, ws and
 * conn on a real loop, peers at the other end of a socket pair, and fakes for
 * what lies behind: commands are recorded, rooms and relay do nothing.
 */
#ifndef TESTS_UNIT_MSG_SERVER_CLIENT_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_CLIENT_FIXTURE_H

#include "msg_server/client_priv.h"
#include "msg_server/door/door.h"
#include "shared/proto/json.h"
#include "tests/unit/shared/net/fixture.h"

static struct fx fx;
static struct server srv;
static struct {
	unsigned commands, detached, byes, drains;
	char last[256]; /* msg of the last command, or its cmd */
	struct session *s;
	void (*then)(struct session *s, const struct command *cmd);
} seen;

/* --- fakes ---------------------------------------------------------------- */

void
command_run(struct server *server, struct session *s, const struct command *c)
{
	assert_ptr_equal(server, &srv);
	seen.commands++;
	seen.s = s;
	str_copy(seen.last, sizeof seen.last,
	    str_is_set(c->msg) ? c->msg : STR_LIT("?"));
	if (seen.then != NULL)
		seen.then(s, c);
}

void
room_detach(struct server *server, struct session *s, bool bye)
{
	assert_ptr_equal(server, &srv);
	(void)s;
	seen.detached++;
	seen.byes += bye;
}

/* no doors here */
const struct door *
door_by_name(struct str name)
{
	(void)name;
	return NULL;
}

void
room_on_drain(struct server *server, struct session *s)
{
	assert_ptr_equal(server, &srv);
	(void)s;
	seen.drains++;
}

static void
fix_on_request(struct httpd *h, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	(void)h;
	(void)rq;
	(void)body;
	httpd_error(c, 400, "no upgrade");
}

static const struct httpd_ops fix_ops = {
    .on_request = fix_on_request, .on_upgrade = client_on_upgrade};

static void
fix_on_turn(struct net_turn *t)
{
	(void)t;
	client_on_turn(&srv);
}

static void
fix_on_wake(void *arg)
{
	(void)arg;
}

static inline void
close_all(unsigned code, const char *why)
{
	struct session *s, *next;

	SESSION_EACH (&srv.sessions, s, next)
		session_close(s, code, why, 1);
}

/* --- the server ------------------------------------------------------------
 */

static inline int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	memset(&seen, 0, sizeof seen);
	fx_init(&fx);
	srv.net = fx.net;
	srv.net->owner = &srv;
	srv.set.login_timeout = 10;
	srv.set.ping = 25;
	srv.set.stall_max = 600;
	srv.set.frame_rate = 50;
	srv.set.frame_burst = 200;
	srv.set.conns_per_ip = 1000;
	srv.set.conn_rate = 1;
	srv.set.conn_burst = 500;
	srv.node_no = 1;
	srv.next_session = 1;
	srv.max_clients = 1000;
	str_copy(srv.direct_url, sizeof srv.direct_url,
	    STR_LIT("ws://127.0.0.1:9504/ws"));
	srv.gate = gate_new(&srv);
	gate_refresh(srv.gate);
	wheel_init(&srv.wheel, srv.net, client_on_deadline, &srv);
	timer_init(&srv.wake, srv.net, fix_on_wake, NULL);
	srv.turn.on_turn = fix_on_turn;
	net_turn_add(srv.net, &srv.turn);
	httpd_init(&srv.httpd, srv.net, &fix_ops, &srv, 100, 1024);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	close_all(4200, "over");
	FX_WAIT(&fx, 4000, srv.n_clients == 0);
	httpd_fini(&srv.httpd);
	FX_WAIT(&fx, 4000, srv.net->n_conns == 0);
	assert_int_equal(srv.sessions.n, 0);
	assert_null(srv.not_logged_in);
	assert_null(srv.logging_in);
	assert_null(srv.due);
	assert_int_equal(srv.n_not_logged_in, 0);
	wheel_fini(&srv.wheel);
	timer_stop(&srv.wake);
	gate_free(srv.gate);
	slab_fini(&srv.slab);
	net_turn_remove(srv.net, &srv.turn);
	fx_fini(&fx);
	assert_int_equal(ws_rx_live(), 0);
	return 0;
}

/* --- the other end ----------------------------------------------------------
 */

struct peer {
	int fd;
	struct buf in;
	int eof;
};

static inline void
peer_open(struct peer *p, const char *address)
{
	struct addr a;
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(addr_parse(str_of(address), &a), 0);
	p->fd = pair[1];
	p->eof = -1;
	buf_init(&p->in, 16 << 20);
	httpd_accept(&srv.httpd, pair[0], &a, NULL);
}

static inline void
peer_close(struct peer *p)
{
	close(p->fd);
	buf_fini(&p->in);
}

static inline bool
peer_has(struct peer *p, size_t n)
{
	fx_read(p->fd, &p->in, &p->eof);
	return buf_len(&p->in) >= n;
}

static inline bool
peer_head_is_whole(struct peer *p)
{
	peer_has(p, 1);
	return fx_count(&p->in, "\r\n\r\n") > 0;
}

/* asks for an upgrade with some more fields: the status of the answer */
static inline int
peer_ask(struct peer *p, const char *path, const char *more)
{
	struct http_response rs;
	char text[1024];

	snprintf(text, sizeof text,
	    "GET %s HTTP/1.1\r\nHost: chat.example:9503\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s\r\n",
	    path,
	    strstr(more, "Version") ? "" : "Sec-WebSocket-Version: 13\r\n",
	    more);
	fx_write(p->fd, text);
	FX_WAIT(&fx, 2000, peer_head_is_whole(p));
	assert_int_equal(
	    http_parse_response(buf_p(&p->in), buf_len(&p->in), &rs), 0);
	buf_consume(&p->in, rs.head_len);
	return rs.status;
}

/* a fresh connection that asks and goes again: the status */
static inline int
status_of(const char *address, const char *path, const char *more)
{
	struct peer p;
	int status;

	peer_open(&p, address);
	status = peer_ask(&p, path, more);
	peer_close(&p);
	fx_spin(&fx);
	return status;
}

static inline void
peer_join(struct peer *p)
{
	peer_open(p, "127.0.0.1:40000");
	assert_int_equal(peer_ask(p, "/ws", ""), 101);
}

/* a masked frame; the mask is all zero */
static inline void
peer_frame(struct peer *p, unsigned opcode, const void *data, size_t n)
{
	uint8_t head[14] = {(uint8_t)(0x80 | opcode)};
	size_t len = 2;
	struct buf b;

	if (n < 126) {
		head[1] = (uint8_t)(0x80 | n);
	} else if (n < 65536) {
		head[1] = 0x80 | 126;
		head[2] = (uint8_t)(n >> 8);
		head[3] = (uint8_t)n;
		len = 4;
	} else {
		head[1] = 0x80 | 127;
		head[6] = (uint8_t)(n >> 24);
		head[7] = (uint8_t)(n >> 16);
		head[8] = (uint8_t)(n >> 8);
		head[9] = (uint8_t)n;
		len = 10;
	}
	buf_init(&b, n + 16);
	buf_put(&b, head, len + 4);
	buf_put(&b, data, n);
	assert_int_equal(send(p->fd, buf_p(&b), buf_len(&b), MSG_NOSIGNAL),
	    (ssize_t)buf_len(&b));
	buf_fini(&b);
}

static inline void
peer_say(struct peer *p, const char *text)
{
	peer_frame(p, 1, text, strlen(text));
}

/* length of the whole frame at the front of p->in; 0: not there yet */
static inline size_t
peer_frame_len(struct peer *p, size_t *head)
{
	const uint8_t *b = buf_p(&p->in);
	size_t n;

	if (!peer_has(p, 2))
		return 0;
	b = buf_p(&p->in);
	n = b[1];
	*head = 2;
	if (n == 126) {
		if (buf_len(&p->in) < 4)
			return 0;
		n = (size_t)b[2] << 8 | b[3];
		*head = 4;
	} else if (n == 127) {
		if (buf_len(&p->in) < 10)
			return 0;
		n = (size_t)b[6] << 24 | (size_t)b[7] << 16 |
		    (size_t)b[8] << 8 | b[9];
		*head = 10;
	}
	return buf_len(&p->in) >= *head + n ? *head + n : 0;
}

/* the next frame: its opcode, its payload as text */
static inline unsigned
peer_next(struct peer *p, char *text, size_t size)
{
	size_t len, head;
	unsigned opcode;

	FX_WAIT(&fx, 2000, peer_frame_len(p, &head) > 0);
	len = peer_frame_len(p, &head);
	opcode = buf_p(&p->in)[0] & 15;
	assert_int_equal(buf_p(&p->in)[0] & 0xf0, 0x80);
	str_copy(text, size, str_n(buf_p(&p->in) + head, len - head));
	buf_consume(&p->in, len);
	return opcode;
}

/* the next frame is a Close: its code, and its reason in why */
static inline unsigned
peer_closed(struct peer *p, char *why, size_t size)
{
	size_t len, head;
	unsigned code;
	const uint8_t *b;

	FX_WAIT(&fx, 2000, peer_frame_len(p, &head) > 0);
	len = peer_frame_len(p, &head);
	b = buf_p(&p->in);
	assert_int_equal(b[0], 0x88);
	assert_true(len >= head + 2);
	code = (unsigned)b[head] << 8 | b[head + 1];
	str_copy(why, size, str_n(b + head + 2, len - head - 2));
	buf_consume(&p->in, len);
	/* then FIN, and not before */
	FX_WAIT(&fx, 2000, (peer_has(p, 1), p->eof == 1));
	return code;
}

static inline struct client *
only_client(void)
{
	assert_int_equal(srv.n_clients, 1);
	return client_of(session_next(&srv.sessions, NULL));
}

/* the deadline that is armed comes now */
static inline void
fire(struct client *c)
{
	assert_non_null(c->timer.prevp);
	wheel_cancel(&c->timer);
	client_on_deadline(&c->timer, &srv);
	fx_spin(&fx);
}

/* a frame for the session; made and forgotten */
static inline void
send_text(struct session *s, const void *p, size_t n)
{
	struct blob *b = ws_text(p, n);

	session_send(s, b);
	blob_unref(b);
}

#endif
