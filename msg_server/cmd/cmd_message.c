/* SPDX-License-Identifier: MIT */
/*
 * message: one item for the log, to a room or to somebody. Nobody is told
 * here: the item comes back over the log to all who follow, the sender too;
 * `ok` follows the commit. The order of checks of level 1 (rate, login, room)
 * is the recorded one.
 */
#include "msg_server/cmd/asker.h"
#include "msg_server/cmd/cmd_message_send.h"
#include "msg_server/cmd/cmd_message_to.h"
#include "msg_server/upload/upload.h"
#include "shared/proc/clock.h"

/* level 1: whole seconds, the clock set before anything else is known */
static bool
message_v1_rate(struct server *srv, struct session *s)
{
	uint32_t now = (uint32_t)(clock_mono_ms() / 1000) + 1;
	struct session_busy *b = session_busy(s);

	if (srv->set.v1_interval > 0 && b->v1_last_s != 0 &&
	    now - b->v1_last_s < (uint32_t)srv->set.v1_interval)
		return false;
	b->v1_last_s = now;
	return true;
}

/* may this session say that now? false: answered */
static bool
message_check(struct server *srv, struct session *s, const struct command *cmd)
{
	if (cmd->level < 2 && dialect_has(s->dialect, DIALECT_PACE) &&
	    !message_v1_rate(srv, s)) {
		message_too_fast(s, cmd, 0);
		return false;
	}
	if (s->level == 0 || s->user == NULL) {
		reply_error(
		    s, cmd->cid, 401, "log in first", 0, 50, V1_T_NO_LOGIN);
		return false;
	}
	if (cmd->level > 1 && cmd->msg.len > (size_t)srv->set.msg_max) {
		reply_error(s, cmd->cid, 413, "too long", 0, 50, V1_T_BUSY);
		return false;
	}
	return message_may(s, cmd);
}

static uint16_t
message_flags(const struct command *cmd)
{
	uint16_t flags = 0;

	if (cmd->msg_is_json)
		flags |= ITEM_F_JSON;
	if (cmd->msg_is_push)
		flags |= ITEM_F_PUSH;
	if (cmd->rid_is_num)
		flags |= ITEM_F_NUM_RID;
	if (cmd->type == MSG_AUDIO)
		flags |= ITEM_F_AUDIO;
	else if (cmd->type == MSG_PIC)
		flags |= ITEM_F_PIC;
	else if (cmd->type == MSG_FILE)
		flags |= ITEM_F_FILE;
	if (str_is_set(cmd->tid) && cmd->tid.len == 0)
		flags |= ITEM_F_TID_EMPTY;
	if (str_is_set(cmd->at))
		flags |= ITEM_F_AT;
	return flags;
}

void
message_send(struct server *srv, struct session *s, const struct command *cmd)
{
	struct command c = *cmd;
	struct f_append ap;

	if (cmd->tid.len == 0)
		c.tid = STR_NONE;
	if (!str_is_set(c.rid) && !str_is_set(c.tid) && room_home(s) != NULL)
		c.rid = str_of(room_rid(room_home(s)->room));
	memset(&ap, 0, sizeof ap);
	ap.item.kind = ITEM_MESSAGE;
	ap.item.flags = message_flags(cmd);
	ap.item.ref = cmd->re;
	ap.item.body = cmd->msg;
	ap.item.at = cmd->at;
	if (ap.item.flags & (ITEM_F_AUDIO | ITEM_F_PIC | ITEM_F_FILE))
		uploads_keep(srv, cmd->msg);
	message_put(srv, s, &c, &ap);
}

void
cmd_message(struct server *srv, struct session *s, const struct command *cmd)
{
	if (!message_check(srv, s, cmd))
		return;
	if (cmd->to_cn != 0)
		message_to(srv, s, cmd);
	else
		message_send(srv, s, cmd);
}
