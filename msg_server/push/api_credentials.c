/* SPDX-License-Identifier: MIT */
/*
 * Credentials by HTTP; see api_credentials.h. A change reads the user's record
 * (GET), writes it (SET) and reads it again: SET has no answer, and the second
 * GET comes behind it in the order of the writer.
 */
#include "msg_server/push/api_credentials.h"

#include <inttypes.h>
#include <stdlib.h>

#include "msg_server/auth.h"
#include "msg_server/door/api.h"
#include "msg_server/push/credentials.h"
#include "shared/proto/push.h"

struct cred_call {
	struct relay_get get;
	struct server *srv;
	uint64_t id;
	enum http_method method;
	char uid[ID_MAX + 1];
	char source[ID_MAX + 1]; /* DELETE: "" is all */
	char token[PUSH_TOKEN_MAX + 1];
	int64_t expires;
	struct buf was, want; /* owned: what there was, what was written */
	bool wrote;
};

static void
cred_free(struct cred_call *q)
{
	explicit_bzero(q->token, sizeof q->token);
	buf_fini(&q->was);
	buf_fini(&q->want);
	free(q);
}

static void
cred_fail(struct cred_call *q, int status, const char *why)
{
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);

	if (c != NULL)
		httpd_error(c, status, why);
	cred_free(q);
}

static void
cred_reply(struct cred_call *q, const struct credentials *all)
{
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	struct buf out;
	struct jw w;
	unsigned i;

	if (c == NULL) {
		cred_free(q);
		return;
	}
	buf_init(&out, 4096);
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_cstr(&w, "uid", q->uid);
	jw_arr(&w, "list");
	for (i = 0; i < all->n; i++) {
		jw_obj(&w, NULL);
		jw_cstr(&w, "source", all->list[i].source);
		jw_int(&w, "expires", all->list[i].expires);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_int(&w, "ver", (int64_t)topology_ver(q->srv->topology));
	jw_int(&w, "gen", (int64_t)relay_gen(q->srv->relay));
	jw_obj_end(&w);
	httpd_reply(c, 200, "application/json", buf_str(&out), API_HEADERS);
	buf_fini(&out);
	cred_free(q);
}

/* an error text, or NULL */
static const char *
cred_change(struct cred_call *q, struct credentials *all)
{
	if (q->method == HTTP_PUT_M)
		return credentials_set(all, str_of(q->uid), str_of(q->source),
			   str_of(q->token), q->expires) == 0
			   ? NULL
			   : "too many sources";
	if (q->source[0] == '\0')
		all->n = 0;
	else if (!credentials_drop(all, str_of(q->source)))
		return "no such source";
	return NULL;
}

static void cred_ask(struct cred_call *q);

static void
cred_write(struct cred_call *q, const struct credentials *all)
{
	struct chan_name chan = chan_user(str_of(q->uid));
	struct f_set set = {
	    .chan = chan_str(&chan), .rec.key = STR_LIT(CREDENTIALS_KEY)};

	if (all->n > 0) {
		credentials_write(all, &q->want);
		set.rec.val = buf_str(&q->want);
	}
	relay_set_state(q->srv->relay, &set);
	q->wrote = true;
	cred_ask(q);
}

static void
cred_on_got(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct cred_call *q = container_of(get, struct cred_call, get);
	struct credentials all;
	const char *why;

	if (code != 200) {
		cred_fail(q, 503, "no proxy answers now");
		return;
	}
	if (credentials_read(got->val, &all) != 0)
		all.n = 0; /* whoever sets it anew makes it good */
	if (q->wrote && !str_eq(got->val, buf_str(&q->want))) {
		/* it got lost with the proxy it was sent to, or another came */
		if (str_eq(got->val, buf_str(&q->was)))
			cred_fail(q, 503, "not stored");
		else
			cred_fail(q, 409, "changed meanwhile");
		return;
	}
	if (q->wrote || q->method == HTTP_GET_M || q->method == HTTP_HEAD_M) {
		cred_reply(q, &all);
		return;
	}
	buf_putstr(&q->was, got->val);
	why = cred_change(q, &all);
	if (why != NULL)
		cred_fail(q, q->method == HTTP_PUT_M ? 409 : 404, why);
	else
		cred_write(q, &all);
}

static void
cred_ask(struct cred_call *q)
{
	struct chan_name chan = chan_user(str_of(q->uid));
	struct f_get get = {
	    .chan = chan_str(&chan), .key = STR_LIT(CREDENTIALS_KEY)};

	q->get.done = cred_on_got;
	if (relay_get(q->srv->relay, &get, &q->get) != 0)
		cred_fail(q, 503, "busy");
}

/* --- what is asked ------------------------------------------------------ */

static const char *
cred_read_body(struct cred_call *q, struct str body)
{
	const char *why = NULL;
	struct str source, token;
	json_t *obj;
	int err;

	obj = json_read(body, &err);
	source = json_str(obj, "source");
	token = json_str(obj, "token");
	if (!json_is_object(obj))
		why = "the body must be a JSON object";
	else if (!id_is_word(source))
		why = "source must be a word";
	else if (token.len == 0 || token.len > PUSH_TOKEN_MAX ||
		 memchr(token.p, '\0', token.len) != NULL ||
		 memchr(token.p, '.', token.len) != NULL)
		why = "token must have 1 to 256 bytes, and no dot";
	else if (json_object_get(obj, "expires") != NULL &&
		 (!json_int(obj, "expires", &q->expires) || q->expires < 0))
		why = "expires must be unix seconds";
	else if (auth_uid_is_drawn(str_of(q->uid)))
		why = "such uids are not for sok";
	if (why == NULL) {
		str_copy(q->source, sizeof q->source, source);
		str_copy(q->token, sizeof q->token, token);
	}
	json_decref(obj);
	return why;
}

static const char *
cred_read_query(struct cred_call *q, struct str query)
{
	const char *why = NULL;
	struct buf b;

	buf_init(&b, 256);
	if (http_query(query, "source", &b)) {
		if (id_is_word(buf_str(&b)))
			str_copy(q->source, sizeof q->source, buf_str(&b));
		else
			why = "source must be a word";
	}
	buf_fini(&b);
	return why;
}

/* the UID of /v1/users/UID/credentials, or absent */
static struct str
cred_uid(struct str path)
{
	static const struct str head = {"/v1/users/", 10};
	static const struct str tail = {"/credentials", 12};
	struct str uid;

	if (!str_starts(path, head) || path.len < head.len + tail.len)
		return STR_NONE;
	uid = str_n(path.p + head.len, path.len - head.len - tail.len);
	if (!str_eq(str_n(uid.p + uid.len, tail.len), tail) || !id_is_word(uid))
		return STR_NONE;
	return uid;
}

bool
api_credentials(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	struct str uid = cred_uid(rq->path);
	const char *why = NULL;
	struct cred_call *q;
	int status = 400;

	if (!str_is_set(uid))
		return false;
	q = xcalloc(1, sizeof *q);
	q->srv = srv;
	q->id = httpd_id(c);
	q->method = rq->method;
	buf_init(&q->was, STATE_VAL_MAX);
	buf_init(&q->want, STATE_VAL_MAX);
	str_copy(q->uid, sizeof q->uid, uid);
	if (rq->method == HTTP_PUT_M)
		why = cred_read_body(q, body);
	else if (rq->method == HTTP_DELETE_M)
		why = cred_read_query(q, rq->query);
	else if (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M)
		why = "not with this method", status = 405;
	if (why != NULL)
		cred_fail(q, status, why);
	else
		cred_ask(q);
	return true;
}
