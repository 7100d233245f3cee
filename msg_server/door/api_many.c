/* SPDX-License-Identifier: MIT */
/*
 * POST /v1/send to some users or to all who are online: a private message to
 * each, in the pair of the sender and him, with the same cid. So a repeat,
 * after a failure in the middle or at another server, stores only what is
 * missing.
 *
 * At most API_MANY_FLIGHT of one request are under way, at most API_MANY_MAX
 * users are reached by one: where there are more the answer says where the next
 * one goes on. The sender's own devices hear none of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "msg_server/door/api_priv.h"

enum {
	API_MANY_MAX = 1000,
	API_MANY_FLIGHT = 64,
	API_MANY_FAILED = 100, /* named in the answer */
	API_MANY_RUNNING = 16  /* requests like that at a time */
};

struct api_slot {
	struct relay_append append;
	struct api_many *all;
	unsigned at; /* whose uid, or NONE */
};

struct api_many {
	struct server *srv;
	uint64_t id;
	json_t *body; /* what m borrows from, owned */
	struct api_message m;
	struct relay_who who;
	char (*uid)[ID_MAX + 1];
	uint16_t *code; /* 200, or why not, by uid */
	unsigned n, at, flight, stored, dups;
	char next[ID_MAX + 1]; /* where a further one goes on; "": all */
	struct api_slot slot[API_MANY_FLIGHT];
};

static unsigned many_running;

static void
many_free(struct api_many *q)
{
	many_running--;
	json_decref(q->body);
	free(q->uid);
	free(q->code);
	free(q);
}

static void
many_reply(struct api_many *q)
{
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	unsigned failed = q->n - q->stored, i, told = 0;
	struct buf out;
	struct jw w;

	if (c == NULL)
		return;
	buf_init(&out, API_ANSWER_MAX);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_int(&w, "users", q->n);
	jw_int(&w, "stored", q->stored);
	jw_int(&w, "dups", q->dups);
	jw_int(&w, "failed", failed);
	jw_arr(&w, "errors");
	for (i = 0; i < q->n && told < API_MANY_FAILED; i++) {
		if (q->code[i] == 200)
			continue;
		jw_obj(&w, NULL);
		jw_cstr(&w, "uid", q->uid[i]);
		jw_int(&w, "code", q->code[i]);
		jw_obj_end(&w);
		told++;
	}
	jw_arr_end(&w);
	if (q->next[0] != '\0')
		jw_cstr(&w, "next", q->next);
	jw_obj_end(&w);
	api_reply(c, &out);
	buf_fini(&out);
}

static void many_go_on(struct api_many *q);

static void
many_on_stored(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct api_slot *s = container_of(ra, struct api_slot, append);
	struct api_many *q = s->all;

	(void)retry_ms;
	q->code[s->at] = (uint16_t)code;
	q->stored += code == 200;
	q->dups += code == 200 && ack->dup;
	q->flight--;
	s->all = NULL;
	many_go_on(q);
}

static int
many_append(struct api_many *q, struct api_slot *s, unsigned at)
{
	struct str uid = str_of(q->uid[at]);
	struct chan_name chan = chan_pair(q->m.uid, uid), to = chan_user(uid);
	char cid[CID_MAX + 1];
	struct f_append ap;

	api_fill(q->srv, &q->m, &ap, cid);
	ap.chan = chan_str(&chan);
	ap.to[ap.n_to++] = chan_str(&to);
	s->append.done = many_on_stored;
	s->all = q;
	s->at = at;
	if (relay_append(q->srv->relay, &ap, &s->append) == 0) {
		q->srv->stats[S_APPENDS]++;
		return 0;
	}
	s->all = NULL;
	return ERR_BUSY;
}

/* as many as may be under way; the end when there are none left */
static void
many_go_on(struct api_many *q)
{
	struct api_slot *s = q->slot;

	while (q->at < q->n && q->flight < API_MANY_FLIGHT) {
		while (s->all != NULL)
			s++;
		/* no room for it now: whoever repeats it finds the rest stored
		 */
		if (many_append(q, s, q->at) != 0)
			q->code[q->at] = 503;
		else
			q->flight++;
		q->at++;
	}
	if (q->flight > 0 || q->at < q->n)
		return;
	many_reply(q);
	many_free(q);
}

static bool
many_add(struct api_many *q, struct str uid)
{
	if (!id_is_word(uid) || q->n == API_MANY_MAX)
		return false;
	str_copy(q->uid[q->n++], sizeof q->uid[0], uid);
	return true;
}

/* --- all ---------------------------------------------------------------- */

static void
many_on_whois(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct api_many *q = container_of(rw, struct api_many, who);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	json_t *list = NULL, *v;
	size_t i;
	int err;

	if (code == 200 && a->code == 200)
		list = json_read(a->json, &err);
	if (c == NULL || !json_is_array(list)) {
		if (c != NULL)
			httpd_error(c, 503, "no proxy answers now");
		json_decref(list);
		many_free(q);
		return;
	}
	json_array_foreach(list, i, v)(void)
	    many_add(q, str_of(json_string_value(v)));
	if (str_is_set(a->next))
		str_copy(q->next, sizeof q->next, a->next);
	json_decref(list);
	many_go_on(q);
}

static void
many_ask(struct api_many *q, struct httpd_conn *c, const json_t *obj)
{
	struct f_who who = {.what = WHO_ALL,
	    .arg = STR_LIT(""),
	    .next = json_str(obj, "next"),
	    .limit = API_MANY_MAX};

	if (!json_is_true(json_object_get(obj, "all")) ||
	    (json_object_get(obj, "next") != NULL && !id_is_word(who.next))) {
		httpd_error(c, 400, "all is true, next as it was answered");
		many_free(q);
		return;
	}
	q->who.done = many_on_whois;
	if (relay_who(q->srv->relay, &who, &q->who) == 0)
		return;
	httpd_error(c, 503, "busy");
	many_free(q);
}

/* --- some --------------------------------------------------------------- */

static void
many_list(struct api_many *q, struct httpd_conn *c, const json_t *list)
{
	bool good = json_is_array(list) && json_array_size(list) > 0 &&
		    json_array_size(list) <= API_UIDS_MAX;
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, v) good =
	    good && json_is_string(v) &&
	    many_add(q, str_of(json_string_value(v)));
	if (!good) {
		httpd_error(c, 400, "uids is a list of 1 to 200 words");
		many_free(q);
		return;
	}
	many_go_on(q);
}

void
api_send_many(struct server *srv, struct httpd_conn *c, const json_t *obj,
    const struct api_message *m)
{
	struct api_many *q;

	if (many_running == API_MANY_RUNNING) {
		httpd_error(c, 503, "busy with others to many");
		return;
	}
	many_running++;
	q = xcalloc(1, sizeof *q);
	q->srv = srv;
	q->id = httpd_id(c);
	q->m = *m;
	q->body = json_incref((json_t *)(uintptr_t)obj);
	q->uid = xcalloc(API_MANY_MAX, sizeof *q->uid);
	q->code = xcalloc(API_MANY_MAX, sizeof *q->code);
	if (json_object_get(obj, "uids") != NULL)
		many_list(q, c, json_object_get(obj, "uids"));
	else
		many_ask(q, c, obj);
}
