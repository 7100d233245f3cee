/* SPDX-License-Identifier: MIT */
/*
 * Questions under way to the active proxy. The HTTP side is remembered by id,
 * never by pointer: whoever went away is not found again.
 */
#include <stdlib.h>

#include "config_server/api.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

static void
ask_end(struct server *s, struct ask *a, int status, const char *msg)
{
	struct httpd_conn *c = httpd_find(&s->http.httpd, a->http);

	if (c != NULL && status != 0)
		httpd_error(c, status, msg);
	DL_DELETE(s->asks, a);
	s->n_asks--;
	free(a);
	if (s->asks == NULL)
		timer_stop(&s->ask_timer);
}

void
ask_send(struct server *s, struct httpd_conn *c, struct f_who *who)
{
	struct registry_server *active = registry_active(&s->registry);
	struct node *n = active != NULL ? active->link : NULL;
	struct ask *a;

	if (n == NULL || !linkconn_has_credit(&n->lc)) {
		httpd_error(c, 503,
		    n == NULL ? "no active proxy_server is linked"
			      : "the active proxy_server does not keep up");
		return;
	}
	if (s->n_asks >= ASK_MAX) {
		httpd_error(c, 503, "too many questions at once");
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->http = httpd_id(c);
	a->node = n;
	a->rid = ++s->next_ask;
	a->what = who->what;
	a->until_ms = clock_mono_ms() + ASK_MS;
	DL_APPEND(s->asks, a);
	s->n_asks++;
	s->stats[S_QUESTIONS]++;
	if (!timer_is_set(&s->ask_timer))
		timer_set(&s->ask_timer, ASK_MS, 0);
	who->rid = a->rid;
	put_who(linkconn_out(&n->lc), who);
}

/* the proxy's JSON is read first: what is sent on is well formed */
static int
ask_reply(struct server *s, struct ask *a, const struct f_whois *f)
{
	struct httpd_conn *c = httpd_find(&s->http.httpd, a->http);
	struct buf out;
	int err;

	if (c != NULL && f->code != 200)
		httpd_error(c, f->code,
		    f->code != 404	  ? "the proxy_server can't answer"
		    : a->what == WHO_USER ? "no such user"
					  : "no such room");
	if (c == NULL || f->code != 200)
		return 0;
	buf_init(&out, API_ANSWER_MAX);
	if (a->what == WHO_ROOMS)
		err = api_put_list(&out, &s->registry, f->json, f->next);
	else
		err = api_put_object(&out, &s->registry, f->json,
		    a->what == WHO_ROOM_INFO ? s->registry.active : NULL);
	if (err == 0)
		httpd_reply(c, 200, "application/json", buf_str(&out),
		    "Cache-Control: no-store\r\n");
	buf_fini(&out);
	return err;
}

int
ask_answer(struct server *s, struct node *from, const struct f_whois *f)
{
	struct ask *a;
	int err;

	DL_FOREACH (s->asks, a)
		if (a->rid == f->rid && a->node == from)
			break;
	/* too late: it was answered with 503 */
	if (a == NULL)
		return 0;
	err = ask_reply(s, a, f);
	ask_end(s, a, err != 0 ? 503 : 0, "the proxy_server can't answer");
	return err;
}

void
ask_node_gone(struct server *s, const struct node *n)
{
	struct ask *a, *tmp;

	DL_FOREACH_SAFE (s->asks, a, tmp)
		if (a->node == n)
			ask_end(s, a, 503, "the active proxy_server is gone");
}

void
ask_on_timer(void *arg)
{
	struct server *s = arg;
	int64_t now = clock_mono_ms();

	while (s->asks != NULL && s->asks->until_ms <= now)
		ask_end(
		    s, s->asks, 503, "the active proxy_server does not answer");
	if (s->asks != NULL)
		timer_set(&s->ask_timer, s->asks->until_ms - now, 0);
}

void
ask_free_all(struct server *s)
{
	while (s->asks != NULL)
		ask_end(s, s->asks, 503, "stopping");
}
