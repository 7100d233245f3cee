/* SPDX-License-Identifier: MIT */
/*
 * Which request wants which answer: paths, query, methods. The answers are
 * made in api_view.c, or by the active proxy (ask.c); Host was checked by the
 * listener (svc/admin).
 */
#include <stdio.h>
#include <string.h>

#include "config_server/api_priv.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

static const char api_no_store[] = "Cache-Control: no-store\r\n";

void
api_reply(struct httpd_conn *c, struct buf *out)
{
	if (buf_ok(out))
		httpd_reply(
		    c, 200, "application/json", buf_str(out), api_no_store);
	else
		httpd_error(c, 500, "the answer is too large");
}

/* ---- queries ---------------------------------------------------------- */

bool
api_number(struct str query, const char *key, uint64_t def, uint64_t max,
    uint64_t *out)
{
	struct buf v;
	int err = 0;

	*out = def;
	buf_init(&v, 64);
	if (http_query(query, key, &v))
		err = str_u64(buf_str(&v), out);
	buf_fini(&v);
	return err == 0 && *out <= max;
}

static bool
api_role(struct str query, enum link_role *out)
{
	enum link_role role;
	struct buf v;
	bool known = true;

	*out = 0;
	buf_init(&v, 64);
	if (http_query(query, "role", &v)) {
		for (role = ROLE_MSG; role <= ROLE_CONFIG; role++)
			if (str_eqc(buf_str(&v), link_role_text(role)))
				*out = role;
		known = *out != 0;
	}
	buf_fini(&v);
	return known;
}

bool
api_limit(struct str query, uint64_t *limit)
{
	return api_number(query, "limit", API_PAGE, API_PAGE_MAX, limit) &&
	       *limit > 0;
}

/* ---- from memory ------------------------------------------------------ */

static void
api_page_of(struct server *s, struct httpd_conn *c,
    const struct http_request *rq,
    void (*put)(struct buf *, const struct registry *, const struct api_page *))
{
	struct api_page page;
	uint64_t limit, after;
	struct buf out;

	if (!api_limit(rq->query, &limit) ||
	    !api_number(rq->query, "next", 0, UINT32_MAX, &after) ||
	    !api_role(rq->query, &page.role)) {
		httpd_error(c, 400,
		    "limit is 1 to 1000, next is what the last page gave, "
		    "role is msg, proxy or config");
		return;
	}
	page.limit = (unsigned)limit;
	page.after = (uint32_t)after;
	buf_init(&out, API_ANSWER_MAX);
	put(&out, &s->registry, &page);
	api_reply(c, &out);
	buf_fini(&out);
}

static void
api_servers(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id)
{
	(void)id;
	api_page_of(s, c, rq, api_put_servers);
}

static void
api_server(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id)
{
	const struct registry_server *rs = registry_find(&s->registry, id);
	struct buf out;

	(void)rq;
	if (rs == NULL) {
		httpd_error(c, 404, "no such server");
		return;
	}
	buf_init(&out, API_ANSWER_MAX);
	api_put_server(&out, &s->registry, rs, clock_wall_ms());
	api_reply(c, &out);
	buf_fini(&out);
}

static void
api_load(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	(void)id;
	api_page_of(s, c, rq, api_put_load);
}

static void
api_next(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	struct buf uid, out;

	(void)id;
	buf_init(&uid, 64);
	buf_init(&out, API_ANSWER_MAX);
	if (http_query(rq->query, "uid", &uid) && !id_is_word(buf_str(&uid)))
		httpd_error(c, 400, "this is not a uid");
	else if (!api_put_next(&out, &s->registry, buf_str(&uid)))
		httpd_error(c, 503, "no msg_server is up");
	else
		api_reply(c, &out);
	buf_fini(&uid);
	buf_fini(&out);
}

static void
api_check(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	struct buf out;

	(void)rq;
	(void)id;
	buf_init(&out, API_ANSWER_MAX);
	api_put_check(&out, &s->registry, store_error(s->store));
	api_reply(c, &out);
	buf_fini(&out);
}

static void
api_forget(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id)
{
	char name[ID_MAX + 1];
	int err;

	(void)rq;
	str_copy(name, sizeof(name), id);
	err = registry_forget(&s->registry, name);
	if (err == ERR_NOTFOUND) {
		httpd_error(c, 404, "no such server");
	} else if (err == ERR_BUSY) {
		httpd_error(c, 409, "it is not down; stop it first");
	} else {
		err = store_forget(s->store, name);
		if (err != 0)
			log_warn("topology.db: %s", err_text(err));
		httpd_reply(c, 200, "application/json", STR_LIT("{}"), "");
	}
}

/* ---- events ----------------------------------------------------------- */

struct api_events {
	struct jw w;
	int64_t last;
};

static void
api_put_event(void *arg, const struct store_row *row)
{
	struct api_events *e = arg;

	jw_obj(&e->w, NULL);
	jw_int(&e->w, "id", row->id);
	jw_int(&e->w, "t", row->t);
	jw_str(&e->w, "kind", row->kind);
	jw_str(&e->w, "srv", row->srv);
	jw_str(&e->w, "detail", row->detail);
	jw_obj_end(&e->w);
	e->last = row->id;
}

