/* SPDX-License-Identifier: MIT */
/*
 * typing: he is writing something, or no longer. Who may say it is who may
 * speak there; whether it is told, follow/typing.h decides, and says nothing.
 */
#include "msg_server/cmd/asker.h"
#include "msg_server/follow/typing.h"

void
cmd_typing(struct server *srv, struct session *s, const struct command *cmd)
{
	struct chan_name chan;

	if (!asker_channel(s, cmd, &chan))
		return;
	typing_say(srv, s, cmd->rid, cmd->tid, cmd->on);
	reply_ok(s, cmd->cid);
}
