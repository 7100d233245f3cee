/* SPDX-License-Identifier: MIT */
/*
 * The HTTP door. Questions about people and rooms are passed to the active
 * proxy, which knows them all; its lists come back as JSON. /v1/send is a
 * message like any other: one append, answered after the commit.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "msg_server/client.h"
#include "msg_server/door/api.h"
#include "shared/base/digest.h"
#include "shared/proc/log.h"

enum { API_LIMIT = 100, API_LIMIT_MAX = 1000, API_ANSWER_MAX = 4 << 20 };

int
api_load_key(struct server *srv, char *why, size_t size)
{
	const char *path = srv->set.api_key;
	char key[sizeof srv->api_key + 1];
	ssize_t n;
	int fd;

	if (path[0] == '\0') {
		srv->api_key[0] = '\0';
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, key, sizeof key) : -1;
	if (fd >= 0)
		close(fd);
	while (n > 0 && (key[n - 1] == '\n' || key[n - 1] == '\r'))
		n--;
	if (n < 16 || n >= (ssize_t)sizeof srv->api_key) {
		snprintf(why, size,
		    "%s: the API key must be a file of 16 to 128 characters",
		    path);
		return ERR_CONF;
	}
	memcpy(srv->api_key, key, (size_t)n);
	srv->api_key[n] = '\0';
	explicit_bzero(key, sizeof key);
	return 0;
}

static bool
api_may(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    bool changes)
{
	struct str auth = http_field(rq, "authorization"), key;
	struct str want = str_of(srv->api_key);

	if (want.len == 0)
		return !changes && addr_is_loopback(httpd_peer(c)) &&
		       !str_is_set(http_field(rq, "x-forwarded-for")) &&
		       !str_is_set(http_field(rq, "forwarded"));
	if (!str_starts(auth, STR_LIT("Bearer ")))
		return false;
	key = str_trim(str_n(auth.p + 7, auth.len - 7));
	return key.len == want.len && digest_equal(key.p, want.p, key.len);
}

/* --- questions ---------------------------------------------------------- */

struct api_who {
	struct relay_who who;
	struct server *srv;
	uint64_t id;
	bool list;
};

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
	httpd_reply(c, 200, "application/json", buf_str(&out), API_HEADERS);
	buf_fini(&out);
	free(q);
}

static void
api_ask(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    enum who_what what, struct str arg)
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
	q->who.done = api_on_whois;
	if (relay_who(srv->relay, &who, &q->who) != 0) {
		free(q);
		httpd_error(c, 503, "busy");
	}
out:
	buf_fini(&b);
	buf_fini(&next);
}

/* --- send --------------------------------------------------------------- */

struct api_send {
	struct relay_append append;
	struct server *srv;
	uint64_t id;
	struct chan_name chan;
};

static void
api_on_stored(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct api_send *q = container_of(ra, struct api_send, append);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	struct buf out;

	(void)retry_ms;
	if (c != NULL && code != 200) {
		httpd_error(c, (int)code, "not stored");
	} else if (c != NULL) {
		buf_init(&out, 512);
		buf_printf(&out,
		    "{\"seq\":%" PRIu64 ",\"mid\":\"%s/%" PRIu64
		    "\",\"ts\":%" PRId64 ",\"dup\":%s}",
		    ack->seq, q->chan.s, ack->seq, ack->ts,
		    ack->dup ? "true" : "false");
		httpd_reply(
		    c, 200, "application/json", buf_str(&out), API_HEADERS);
		buf_fini(&out);
	}
	free(q);
}

/* the fields of the request into ap; an error text, or NULL */
static const char *
api_read_send(struct server *srv, const json_t *obj, struct f_append *ap,
    struct chan_name *chan, struct chan_name to[2])
{
	struct item *it = &ap->item;
	struct str rid = json_str(obj, "rid"), tid = json_str(obj, "tid");

