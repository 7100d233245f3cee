/* SPDX-License-Identifier: MIT */
/*
 * The relay: this server's links to all proxy_servers, and the way to the log.
 * Talks log only to the active one of the highest gen; a lower one is followed
 * only in a history (ep) never heard of, with no other active one: the log was
 * lost and begun anew. Announces presence to
 * all. At every change of the active or reset of its link: SUB all followed
 * channels with positions, resend unacked APPENDs in order (same cid), then
 * what is new (design.md section 3, wire.md rules of order).
 *
 * Bounds (limits.md): 4096 unacked appends or 4 MiB, 4096 questions;
 * beyond that ERR_BUSY at once. No more
 * than 16 MiB of answers are asked for at a time: what waits on a link is bounded, too. An append unanswered for 10 s is answered 503
 * retry 1000 to its caller but stays in the table (its cid makes a repeat
 * safe). Reads, whos, gets, states, inboxes and first subscriptions without an active proxy wait 3 s, then 503.
 * A proxy that has no room now (429, or 503 with a retry of at most a second)
 * is asked again, in order, without a word to the caller.
 *
 * Callers allocate a call struct, embed it in their own context, and free
 * that in `done` (exactly once, never before the asking function returned).
 */
#ifndef MSG_SERVER_FOLLOW_RELAY_H
#define MSG_SERVER_FOLLOW_RELAY_H

#include "shared/net/net.h"
#include "shared/proto/frames_state.h"
#include "shared/svc/topology.h"

struct relay;
struct channel;
struct server;

struct relay_append {
	/* code 200 stored; 403, 409, 413, 429, 503 not stored (503: unknown) */
	void (*done)(struct relay_append *, unsigned code, uint32_t retry_ms, const struct f_ack *ack);
};
struct relay_read {
	/* page valid until return; NULL with code 503 */
	void (*done)(struct relay_read *, unsigned code, const struct f_page *page, struct str items);
};
struct relay_who {
	void (*done)(struct relay_who *, unsigned code, const struct f_whois *answer);
};

struct relay_get {
	/* got valid until return; NULL with code 503 */
	void (*done)(struct relay_get *, unsigned code, const struct f_got *got);
};
struct relay_inbox {
	/* entries: f->n of frames_inbox_next(); NULL with code 503 */
	void (*done)(struct relay_inbox *, unsigned code, const struct f_inboxed *f, struct str entries);
};
struct relay_states {
	/* recs: f->n of frames_states_next(); NULL with code 503 */
	void (*done)(struct relay_states *, unsigned code, const struct f_stated *f, struct str recs);
};

/* run once, later: in this turn's net hook (relay_later) or at the next 200 ms tick (relay_retry) */
struct relay_task {
	struct relay_task *next;
	void (*fn)(struct relay_task *);
};

struct relay_ops {
	/* a live private item or an item of a followed channel is handed to channel.h by the relay itself */
	void (*on_room)(struct server *, struct channel *, const struct f_room *);
	void (*on_eph)(struct server *, struct channel *, const struct f_eph *);
	/* a state record beside the items has changed */
	void (*on_state)(struct server *, struct channel *, const struct state_rec *);
	void (*on_kick)(struct server *, const struct f_kick *);
	/* of watched users */
	void (*on_status)(struct server *, const struct f_status *);
	/* another active proxy, or a new link to the same: all channels are subscribed, nothing else is sent yet; may be NULL */
	void (*on_promoted)(struct server *);
	/* a proxy link is up and wants the whole presence: call relay_pres_put for every session between begin and end */
	void (*on_snapshot)(struct server *, void (*put)(void *arg, const struct f_pres *), void *arg);
};

struct relay *relay_new(struct server *srv, struct net *net, const struct link_id *self, const uint8_t key[32], const struct relay_ops *ops);
/* when no session is left: whoever waits is told 503, channels tell on_idle */
void relay_free(struct relay *r);
/* addresses of all proxies, 16 at most; call at start and whenever the topology changes: tries those that are down at
 * once. Links that are up stay, also to one that is not named: that one is forgotten when its link ends */
void relay_set_proxies(struct relay *r, const struct addr *addrs, size_t n);
/* the node number is known only after joining: links are opened from then on */
void relay_set_self(struct relay *r, const struct link_id *self);

/* of links from now on; those that are up stay */
void relay_set_key(struct relay *r, const uint8_t key[32]);

/* copies everything; ERR_BUSY */
int relay_append(struct relay *r, const struct f_append *ap, struct relay_append *call) MUST_CHECK;
int relay_read(struct relay *r, const struct f_read *rd, struct relay_read *call) MUST_CHECK;
int relay_who(struct relay *r, const struct f_who *who, struct relay_who *call) MUST_CHECK;
/* one state record as the writer knows it; a page of a user's conversations */
int relay_get(struct relay *r, const struct f_get *get, struct relay_get *call) MUST_CHECK;
int relay_inbox(struct relay *r, const struct f_inbox *in, struct relay_inbox *call) MUST_CHECK;
/* a page of state records, as they are acknowledged */
int relay_states(struct relay *r, const struct f_states *q, struct relay_states *call) MUST_CHECK;
void relay_set_state(struct relay *r, const struct f_set *set); /* no answer */
/* marks, what was delivered: no answer; the history is the one we follow. False: there is no active proxy */
bool relay_raise(struct relay *r, const struct f_raise *f);
void relay_eph(struct relay *r, const struct f_eph *eph);
void relay_pres(struct relay *r, const struct f_pres *pres); /* delta to all proxies */

void relay_later(struct relay *r, struct relay_task *t);
void relay_retry(struct relay *r, struct relay_task *t);

/* to the active proxy; lost without one: on_promoted is the time to say it all again */
void relay_watch(struct relay *r, const struct f_watch *watch);
/* a session of another msg_server, or all of a user, are to be closed; lost without an active proxy */
void relay_kick(struct relay *r, const struct f_kick *kick);
/* when there was an active proxy last (monotonic ms): now when there is one, 0 when never */
int64_t relay_active_ms(const struct relay *r);

struct server *relay_server(const struct relay *r);
bool relay_has_active(const struct relay *r);
uint64_t relay_gen(const struct relay *r);
/* 8 hex digits of the log's history, or "" before the first ACTIVE */
const char *relay_ep(const struct relay *r);
void relay_status(const struct relay *r, struct buf *json); /* members of an object: links, unacked, waiting */
size_t relay_unacked(const struct relay *r);

#endif
