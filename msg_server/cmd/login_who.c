/* SPDX-License-Identifier: MIT */
/*
 * Who a login is. It knows tokens and uids, and no room.
 */
#include "msg_server/cmd/login_who.h"
#include "msg_server/client.h"
#include "msg_server/dialect/number.h"
#include "msg_server/move_key.h"
#include "shared/proc/clock.h"

#define LOGIN_TOKEN_LIFE_MS (30LL * 24 * 3600 * 1000)

void
login_refuse(struct session *s, const struct command *cmd, unsigned code,
    const char *why, const char *v1_text)
{
	reply_error(s, cmd->cid, code, why, 0, 50, v1_text);
}

void
login_is_over(struct server *srv, struct session *s)
{
	srv->n_anew -= s->logging_in & s->anew;
	s->logging_in = s->anew = 0;
}

/* false: refused and answered */
static bool
login_by_token(struct server *srv, struct session *s, const struct command *cmd,
    struct login_who *who)
{
	int err =
	    auth_verify(&srv->auth, cmd->token, clock_wall_ms(), &who->claims);

	if (err == 0 && str_is_set(cmd->uid) &&
	    !str_eqc(cmd->uid, who->claims.uid))
		err = ERR_DENIED;
	if (err == 0) {
		/* open mode: an old token is renewed as it is used */
		who->mint = srv->auth.mode == AUTH_OPEN && cmd->level > 1 &&
			    who->claims.exp_ms <
				clock_wall_ms() + LOGIN_TOKEN_LIFE_MS / 2;
		return true;
	}
	login_refuse(s, cmd, 401,
	    err == ERR_TIMEOUT ? "token expired" : "bad token", V1_T_NO_TOKEN);
	if (err != ERR_TIMEOUT)
		client_token_failed(s);
	return false;
}

static bool
login_by_claim(struct server *srv, struct session *s, const struct command *cmd,
    struct login_who *who)
{
	if (srv->auth.mode == AUTH_TOKEN || auth_uid_is_drawn(cmd->uid)) {
		login_refuse(
		    s, cmd, 401, "this uid needs its token", V1_T_NO_TOKEN);
		return false;
	}
	if (str_is_set(cmd->uid)) {
		str_copy(who->claims.uid, sizeof who->claims.uid, cmd->uid);
		return true;
	}
	if (dialect_has(s->dialect, DIALECT_FD_UID))
		number_uid(s->cn, who->claims.uid);
	else
		auth_draw_uid(cmd->level, who->claims.uid);
	who->drawn = true;
	who->mint = cmd->level > 1 && srv->auth.n_keys > 0;
	return true;
}

bool
login_who_is_it(struct server *srv, struct session *s,
    const struct command *cmd, struct login_who *who)
{
	struct auth_claims *c = &who->claims;

	memset(who, 0, sizeof *who);
	if (cmd->proven)
		str_copy(c->uid, sizeof c->uid, cmd->uid);
	else if (str_is_set(cmd->token) ? !login_by_token(srv, s, cmd, who)
					: !login_by_claim(srv, s, cmd, who))
		return false;
	/* a name the site has put into its token is the name */
	if (str_is_set(cmd->name) &&
	    (srv->auth.mode == AUTH_OPEN || c->name[0] == '\0'))
		str_copy(c->name, sizeof c->name, cmd->name);
	if (c->name[0] == '\0' && !dialect_has(s->dialect, DIALECT_OLD)) {
		login_refuse(s, cmd, 400, "name is missing", V1_T_NAME);
		return false;
	}
	if (who->mint)
		c->exp_ms = clock_wall_ms() + LOGIN_TOKEN_LIFE_MS;
	return true;
}

void
login_from(struct server *srv, struct session *s, const struct command *cmd,
    const struct auth_claims *who)
{
	struct move_claim claim;

	if (!str_is_set(cmd->from_key) || cmd->from_key.len == 0)
		return;
	if (move_key_check(srv->link_key, srv->set.cluster, str_of(who->uid),
		clock_wall_ms(), cmd->from_key, &claim) != 0) {
		srv->stats[S_MOVE_KEYS_BAD]++;
		return;
	}
	srv->stats[S_MOVES_IN]++;
	s->silent = 1;
	s->away = claim.away;
}

struct str
login_sid(uint64_t cn, char text[LOGIN_SID])
{
	char *p = text + LOGIN_SID;

	do
		*--p = "0123456789abcdef"[cn & 15];
	while ((cn >>= 4) > 0);
	*--p = '-';
	*--p = 's';
	return str_n(p, (size_t)(text + LOGIN_SID - p));
}
