/* SPDX-License-Identifier: MIT */
/*
 * The polite end of a msg_server (features.md 5, limits.md "drain"): it takes
 * no new clients and sends those it has elsewhere, each in a slot of its own,
 * `drain_rate` a second or as fast as `drain_within` asks for.
 *
 *	SIGTERM, or a JOB "drain" of the config_server:
 *	    who is not logged in       closed 4200 at once
 *	    version 2                  `move` some time before its slot, with the
 *				       direct URL of another server and a key
 *				       (move_key.h); closed 4200 when it has
 *				       not gone 5 s after it
 *	    version 1                  closed 4200 in its slot
 *	    whoever is left after `within`: at once
 *	no other msg_server is up (nor late), neither a proxy nor the
 *	    config_server is there for a second, or SIGINT: nobody has a slot,
 *	    all are closed 4200 at once; the `retry=` of the reason spreads them
 *	a second SIGTERM or SIGINT: now, whatever is under way
 *	JOB "abort" of the same number: who is here stays, listeners open again
 *
 * Whoever waits for an answer (an append, a page, an inbox, a room, his login)
 * gets it first: for 11 s in his slot, 3 s at once, not at all now. When all
 * have gone and all is flushed the last BEAT says so and srv->on_quit is
 * called: exit code 0.
 *
 * For presence a session closed here has lost its link: who is back within
 * the grace was never away. Where to: servers that are `up` in the topology,
 * chosen by the hash of the uid (a user's devices go together) as long as none
 * gets more than a quarter over its share by weight. One without a direct URL
 * is reached by the public one: `move` without url.
 */
#ifndef MSG_SERVER_DRAIN_H
#define MSG_SERVER_DRAIN_H

#include "msg_server/server.h"

enum drain_pace { DRAIN_OFF, DRAIN_SLOTS, DRAIN_AT_ONCE, DRAIN_NOW };

struct drain;

struct drain *drain_new(struct server *srv);
void drain_free(struct drain *d);
/* a signal: the process will end, at that pace or a faster one */
void drain_stop(struct drain *d, enum drain_pace pace);
/* from the config_server; what means nothing is logged and left alone */
void drain_job(struct drain *d, const struct f_job *job);
/* servers have come or gone: there may be nowhere to go any more */
void drain_on_topology(struct drain *d);
/* state, job, left and moved */
void drain_beat(const struct drain *d, struct f_beat *beat);
enum drain_pace drain_pace(const struct drain *d);
/* a member "drain":{...} of a JSON object, with a comma before it; nothing
 * when there is no drain */
void drain_status(const struct drain *d, struct buf *json);

#endif
