/* SPDX-License-Identifier: MIT */
/*
 * /v1/groups: groups by HTTP (groups.h), for back ends.
 *
 *	POST /v1/groups		  {"name","uids"?,"rid"?,"by"?,"cid"?}
 *	GET  /v1/groups		  all, ?active=1: of two members or more,
 *				  ?uid=UID: of that user
 *	GET  /v1/groups/RID
 *	POST /v1/groups/RID/users {"uids","by"?}
 *	GET  /v1/groups/RID/users
 *
 * A group's rid is drawn, or made of the cid: so the same cid again names the
 * same group, which is then there ("dup":true) or is made whole. Lists go on
 * behind "next"; a page of ?active=1 may be short, or empty, and not the last.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/door/api_priv.h"
#include "msg_server/groups.h"
#include "shared/base/digest.h"

enum { API_RID_BYTES = 8 };

/* --- changes ------------------------------------------------------------- */

struct api_change {
	struct groups_call call;
	struct server *srv;
	uint64_t id;
	json_t *obj; /* owned: what came */
	char rid[ID_MAX + 1];
	bool create, by_cid;
};

static void
api_change_free(struct api_change *q)
{
	json_decref(q->obj);
	free(q);
}

static void
api_put_fresh(struct jw *w, const json_t *uids, const struct groups_result *res)
{
	char tmp[24];

	jw_arr(w, "new");
	for (size_t i = 0; i < json_array_size(uids); i++)
		if (res->fresh[i])
			jw_str(
			    w, NULL, json_text(json_array_get(uids, i), tmp));
	jw_arr_end(w);
}

static void
api_on_changed(struct groups_call *call, unsigned code, const char *why,
    const struct groups_result *res)
{
	struct api_change *q = container_of(call, struct api_change, call);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	bool dup = code == 409 && q->by_cid;
	struct buf out;
	struct jw w;

	if (c != NULL && code != 200 && !dup) {
		httpd_error(c, (int)code, why);
	} else if (c != NULL) {
		buf_init(&out, API_ANSWER_MAX);
		jw_init(&w, &out);
		jw_obj(&w, NULL);
		jw_cstr(&w, "rid", q->rid);
		if (q->create)
			jw_bool(&w, "dup", dup);
		if (!dup) {
			jw_int(&w, "n", res->n);
			api_put_fresh(&w, json_object_get(q->obj, "uids"), res);
		}
		jw_obj_end(&w);
		api_reply(c, &out);
		buf_fini(&out);
	}
	api_change_free(q);
}

/* the fields of a change; an error text, or NULL */
static const char *
api_read_change(const json_t *obj, struct groups_change *ch,
    struct str uids[GROUP_UIDS], char tmp[GROUP_UIDS][24])
{
	const json_t *list = json_object_get(obj, "uids");
	size_t n = json_array_size(list);

	if (list != NULL && !json_is_array(list))
		return "uids is a list";
	if (n > GROUP_UIDS)
		return "at most 200 uids";
	for (size_t i = 0; i < n; i++) {
		uids[i] = json_text(json_array_get(list, i), tmp[i]);
		if (!str_is_set(uids[i]) || !id_is_word(uids[i]))
			return "each of uids must be a word";
	}
	ch->uids = uids;
	ch->n_uids = (unsigned)n;
	ch->by = json_str(obj, "by");
	if (str_is_set(ch->by) && !id_is_word(ch->by))
		return "by must be a word";
	return NULL;
}

/* given, of the cid, or drawn; an error text, or NULL */
static const char *
api_new_rid(struct api_change *q)
{
	struct str rid = json_str(q->obj, "rid");
	struct str cid = json_str(q->obj, "cid");
	uint8_t mac[HMAC_LEN];

	q->rid[0] = 'g';
	if (str_is_set(cid) && !id_is_cid(cid))
		return "bad cid";
	if (str_is_set(rid)) {
		if (!id_is_group(rid))
			return "rid is g and hex digits";
		str_copy(q->rid, sizeof q->rid, rid);
		q->by_cid = str_is_set(cid);
		return NULL;
	}
	if (str_is_set(cid)) {
		digest_hmac("group", 5, cid.p, cid.len, mac);
		q->by_cid = true;
	} else {
		digest_random(mac, API_RID_BYTES);
	}
	digest_hex(mac, API_RID_BYTES, q->rid + 1);
	return NULL;
}

