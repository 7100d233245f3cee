/* SPDX-License-Identifier: MIT */
/*
 * From a decoded command to its handler: one table says who may give it. What
 * depends on arguments (membership, rates, sizes) is the handlers'.
 */
#include "msg_server/command.h"
#include "msg_server/reply.h"
#include "msg_server/server.h"

struct command_row {
	void (*handler)(
	    struct server *, struct session *, const struct command *);
	enum command_state state;
	unsigned level;
};

static const struct command_row command_rows[] = {
#define X(kind, name, handler, state, level) [kind] = {handler, state, level},
    COMMAND_TABLE(X)
#undef X
};

void
command_run(struct server *srv, struct session *s, const struct command *cmd)
{
	const struct command_row *row = &command_rows[cmd->kind];

	srv->stats[S_COMMANDS]++;
	if (row->level > cmd->level) {
		reply_error(s, cmd->cid, 102, "unknown command", 0, 102,
		    "无效的命令[2]");
		return;
	}
	if (row->state == ST_IN && (s->level == 0 || s->logging_in)) {
		reply_error(s, cmd->cid, 401, "log in first", 0, 50,
		    "您已丢失登录信息");
		return;
	}
	row->handler(srv, s, cmd);
}
