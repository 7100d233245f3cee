/* SPDX-License-Identifier: MIT */
/*
 * The small commands about the session itself: auth, ping, pong, bye.
 */
#include "msg_server/client.h"
#include "msg_server/cmd/asker.h"
#include "shared/proc/clock.h"

/* a fresh token for the same user on the open socket */
void
cmd_auth(struct server *srv, struct session *s, const struct command *cmd)
{
	struct event ev = {.kind = EVENT_OK, .cid = cmd->cid};
	struct auth_claims claims;
	int err = auth_verify(&srv->auth, cmd->token, clock_wall_ms(), &claims);

	if (err == 0 && !str_eqc(session_uid(s), claims.uid))
		err = ERR_DENIED;
	if (err != 0) {
		reply_error(s, cmd->cid, 401,
		    err == ERR_TIMEOUT ? "token expired" : "bad token", 0, 50,
		    V1_T_NO_TOKEN);
		if (err != ERR_TIMEOUT)
			client_token_failed(s);
		return;
	}
	/* what it is in already stays; only what it may join changes */
	session_set_rooms(
	    s, claims.has_rooms ? str_of(claims.rooms) : STR_NONE);
	s->adm = claims.adm;
	if (srv->auth.mode == AUTH_TOKEN) {
		session_set_expiry(s, (uint64_t)claims.exp_ms);
		client_rearm(s);
	}
	ev.exp = claims.exp_ms;
	if (str_is_set(cmd->cid))
		reply_event(s, &ev);
}

void
cmd_ping(struct server *srv, struct session *s, const struct command *cmd)
{
	struct event ev = {.kind = EVENT_PONG, .cid = cmd->cid, .t = cmd->t};

	(void)srv;
	reply_event(s, &ev);
}

/* an answer to a ping of ours: having come is all it says */
void
cmd_pong(struct server *srv, struct session *s, const struct command *cmd)
{
	(void)srv;
	(void)s;
	(void)cmd;
}

void
cmd_bye(struct server *srv, struct session *s, const struct command *cmd)
{
	(void)srv;
	reply_ok(s, cmd->cid);
	client_bye(s);
}
