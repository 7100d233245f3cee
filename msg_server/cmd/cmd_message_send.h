/* SPDX-License-Identifier: MIT */
/*
 * What all lasting changes that clients make have in common, a message as well
 * as an edit, a recall, a reaction, a title: one append, whose answer (`ok`
 * with seq after the commit, or the refusal of the log) goes to who asked. The
 * same members, rates and bounds for all of them: who presses on reactions
 * speaks no slower than he may, and no faster.
 */
#ifndef MSG_SERVER_CMD_CMD_MESSAGE_SEND_H
#define MSG_SERVER_CMD_CMD_MESSAGE_SEND_H

#include "msg_server/command.h"
#include "shared/proto/frames.h"

/* false: too much of it is unanswered, and answered so */
bool message_may(struct session *s, const struct command *cmd);
void message_too_fast(
    struct session *s, const struct command *cmd, int64_t retry);
/*
 * Sends it, or answers why not. cmd names the conversation, a tid is absent or
 * a uid; ap is all zeros but for states and of item: kind, flags, ref, body,
 * at. The rest is filled here.
 */
void message_put(struct server *srv, struct session *s,
    const struct command *cmd, struct f_append *ap);

#endif
