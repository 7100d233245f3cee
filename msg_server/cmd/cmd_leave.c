/* SPDX-License-Identifier: MIT */
/*
 * leave: out of a room; leaving one that he is not in is fine too.
 */
#include "msg_server/cmd/asker.h"

void
cmd_leave(struct server *srv, struct session *s, const struct command *cmd)
{
	struct event ev = {.kind = EVENT_OK, .cid = cmd->cid, .rid = cmd->rid};

	room_leave(srv, s, cmd->rid);
	if (str_is_set(cmd->cid))
		reply_event(s, &ev);
}
