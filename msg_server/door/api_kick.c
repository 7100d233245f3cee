/* SPDX-License-Identifier: MIT */
/*
 * POST /v1/kick: the sessions of a user, or one, are closed on whatever server
 * they are. First the active proxy is asked who that is, so that the answer
 * says how many; then it hands the KICK to their servers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg_server/dialect/number.h"
#include "msg_server/door/api_priv.h"

enum { KICK_CODE = 4005, KICK_MIN = 4000, KICK_MAX = 4299, KICK_WHY = 90 };

struct api_kicked {
	struct relay_who who;
	struct server *srv;
	uint64_t id, cn; /* cn 0: by uid */
	char uid[ID_MAX + 1], why[KICK_WHY + 1];
	uint16_t code;
};

static void
kick_on_whois(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct api_kicked *q = container_of(rw, struct api_kicked, who);
	struct httpd_conn *c = httpd_find(&q->srv->httpd, q->id);
	struct f_kick kick = {.cn = q->cn,
	    .uid = q->cn == 0 ? str_of(q->uid) : STR_NONE,
	    .code = q->code,
	    .text = str_of(q->why)};
	struct buf out;

	if (code == 200)
		code = a->code;
	/* whoever asked may be gone; what he wanted is done all the same */
	if (code == 200 && a->count > 0)
		relay_kick(q->srv->relay, &kick);
	else if (code == 200)
		code = 404;
	if (c != NULL && code != 200) {
		httpd_error(c, (int)code,
		    code == 404 ? "nobody to kick" : "no proxy answers now");
	} else if (c != NULL) {
		buf_init(&out, 128);
		buf_printf(&out, "{\"kicked\":%u}", a->count);
		api_reply(c, &out);
		buf_fini(&out);
	}
	free(q);
}

static const char *
kick_read(struct api_kicked *q, const json_t *obj)
{
	struct str uid = json_str(obj, "uid"), sid = json_str(obj, "sid"),
		   why = json_str(obj, "why");
	int64_t code = KICK_CODE;

	if (str_is_set(uid) == str_is_set(sid))
		return "one of uid and sid";
	if (str_is_set(uid) ? !id_is_word(uid) : !number_of_sid(sid, &q->cn))
		return "uid is a word, sid as users have it";
	if (json_object_get(obj, "code") != NULL &&
	    (!json_int(obj, "code", &code) || code < KICK_MIN ||
		code > KICK_MAX))
		return "code is 4000 to 4299";
	if ((json_object_get(obj, "why") != NULL && !str_is_set(why)) ||
	    why.len > KICK_WHY)
		return "why is a text of at most 90 bytes";
	q->code = (uint16_t)code;
	str_copy(q->uid, sizeof q->uid, str_is_set(uid) ? uid : STR_LIT(""));
	str_copy(
	    q->why, sizeof q->why, str_is_set(why) ? why : STR_LIT("kicked"));
	return NULL;
}

void
api_kick(struct server *srv, struct httpd_conn *c, struct str body)
{
	json_t *obj = api_body(c, body);
	struct api_kicked *q;
	const char *why;
	struct f_who who = {.what = WHO_USER};
	char number[24];

	if (obj == NULL)
		return;
	q = xcalloc(1, sizeof *q);
	why = kick_read(q, obj);
	json_decref(obj);
	if (why != NULL) {
		httpd_error(c, 400, why);
		free(q);
		return;
	}
	q->srv = srv;
	q->id = httpd_id(c);
	q->who.done = kick_on_whois;
	who.arg = str_of(q->uid);
	if (q->cn != 0) {
		snprintf(number, sizeof number, "%" PRIu64, q->cn);
		who.what = WHO_SESSION;
		who.arg = str_of(number);
	}
	if (relay_who(srv->relay, &who, &q->who) != 0) {
		free(q);
		httpd_error(c, 503, "busy");
	}
}
