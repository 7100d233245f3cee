/* SPDX-License-Identifier: MIT */
/*
 * Read marks on their way out: the newest of each (user, conversation) goes
 * to the log's state (key k:<rid> or k:@<uid> of u:<uid>). There the greater
 * number stands, whichever servers they came from, and what has risen is told
 * to the user's devices (STATE) and to the peer of a private conversation
 * (EPH). `recv` is kept nowhere: it is told alone.
 *
 * In a group it is kept for the others, too (key k:<uid> of r:<rid>), who are
 * told in groups of at most `marks_max` members, and may ask in all of them
 * (getMarks). Of rooms that are no groups nobody knows the members: there a
 * mark goes to the user's own devices alone.
 *
 * A mark beyond the end of its conversation changes nothing, and one of a
 * conversation in which nothing was said leaves no trace.
 *
 * At most one a second for a conversation; what comes faster is coalesced, the
 * greatest wins. While no proxy is active it waits; what was said as the
 * active one went is said again. At most MARKS_MAX at once: beyond that a mark
 * is dropped (they are told at most once and heal themselves).
 */
#ifndef MSG_SERVER_MARKS_H
#define MSG_SERVER_MARKS_H

#include "msg_server/server.h"

enum { MARKS_MAX = 65536 };

struct marks *marks_new(struct server *srv);
void marks_free(struct marks *m);
/* tid set: private; read, recv: 0 when not said */
void marks_put(struct server *srv, struct str uid, struct str rid,
    struct str tid, uint64_t read, uint64_t recv);
/* relay_ops.on_state: marks of users of this server, and of members of groups
 * that are followed here; other keys are ignored */
void marks_on_state(
    struct server *srv, struct channel *c, const struct state_rec *rec);
/* relay_ops.on_eph: marks for users of this server; other kinds are ignored */
void marks_on_eph(
    struct server *srv, struct channel *c, const struct f_eph *eph);

/* --- marks_group.c --- */

/* uid's mark has risen in the group of c */
void marks_on_group(
    struct server *srv, struct channel *c, struct str uid, uint64_t read);

#endif
