/* SPDX-License-Identifier: MIT */
/*
 * POST /v1/send to one room or one user: a message like any other, one append,
 * answered after the commit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg_server/door/api_priv.h"
#include "msg_server/upload/upload.h"

struct api_one {
	struct relay_append append;
	struct server *srv;
	uint64_t id;
	struct chan_name chan;
};

const char *
api_read_message(
    const struct server *srv, const json_t *obj, struct api_message *m)
{
	static const struct {
		const char *name;
		uint16_t flags;
	} types[] = {{"text", 0}, {"audio", ITEM_F_AUDIO}, {"pic", ITEM_F_PIC},
	    {"file", ITEM_F_FILE}};
	struct str type = json_str(obj, "type");
	size_t i;

	memset(m, 0, sizeof *m);
	m->uid = json_str(obj, "uid");
	m->name = json_str(obj, "name");
	m->cid = json_str(obj, "cid");
	m->body = json_str(obj, "msg");
	if (!str_is_set(m->name))
		m->name = m->uid;
	if (!id_is_word(m->uid) || m->name.len > NAME_MAX_BYTES)
		return "uid must be a word, name at most 64 bytes";
	if (m->body.len == 0)
		return "msg is missing";
	if (m->body.len > (size_t)srv->set.msg_max)
		return "msg is too long";
	if (str_is_set(m->cid) && !id_is_cid(m->cid))
		return "bad cid";
	for (i = 0; i < ARRAY_LEN(types); i++)
		if (!str_is_set(type) || str_eqc(type, types[i].name))
			break;
	if (i == ARRAY_LEN(types))
		return "type is text, audio, pic or file";
	m->flags = types[i].flags;
	return NULL;
}

void
api_fill(struct server *srv, const struct api_message *m, struct f_append *ap,
    char cid[CID_MAX + 1])
{
	struct item *it = &ap->item;

	memset(ap, 0, sizeof *ap);
	it->kind = ITEM_MESSAGE;
	it->uid = m->uid;
	it->name = m->name;
	it->body = m->body;
	it->flags = m->flags;
	it->cid = m->cid;
	if (str_is_set(m->cid))
		return;
	snprintf(
	    cid, CID_MAX + 1, "~%x.%" PRIu64, srv->node_no, srv->next_cid++);
	it->cid = str_of(cid);
	it->flags |= ITEM_F_AUTO_CID;
}

static void
api_on_stored(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct api_one *q = container_of(ra, struct api_one, append);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	struct buf out;

	(void)retry_ms;
	if (c != NULL && code != 200) {
		if (code == 403)
			httpd_error(c, 404, "there is no such group");
		else
			httpd_error(c, (int)code, "not stored");
	} else if (c != NULL) {
		buf_init(&out, 512);
		buf_printf(&out,
		    "{\"seq\":%" PRIu64 ",\"mid\":\"%s/%" PRIu64
		    "\",\"ts\":%" PRId64 ",\"dup\":%s}",
		    ack->seq, q->chan.s, ack->seq, ack->ts,
		    ack->dup ? "true" : "false");
		api_reply(c, &out);
		buf_fini(&out);
	}
	free(q);
}

void
api_put(struct server *srv, struct httpd_conn *c, const struct chan_name *chan,
    struct f_append *ap)
{
	struct api_one *q = xcalloc(1, sizeof *q);

	q->srv = srv;
	q->id = httpd_id(c);
	q->append.done = api_on_stored;
	q->chan = *chan;
	ap->chan = chan_str(&q->chan);
	if (relay_append(srv->relay, ap, &q->append) != 0) {
		free(q);
		httpd_error(c, 503, "busy");
	} else {
		srv->stats[S_APPENDS]++;
	}
}

static void
api_send_one(struct server *srv, struct httpd_conn *c,
    const struct api_message *m, struct str rid, struct str tid)
{
	struct chan_name chan, to[2];
	char cid[CID_MAX + 1];
	struct f_append ap;

	if (str_is_set(tid) ? !id_is_word(tid) : !id_is_word(rid)) {
		httpd_error(c, 400, "rid or tid must be a word");
		return;
	}
	chan = str_is_set(tid) ? chan_pair(m->uid, tid) : chan_room(rid);
	api_fill(srv, m, &ap, cid);
	if (str_is_set(tid)) {
		to[0] = chan_user(m->uid);
		to[1] = chan_user(tid);
		ap.to[ap.n_to++] = chan_str(&to[0]);
		if (!str_eq(m->uid, tid))
			ap.to[ap.n_to++] = chan_str(&to[1]);
	}
	api_put(srv, c, &chan, &ap);
}

void
api_send(struct server *srv, struct httpd_conn *c, struct str body)
{
	static const char *const where[] = {"rid", "tid", "uids", "all"};
	json_t *obj = api_body(c, body);
	struct api_message m;
	const char *why;
	unsigned n = 0;

	if (obj == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(where); i++)
		n += json_object_get(obj, where[i]) != NULL;
	why = api_read_message(srv, obj, &m);
	if (why == NULL && m.flags != 0)
		uploads_keep(srv, m.body);
	if (why != NULL)
		httpd_error(c, strcmp(why, "msg is too long") ? 400 : 413, why);
	else if (n != 1)
		httpd_error(c, 400, "one of rid, tid, uids and all");
	else if (json_object_get(obj, "uids") || json_object_get(obj, "all"))
		api_send_many(srv, c, obj, &m);
	else
		api_send_one(
		    srv, c, &m, json_str(obj, "rid"), json_str(obj, "tid"));
	json_decref(obj);
}
