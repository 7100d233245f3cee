/* SPDX-License-Identifier: MIT */
/*
 * Which request wants which answer: paths, query, methods. The answers are
 * made in api_view.c, or by the active proxy (ask.c); Host was checked by the
 * listener (svc/admin).
 */
#include <stdio.h>
#include <string.h>

#include "config_server/api.h"
#include "shared/proc/log.h"
#include "shared/proto/json.h"

static const char api_no_store[] = "Cache-Control: no-store\r\n";

static void
api_reply(struct httpd_conn *c, struct buf *out)
{
	if (buf_ok(out))
		httpd_reply(
		    c, 200, "application/json", buf_str(out), api_no_store);
	else
		httpd_error(c, 500, "the answer is too large");
}

/* ---- queries ---------------------------------------------------------- */

/* a number from the query; def when absent; false: not a number or > max */
static bool
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

static bool
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
api_forget(struct server *s, struct httpd_conn *c, struct str id)
{
	char name[ID_MAX + 1];
	int err;

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
	const char *path; /* one that ends in '/' takes an id */
	void (*get)(struct server *, struct httpd_conn *,
	    const struct http_request *, struct str id);
};

static const struct api_route api_routes[] = {
    {"/v1/servers", api_servers},
    {"/v1/servers/", NULL},
    {"/v1/load", api_load},
    {"/v1/next", api_next},
    {"/v1/check", api_check},
    {"/v1/events", api_events},
    {"/v1/users/", api_user},
    {"/v1/rooms", api_rooms},
    {"/v1/rooms/", api_room},
};

static const struct api_route *
api_route(struct str path, struct str *id)
{
	const struct api_route *r;
	struct str route;

	for (size_t i = 0; i < ARRAY_LEN(api_routes); i++) {
		r = &api_routes[i];
		route = str_of(r->path);
		*id = STR_NONE;
		if (str_eq(path, route))
			return route.p[route.len - 1] == '/' ? NULL : r;
		if (route.p[route.len - 1] == '/' && str_starts(path, route)) {
			*id = str_n(path.p + route.len, path.len - route.len);
			return r;
		}
	}
	return NULL;
}

bool
api_request(
    struct server *s, struct httpd_conn *c, const struct http_request *rq)
{
	const struct api_route *r;
	struct str raw;
	struct buf id;

	r = api_route(rq->path, &raw);
	if (r == NULL)
		return false;
	buf_init(&id, 3 * ID_MAX);
	if (str_is_set(raw) &&
	    (http_unescape(raw, &id) != 0 || !id_is_word(buf_str(&id))))
		httpd_error(c, 400, "this is not an id");
	else if (r->get == NULL && rq->method == HTTP_DELETE_M)
		api_forget(s, c, buf_str(&id));
	else if (r->get == NULL ||
		 (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M))
		httpd_error(c, 405, "not with this method");
	else
		r->get(s, c, rq, buf_str(&id));
	buf_fini(&id);
	return true;
}
