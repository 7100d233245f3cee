/* SPDX-License-Identifier: MIT */
/*
 * The smallest server cchat_bench can speak with, cchat level 2 or workerman:
 * login is echoed, a message goes to everybody in its room as it came, a
 * private one to the two it is between. It has two uses: --write (a send for
 * each recipient and message) and --batch (one for each recipient and turn) are
 * yardsticks without a log, a relay or JSON; and --drop, --dup, --swap spoil
 * each Nth delivery and count what they did, so the tool can be held to that
 * count. It trusts its clients.
 *	bench_ref [--write|--batch] [--drop=N] [--dup=N] [--swap=N] [--ok]
 *	          [--log [--on-replay] [--short]]
 *	          [--close=N [--closes=M] [--forget]]
 * --log numbers the messages of a room, keeps them, and gives who comes back
 * with a position what he missed; --on-replay: the faults are done there alone;
 * --short: a position is answered as one that can't be served in full.
 * --ok acks each message. --close=N ends a connection with 4102 at its Nth
 * message, which nobody gets, the first M that come to it (1); --forget: acked
 * all the same.
 * prints `listening on 127.0.0.1:PORT`, ends on SIGTERM with one JSON line of
 * its counts. A swap holds a delivery back until the next one to the same
 * reader; one still held at the end, or when its reader leaves, is dropped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/digest.h"
#include "shared/base/err.h"

enum { REF_FDS = 20000, REF_BUF = 65536, REF_ROOMS = 65536, REF_UIDS = 65536 };

struct bytes {
	char *p;
	size_t n, cap;
};

struct ref_conn {
	bool open, upgraded, dirty, shut; /* shut: is not heard any more */
	uint32_t room, said;
	struct bytes in, out;
	struct bytes held; /* a delivery swapped back */
};

struct ref_room {
	char rid[16];
	struct bytes *log; /* with --log: all that was said */
	size_t n_log, cap_log;
	int *fd;
	size_t n, cap;
};

static struct ref_conn ref_conns[REF_FDS];
static struct ref_room ref_rooms[REF_ROOMS];
static struct ref_uid {
	unsigned long uid;
	int fd;
} ref_uids[REF_UIDS];
static int ref_dirty[REF_FDS];
static size_t ref_n_dirty;
static uint64_t ref_nth, ref_drop, ref_dup, ref_swap;
static uint64_t ref_delivered, ref_dropped, ref_doubled, ref_swapped;
static uint64_t ref_close_at, ref_closes = 1;
static int ref_write_each, ref_log, ref_on_replay, ref_short, ref_ok,
    ref_forget;
static volatile sig_atomic_t ref_end;
static int ref_ep;

static void
ref_on_term(int sig)
{
	(void)sig;
	ref_end = 1;
}

