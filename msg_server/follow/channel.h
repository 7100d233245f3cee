/* SPDX-License-Identifier: MIT */
/*
 * A followed channel: the gap rule of design.md section 2. It holds the last
 * seq delivered; last+1 goes on, <= last is dropped, a gap is read back from the
 * log before anything after it is delivered (live items meanwhile are dropped: the
 * log has them). Heads are compared at SUBBED and after link resets.
 *
 * Embedded in struct room (r:) and struct user (u:). Unsubscribed 30 s after
 * its last follower left (channel_release), kept until then.
 *
 * There is one for every user and every room (seqs of 48 bits: session.h): what a channel at rest needs is
 * in struct channel, what goes on is in struct channel_busy, which exists
 * only meanwhile.
 */
#ifndef MSG_SERVER_FOLLOW_CHANNEL_H
#define MSG_SERVER_FOLLOW_CHANNEL_H

#include "msg_server/follow/relay.h"
#include "shared/base/map.h"
#include "shared/base/table.h"
#include "shared/net/timer.h"

enum channel_state { CHANNEL_NEW, CHANNEL_ASKED, CHANNEL_LIVE };

/* someone waiting for the first SUBBED; embedded, freed in done */
struct channel_wait {
	struct channel_wait *next;
	int64_t since_ms;
	/* code 200 or 503 */
	void (*done)(struct channel_wait *, struct channel *, unsigned code);
};

struct channel_ops {
	/* every item in seq order, no hole; for u: channels seq order is useq */
	void (*on_item)(struct channel *, const struct item *it, const struct state_rec *states, unsigned n_states);
	/* the history is another one now (ep changed), or items from..to can't be had any more: sessions are told by gap */
	void (*on_gap)(struct channel *, uint64_t from, uint64_t to, bool reset);
	/* nobody waits any more and the delay has passed: free the owner */
	void (*on_idle)(struct channel *);
	/* what SUBBED says stands beside the items; NULL: it is not asked for. anew: it is followed from here on */
	void (*on_states)(struct channel *, const struct state_rec *states, unsigned n_states, bool anew);
};

/* what goes on; freed when nothing does (channel_rest) */
struct channel_busy {
	struct channel *channel;
	struct channel_wait *waits, **waits_end; /* oldest first */
	struct channel_busy *prev, *next; /* relay's list of those with waits */
	struct relay_read repair; /* the one read of a gap repair */
	uint64_t repair_from;     /* its first item */
	struct relay_task task;   /* waits due, or repair to be tried again */
	struct buf held;          /* live items that came during a repair, as page items */
	struct wheel_entry idle;  /* armed while released */
	struct replay_page *pages;    /* reads under way for cursors (replay.c) */
};

struct channel {
	struct table_link by_ch; /* relay's channels */
	struct relay *relay;
	const char *name;  /* borrowed from the owner, who has it as long as the channel */
	uint64_t last : 48;  /* delivered (useq for u:) */
	uint64_t state : 2;  /* enum channel_state */
	uint64_t repairing : 1, presence : 1, released : 1, listed : 1, task_on : 1, held_over : 1;
	uint64_t head : 48;  /* highest seq heard of */
	uint64_t ep_no : 16; /* see channel_ep() */
	uint64_t first : 48; /* oldest retained; only rises within one ep */
	struct channel_busy *busy;    /* NULL at rest */
	struct recent_chan *recent;   /* its newest items in memory (recent.h), or NULL */
	uint32_t ch;       /* number on every link of ours */
	uint32_t erased;   /* recalls heard of */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct channel) <= 64,
    "an idle user takes more than he need to");

/* subscribes from the head; wait->done comes later, always. All of a kind (u:, r:) have the same ops. */
void channel_open(struct channel *c, struct relay *r, const char *name, bool want_presence, const struct channel_ops *ops);
/* tells when it is live: at once in a later turn when it is already */
void channel_wait(struct channel *c, struct channel_wait *w);
/* the owner has no more use for it now (on_idle later) / has again */
void channel_release(struct channel *c);
void channel_keep(struct channel *c);

bool channel_is_user(const struct channel *c);
/* makes it if need be: for what begins now */
struct channel_busy *channel_busy(struct channel *c);
/* something has ended: nothing is kept for a channel at rest */
void channel_rest(struct channel *c);
/* somebody has told of the oldest item that its present history retains; what
 * is lower than what is known is old news */
void channel_heard_first(struct channel *c, uint64_t first);

/* of its history; "" before it is known */
const char *channel_ep(const struct channel *c);

static inline struct str
channel_name(const struct channel *c)
{
	return str_of(c->name);
}

/* for who may outlive it */
struct chan_name channel_copy_name(const struct channel *c);

/* the uid or rid, NUL-terminated */
static inline const char *
channel_id(const struct channel *c)
{
	return c->name + 2;
}

/* --- from relay.c --- */
struct str channel_key(const struct table_link *e);
/* the link to the active proxy is new: subscribe (again) from where we are */
void channel_subscribe(struct channel *c);
/* who waits since `since_ms` or longer and was not answered is told 503 */
void channel_give_up(struct channel *c, int64_t since_ms);
/* the relay ends: waiters are told 503, then on_idle */
void channel_drop(struct channel *c);
/* the delay after the last follower is over */
void channel_expire(struct channel *c);
void channel_on_subbed(struct channel *c, const struct f_subbed *f);
void channel_on_item(struct channel *c, const struct item *it, uint64_t seq, const struct state_rec *states, unsigned n_states);

#endif
