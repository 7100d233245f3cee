/* SPDX-License-Identifier: MIT */
/*
 * Connections on a bare epoll: made for a receiver that costs less than the
 * server it measures, so nothing here is for general use. Client side of
 * WebSocket only, text frames without extensions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "tests/bench/engine.h"

enum {
	ENGINE_BUF = 1 << 18,
	ENGINE_EVENTS = 512,
	ENGINE_FRAME = 1 << 17,
	ENGINE_CHORES = 16, /* between two glances */
	ENGINE_TOLD = 3	    /* endings with their reasons on stderr */
};

int64_t
engine_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
engine_die(const char *what)
{
	fprintf(stderr, "cchat_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void
engine_init(struct engine *e, const struct options *o, size_t n_conns)
{
	struct epoll_event first = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
	size_t i;

	*e = (struct engine){.o = o, .n_conns = n_conns};
	e->ep = epoll_create1(EPOLL_CLOEXEC);
	e->ep_first = epoll_create1(EPOLL_CLOEXEC);
	if (e->ep < 0 || e->ep_first < 0 ||
	    epoll_ctl(e->ep, EPOLL_CTL_ADD, e->ep_first, &first) < 0)
		engine_die("epoll");
	e->conns = xcalloc(n_conns, sizeof(*e->conns));
	e->dirty = xcalloc(n_conns, sizeof(*e->dirty));
	e->buf = xmalloc(ENGINE_BUF);
	for (i = 0; i < n_conns; i++) {
		e->conns[i].fd = -1;
		e->conns[i].index = (uint32_t)i;
		if (o->n_targets > 0)
			e->conns[i].target = (uint32_t)(i % o->n_targets);
	}
}

void
engine_fini(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_conns; i++) {
		if (e->conns[i].fd >= 0)
			close(e->conns[i].fd);
		free(e->conns[i].kept);
		free(e->conns[i].out);
		free(e->conns[i].streams);
	}
	free(e->conns);
	free(e->dirty);
	free(e->buf);
	close(e->ep_first);
	close(e->ep);
}

static void
engine_shut(struct engine *e, struct bconn *c)
{
	close(c->fd);
	c->fd = -1;
	e->n_first -= c->first;
}

static void
engine_close(struct engine *e, struct bconn *c)
{
	if (c->state == CONN_OPENING || c->state == CONN_OPEN) {
		e->opening--;
		e->failed++;
	} else if (c->state == CONN_READY) {
		e->ready--;
		e->gone++;
	}
	c->state = CONN_GONE;
	engine_shut(e, c);
	if (e->on_gone != NULL)
		e->on_gone(e, c);
}

/* why it ends; words are n bytes of the peer's */
static void
engine_tell(struct engine *e, const struct bconn *c, const char *what,
    const char *words, size_t n)
{
	char safe[124];
	size_t i;

	if (e->hush || e->told++ >= ENGINE_TOLD)
		return;
	if (n > sizeof safe)
		n = sizeof safe;
	for (i = 0; i < n; i++)
		safe[i] = words[i] >= ' ' && words[i] < 127 ? words[i] : '?';
	fprintf(stderr, "cchat_bench: connection %u %s: %s%s%.*s%s\n",
	    e->first + c->index,
	    c->state == CONN_READY ? "ended" : "was not let in", what,
	    n > 0 ? " " : "", (int)n, safe,
	    e->told == ENGINE_TOLD ? " (no more are told)" : "");
}

/* what a close frame says */
static void
engine_tell_close(
    struct engine *e, const struct bconn *c, const char *p, size_t n)
{
	const uint8_t *u = (const uint8_t *)p;
	char what[48] = "closed by the server without a code";

	if (n >= 2)
		snprintf(what, sizeof what, "closed by the server with %u",
		    (unsigned)u[0] << 8 | u[1]);
	engine_tell(e, c, what, n > 2 ? p + 2 : p, n > 2 ? n - 2 : 0);
}

static void
engine_watch(struct engine *e, struct bconn *c, int op, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u32 = c->index};

	if (epoll_ctl(c->first ? e->ep_first : e->ep, op, c->fd, &ev) < 0)
		engine_die("epoll_ctl");
}