static void
ref_put(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = b->n + n + 1024;
		b->p = xrealloc(b->p, b->cap);
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void
ref_frame(struct bytes *b, const char *p, size_t n)
{
	uint8_t h[4] = {0x81, (uint8_t)n};

	if (n >= 126) {
		h[1] = 126;
		h[2] = (uint8_t)(n >> 8);
		h[3] = (uint8_t)n;
	}
	ref_put(b, h, n >= 126 ? 4 : 2);
	ref_put(b, p, n);
}

static void
ref_flush(int fd)
{
	struct ref_conn *c = &ref_conns[fd];
	ssize_t n;

	if (!c->open || c->out.n == 0)
		return;
	n = send(fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		c->out.n -= (size_t)n;
		memmove(c->out.p, c->out.p + n, c->out.n);
	}
	if (c->out.n > 0) {
		struct epoll_event ev = {
		    .events = EPOLLIN | EPOLLOUT, .data.fd = fd};

		epoll_ctl(ref_ep, EPOLL_CTL_MOD, fd, &ev);
	}
}

static void
ref_touch(int fd)
{
	if (ref_write_each) {
		ref_flush(fd);
	} else if (!ref_conns[fd].dirty) {
		ref_conns[fd].dirty = true;
		ref_dirty[ref_n_dirty++] = fd;
	}
}

static bool ref_spare; /* no faults now */

static bool
ref_is_nth(uint64_t every)
{
	return every > 0 && ref_nth % every == 0 && !ref_spare;
}

static void
ref_deliver(int fd, const char *p, size_t n)
{
	struct ref_conn *c = &ref_conns[fd];

	ref_nth += !ref_spare;
	ref_delivered++;
	if (ref_is_nth(ref_drop)) {
		ref_dropped++;
		return;
	}
	if (ref_is_nth(ref_swap) && c->held.n == 0) {
		ref_frame(&c->held, p, n);
		return;
	}
	ref_frame(&c->out, p, n);
	if (ref_is_nth(ref_dup)) {
		ref_doubled++;
		ref_frame(&c->out, p, n);
	}
	if (c->held.n > 0) {
		ref_swapped++;
		ref_put(&c->out, c->held.p, c->held.n);
		c->held.n = 0;
	}
	ref_touch(fd);
}

static struct ref_room *
ref_room_of(const char *rid)
{
	uint32_t i = digest_crc32c(0, rid, strlen(rid)) % REF_ROOMS;

	while (ref_rooms[i].rid[0] != '\0' && strcmp(ref_rooms[i].rid, rid))
		i = (i + 1) % REF_ROOMS;
	strcpy(ref_rooms[i].rid, rid);
	return &ref_rooms[i];
}

/* the message with its number, kept */
static struct bytes *
ref_keep(struct ref_room *r, const char *p, size_t n)
{
	struct bytes *b;
	char seq[40];

	if (r->n_log == r->cap_log) {
		r->cap_log = r->cap_log * 2 + 64;
		r->log = xrealloc(r->log, r->cap_log * sizeof(*r->log));
	}
	b = &r->log[r->n_log++];
	*b = (struct bytes){0};
	ref_put(b, p, n - 1);
	ref_put(b, seq,
	    (size_t)snprintf(seq, sizeof seq, ",\"seq\":%zu}", r->n_log));
	return b;
}

/* the answer to a login, what he missed, and the end of it */
static void
ref_resume(int fd, const struct ref_room *r, const char *p, size_t n)
{
	struct ref_conn *c = &ref_conns[fd];
	const char *at = memmem(p, n, "[\"00000001\",", 12);
	size_t from = at != NULL ? strtoul(at + 12, NULL, 10) : r->n_log;
	char text[256];

	ref_frame(&c->out, text,
	    (size_t)snprintf(text, sizeof text,
		"{\"cmd\":\"login\",\"pos\":{\"%s\":{\"ep\":\"00000001\","
		"\"seq\":%zu,\"full\":%s}}}",
		r->rid, r->n_log, at != NULL && ref_short ? "false" : "true"));
	ref_spare = false;
	for (; from < r->n_log; from++)
		ref_deliver(fd, r->log[from].p, r->log[from].n);
	ref_spare = ref_on_replay;
	ref_frame(&c->out, "{\"cmd\":\"synced\",\"cid\":\"l\"}", 28);
	ref_touch(fd);
}

/* the number behind a key; 0: none */
static unsigned long
ref_number(const char *p, size_t n, const char *key)
{
	const char *at = memmem(p, n, key, strlen(key));

	return at == NULL ? 0 : strtoul(at + strlen(key), NULL, 10);
}

static struct ref_uid *
ref_uid(unsigned long uid)
{
	size_t i = uid % REF_UIDS;

	while (ref_uids[i].uid != 0 && ref_uids[i].uid != uid)
		i = (i + 1) % REF_UIDS;
	ref_uids[i].uid = uid;
	return &ref_uids[i];
}

static void
ref_enter(int fd, struct ref_room *r)
{
	if (r->n == r->cap) {
		r->cap = r->cap * 2 + 8;
		r->fd = xrealloc(r->fd, r->cap * sizeof(*r->fd));
	}
	r->fd[r->n++] = fd;
	ref_conns[fd].room = (uint32_t)(r - ref_rooms);
}

/* as its dialect says it: the answer has a list, a text names no room */
static void
ref_on_workerman(int fd, const char *p, size_t n)
{
	static const char in[] = "{\"type\":\"login\",\"client_list\":{}}";
	unsigned long room = ref_number(p, n, "\"room_id\":");
	const struct ref_room *r;
	char rid[16];
	size_t i;

	if (room != 0) {
		snprintf(rid, sizeof rid, "%lu", room % 1000000000);
		ref_enter(fd, ref_room_of(rid));
		ref_frame(&ref_conns[fd].out, in, sizeof in - 1);
		ref_touch(fd);
		return;
	}
	r = &ref_rooms[ref_conns[fd].room];
	for (i = 0; i < r->n; i++)
		ref_deliver(r->fd[i], p, n);
}

static void
ref_leave(int fd)
{
	struct ref_room *r = &ref_rooms[ref_conns[fd].room];
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->fd[i] == fd)
			r->fd[i--] = r->fd[--r->n];
}

