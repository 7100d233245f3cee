/* SPDX-License-Identifier: MIT */
/*
 * Who is there. msg_servers announce their sessions to every proxy; users and
 * rooms are derived by grouping: a user is in a room while one of his sessions
 * is. Kept by standbys too, so that a promoted one knows; only the active one
 * tells (presence_set_active).
 *
 *	first session of a user in a room     ROOM in
 *	a further one, or back within grace   ROOM in, `again` (version 1's
 *newUser) last one left                         nothing for the grace, then
 *ROOM out last one left by BYE or `leave`       ROOM out at once a link is lost
 *as if all its sessions had left, but who is back within the grace is silent
 *	a session is `gone`, silent           the same: its server has sent it
 *					      elsewhere
 *	a session comes, silent               nothing, but for a room in which
 *					      its user is not yet
 *	in a snapshot, silent                 nothing: it has been told
 *
 * Changes of a room in one turn go out together; rooms of more than 100 users
 * are told at most once a second, marked `big`: 64 in and 64 out at most are
 * for all, who changes beyond that is for version 1 alone (`rest`) and the count
 * says the rest (`more`). `more` is said of a room of any size when somebody was
 * given its list (WHO) just before a change that nobody was told of was undone.
 *
 * After a promotion what was news in the last seconds is told again, marked
 * `unsure`, with where people were before (`maybe`): a msg_server knows what
 * it has told. Until all have settled (the grace and ten seconds) so is
 * everything else, and those whose link was lost get a whole grace.
 *
 * Watchers: a msg_server asks about users (WATCH) and is told STATUS once, then
 * at each change: `off` when the last session left and the grace is over, at
 * once by BYE. After a promotion `off` of one whom we do not know waits: three
 * seconds, and a grace when the msg_server has asked before.
 *
 * Bounds: PRESENCE_SESSIONS_MAX sessions a link, PRESENCE_ROOMS_MAX rooms a
 * session: what is over is not taken in, and counted. PRESENCE_WATCHES_MAX
 * watched users, counted once for each server: over it one is told how it
 * stands and no more. PRESENCE_LASTS_MAX absent users' times, oldest first out.
 */
#ifndef PROXY_SERVER_PRESENCE_H
#define PROXY_SERVER_PRESENCE_H

#include "shared/net/net.h"
#include "shared/proto/frames.h"

enum {
	PRESENCE_SESSIONS_MAX = 200000,
	PRESENCE_ROOMS_MAX = 1000,
	PRESENCE_WATCHES_MAX = 1000000,
	PRESENCE_LASTS_MAX = 100000,
	PRESENCE_BIG = 100
};

struct presence;
struct pres_node;

struct presence_ops {
	/*
	 * Of a standby: when the active one was last heard of (monotonic ms);
	 * what changed before that it has told. 0: unknown. May be NULL.
	 */
	int64_t (*on_heard)(void *arg);
	/*
	 * Of the active one: is a msg_server on its way to it that has not said
	 * yet which rooms it follows? News waits. May be NULL.
	 */
	bool (*on_coming)(void *arg);
	/* of watched users, for one server; strings borrowed. May be NULL */
	void (*on_status)(
	    void *arg, struct pres_node *n, const struct f_status *status);
	/* people of a room changed; room->ch is not set; strings borrowed */
	void (*on_room)(void *arg, struct str rid, struct f_room *room);
	/* members of the JSON of a room that presence does not know; may be
	 * NULL */
	void (*on_room_info)(void *arg, struct str rid, struct buf *json);
};

struct presence_figures {
	uint64_t sessions, users, rooms, updates, refused;
	uint64_t watches, lasts, told; /* told: STATUS entries */
};

struct presence *presence_new(struct net *net, int64_t grace_ms,
    const struct presence_ops *ops, void *arg);
void presence_free(struct presence *pr);
/* true: changes are told from now on, but for a second of quiet, and as long
 * as on_coming() says so: they are told when there is who hears them */
void presence_set_active(struct presence *pr, bool active);

/*
 * What on_room() was given, for one server: the ages in it say whether a change
 * came before the first of its people in that room. Updates are counted for
 * that; of who was there already when the server linked, times are told.
 */
void presence_for(struct presence *pr, const struct pres_node *n,
    struct str rid, struct f_room *f);

/* a server that links; the same one each time, never freed before presence */
struct pres_node *presence_node(
    struct presence *pr, uint32_t node_no, const char *name);
uint32_t presence_node_no(const struct pres_node *n);
bool presence_node_has(
    struct presence *pr, const struct pres_node *n, struct str uid);
/* a snapshot: it replaces what the server had announced */
void presence_begin(struct presence *pr, struct pres_node *n);
void presence_end(struct presence *pr, struct pres_node *n);
void presence_put(
    struct presence *pr, struct pres_node *n, const struct f_pres *pres);
void presence_lost(struct presence *pr, struct pres_node *n);
/* whom a server watches, and no longer watches */
void presence_watch(
    struct presence *pr, struct pres_node *n, const struct f_watch *watch);

/*
 * Answers a question. json: an empty buf of the caller, answer->json points
 * into it; a page ends early when it would not fit a frame.
 */
void presence_who(struct presence *pr, const struct f_who *who,
    struct buf *json, struct f_whois *answer);
/* users in a room, those within the grace too */
uint32_t presence_count(struct presence *pr, struct str rid);
void presence_get_figures(
    const struct presence *pr, struct presence_figures *out);
/* what time has brought: called by a timer, and by tests */
void presence_tick(struct presence *pr);

#endif
