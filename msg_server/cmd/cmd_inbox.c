/* SPDX-License-Identifier: MIT */
/* inbox: a further page of his conversations, or the first one again. */
#include "msg_server/cmd/asker.h"
#include "msg_server/inbox.h"

void
cmd_inbox(struct server *srv, struct session *s, const struct command *cmd)
{
	struct f_inbox_at at;

	if (!str_is_set(cmd->next)) {
		inbox_ask(srv, s, cmd->cid, NULL);
		return;
	}
	if (inbox_next_parse(cmd->next, &at) != 0) {
		reply_error(s, cmd->cid, 400, "bad next", 0, 50, V1_T_BUSY);
		return;
	}
	inbox_ask(srv, s, cmd->cid, &at);
}
