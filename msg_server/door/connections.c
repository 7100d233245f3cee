/* SPDX-License-Identifier: MIT */
/*
 * Who is connected, a page at a time. See connections.h. The table of sessions
 * has no order: a page is the smallest numbers behind the last one, kept in a
 * heap with the largest on top while all are looked at once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "msg_server/client_priv.h"
#include "msg_server/door/connections.h"

enum {
	CONNECTIONS_LIMIT = 100,
	CONNECTIONS_LIMIT_MAX = 1000,
	CONNECTIONS_ANSWER_MAX = 4 << 20
};

struct page {
	struct session **heap; /* the largest cn on top */
	size_t n, cap;
	uint64_t after;
	bool more;
};

static void
page_sift_down(struct page *pg)
{
	struct session **h = pg->heap, *tmp;
	size_t i = 0, kid;

	while ((kid = 2 * i + 1) < pg->n) {
		if (kid + 1 < pg->n && h[kid + 1]->cn > h[kid]->cn)
			kid++;
		if (h[kid]->cn <= h[i]->cn)
			return;
		tmp = h[i];
		h[i] = h[kid];
		h[kid] = tmp;
		i = kid;
	}
}

static void
page_offer(struct page *pg, struct session *s)
{
	struct session **h = pg->heap;
	size_t i, up;

	if (s->cn <= pg->after)
		return;
	if (pg->n == pg->cap) {
		pg->more = true;
		if (s->cn < h[0]->cn) {
			h[0] = s;
			page_sift_down(pg);
		}
		return;
	}
	for (i = pg->n++; i > 0 && h[up = (i - 1) / 2]->cn < s->cn; i = up)
		h[i] = h[up];
	h[i] = s;
}

static int
page_cmp(const void *a, const void *b)
{
	const struct session *const *x = a, *const *y = b;

	return (*x)->cn < (*y)->cn ? -1 : (*x)->cn > (*y)->cn;
}

/* --- one of them -------------------------------------------------------- */

static void
connections_address(const struct client *c, char out[ADDR_TEXT_MAX])
{
	struct addr a = {.len = sizeof a.ss};

	if (gate_ip_text(c->ip, out))
		return;
	out[0] = '\0';
	if (getpeername(c->conn.io.fd, (struct sockaddr *)&a.ss, &a.len) == 0)
		addr_text(&a, out);
}

static const char *
connections_state(const struct client *c)
{
	const struct session *s = &c->session;

	if (c->closing)
		return "closing";
	if (!c->logged_in)
		return "login";
	if (s->paging)
		return "behind";
	return s->away ? "away" : "in";
}

static void
connections_put(struct jw *w, const struct session *s)
{
	const struct client *c = client_of(s);
	char id[24], addr[ADDR_TEXT_MAX];

	snprintf(id, sizeof id, "%" PRIu64, s->cn);
	connections_address(c, addr);
	jw_obj(w, NULL);
	jw_cstr(w, "id", id);
	if (str_is_set(session_uid(s))) {
		jw_str(w, "uid", session_uid(s));
		jw_str(w, "name", session_name(s));
	}
	if (s->dialect != NULL)
		jw_cstr(w, "dialect", s->dialect->name);
	jw_int(w, "v", s->level);
	jw_cstr(w, "addr", addr);
	jw_int(w, "since", (int64_t)c->timer.own * 1000);
	jw_int(w, "rooms", s->n_rooms);
	jw_int(w, "queued", session_queued(s));
	jw_cstr(w, "state", connections_state(c));
	jw_obj_end(w);
}

/* --- the question ------------------------------------------------------- */

static void
connections_reply(struct server *srv, struct httpd_conn *c, struct page *pg)
{
	struct session *s, *next;
	struct buf out;
	struct jw w;
	char id[24];
	size_t i;

	pg->heap = xmalloc(pg->cap * sizeof *pg->heap);
	SESSION_EACH(&srv->sessions, s, next) page_offer(pg, s);
	qsort(pg->heap, pg->n, sizeof *pg->heap, page_cmp);
	buf_init(&out, CONNECTIONS_ANSWER_MAX);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_int(&w, "count", srv->n_clients);
	jw_arr(&w, "list");
	for (i = 0; i < pg->n; i++)
		connections_put(&w, pg->heap[i]);
	jw_arr_end(&w);
	if (pg->more) {
		snprintf(id, sizeof id, "%" PRIu64, pg->heap[pg->n - 1]->cn);
		jw_cstr(&w, "next", id);
	}
	jw_obj_end(&w);
	httpd_reply(c, 200, "application/json", buf_str(&out),
	    "Cache-Control: no-store\r\n");
	buf_fini(&out);
	free(pg->heap);
}

/* a number of the query; false: it is none, or out of its range */
static bool
connections_number(
    struct str query, const char *key, uint64_t max, uint64_t *out)
{
	struct buf b;
	bool ok;

	buf_init(&b, 64);
	ok = !http_query(query, key, &b) ||
	     (str_u64(buf_str(&b), out) == 0 && *out <= max);
	buf_fini(&b);
	return ok;
}

bool
connections_request(void *arg, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	struct page pg = {.cap = 0};
	uint64_t limit = CONNECTIONS_LIMIT;

	(void)body;
	if (!str_eqc(rq->path, "/connections"))
		return false;
	if (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M)
		httpd_error(c, 405, "ask with GET");
	else if (!connections_number(
		     rq->query, "after", UINT64_MAX, &pg.after) ||
		 !connections_number(
		     rq->query, "limit", CONNECTIONS_LIMIT_MAX, &limit) ||
		 limit == 0)
		httpd_error(c, 400, "after is a number, limit 1 to 1000");
	else {
		pg.cap = (size_t)limit;
		connections_reply(arg, c, &pg);
	}
	return true;
}
