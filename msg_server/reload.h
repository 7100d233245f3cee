/* SPDX-License-Identifier: MIT */
/*
 * Keys at the start, and a SIGHUP: settings and what is in the files of keys
 * are read again, the page too, the log file is opened anew. Connections stay,
 * and who is in stays in: a key that is gone refuses logins, not sessions.
 *
 * Each key is taken over by itself, and only when it is good; a mistake is said
 * in the log and leaves the one of before (conf_reload.h). A new key of the links
 * is for links to come; both ends must have the same one then.
 */
#ifndef MSG_SERVER_RELOAD_H
#define MSG_SERVER_RELOAD_H

#include "msg_server/server.h"

/* makes a token key in open mode; ends the program where one is no good */
void reload_first_keys(struct server *srv);
void reload_settings(struct server *srv);

#endif
