/* SPDX-License-Identifier: MIT */
/*
 * watch: the users whose coming and going this session wants to hear of, in
 * place of those before. `ok`, then one `status` of each, then their changes.
 * status: whether he himself is away. Both cost what a message costs.
 */
#include "msg_server/cmd/asker.h"
#include "msg_server/follow/watch.h"

static bool
watch_rate(struct server *srv, struct session *s, const struct command *cmd)
{
	int64_t retry = 0;

	if (bucket_take(&session_busy(s)->send, (uint32_t)srv->set.send_rate,
		(uint32_t)srv->set.send_burst, &retry))
		return true;
	reply_error(s, cmd->cid, 429, "too fast", retry, 50, V1_T_TOO_FAST);
	return false;
}

void
cmd_watch(struct server *srv, struct session *s, const struct command *cmd)
{
	if (!watch_rate(srv, s, cmd))
		return;
	if (watch_set(srv, s, cmd->uids, cmd->n_uids) != 0) {
		reply_error(s, cmd->cid, 503, "too many are watched",
		    ASKER_RETRY_MS, 50, V1_T_BUSY);
		return;
	}
	reply_ok(s, cmd->cid);
	watch_greet(srv, s);
}

void
cmd_status(struct server *srv, struct session *s, const struct command *cmd)
{
	bool away = str_eqc(cmd->status, "away");
	struct f_pres pres;

	if (s->away != away) {
		if (!watch_rate(srv, s, cmd))
			return;
		s->away = away;
		room_presence_fill(s, &pres);
		relay_pres(srv->relay, &pres);
	}
	reply_ok(s, cmd->cid);
}