static void
engine_dial(struct engine *e, struct bconn *c)
{
	const struct target *t = &e->o->target[c->target];
	struct sockaddr_in from = {.sin_family = AF_INET},
			   to = {.sin_family = AF_INET};
	uint32_t nth = (uint32_t)((e->first + c->index) / e->o->n_targets);
	int on = 1, small = 2048;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		engine_die("socket");
	from.sin_addr.s_addr = htonl(0x7f000101U + nth / e->o->per_addr);
	to.sin_port = htons(t->port);
	if (inet_pton(AF_INET, t->host, &to.sin_addr) != 1) {
		fprintf(
		    stderr, "cchat_bench: %s is no IPv4 address\n", t->host);
		exit(2);
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* the port is chosen when the pair is known, not before */
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (c->deaf)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	if ((ntohl(to.sin_addr.s_addr) >> 24) == 127 &&
	    bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0)
		engine_die("bind");
	e->n_first += c->first;
	c->opened_us = engine_clock_us();
	c->state = CONN_OPENING;
	e->opening++;
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 &&
	    errno != EINPROGRESS) {
		engine_tell(e, c, strerror(errno), "", 0);
		engine_close(e, c);
		return;
	}
	engine_watch(e, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void
engine_again(struct engine *e, struct bconn *c)
{
	if (c->state != CONN_GONE)
		return;
	c->n_kept = c->n_out = c->cap_out = 0;
	free(c->out);
	c->out = NULL;
	engine_dial(e, c);
	engine_glance(e);
}

void
engine_cut(struct engine *e, struct bconn *c)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (c->fd < 0)
		return;
	if (c->state == CONN_READY)
		e->ready--;
	else
		e->opening--;
	c->state = CONN_GONE;
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	engine_shut(e, c);
	engine_glance(e);
}

void
engine_open(struct engine *e, size_t upto, unsigned most)
{
	while (e->opened < upto && e->opening < most)
		engine_dial(e, &e->conns[e->opened++]);
}

static void
engine_mark(struct engine *e, struct bconn *c)
{
	if (!c->dirty) {
		c->dirty = true;
		e->dirty[e->n_dirty++] = c->index;
	}
}

static char *
engine_room(char **p, uint32_t *cap, uint32_t used, size_t more)
{
	if (used + more > *cap) {
		*cap = (uint32_t)(used + more + 512);
		*p = xrealloc(*p, *cap);
	}
	return *p + used;
}

static void
engine_frame(
    struct engine *e, struct bconn *c, unsigned op, const char *p, size_t n)
{
	static const uint8_t mask[4] = {0x5a, 0xc3, 0x17, 0x8e};
	uint8_t *w;
	size_t i;

	if (c->state == CONN_GONE)
		return;
	if (e->o->dialect->raw) {
		memcpy(engine_room(&c->out, &c->cap_out, c->n_out, n), p, n);
		c->n_out += (uint32_t)n;
		engine_mark(e, c);
		return;
	}
	w = (uint8_t *)engine_room(&c->out, &c->cap_out, c->n_out, n + 8);
	*w++ = (uint8_t)(0x80 | op);
	if (n < 126) {
		*w++ = (uint8_t)(0x80 | n);
	} else {
		*w++ = 0x80 | 126;
		*w++ = (uint8_t)(n >> 8);
		*w++ = (uint8_t)n;
	}
	memcpy(w, mask, 4);
	w += 4;
	for (i = 0; i < n; i++)
		w[i] = (uint8_t)p[i] ^ mask[i & 3];
	c->n_out = (uint32_t)((char *)w + n - c->out);
	engine_mark(e, c);
}

void
engine_send(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	engine_frame(e, c, 1, p, n);
}

void
engine_ready(struct engine *e, struct bconn *c)
{
	if (c->state != CONN_OPEN)
		return;
	c->state = CONN_READY;
	e->opening--;
	e->ready++;
	if (c->deaf)
		engine_watch(e, c, EPOLL_CTL_MOD, 0);
}

void
engine_deaf(struct engine *e, struct bconn *c, bool deaf)
{
	c->deaf = deaf;
	if (c->state == CONN_READY)
		engine_watch(e, c, EPOLL_CTL_MOD, deaf ? 0 : EPOLLIN);
}

static void
engine_write(struct engine *e, struct bconn *c)
{
	ssize_t n;

	c->dirty = false;
	if (c->state == CONN_GONE || c->n_out == 0)
		return;
	n = send(c->fd, c->out, c->n_out, MSG_NOSIGNAL);
	e->writes++;
	/* it is read to its end first: there the reason is */
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		c->n_out = 0;
		return;
	}
	if (n < 0 && errno != EAGAIN) {
		engine_tell(e, c, strerror(errno), "", 0);
		engine_close(e, c);
		return;
	}
	if (n == (ssize_t)c->n_out) {
		c->n_out = 0;
		if (e->thrifty) {
			free(c->out);
			c->out = NULL;
			c->cap_out = 0;
		}
		return;
	}
	if (n > 0) {
		c->n_out -= (uint32_t)n;
		memmove(c->out, c->out + n, c->n_out);
	}
	engine_watch(e, c, EPOLL_CTL_MOD,
	    EPOLLOUT | (c->deaf && c->state == CONN_READY ? 0 : EPOLLIN));
}

