/* SPDX-License-Identifier: MIT */
/*
 * A private message to a session's number (command.h, to_cn): older systems
 * name people by their connection. Whose it is, this server knows of its own
 * sessions and the active proxy of all others, and of the newest that are gone
 * (WHO_WHOSE): who came back, or has another device, is there by another
 * number. Then it is an ordinary message to that user. Nobody's: EVENT_ERROR
 * 404 with the note.
 * Messages of one session to different people may overtake each other here.
 */
#ifndef MSG_SERVER_CMD_CMD_MESSAGE_TO_H
#define MSG_SERVER_CMD_CMD_MESSAGE_TO_H

#include "msg_server/command.h"

/* cmd was checked but for its rate */
void message_to(
    struct server *srv, struct session *s, const struct command *cmd);
/* the message itself, when it is known to whom */
void message_send(
    struct server *srv, struct session *s, const struct command *cmd);

#endif