	memset(ap, 0, sizeof *ap);
	it->kind = ITEM_MESSAGE;
	it->uid = json_str(obj, "uid");
	it->name = json_str(obj, "name");
	it->cid = json_str(obj, "cid");
	it->body = json_str(obj, "msg");
	if (!str_is_set(it->name))
		it->name = it->uid;
	if (!id_is_word(it->uid) || it->name.len > NAME_MAX_BYTES)
		return "uid must be a word, name at most 64 bytes";
	if (it->body.len == 0 || it->body.len > (size_t)srv->set.msg_max)
		return "msg is missing or too long";
	if (str_is_set(it->cid) && !id_is_cid(it->cid))
		return "bad cid";
	if (str_is_set(tid) ? !id_is_word(tid) : !id_is_word(rid))
		return "rid or tid must be a word";
	*chan = str_is_set(tid) ? chan_pair(it->uid, tid) : chan_room(rid);
	ap->chan = chan_str(chan);
	if (str_is_set(tid)) {
		to[0] = chan_user(it->uid);
		to[1] = chan_user(tid);
		ap->to[ap->n_to++] = chan_str(&to[0]);
		if (!str_eq(it->uid, tid))
			ap->to[ap->n_to++] = chan_str(&to[1]);
	}
	return NULL;
}

static void
api_send(struct server *srv, struct httpd_conn *c, struct str body)
{
	struct f_append ap;
	struct chan_name to[2];
	struct api_send *q;
	const char *why;
	char cid[CID_MAX + 1];
	int err;
	json_t *obj = json_read(body, &err);

	q = xcalloc(1, sizeof *q);
	why = json_is_object(obj) ? api_read_send(srv, obj, &ap, &q->chan, to)
				  : "the body must be a JSON object";
	if (why != NULL) {
		httpd_error(c, 400, why);
		free(q);
		json_decref(obj);
		return;
	}
	if (!str_is_set(ap.item.cid)) {
		snprintf(cid, sizeof cid, "~%x.%" PRIu64, srv->node_no,
		    srv->next_cid++);
		ap.item.cid = str_of(cid);
		ap.item.flags |= ITEM_F_AUTO_CID;
	}
	q->srv = srv;
	q->id = httpd_id(c);
	q->append.done = api_on_stored;
	if (relay_append(srv->relay, &ap, &q->append) != 0) {
		free(q);
		httpd_error(c, 503, "busy");
	} else {
		srv->stats[S_APPENDS]++;
	}
	json_decref(obj);
}

/* --- routes ------------------------------------------------------------- */

static void
api_get(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    struct str path)
{
	struct str kind, id = STR_NONE, sub = STR_NONE;

	str_next(&path, '/', &kind);
	if (str_next(&path, '/', &id) && !id_is_word(id))
		kind = STR_NONE;
	str_next(&path, '/', &sub);
	if (str_eqc(kind, "users") && str_is_set(id) && !str_is_set(sub))
		api_ask(srv, c, rq, WHO_USER, id);
	else if (str_eqc(kind, "rooms") && !str_is_set(id))
		api_ask(srv, c, rq, WHO_ROOMS, STR_LIT(""));
	else if (str_eqc(kind, "rooms") && !str_is_set(sub))
		api_ask(srv, c, rq, WHO_ROOM_INFO, id);
	else if (str_eqc(kind, "rooms") && str_eqc(sub, "users"))
		api_ask(srv, c, rq, WHO_ROOM, id);
	else
		httpd_error(c, 404, "no such path");
}

bool
api_request(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	static const struct str prefix = {"/v1/", 4};
	bool get = rq->method == HTTP_GET_M || rq->method == HTTP_HEAD_M;

	if (!str_starts(rq->path, prefix))
		return false;
	if (!api_may(srv, c, rq, !get))
		httpd_error(c, srv->api_key[0] != '\0' ? 401 : 403,
		    "the API key is needed");
	else if (get)
		api_get(srv, c, rq,
		    str_n(rq->path.p + prefix.len, rq->path.len - prefix.len));
	else if (rq->method == HTTP_POST_M && str_eqc(rq->path, "/v1/send"))
		api_send(srv, c, body);
	else
		httpd_error(c, 405, "not with this method");
	return true;
}