/* the answer to the upgrade; bytes used, 0: not whole, -1: refused */
static ssize_t
engine_upgraded(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	if (end == NULL)
		return n > 8192 ? -1 : 0;
	if (n < 12 || memcmp(p, "HTTP/1.1 101", 12) != 0) {
		engine_tell(e, c, "the answer is", p,
		    (size_t)((char *)memchr(p, '\r', n) - p));
		return -1;
	}
	c->state = CONN_OPEN;
	e->on_open(e, c);
	return end + 4 - p;
}

static ssize_t
engine_slice(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	struct slice s;
	ssize_t used = e->o->dialect->slice(p, n, &s);

	if (used <= 0)
		return used;
	if (s.n >= 4 && memcmp(s.p, "PING", 4) == 0)
		engine_frame(e, c, 1, "PONG\r\n", 6);
	else
		e->on_frame(e, c, s.p, s.n);
	return used;
}

/* one frame; bytes used, 0: not whole, -1: the end */
static ssize_t
engine_one(struct engine *e, struct bconn *c, const char *p, size_t n)
{
	const uint8_t *u = (const uint8_t *)p;
	size_t len, head = 2;

	if (e->o->dialect->raw)
		return engine_slice(e, c, p, n);
	if (c->state == CONN_OPENING)
		return engine_upgraded(e, c, p, n);
	if (n < 2)
		return 0;
	len = u[1];
	if (len == 126) {
		head = 4;
		if (n < 4)
			return 0;
		len = (size_t)u[2] << 8 | u[3];
	} else if (len >= 127) {
		head = 10;
		if (n < 10)
			return 0;
		len = (size_t)u[6] << 24 | (size_t)u[7] << 16 |
		      (size_t)u[8] << 8 | u[9];
		if (u[1] != 127 || len > ENGINE_FRAME)
			return -1;
	}
	if (n < head + len)
		return 0;
	if (u[0] == 0x81) {
		e->on_frame(e, c, p + head, len);
	} else if (u[0] == 0x89) {
		engine_frame(e, c, 10, p + head, len);
	} else if (u[0] == 0x88) {
		engine_tell_close(e, c, p + head, len);
		return -1;
	} else if (u[0] != 0x8a) {
		engine_tell(e, c, "a frame that is none", "", 0);
		return -1;
	}
	return (ssize_t)(head + len);
}

static void
engine_keep(struct bconn *c, const char *p, size_t n)
{
	if (n > 0)
		memmove(engine_room(&c->kept, &c->cap_kept, 0, n), p, n);
	c->n_kept = (uint32_t)n;
}

