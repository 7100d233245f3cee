/* SPDX-License-Identifier: MIT */
/*
 * Who a login is (protocol.md section 8): by his token, by what he claims, or
 * drawn. Nothing is done to the session yet; a refusal is answered in here.
 */
#ifndef MSG_SERVER_CMD_LOGIN_WHO_H
#define MSG_SERVER_CMD_LOGIN_WHO_H

#include "msg_server/cmd/asker.h"

/* who it is, before anything is done */
struct login_who {
	struct auth_claims claims;
	bool mint;  /* a token goes back with the answer */
	bool drawn; /* the uid was drawn for this login */
};

/* false: refused and answered */
bool login_who_is_it(struct server *srv, struct session *s,
    const struct command *cmd, struct login_who *who);
/* another server has sent him: nobody is told that he is here now */
void login_from(struct server *srv, struct session *s,
    const struct command *cmd, const struct auth_claims *who);
/* how an answer names the session: "s-" and its number in hex; no NUL */
enum { LOGIN_SID = 18 };
struct str login_sid(uint64_t cn, char text[LOGIN_SID]);
/* it is in, or it is not */
void login_is_over(struct server *srv, struct session *s);
void login_refuse(struct session *s, const struct command *cmd, unsigned code,
    const char *why, const char *v1_text);

#endif