/* takes obj; rid not set: a new one */
static void
api_change(
    struct server *srv, struct httpd_conn *c, struct str rid, json_t *obj)
{
	struct api_change *q = xcalloc(1, sizeof *q);
	struct str uids[GROUP_UIDS];
	char tmp[GROUP_UIDS][24];
	struct groups_change ch = {.rid = rid};
	const char *why = api_read_change(obj, &ch, uids, tmp);

	q->srv = srv;
	q->id = httpd_id(c);
	q->obj = obj;
	q->call.done = api_on_changed;
	q->create = !str_is_set(rid);
	if (q->create && why == NULL) {
		ch.name = json_str(obj, "name");
		if (ch.name.len == 0 || ch.name.len > GROUP_NAME_MAX)
			why = "a name has 1 to 128 bytes";
		else
			why = api_new_rid(q);
	} else if (why == NULL) {
		str_copy(q->rid, sizeof q->rid, rid);
		if (ch.n_uids == 0)
			why = "uids is missing";
	}
	if (why != NULL) {
		httpd_error(c, 400, why);
		api_change_free(q);
		return;
	}
	ch.rid = str_of(q->rid);
	groups_change(srv, &ch, &q->call);
}

/* --- questions ----------------------------------------------------------- */

enum api_groups_what { API_ALL, API_ONE, API_MEMBERS, API_OF };

struct api_groups_ask {
	struct relay_states states;
	struct server *srv;
	uint64_t id;
	enum api_groups_what what;
	bool active;
	char rid[ID_MAX + 1];
};

static void
api_put_info(struct jw *w, const struct group_info *g)
{
	jw_str(w, "rid", g->rid);
	jw_cstr(w, "name", g->name);
	jw_int(w, "n", g->n);
	jw_int(w, "created", g->created);
	jw_int(w, "updated", g->updated);
}

static void
api_put_record(
    struct jw *w, const struct api_groups_ask *q, const struct state_rec *rec)
{
	struct group_info g;
	struct str id =
	    q->what == API_MEMBERS ? group_member_uid(rec) : group_of_rid(rec);

	if (q->what == API_ALL) {
		if (!group_info_read(rec, &g) || (q->active && g.n < 2))
			return;
		jw_obj(w, NULL);
		api_put_info(w, &g);
		jw_obj_end(w);
	} else if (str_is_set(id)) {
		jw_obj(w, NULL);
		jw_str(w, q->what == API_MEMBERS ? "uid" : "rid", id);
		jw_obj_end(w);
	}
}

static bool
api_put_one(
    struct jw *w, const struct api_groups_ask *q, unsigned n, struct str recs)
{
	struct state_rec rec;
	struct group_info g;

	if (n == 0 || frames_states_next(&recs, &rec) != 0 ||
	    !group_info_read(&rec, &g) || !str_eqc(g.rid, q->rid))
		return false;
	api_put_info(w, &g);
	return true;
}

static void
api_put_page(struct jw *w, const struct api_groups_ask *q,
    const struct f_stated *f, struct str recs)
{
	struct state_rec rec = {.key = STR_NONE};
	unsigned skip = q->what == API_ALL ? 4 : 2; /* grp: m: g: */

	jw_int(w, "count", f->count);
	jw_arr(w, "list");
	for (unsigned i = 0; i < f->n; i++)
		if (frames_states_next(&recs, &rec) == 0)
			api_put_record(w, q, &rec);
	jw_arr_end(w);
	if (f->more && rec.key.len > skip)
		jw_str(w, "next", str_n(rec.key.p + skip, rec.key.len - skip));
}

