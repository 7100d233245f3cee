/* SPDX-License-Identifier: MIT */
/*
 * A login by the credentials of the sok framework (command.h: by_credentials):
 * the token is looked for among all that its user has (credentials.h), and the
 * source it belongs to is the session's, whatever the access token names. It
 * goes on as any other login then, as one whose uid is proven.
 *
 * The setting one_per says who makes room for it: at `source` (the default) his
 * sessions of the same source, at `user` all of this framework, at `none`
 * nobody; in any case not those that come with the same device token, which is
 * how a client that comes back does not throw itself out. Who makes room is
 * told and closed with 4004, wherever in the cluster it is. Two logins in the
 * same milliseconds on two servers may miss each other: then both stay.
 *
 * Its device id is SOURCE-HHHHHHHHHHHHHHHH, H being a digest of the device
 * token: so operators see the source, and nobody a token.
 */
#ifndef MSG_SERVER_PUSH_LOGIN_H
#define MSG_SERVER_PUSH_LOGIN_H

#include "msg_server/command.h"
#include "msg_server/server.h"

enum { PUSH_REPLACED = 4004 }; /* close code, and KICK's */

/*
 * cmd: uid, token, dev: the device token as the client has it. What EVENT_LOGIN
 * says of it is in its note: "1" or "0", whether somebody made room, then the
 * device token. Refused: EVENT_ERROR 401 and closed.
 */
void push_login(struct server *srv, struct session *s, const struct command *cmd);
/* another session takes its place: told (EVENT_ERROR 441) and closed */
void push_replaced(struct session *s);

#endif
