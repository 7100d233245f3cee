/* SPDX-License-Identifier: MIT */
/*
 * Credentials at login, and who makes room; see login.h. What becomes of a
 * login whose uid is proven is cmd_login.c's.
 */
#include "msg_server/push/login.h"

#include <stdio.h>
#include <stdlib.h>

#include "msg_server/client.h"
#include "msg_server/cmd/asker.h"
#include "msg_server/dialect/number.h"
#include "msg_server/push/credentials.h"
#include "shared/base/digest.h"
#include "shared/proto/push.h"

enum {
	LOGIN_DEVICE_HEX = 16,
	LOGIN_SOURCE_MAX = ID_MAX - 1 - LOGIN_DEVICE_HEX
};

struct push_login {
	struct relay_get get;
	struct relay_who who;
	struct server *srv;
	uint64_t cn;
	bool replaces; /* somebody has made room */
	char uid[ID_MAX + 1], dev[ID_MAX + 1];
	char token[PUSH_TOKEN_MAX + 1];
	char note[PUSH_DEVICE_MAX + 2]; /* "0" and the device token */
};

/* NULL: it has gone meanwhile */
static struct session *
login_session(const struct push_login *l)
{
	struct session *s = session_find(l->srv, l->cn);

	return s != NULL && session_is_open(s) ? s : NULL;
}

void
push_replaced(struct session *s)
{
	reply_error(s, STR_NONE, 441, "replaced", 0, 0, NULL);
	session_close(s, PUSH_REPLACED, "replaced", 0);
}

static void
login_free(struct push_login *l)
{
	explicit_bzero(l->token, sizeof l->token);
	free(l);
}

static void
login_no(struct session *s, unsigned code)
{
	s->logging_in = 0;
	client_hold_drop(s);
	if (code != 401) {
		session_close(s, 4200, "busy", ASKER_RETRY_MS);
		return;
	}
	reply_error(s, STR_NONE, 401, "bad credentials", 0, 0, NULL);
	client_token_failed(s);
	session_close(s, 4003, "bad credentials", 0);
}

/* --- devices ------------------------------------------------------------ */

static void
login_dev(const char *source, const char *device, char out[ID_MAX + 1])
{
	static const char key[] = "sok device";
	uint8_t mac[HMAC_LEN];
	char hex[LOGIN_DEVICE_HEX + 1], shown[LOGIN_SOURCE_MAX + 1];

	if (strlen(source) > LOGIN_SOURCE_MAX) {
		digest_hmac(key, sizeof key, source, strlen(source), mac);
		digest_hex(mac, LOGIN_SOURCE_MAX / 2, shown);
	} else {
		str_copy(shown, sizeof shown, str_of(source));
	}
	digest_hmac(key, sizeof key, device, strlen(device), mac);
	digest_hex(mac, LOGIN_DEVICE_HEX / 2, hex);
	snprintf(out, ID_MAX + 1, "%s-%s", shown, hex);
}

/* the part in front of the device; absent: it is no session of this kind */
static struct str
login_source(struct str dev)
{
	size_t i, n = dev.len;

	if (n <= LOGIN_DEVICE_HEX + 1 || dev.p[n - LOGIN_DEVICE_HEX - 1] != '-')
		return STR_NONE;
	for (i = n - LOGIN_DEVICE_HEX; i < n; i++)
		if (str_hex(dev.p[i]) < 0)
			return STR_NONE;
	return str_n(dev.p, n - LOGIN_DEVICE_HEX - 1);
}

static bool
login_is_in_the_way(const struct push_login *l, struct str dev)
{
	struct str theirs = login_source(dev);

	if (!str_is_set(theirs) || str_eqc(dev, l->dev))
		return false;
	return l->srv->set.one_per == SETTINGS_ONE_PER_USER ||
	       str_eq(theirs, login_source(str_of(l->dev)));
}

/* --- who makes room ----------------------------------------------------- */

