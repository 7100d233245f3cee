/* SPDX-License-Identifier: MIT */
/*
 * The session array of a session. One of workerman's clients has {room_id,
 * client_name} as that application writes it at each login: it is made when it
 * is asked for, and put into what a back end has set when it is another one
 * than it was then. Other sessions have what back ends have set.
 */
#include <stdlib.h>

#include "msg_server/dialect/php_text.h"
#include "msg_server/door/gateway/gateway_priv.h"
#include "shared/proto/php.h"

/* what the application has written; "" for others, or before the login */
static void
gateway_array_home(struct session *s, struct buf *out)
{
	struct member *m = gateway_is_workerman(s) ? room_home(s) : NULL;
	struct str rid;
	struct buf name;
	int64_t i;

	if (m == NULL)
		return;
	rid = str_of(room_rid(m->room));
	buf_init(&name, 6 * (NAME_MAX_BYTES + 1));
	php_text_html(&name, session_name(s));
	php_put_array(out, 2);
	php_put_str(out, STR_LIT("room_id"));
	if (s->ctx.rid_is_num && php_key_int(rid, &i))
		php_put_int(out, i);
	else
		php_put_str(out, rid);
	php_put_str(out, STR_LIT("client_name"));
	php_put_str(out, buf_str(&name));
	php_put_array_end(out);
	buf_fini(&name);
}

/* what `text` gives merged into `base`; false: it is no array, or too much */
static bool
gateway_array_merged(struct str base, struct str text, struct buf *out)
{
	struct php p, with;
	bool good;

	if (php_parse(&with, text) != 0)
		return false;
	good = with.node[0].kind == PHP_ARRAY;
	if (good && base.len == 0) {
		buf_putstr(out, text);
	} else if (good) {
		good = php_parse(&p, base) == 0;
		if (good) {
			good = php_merge(&p, &with) == 0;
			if (good)
				php_write(&p, out);
			php_fini(&p);
		}
	}
	php_fini(&with);
	return good && buf_ok(out) && buf_len(out) <= PEOPLE_ARRAY_MAX;
}

/* he has logged in again since: room and name are others */
static void
gateway_array_renew(struct gateway *g, struct person *who, struct str home)
{
	struct buf out;

	if (home.len == 0 || str_eqc(home, who->home != NULL ? who->home : ""))
		return;
	free(who->home);
	who->home = str_dup(home);
	buf_init(&out, 2 * PEOPLE_ARRAY_MAX);
	if (gateway_array_merged(
		str_n(who->array, who->array_len), home, &out) &&
	    people_set_array(&g->people, who->cn, buf_str(&out)) != 0)
		g->stats[GS_BAD]++;
	buf_fini(&out);
}

struct str
gateway_array(struct gateway *g, struct session *s)
{
	static struct buf home = {.max = 4096};
	struct person *who = people_find(&g->people, s->cn);

	buf_reset(&home);
	gateway_array_home(s, &home);
	if (who == NULL || who->array == NULL)
		return buf_str(&home);
	gateway_array_renew(g, who, buf_str(&home));
	return str_n(who->array, who->array_len);
}

static bool
gateway_array_keep(struct gateway *g, struct session *s, struct str text)
{
	struct person *who;
	struct buf home;

	if (people_set_array(&g->people, s->cn, text) != 0)
		return false;
	who = people_find(&g->people, s->cn);
	if (who == NULL)
		return true; /* nothing was kept */
	buf_init(&home, 4096);
	gateway_array_home(s, &home);
	free(who->home);
	who->home = str_dup(buf_str(&home));
	buf_fini(&home);
	return true;
}

bool
gateway_array_set(struct gateway *g, struct session *s, struct str text)
{
	struct php p;
	bool good;

	if (text.len > PEOPLE_ARRAY_MAX || php_parse(&p, text) != 0)
		return false;
	good = p.node[0].kind == PHP_ARRAY;
	php_fini(&p);
	return good && gateway_array_keep(g, s, text);
}

bool
gateway_array_merge(struct gateway *g, struct session *s, struct str text)
{
	struct str base = gateway_array(g, s);
	struct buf out;
	bool good;

	if (text.len > PEOPLE_ARRAY_MAX)
		return false;
	buf_init(&out, 4 * PEOPLE_ARRAY_MAX);
	good = gateway_array_merged(base, text, &out) &&
	       gateway_array_keep(g, s, buf_str(&out));
	buf_fini(&out);
	return good;
}