static void
engine_read(struct engine *e, struct bconn *c)
{
	size_t have = c->n_kept, at = 0;
	ssize_t n, used;

	if (have > 0)
		memcpy(e->buf, c->kept, have);
	c->n_kept = 0;
	n = recv(c->fd, e->buf + have, ENGINE_BUF - have, 0);
	if (n <= 0) {
		engine_keep(c, e->buf, have);
		if (n < 0 && errno == EAGAIN)
			return;
		engine_tell(
		    e, c, n == 0 ? "end of stream" : strerror(errno), "", 0);
		engine_close(e, c);
		return;
	}
	e->now_us = engine_clock_us();
	e->reads++;
	e->bytes += (uint64_t)n;
	have += (size_t)n;
	while (at < have && c->state != CONN_GONE) {
		used = engine_one(e, c, e->buf + at, have - at);
		if (used < 0) {
			engine_close(e, c);
			return;
		}
		if (used == 0)
			break;
		at += (size_t)used;
	}
	if (c->state != CONN_GONE)
		engine_keep(c, e->buf + at, have - at);
}

void
engine_login(struct engine *e, struct bconn *c, uint32_t uid)
{
	const struct dialect *d = e->o->dialect;
	char frame[DIALECT_LOGIN_MAX];
	size_t n;

	if (d->login == NULL) {
		engine_ready(e, c);
		return;
	}
	n = d->login(frame, e->o, uid, c->room);
	if (n > 0)
		engine_send(e, c, frame, n);
}

static void
engine_hello(struct engine *e, struct bconn *c)
{
	const struct dialect *d = e->o->dialect;

	c->n_out = (uint32_t)d->hello(
	    engine_room(&c->out, &c->cap_out, 0, DIALECT_LOGIN_MAX), e->o,
	    &e->o->target[c->target], c->room);
	if (!d->raw)
		return;
	c->state = CONN_OPEN;
	e->on_open(e, c);
}

static void
engine_event(struct engine *e, struct bconn *c, uint32_t events)
{
	if (c->state == CONN_GONE)
		return;
	if (events & EPOLLOUT) {
		if (c->state == CONN_OPENING && c->cap_out == 0)
			engine_hello(e, c);
		engine_watch(e, c, EPOLL_CTL_MOD,
		    c->deaf && c->state == CONN_READY ? 0 : EPOLLIN);
		engine_mark(e, c);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		engine_read(e, c);
}

static void
engine_glance_now(struct engine *e)
{
	struct epoll_event ev[ENGINE_CHORES * 4];
	size_t n_dirty = e->n_dirty;
	int i, n;

	e->chores = 0;
	e->glanced_us = engine_clock_us();
	if (e->on_glance != NULL)
		e->on_glance(e);
	n = epoll_wait(e->ep_first, ev, ARRAY_LEN(ev), 0);
	for (i = 0; i < n; i++)
		engine_event(e, &e->conns[ev[i].data.u32], ev[i].events);
	/* theirs lies on top */
	while (e->n_dirty > n_dirty)
		engine_write(e, &e->conns[e->dirty[--e->n_dirty]]);
}

void
engine_glance(struct engine *e)
{
	int64_t blind;

	if (e->n_first == 0 || ++e->chores < ENGINE_CHORES)
		return;
	blind = engine_clock_us() - e->glanced_us;
	if (blind > e->blind_us)
		e->blind_us = blind;
	engine_glance_now(e);
}

void
engine_turn(struct engine *e, int64_t wait_us)
{
	struct epoll_event ev[ENGINE_EVENTS];
	struct timespec ts = {
	    .tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
	int i, n;

	/* what was queued between turns does not wait for a sleep */
	if (e->n_dirty > 0)
		ts = (struct timespec){0};
	n = epoll_pwait2(e->ep, ev, ENGINE_EVENTS, &ts, NULL);
	if (n < 0 && errno != EINTR)
		engine_die("epoll_wait");
	if (e->n_first > 0)
		engine_glance_now(e);
	for (i = 0; i < n; i++) {
		if (ev[i].data.u32 == UINT32_MAX)
			continue;
		engine_event(e, &e->conns[ev[i].data.u32], ev[i].events);
		engine_glance(e);
	}
	while (e->n_dirty > 0) {
		engine_write(e, &e->conns[e->dirty[--e->n_dirty]]);
		engine_glance(e);
	}
}