static void
login_replace_here(struct push_login *l, struct session *me)
{
	struct user *u = user_find(l->srv, str_of(l->uid));
	struct session *s, *next;

	for (s = u != NULL ? u->sessions : NULL; s != NULL; s = next) {
		next = s->next_of_user;
		if (s->dialect != me->dialect || !session_is_open(s) ||
		    !login_is_in_the_way(l, session_dev(s)))
			continue;
		push_replaced(s);
		l->replaces = true;
	}
}

static void
login_replace_there(struct push_login *l, struct str json)
{
	struct f_kick kick = {
	    .code = PUSH_REPLACED, .text = STR_LIT("replaced")};
	json_t *obj, *list, *one;
	size_t i;
	int err;

	obj = json_read(json, &err);
	list = json_object_get(obj, "sessions");
	json_array_foreach(list, i, one)
	{
		if (!number_of_sid(json_str(one, "sid"), &kick.cn) ||
		    kick.cn >> 32 == l->srv->node_no ||
		    !login_is_in_the_way(l, json_str(one, "dev")))
			continue;
		relay_kick(l->srv->relay, &kick);
		l->replaces = true;
	}
	json_decref(obj);
}

static void
login_go_on(struct push_login *l, struct session *s)
{
	struct command cmd = {.kind = CMD_LOGIN,
	    .level = 1,
	    .uid = str_of(l->uid),
	    .name = str_of(l->uid),
	    .dev = str_of(l->dev),
	    .note = str_of(l->note),
	    .no_room = true,
	    .proven = true};

	l->note[0] = l->replaces ? '1' : '0';
	s->logging_in = 0;
	cmd_login(l->srv, s, &cmd);
	login_free(l);
}

static void
login_on_whois(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct push_login *l = container_of(rw, struct push_login, who);
	struct session *s = login_session(l);

	if (s == NULL) {
		login_free(l);
		return;
	}
	if (code == 200 && a->code == 200)
		login_replace_there(l, a->json);
	login_go_on(l, s);
}

static void
login_make_room(struct push_login *l, struct session *s)
{
	struct f_who who = {.what = WHO_USER, .arg = str_of(l->uid)};

	if (l->srv->set.one_per == SETTINGS_ONE_PER_NONE) {
		login_go_on(l, s);
		return;
	}
	login_replace_here(l, s);
	l->who.done = login_on_whois;
	if (relay_who(l->srv->relay, &who, &l->who) != 0)
		login_go_on(l, s);
}

/* --- who it is ---------------------------------------------------------- */

static void
login_on_got(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct push_login *l = container_of(get, struct push_login, get);
	struct session *s = login_session(l);
	const struct credential *one = NULL;
	struct credentials all;

	if (s != NULL && code == 200 && credentials_read(got->val, &all) == 0)
		one = credentials_match(&all, str_of(l->uid), str_of(l->token));
	if (s != NULL && one == NULL)
		login_no(s, code == 200 ? 401 : code);
	if (one == NULL) {
		login_free(l);
		return;
	}
	login_dev(one->source, l->note + 1, l->dev);
	login_make_room(l, s);
}

void
push_login(struct server *srv, struct session *s, const struct command *cmd)
{
	struct chan_name chan;
	struct f_get get = {.key = STR_LIT(CREDENTIALS_KEY)};
	struct push_login *l;

	if (srv->draining) {
		session_close(s, 4200, "drain", ASKER_RETRY_MS);
		return;
	}
	if (!id_is_word(cmd->uid) || auth_uid_is_drawn(cmd->uid) ||
	    cmd->token.len == 0) {
		login_no(s, 401);
		return;
	}
	l = xcalloc(1, sizeof *l);
	l->srv = srv;
	l->cn = s->cn;
	str_copy(l->uid, sizeof l->uid, cmd->uid);
	str_copy(l->token, sizeof l->token, cmd->token);
	snprintf(l->note, sizeof l->note, "0%.*s", STR_ARG(cmd->dev));
	l->get.done = login_on_got;
	chan = chan_user(cmd->uid);
	get.chan = chan_str(&chan);
	s->logging_in = 1;
	client_hold(s);
	if (relay_get(srv->relay, &get, &l->get) != 0) {
		login_no(s, 503);
		login_free(l);
	}
}