static void
ref_shut(int fd)
{
	ref_put(&ref_conns[fd].out, "\210\7\20\6flood", 9);
	ref_touch(fd);
	ref_leave(fd);
	ref_conns[fd].shut = true;
	ref_closes--;
}

static void
ref_ack(int fd, const char *p, size_t n)
{
	const char *cid = memmem(p, n, "\"cid\":\"", 7);
	char text[128];

	if (cid == NULL)
		return;
	ref_frame(&ref_conns[fd].out, text,
	    (size_t)snprintf(text, sizeof text,
		"{\"cmd\":\"ok\",\"cid\":\"%.*s\"}",
		(int)strcspn(cid + 7, "\""), cid + 7) %
		sizeof text);
	ref_touch(fd);
}

/* its Nth message is its last; false: nobody is to have this one */
static bool
ref_hears(int fd, const struct ref_room *r, const char *p, size_t n)
{
	bool last = ref_closes > 0 && ++ref_conns[fd].said == ref_close_at;

	if (ref_ok && (!last || ref_forget))
		ref_ack(fd, p, n);
	if (last && ref_forget) {
		ref_delivered += r->n;
		ref_dropped += r->n;
	}
	if (last)
		ref_shut(fd);
	return !last;
}

static void
ref_on_text(int fd, char *p, size_t n)
{
	const char *at = memmem(p, n, "\"rid\":\"", 7);
	char rid[16] = "";
	struct ref_room *r;
	size_t i;

	if (n > 9 && memcmp(p, "{\"type\":\"", 9) == 0) {
		ref_on_workerman(fd, p, n);
		return;
	}
	if (at == NULL || sscanf(at + 7, "%15[0-9]", rid) != 1)
		return;
	r = ref_room_of(rid);
	if (n > 15 && memcmp(p, "{\"cmd\":\"login\"", 14) == 0) {
		ref_enter(fd, r);
		ref_uid(ref_number(p, n, "\"uid\":\""))->fd = fd;
		if (ref_log) {
			ref_resume(fd, r, p, n);
			return;
		}
		ref_frame(&ref_conns[fd].out, p, n);
		ref_touch(fd);
		return;
	}
	if (memmem(p, n, "\"tid\":\"", 7) != NULL) {
		ref_deliver(ref_uid(ref_number(p, n, "\"tid\":\""))->fd, p, n);
		ref_deliver(fd, p, n);
		return;
	}
	if (!ref_hears(fd, r, p, n))
		return;
	if (ref_log) {
		const struct bytes *b = ref_keep(r, p, n);

		p = b->p;
		n = b->n;
	}
	for (i = 0; i < r->n; i++)
		ref_deliver(r->fd[i], p, n);
}

static void
ref_upgrade(int fd, const char *p, size_t n)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	const char *key = memmem(p, n, "Sec-WebSocket-Key: ", 19);
	char text[64], accept[32], answer[256];
	uint8_t sum[SHA1_LEN];

	if (key == NULL || p + n - key < 19 + 24)
		return;
	memcpy(text, key + 19, 24);
	memcpy(text + 24, guid, sizeof guid - 1);
	digest_sha1(text, 24 + sizeof guid - 1, sum);
	digest_base64(sum, sizeof sum, accept);
	n = (size_t)snprintf(answer, sizeof answer,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	ref_put(&ref_conns[fd].out, answer, n);
	ref_conns[fd].upgraded = true;
	ref_touch(fd);
}

static void
ref_close(int fd)
{
	struct ref_conn *c = &ref_conns[fd];

	ref_dropped += c->held.n > 0;
	ref_leave(fd);
	c->in.n = c->out.n = c->held.n = 0;
	c->open = c->upgraded = false;
	close(fd);
}

/* the frames in p; bytes used */
static size_t
ref_parse(int fd, uint8_t *p, size_t n)
{
	struct ref_conn *c = &ref_conns[fd];
	size_t at = 0, len, head, i;
	char *end;

	if (!c->upgraded) {
		end = memmem(p, n, "\r\n\r\n", 4);
		if (end == NULL)
			return 0;
		ref_upgrade(fd, (char *)p, n);
		at = (size_t)((uint8_t *)end + 4 - p);
	}
	while (n - at >= 2) {
		len = p[at + 1] & 127;
		head = len == 126 ? 8 : 6;
		if (n - at < head)
			break;
		if (len == 126)
			len = (size_t)p[at + 2] << 8 | p[at + 3];
		if (n - at < head + len)
			break;
		for (i = 0; i < len; i++)
			p[at + head + i] ^= p[at + head - 4 + (i & 3)];
		if (p[at] == 0x81 && !c->shut)
			ref_on_text(fd, (char *)p + at + head, len);
		at += head + len;
	}
	return at;
}

