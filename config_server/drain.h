/* SPDX-License-Identifier: MIT */
/*
 * Draining a msg_server: the job is made, sent, followed by the beats of its
 * server, and ended. What a msg_server does with it is its own affair; frames
 * are in frames.h (JOB, BEAT), the table in jobs.h.
 *
 *	start -> JOB "drain" -> beats with left, moved -> left 0, link ends: done
 *	                     -> abort: JOB "abort", beats say up again
 *	                     -> another process of that name, or no beats for
 *	                        10 s, with clients left: failed
 *
 * A running job is sent again to the process it was given to whenever that one
 * joins: after a lost link, or a restart of the config_server. A server that
 * works on a job nobody here knows (topology.db was lost) gets it back into
 * the table.
 */
#ifndef CONFIG_SERVER_DRAIN_H
#define CONFIG_SERVER_DRAIN_H

#include "config_server/jobs.h"
#include "config_server/node.h"

struct server;

/* msg_servers that are linked, not draining. The job, or NULL and *why (409), *running: its id or 0 */
struct job *drain_start(struct server *s, struct registry_server *rs, uint32_t rate, uint32_t within_ms, const char **why, uint64_t *running);
/* the running job of that server; NULL: there is none */
struct job *drain_abort(struct server *s, struct registry_server *rs);

/* after the registry has been told */
void drain_on_join(struct server *s, struct node *n);
void drain_on_beat(struct server *s, struct node *n, const struct f_beat *f);
/* once a second: the jobs whose server is down or forgotten end */
void drain_on_tick(struct server *s);

#endif
