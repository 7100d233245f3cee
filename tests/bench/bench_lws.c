/* SPDX-License-Identifier: MIT */
/*
 * A room server on libwebsockets, for tests/bench/peers.sh: what bench_ref
 * does, as that library wants it done: a queue for each connection, one
 * message for each writable callback. Rooms only, and it trusts its clients.
 * Built where the library's headers are (make tests/bench/bench_lws).
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/base/digest.h"
#include "shared/base/err.h"

enum { LWS_ROOMS = 1 << 16, LWS_TEXT = 4096 };

/* shared by all it is queued for */
struct text {
	unsigned users;
	size_t n;
	unsigned char p[]; /* LWS_PRE bytes, then the text */
};

struct one {
	struct lws *wsi;
	struct room *room;
	size_t at; /* in its room */
	struct text **queue;
	size_t head, n, cap;
};

struct room {
	char rid[16];
	struct one **who;
	size_t n, cap;
};

static struct room bl_rooms[LWS_ROOMS];
static volatile sig_atomic_t bl_end;

static void
bl_on_term(int sig)
{
	(void)sig;
	bl_end = 1;
}

static struct room *
bl_room(const char *rid)
{
	uint32_t i = digest_crc32c(0, rid, strlen(rid)) % LWS_ROOMS;

	while (bl_rooms[i].rid[0] != '\0' && strcmp(bl_rooms[i].rid, rid))
		i = (i + 1) % LWS_ROOMS;
	strcpy(bl_rooms[i].rid, rid);
	return &bl_rooms[i];
}

static void
bl_drop(struct text *t)
{
	if (--t->users == 0)
		free(t);
}

static void
bl_queue(struct one *c, struct text *t)
{
	if (c->head > 0 && c->head == c->n)
		c->head = c->n = 0;
	if (c->n == c->cap) {
		c->cap = c->cap * 2 + 8;
		c->queue = xrealloc(c->queue, c->cap * sizeof(*c->queue));
	}
	c->queue[c->n++] = t;
	t->users++;
	lws_callback_on_writable(c->wsi);
}

static void
bl_enter(struct one *c, struct room *r)
{
	if (r->n == r->cap) {
		r->cap = r->cap * 2 + 8;
		r->who = xrealloc(r->who, r->cap * sizeof(*r->who));
	}
	c->room = r;
	c->at = r->n;
	r->who[r->n++] = c;
}

static void
bl_on_text(struct one *c, const char *p, size_t n)
{
	const char *at = memmem(p, n, "\"rid\":\"", 7);
	char head[LWS_TEXT], rid[16];
	struct text *t;
	size_t i;

	if (at == NULL || n >= sizeof head)
		return;
	memcpy(head, p, n);
	head[n] = '\0';
	if (sscanf(head + (at - p) + 7, "%15[0-9]", rid) != 1)
		return;
	t = xmalloc(sizeof(*t) + LWS_PRE + n);
	t->users = 1;
	t->n = n;
	memcpy(t->p + LWS_PRE, p, n);
	if (n > 14 && memcmp(p, "{\"cmd\":\"login\"", 14) == 0) {
		bl_enter(c, bl_room(rid));
		bl_queue(c, t);
	} else {
		for (i = 0; i < bl_room(rid)->n; i++)
			bl_queue(bl_room(rid)->who[i], t);
	}
	bl_drop(t);
}

static int
bl_write(struct one *c)
{
	struct text *t;
	int wrote;

	if (c->head == c->n)
		return 0;
	t = c->queue[c->head++];
	wrote = lws_write(c->wsi, t->p + LWS_PRE, t->n, LWS_WRITE_TEXT);
	if (wrote < (int)t->n)
		wrote = -1;
	bl_drop(t);
	if (c->head < c->n)
		lws_callback_on_writable(c->wsi);
	return wrote < 0 ? -1 : 0;
}

static void
bl_leave(struct one *c)
{
	struct room *r = c->room;

	while (c->head < c->n)
		bl_drop(c->queue[c->head++]);
	free(c->queue);
	if (r == NULL)
		return;
	r->who[c->at] = r->who[--r->n];
	r->who[c->at]->at = c->at;
}

static int
bl_callback(struct lws *wsi, enum lws_callback_reasons why, void *user,
    void *in, size_t n)
{
	struct one *c = user;

	switch ((int)why) {
	case LWS_CALLBACK_ESTABLISHED:
		*c = (struct one){.wsi = wsi};
		return 0;
	case LWS_CALLBACK_RECEIVE:
		bl_on_text(c, in, n);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return bl_write(c);
	case LWS_CALLBACK_CLOSED:
		bl_leave(c);
		return 0;
	default:
		return 0;
	}
}

int
main(void)
{
	static const struct lws_protocols protocols[] = {
	    {.name = "chat",
		.callback = bl_callback,
		.per_session_data_size = sizeof(struct one),
		.rx_buffer_size = LWS_TEXT},
	    {0}};
	struct lws_context_creation_info info = {.iface = "127.0.0.1",
	    .protocols = protocols,
	    .options = LWS_SERVER_OPTION_DISABLE_IPV6 |
		       LWS_SERVER_OPTION_EXPLICIT_VHOSTS};
	struct sigaction sa = {.sa_handler = bl_on_term};
	struct lws_context *cx;
	struct lws_vhost *vh;
	struct rlimit rl;

	lws_set_log_level(LLL_ERR, NULL);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	cx = lws_create_context(&info);
	vh = cx == NULL ? NULL : lws_create_vhost(cx, &info);
	if (vh == NULL)
		return 1;
	printf("listening on 127.0.0.1:%d\n", lws_get_vhost_listen_port(vh));
	fflush(stdout);
	while (!bl_end && lws_service(cx, 0) >= 0)
		;
	lws_context_destroy(cx);
	return 0;
}
