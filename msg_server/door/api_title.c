/* SPDX-License-Identifier: MIT */
/*
 * PUT /v1/rooms/RID/title {"title","uid"?,"name"?,"cid"?}: what a room is
 * called from now on, "" nothing; an item of its channel like any other. uid is
 * in whose name, none: the system. A group must be there.
 */
#include "msg_server/door/api_priv.h"
#include "msg_server/groups.h"
#include "shared/base/utf8.h"

/* an error text, or NULL */
static const char *
api_read_title(const json_t *obj, struct str *title, struct api_message *m)
{
	memset(m, 0, sizeof *m);
	*title = json_str(obj, "title");
	m->uid = json_str(obj, "uid");
	m->name = json_str(obj, "name");
	m->cid = json_str(obj, "cid");
	if (!str_is_set(*title) || title->len > TITLE_MAX ||
	    !utf8_is_line(*title))
		return "title is one line of at most 128 bytes";
	if (str_is_set(m->uid) && !id_is_word(m->uid))
		return "uid must be a word";
	if (m->name.len > NAME_MAX_BYTES)
		return "name has at most 64 bytes";
	if (str_is_set(m->cid) && !id_is_cid(m->cid))
		return "bad cid";
	if (!str_is_set(m->name))
		m->name = m->uid;
	return NULL;
}

static void
api_put_title(
    struct server *srv, struct httpd_conn *c, struct str rid, const json_t *obj)
{
	struct chan_name chan = chan_room(rid);
	char cid[CID_MAX + 1];
	struct api_message m;
	struct f_append ap;
	struct str title;
	const char *why = api_read_title(obj, &title, &m);

	if (why != NULL) {
		httpd_error(c, 400, why);
		return;
	}
	api_fill(srv, &m, &ap, cid);
	ap.item.kind = ITEM_TITLE;
	ap.item.body = title;
	ap.states[ap.n_states++] = title_state(title);
	/* of a group that is there, how many are in it is known */
	if (id_is_group(rid))
		ap.need = STR_LIT("n");
	srv->stats[S_TITLES]++;
	api_put(srv, c, &chan, &ap);
}

bool
api_title(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	struct str path = rq->path, v, rooms, rid, sub;
	json_t *obj;

	if (!str_next(&path, '/', &v) || !str_next(&path, '/', &v) ||
	    !str_next(&path, '/', &rooms) || !str_eqc(rooms, "rooms") ||
	    !str_next(&path, '/', &rid) || !str_next(&path, '/', &sub) ||
	    !str_eqc(sub, "title") || str_is_set(path))
		return false;
	if (rq->method != HTTP_PUT_M) {
		httpd_error(c, 405, "not with this method");
	} else if (!id_is_word(rid)) {
		httpd_error(c, 400, "rid must be a word");
	} else if ((obj = api_body(c, body)) != NULL) {
		api_put_title(srv, c, rid, obj);
		json_decref(obj);
	}
	return true;
}