static void
api_on_stated(struct relay_states *call, unsigned code,
    const struct f_stated *f, struct str recs)
{
	struct api_groups_ask *q =
	    container_of(call, struct api_groups_ask, states);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	struct buf out;
	struct jw w;
	bool found = true;

	buf_init(&out, API_ANSWER_MAX);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_int(&w, "ver", (int64_t)topology_ver(q->srv->topology));
	jw_int(&w, "gen", (int64_t)relay_gen(q->srv->relay));
	if (code == 200 && q->what == API_ONE)
		found = api_put_one(&w, q, f->n, recs);
	else if (code == 200)
		api_put_page(&w, q, f, recs);
	jw_obj_end(&w);
	if (c != NULL && code != 200)
		httpd_error(c, 503, "no proxy answers now");
	else if (c != NULL && !found)
		httpd_error(c, 404, "no such group");
	else if (c != NULL)
		api_reply(c, &out);
	buf_fini(&out);
	free(q);
}

/* limit and next of the query; false: answered */
static bool
api_page(struct httpd_conn *c, const struct http_request *rq,
    const char *prefix, struct f_states *f, char after[STATE_KEY_MAX + 1])
{
	struct buf b;
	uint64_t limit = API_LIMIT;
	bool ok = true;

	buf_init(&b, ID_MAX + 1);
	if (http_query(rq->query, "limit", &b))
		ok = str_u64(buf_str(&b), &limit) == 0 && limit >= 1 &&
		     limit <= API_LIMIT_MAX;
	f->n = (uint16_t)limit;
	f->count = true;
	buf_reset(&b);
	if (http_query(rq->query, "next", &b) && id_is_word(buf_str(&b))) {
		snprintf(after, STATE_KEY_MAX + 1, "%s%.*s", prefix,
		    STR_ARG(buf_str(&b)));
		f->after = str_of(after);
	}
	buf_fini(&b);
	if (!ok)
		httpd_error(c, 400, "limit is 1 to 1000");
	return ok;
}

static void
api_ask_groups(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str rid, bool users)
{
	struct api_groups_ask *q = xcalloc(1, sizeof *q);
	char key[STATE_KEY_MAX + 1], after[STATE_KEY_MAX + 1];
	const char *prefix = "grp:";
	struct chan_name chan;
	struct f_states f;
	struct buf uid;
	bool ok = true;

	buf_init(&uid, ID_MAX + 1);
	q->srv = srv;
	q->id = httpd_id(c);
	q->states.done = api_on_stated;
	str_copy(q->rid, sizeof q->rid, rid);
	if (users) {
		q->what = API_MEMBERS;
		prefix = "m:";
		groups_ask_members(rid, &chan, &f);
	} else if (str_is_set(rid)) {
		q->what = API_ONE;
		groups_ask_one(rid, key, &f);
	} else if (http_query(rq->query, "uid", &uid)) {
		q->what = API_OF;
		prefix = "g:";
		ok = id_is_word(buf_str(&uid));
		groups_ask_of(buf_str(&uid), &chan, &f);
	} else {
		q->what = API_ALL;
		groups_ask_all(&f);
		buf_reset(&uid);
		q->active = http_query(rq->query, "active", &uid) &&
			    str_eqc(buf_str(&uid), "1");
	}
	if (!ok)
		httpd_error(c, 400, "uid must be a word");
	else if (q->what != API_ONE && !api_page(c, rq, prefix, &f, after))
		ok = false;
	else if (relay_states(srv->relay, &f, &q->states) != 0) {
		httpd_error(c, 503, "busy");
		ok = false;
	}
	if (!ok)
		free(q);
	buf_fini(&uid);
}

/* --- routes -------------------------------------------------------------- */

void
api_groups(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str path, struct str body)
{
	struct str kind, rid = STR_NONE, sub = STR_NONE;
	json_t *obj;

	str_next(&path, '/', &kind);
	if (str_next(&path, '/', &rid) && !id_is_group(rid)) {
		httpd_error(c, 404, "no such group");
		return;
	}
	if ((str_next(&path, '/', &sub) && !str_eqc(sub, "users")) ||
	    path.len > 0) {
		httpd_error(c, 404, "no such path");
		return;
	}
	if (rq->method == HTTP_GET_M || rq->method == HTTP_HEAD_M) {
		api_ask_groups(srv, c, rq, rid, str_is_set(sub));
		return;
	}
	if (rq->method != HTTP_POST_M || str_is_set(rid) != str_is_set(sub)) {
		httpd_error(c, 405, "not with this method");
		return;
	}
	obj = api_body(c, body);
	if (obj != NULL)
		api_change(srv, c, rid, obj);
}