static void
ref_read(int fd)
{
	static uint8_t buf[REF_BUF];
	struct ref_conn *c = &ref_conns[fd];
	size_t had = c->in.n, used;
	ssize_t n;

	if (had > 0)
		memcpy(buf, c->in.p, had);
	n = recv(fd, buf + had, sizeof buf - had, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		ref_close(fd);
		return;
	}
	used = ref_parse(fd, buf, had + (size_t)n);
	c->in.n = 0;
	if (used < had + (size_t)n)
		ref_put(&c->in, buf + used, had + (size_t)n - used);
}

static void
ref_accept(int listener)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd >= REF_FDS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		ref_conns[fd].open = true;
		ref_conns[fd].room = 0;
		ref_conns[fd].shut = false;
		ref_conns[fd].said = 0;
		ev.data.fd = fd;
		epoll_ctl(ref_ep, EPOLL_CTL_ADD, fd, &ev);
	}
}

static void
ref_event(int fd, uint32_t events)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (!ref_conns[fd].open)
		return;
	if (events & EPOLLOUT) {
		epoll_ctl(ref_ep, EPOLL_CTL_MOD, fd, &ev);
		ref_flush(fd);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		ref_read(fd);
}

static void
ref_loop(int listener)
{
	struct epoll_event ev[512] = {{.events = EPOLLIN}};
	int i, n, fd;

	ref_ep = epoll_create1(0);
	ev[0].data.fd = listener;
	epoll_ctl(ref_ep, EPOLL_CTL_ADD, listener, &ev[0]);
	while (!ref_end) {
		n = epoll_wait(ref_ep, ev, 512, -1);
		for (i = 0; i < n; i++) {
			if (ev[i].data.fd == listener)
				ref_accept(listener);
			else
				ref_event(ev[i].data.fd, ev[i].events);
		}
		while (ref_n_dirty > 0) {
			fd = ref_dirty[--ref_n_dirty];
			ref_conns[fd].dirty = false;
			ref_flush(fd);
		}
	}
}

static void
ref_options(int argc, char **argv)
{
	static const struct option opts[] = {
	    {"write", no_argument, &ref_write_each, 1},
	    {"batch", no_argument, &ref_write_each, 0},
	    {"log", no_argument, &ref_log, 1},
	    {"on-replay", no_argument, &ref_on_replay, 1},
	    {"short", no_argument, &ref_short, 1},
	    {"ok", no_argument, &ref_ok, 1},
	    {"forget", no_argument, &ref_forget, 1},
	    {"drop", required_argument, NULL, 1},
	    {"dup", required_argument, NULL, 2},
	    {"swap", required_argument, NULL, 3},
	    {"close", required_argument, NULL, 4},
	    {"closes", required_argument, NULL, 5}, {0}};
	static uint64_t *const numbers[] = {
	    &ref_drop, &ref_dup, &ref_swap, &ref_close_at, &ref_closes};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c > (int)ARRAY_LEN(numbers))
			exit(2);
		if (c > 0)
			*numbers[c - 1] = strtoull(optarg, NULL, 10);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	struct sigaction sa = {.sa_handler = ref_on_term};
	struct rlimit rl;
	int listener, i;

	ref_options(argc, argv);
	/* touched now, or the first to come would pay for the pages */
	explicit_bzero(ref_conns, sizeof ref_conns);
	explicit_bzero(ref_rooms, sizeof ref_rooms);
	explicit_bzero(ref_uids, sizeof ref_uids);
	ref_spare = ref_on_replay;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof at) < 0 ||
	    listen(listener, 4096) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) < 0) {
		perror("bench_ref");
		return 1;
	}
	printf("listening on 127.0.0.1:%u\n", ntohs(at.sin_port));
	fflush(stdout);
	ref_loop(listener);
	for (i = 0; i < REF_FDS; i++)
		ref_dropped += ref_conns[i].open && ref_conns[i].held.n > 0;
	printf("{\"delivered\":%" PRIu64 ",\"dropped\":%" PRIu64
	       ",\"doubled\":%" PRIu64 ",\"swapped\":%" PRIu64 "}\n",
	    ref_delivered, ref_dropped, ref_doubled, ref_swapped);
	return 0;
}
