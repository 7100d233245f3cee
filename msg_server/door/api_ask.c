/* SPDX-License-Identifier: MIT */
/*
 * Questions about people and rooms: passed to the active proxy, which knows
 * them all; its lists come back as JSON.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "msg_server/door/api_priv.h"

struct api_who {
	struct relay_who who;
	struct server *srv;
	uint64_t id;
	bool rooms; /* of a user: those alone */
};

/* the rooms of the answer to WHO_USER, as a list */
static void
api_put_rooms(const struct server *srv, struct str user, struct buf *out)
{
	int err;
	json_t *obj = json_read(user, &err), *v;
	struct jw w;
	size_t i;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_int(&w, "ver", (int64_t)topology_ver(srv->topology));
	jw_int(&w, "gen", (int64_t)relay_gen(srv->relay));
	jw_int(&w, "count",
	    (int64_t)json_array_size(json_object_get(obj, "rooms")));
	jw_arr(&w, "list");
	json_array_foreach(json_object_get(obj, "rooms"), i, v)
	    jw_str(&w, NULL, str_of(json_string_value(v)));
	jw_arr_end(&w);
	jw_obj_end(&w);
	json_decref(obj);
}

static void
api_on_whois(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct api_who *q = container_of(rw, struct api_who, who);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	struct buf out;

	if (c == NULL) {
		free(q);
		return;
	}
	if (code != 200 || a->code != 200) {
		code = code != 200 ? code : a->code;
		httpd_error(c, (int)code,
		    code == 404 ? "not found" : "no proxy answers now");
		free(q);
		return;
	}
	buf_init(&out, API_ANSWER_MAX);
	if (q->rooms) {
		api_put_rooms(q->srv, a->json, &out);
		api_reply(c, &out);
		buf_fini(&out);
		free(q);
		return;
	}
	buf_printf(&out, "{\"ver\":%" PRIu64, topology_ver(q->srv->topology));
	/* a room tells the gen of its owner itself */
	if (memmem(a->json.p, a->json.len, "\"gen\":", 6) == NULL)
		buf_printf(&out, ",\"gen\":%" PRIu64, relay_gen(q->srv->relay));
	if (a->json.len > 2 && a->json.p[0] == '{') {
		/* one thing: its members beside ver and gen */
		buf_putc(&out, ',');
		buf_put(&out, a->json.p + 1, a->json.len - 1);
	} else {
		buf_printf(&out, ",\"count\":%u,\"list\":", a->count);
		buf_putstr(&out, a->json.len > 0 ? a->json : STR_LIT("[]"));
		if (str_is_set(a->next)) {
			buf_puts(&out, ",\"next\":");
			json_put_string(&out, a->next);
		}
		buf_putc(&out, '}');
	}
	api_reply(c, &out);
	buf_fini(&out);
	free(q);
}

static void
api_ask(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    enum who_what what, struct str arg, bool rooms)
{
	struct f_who who = {.what = (uint8_t)what, .arg = arg};
	struct api_who *q;
	struct buf b, next;
	uint64_t limit = API_LIMIT;

	buf_init(&b, 64);
	buf_init(&next, ID_MAX + 1);
	if (http_query(rq->query, "limit", &b) &&
	    (str_u64(buf_str(&b), &limit) != 0 || limit < 1 ||
		limit > API_LIMIT_MAX)) {
		httpd_error(c, 400, "limit is 1 to 1000");
		goto out;
	}
	if (http_query(rq->query, "next", &next))
		who.next = buf_str(&next);
	who.limit = (uint16_t)limit;
	q = xcalloc(1, sizeof *q);
	q->srv = srv;
	q->id = httpd_id(c);
	q->rooms = rooms;
	q->who.done = api_on_whois;
	if (relay_who(srv->relay, &who, &q->who) != 0) {
		free(q);
		httpd_error(c, 503, "busy");
	}
out:
	buf_fini(&b);
	buf_fini(&next);
}

/* GET /v1/online?uids=a,b */
static void
api_online(
    struct server *srv, struct httpd_conn *c, const struct http_request *rq)
{
	struct str rest, uid;
	struct buf b;
	unsigned n = 0;
	bool good;

	buf_init(&b, API_UIDS_MAX * (ID_MAX + 1));
	good = http_query(rq->query, "uids", &b) && buf_ok(&b);
	for (rest = buf_str(&b); good && str_next(&rest, ',', &uid); n++)
		good = id_is_word(uid);
	if (!good || n == 0 || n > API_UIDS_MAX)
		httpd_error(c, 400, "uids is 1 to 200 words with , between");
	else
		api_ask(srv, c, rq, WHO_USERS, buf_str(&b), false);
	buf_fini(&b);
}

void
api_get(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    struct str path)
{
	struct str kind, id = STR_NONE, sub = STR_NONE, more = STR_NONE;
	bool user, room;

	str_next(&path, '/', &kind);
	if (str_next(&path, '/', &id) && !id_is_word(id))
		kind = STR_NONE;
	if (str_next(&path, '/', &sub) && str_next(&path, '/', &more))
		kind = STR_NONE;
	user = str_eqc(kind, "users") && str_is_set(id);
	room = str_eqc(kind, "rooms") && str_is_set(id);
	if (user && !str_is_set(sub))
		api_ask(srv, c, rq, WHO_USER, id, false);
	else if (user && str_eqc(sub, "rooms"))
		api_ask(srv, c, rq, WHO_USER, id, true);
	else if (str_eqc(kind, "rooms") && !str_is_set(id))
		api_ask(srv, c, rq, WHO_ROOMS, STR_LIT(""), false);
	else if (room && !str_is_set(sub))
		api_ask(srv, c, rq, WHO_ROOM_INFO, id, false);
	else if (room && str_eqc(sub, "users"))
		api_ask(srv, c, rq, WHO_ROOM, id, false);
	else if (str_eqc(kind, "online") && !str_is_set(id))
		api_online(srv, c, rq);
	else
		httpd_error(c, 404, "no such path");
}
