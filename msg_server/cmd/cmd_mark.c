/* SPDX-License-Identifier: MIT */
/*
 * mark: how far a conversation is read. No answer beyond `ok`; marks.c sends
 * it on, at most once a second.
 */
#include "msg_server/cmd/asker.h"
#include "msg_server/marks.h"

void
cmd_mark(struct server *srv, struct session *s, const struct command *cmd)
{
	struct chan_name chan;

	if (!asker_channel(s, cmd, &chan))
		return;
	marks_put(
	    srv, session_uid(s), cmd->rid, cmd->tid, cmd->read, cmd->recv);
	reply_ok(s, cmd->cid);
}