static void
api_events(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id)
{
	struct api_events e = {.last = 0};
	uint64_t since, limit;
	struct buf out;
	bool more;
	char next[24];
	int err;

	(void)id;
	if (!api_limit(rq->query, &limit) ||
	    !api_number(rq->query, "since", 0, INT64_MAX, &since)) {
		httpd_error(
		    c, 400, "limit is 1 to 1000, since is the id of an event");
		return;
	}
	(void)server_flush(s);
	buf_init(&out, API_ANSWER_MAX);
	jw_init(&e.w, &out);
	jw_obj(&e.w, NULL);
	jw_int(&e.w, "ver", (int64_t)s->registry.ver);
	jw_int(&e.w, "gen", (int64_t)s->registry.gen);
	jw_arr(&e.w, "list");
	err = store_events(s->store, (int64_t)since, (unsigned)limit,
	    api_put_event, &e, &more);
	jw_arr_end(&e.w);
	snprintf(next, sizeof(next), "%lld", (long long)e.last);
	if (more)
		jw_cstr(&e.w, "next", next);
	else
		jw_null(&e.w, "next");
	jw_obj_end(&e.w);
	if (err != 0)
		httpd_error(c, 503, "topology.db can't be read");
	else
		api_reply(c, &out);
	buf_fini(&out);
}

/* ---- from the active proxy -------------------------------------------- */

static void
api_user(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	struct f_who who = {.what = WHO_USER, .arg = id, .limit = API_PAGE_MAX};

	(void)rq;
	ask_send(s, c, &who);
}

static void
api_room(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	struct f_who who = {
	    .what = WHO_ROOM_INFO, .arg = id, .limit = API_PAGE_MAX};

	(void)rq;
	ask_send(s, c, &who);
}

static void
api_rooms(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	struct f_who who = {.what = WHO_ROOMS};
	struct buf srv, next;
	uint64_t limit;
	bool ok = true;

	(void)id;
	buf_init(&srv, 64);
	buf_init(&next, 256);
	if (http_query(rq->query, "srv", &srv)) {
		ok = id_is_word(buf_str(&srv));
		who.arg = buf_str(&srv);
	}
	if (http_query(rq->query, "next", &next))
		who.next = buf_str(&next);
	if (!ok || !api_limit(rq->query, &limit)) {
		httpd_error(
		    c, 400, "srv is the name of a server, limit 1 to 1000");
	} else {
		who.limit = (uint16_t)limit;
		ask_send(s, c, &who);
	}
	buf_fini(&srv);
	buf_fini(&next);
}

/* ---- routes ----------------------------------------------------------- */

struct api_route {
	const char *path, *tail; /* an id stands between; tail NULL: no id */
	void (*get)(struct server *, struct httpd_conn *,
	    const struct http_request *, struct str id);
	void (*del)(struct server *, struct httpd_conn *,
	    const struct http_request *, struct str id);
	void (*post)(struct server *, struct httpd_conn *,
	    const struct http_request *, struct str id, struct str body);
};

static const struct api_route api_routes[] = {
    {"/v1/servers", NULL, api_servers, NULL, NULL},
    {"/v1/servers/", "", api_server, api_forget, NULL},
    {"/v1/servers/", "/drain", api_drain_get, api_drain_delete, api_drain_post},
    {"/v1/jobs", NULL, api_jobs, NULL, NULL},
    {"/v1/load", NULL, api_load, NULL, NULL},
    {"/v1/next", NULL, api_next, NULL, NULL},
    {"/v1/check", NULL, api_check, NULL, NULL},
    {"/v1/events", NULL, api_events, NULL, NULL},
    {"/v1/users/", "", api_user, NULL, NULL},
    {"/v1/rooms", NULL, api_rooms, NULL, NULL},
    {"/v1/rooms/", "", api_room, NULL, NULL},
};

/* the id of a path of that route; false: another route's */
static bool
api_match(const struct api_route *r, struct str path, struct str *id)
{
	struct str head = str_of(r->path), tail;

	*id = STR_NONE;
	if (r->tail == NULL)
		return str_eq(path, head);
	tail = str_of(r->tail);
	if (!str_starts(path, head) || path.len <= head.len + tail.len ||
	    memcmp(path.p + path.len - tail.len, tail.p, tail.len) != 0)
		return false;
	*id = str_n(path.p + head.len, path.len - head.len - tail.len);
	return memchr(id->p, '/', id->len) == NULL;
}

/* may this request change something? answers it when not */
static bool
api_may_change(
    struct httpd_conn *c, const struct http_request *rq, struct str body)
{
	struct str type = http_field(rq, "content-type");

	if (!addr_is_loopback(httpd_peer(c)))
		httpd_error(c, 403, "only from the machine itself");
	else if (str_is_set(http_field(rq, "origin")))
		httpd_error(c, 403, "not for web pages");
	else if (body.len > 0 && !str_ieq(type, STR_LIT("application/json")))
		httpd_error(c, 415, "application/json is needed");
	else
		return true;
	return false;
}

static void
api_call(const struct api_route *r, struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id, struct str body)
{
	bool get = rq->method == HTTP_GET_M || rq->method == HTTP_HEAD_M,
	     post = rq->method == HTTP_POST_M && r->post != NULL,
	     del = rq->method == HTTP_DELETE_M && r->del != NULL;

	if (get)
		r->get(s, c, rq, id);
	else if (!post && !del)
		httpd_error(c, 405, "not with this method");
	else if (!api_may_change(c, rq, body))
		return;
	else if (post)
		r->post(s, c, rq, id, body);
	else
		r->del(s, c, rq, id);
}

bool
api_request(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	const struct api_route *r = NULL;
	struct str raw;
	struct buf id;

	for (size_t i = 0; r == NULL && i < ARRAY_LEN(api_routes); i++)
		if (api_match(&api_routes[i], rq->path, &raw))
			r = &api_routes[i];
	if (r == NULL)
		return false;
	buf_init(&id, 3 * ID_MAX);
	if (str_is_set(raw) &&
	    (http_unescape(raw, &id) != 0 || !id_is_word(buf_str(&id))))
		httpd_error(c, 400, "this is not an id");
	else
		api_call(r, s, c, rq, buf_str(&id), body);
	buf_fini(&id);
	return true;
}
