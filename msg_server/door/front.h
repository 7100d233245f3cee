/* SPDX-License-Identifier: MIT */
/*
 * The addresses where clients come in, and what is spoken at each: the
 * dialects in the order in which they are asked, and the door that the first
 * of them has for plain HTTP. `listen` and `direct` speak what the setting
 * `dialects` names; each entry of `listeners` is an address of its own with
 * its words behind it,
 *
 *	"127.0.0.1:7272 workerman cchat"
 *
 * a word being a dialect or a door. Several msg_servers of a machine share
 * such an address (SO_REUSEPORT), as they share `listen`.
 *
 * Where the first word is cchat, WebSockets are at / and /ws; elsewhere the
 * older systems' clients come with any path. A page from one of our own
 * listeners may connect to another one of the same host.
 */
#ifndef MSG_SERVER_DOOR_FRONT_H
#define MSG_SERVER_DOOR_FRONT_H

#include "msg_server/dialect/dialect.h"
#include "msg_server/door/door.h"
#include "shared/svc/httpd.h"

enum { FRONTS_MAX = 16 };

struct server;
struct fronts;

/* opens all of them; ends the program where it can't (exit codes 2 and 4) */
void fronts_open(struct server *srv);
/* a drain: nobody is taken any more; and its end, 0 or an error of listener_reopen() */
void fronts_finish(struct server *srv);
int fronts_reopen(struct server *srv) MUST_CHECK;
void fronts_free(struct server *srv);
/* connections taken in a turn of the loop, of each */
void fronts_set_budget(struct server *srv, unsigned budget);

/* what is spoken where that connection came in; lives as long as the server */
const struct dialect_set *front_speaks(const struct server *srv, const struct httpd_conn *c);
/* NULL: none */
const struct door *front_door(const struct server *srv, const struct httpd_conn *c);
/* is an older system's page served there? */
bool front_is_old(const struct server *srv, const struct httpd_conn *c);
/* is there a WebSocket at that path? */
bool front_has_path(const struct server *srv, const struct httpd_conn *c, struct str path);
/* http://HOST:PORT of one of our listeners, HOST being the one that was asked? */
bool front_is_origin(const struct server *srv, struct str origin, struct str host);

#endif
