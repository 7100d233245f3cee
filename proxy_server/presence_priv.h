/* SPDX-License-Identifier: MIT */
/*
 * The objects of presence, shared by presence.c (who is there),
 * presence_keep.c (their memory), presence_room.c (what rooms are told),
 * presence_watch.c (what watchers are told) and presence_who.c (answers).
 *
 *	node --< session >-- user
 *	            |          |
 *	            +--< member >-- room
 *
 * A member is a user in a room; each of his sessions that is in the room, too,
 * has a seat: a pointer to the member. A member with no seat is held until his
 * absence is due; so is a user with no session until his leave is.
 *
 * Every proxy has one of most of these for everybody who is logged in, and a
 * standby, too: what somebody at rest needs is in them, what goes on is in
 * pres_leave, pres_absence and pres_news, which exist only meanwhile. All are
 * of one slab. test_presence_sizes holds what one costs.
 */
#ifndef PROXY_SERVER_PRESENCE_PRIV_H
#define PROXY_SERVER_PRESENCE_PRIV_H

#include "proxy_server/presence.h"
#include "shared/base/map.h"
#include "shared/base/slab.h"
#include "shared/base/table.h"
#include "shared/net/timer.h"
#include "shared/proc/log.h"

struct pres_node {
	UT_hash_handle hh; /* presence->nodes by no */
	uint32_t no;
	uint32_t at; /* its place in presence->by_at */
	char name[ID_MAX + 1];
	struct table sessions; /* owned, by the low half of cn */
	uint32_t sweep;        /* where table_any() goes on */
	bool in_snapshot;      /* between BEGIN and END */
	bool losing;	       /* its sessions end, one by one */
	struct pres_interest *interests; /* owned list: whom it watches */
	uint32_t n_interests;
	struct f_status *news; /* owned: what it is to be told, or NULL */
};

/* one watched user: whoever of the msg_servers wants to know of him */
struct pres_watch {
	UT_hash_handle hh; /* presence->watches by uid */
	struct pres_interest *interests;
	struct pres_watch *prev_dirty, *next_dirty;
	bool dirty;
	uint8_t told; /* enum user_status */
	char uid[ID_MAX + 1];
};

/* until when `off` is not believed after a promotion */
enum pres_wait { WAIT_NOT, WAIT_SHORT, WAIT_GRACE };

struct pres_interest {
	struct pres_watch *watch;
	struct pres_node *node;
	struct pres_interest *prev, *next; /* of the watch */
	struct pres_interest *prev_of_node, *next_of_node;
	enum pres_wait wait; /* not told yet: he may just not be linked */
};

/* when somebody who is not there left */
struct pres_last {
	struct table_link by_uid; /* presence->lasts */
	struct pres_last *prev, *next;
	int64_t ms : 63;
	bool doubt : 1; /* left a standby that had lost the link */
	char uid[];
};

/* whose session a number was */
struct pres_gone {
	struct table_link by_cn; /* presence->gone */
	struct pres_gone *prev, *next;
	uint64_t cn;
	char uid[];
};

enum { PRESENCE_GONE_MAX = 32768 }; /* about 3 MiB */

/* who somebody is; never changed: who has another name has another card */
struct pres_card {
	uint32_t refs; /* his user, changes not yet told */
	uint16_t name_len, avatar_len;
	uint8_t uid_len;
	bool has_name : 1, has_avatar : 1;
	bool orphan : 1; /* no user's any more: changes alone have it */
	bool stale : 1;	 /* another card of the same uid may be such an orphan */
	char text[];	 /* uid, name, avatar, each with a NUL */
};

struct pres_session {
	struct table_link by_cn; /* node->sessions */
	struct pres_user *user;
	struct pres_session *prev, *next; /* of the user */
	/* n_seats of them, the newest at the end: one is kept here */
	union {
		struct pres_member *seat;
		struct pres_member **seats; /* owned, room for 2^n */
	};
	int64_t since_ms;
	uint32_t cn;   /* its low half; the other one is node's */
	uint32_t node; /* place in presence->by_at */
	uint16_t n_seats;
	uint8_t level;
	bool away : 1, num_rid : 1;
	char dev[];
};

struct pres_user {
	struct table_link by_uid; /* presence->users */
	struct pres_card *card;
	struct pres_session *sessions;
	struct pres_member *members;
	struct pres_leave *leave; /* no session left: held; or NULL */
	uint32_t n_sessions;
	uint32_t n_away : 30;
	uint32_t st : 2; /* enum user_status; as it was while he is held */
};

/* he has no session any more, which nobody who watches him was told yet */
struct pres_leave {
	struct pres_leave *prev, *next; /* presence->leaving[by_link] */
	struct pres_user *user;
	int64_t due_ms;
	int64_t last_ms; /* wall clock of the last change */
	bool by_link;	 /* because a link was lost */
};

struct pres_member {
	struct pres_user *user;
	struct pres_room *room;
	struct pres_member *prev, *next; /* of the room */
	struct pres_member *next_of_user;
	struct pres_absence *absence; /* nobody's is NULL */
	uint32_t n_seats;
};

/*
 * Seats were lost. Held when none is left, in held[by_link] until due_ms; with
 * a seat in owed until due_ms, when nobody remembers it any more.
 */
struct pres_absence {
	struct pres_absence *prev, *next;
	struct pres_member *member;
	int64_t due_ms;
	/* seats lost with a link: so many may come back in silence until then */
	int64_t owed_ms;
	uint32_t n_owed;
	bool held;
	bool by_link; /* held because a link was lost */
};

/* seats of a room by server */
struct pres_share {
	uint32_t node; /* place in presence->by_at */
	uint32_t n;
	/* which update its first one came with; 0: he was there before */
	uint32_t nth;
};

/* BACK: out of the hold; only told by one that may not know all */
enum pres_change_kind { CHANGE_IN, CHANGE_AGAIN, CHANGE_BACK, CHANGE_OUT };

/* not yet told; the user may be gone by then */
struct pres_change {
	struct pres_change *prev, *next;
	struct pres_card *card;
	uint64_t cn;
	int64_t at_ms;
	uint32_t nth; /* which update it came with */
	uint8_t kind; /* enum pres_change_kind */
	bool num_rid;
	bool before; /* was he in before the first of his changes here? */
	bool doubt;  /* of a time when another one may have told it */
};

struct pres_room {
	struct table_link by_rid; /* presence->rooms */
	struct pres_member *members;
	struct pres_share *shares; /* owned */
	struct pres_news *news;	   /* while there is any, and for big rooms */
	uint32_t n_members;
	uint32_t n_shares;
	char rid[];
};

struct pres_news {
	struct pres_news *prev, *next; /* presence->dirty, while it is */
	struct pres_room *room;
	struct pres_change *changes; /* owned list, oldest first */
	uint32_t n_changes;
	bool asked; /* the list was given while changes were not yet told */
	bool cut; /* what is told is not all: the list is to be asked for */
	int64_t told_ms; /* last frame of a big room */
};

struct presence {
	struct net *net;
	const struct presence_ops *ops;
	void *arg;
	int64_t grace_ms;
	struct net_turn turn;
	struct timer timer;
	struct slab slab; /* of all that there is much of */
	struct pres_node *nodes;
	struct pres_node **by_at; /* owned: the same, in order of coming */
	uint32_t n_nodes;
	uint32_t n_sessions;
	struct table users; /* by uid */
	struct table rooms; /* by rid */
	/* [1]: for a lost link. Each oldest first: one grace for all */
	struct pres_absence *held[2];
	struct pres_absence *owed;
	struct pres_leave *leaving[2];
	struct pres_news *dirty; /* rooms with changes */
	size_t n_changes; /* not yet told, of all rooms */
	size_t n_orphans; /* of them, with a card that is no user's now */
	struct pres_watch *watches, *dirty_watches;
	struct table lasts; /* by uid */
	struct pres_last *lasts_old; /* the same, oldest first */
	struct table gone;	    /* by cn */
	struct pres_gone *gone_old; /* the same, oldest first */
	size_t n_interests;
	int64_t quiet_until_ms;
	int64_t promoted_ms; /* 0: standby */
	enum pres_wait settled; /* so far, since then */
	bool active;
	uint64_t updates, refused, told;
	struct log_limit limit;
};

/* --- presence_gone.c --- */
void presence_gone_note(struct presence *pr, uint64_t cn, struct str uid);
/* absent: nobody's, as far as is known */
struct str presence_gone_uid(const struct presence *pr, uint64_t cn);
void presence_gone_fini(struct presence *pr);

/* --- presence_keep.c --- */
struct pres_user *presence_user(struct presence *pr, struct str uid);
struct pres_user *presence_user_get(struct presence *pr, struct str uid);
/* a user with neither session nor room is gone */
void presence_user_rest(struct presence *pr, struct pres_user *u);
/* what is announced of him; STR_NONE: as it was */
void presence_user_name(struct presence *pr, struct pres_user *u,
    struct str name, struct str avatar);
void presence_card_drop(struct presence *pr, struct pres_card *card);
/* may there be a change of his that was not yet told? */
bool presence_may_have_news(struct presence *pr, const struct pres_user *u);

struct pres_room *presence_room(struct presence *pr, struct str rid);
struct pres_room *presence_room_get(struct presence *pr, struct str rid);
/* frees a room that nobody is in and nothing is to be told about */
void presence_room_rest(struct presence *pr, struct pres_room *room);
/* seats of a server in a room */
void presence_share(
    struct presence *pr, struct pres_room *room, uint32_t node, int by);
/* somebody of that server has been there for nobody knows how long */
void presence_share_is_old(struct pres_room *room, uint32_t node);

struct pres_member *presence_member(
    const struct pres_user *u, const struct pres_room *room);
struct pres_member *presence_member_new(
    struct presence *pr, struct pres_user *u, struct pres_room *room);
/* and room and user, if nothing else keeps them */
void presence_member_free(struct presence *pr, struct pres_member *m);
/* a seat was lost and is remembered until due_ms */
void presence_hold(
    struct presence *pr, struct pres_member *m, bool by_link, int64_t due_ms);
void presence_owe(struct presence *pr, struct pres_member *m, int64_t until);
/* somebody sits there again; what he may come back to is remembered */
void presence_unhold(struct presence *pr, struct pres_member *m);
/* forgets what is over */
void presence_absence_rest(struct presence *pr, struct pres_member *m);
void presence_owed_tick(struct presence *pr, int64_t now);

/* NULL: no such session */
struct pres_session *presence_session(struct pres_node *n, uint64_t cn);
struct pres_session *presence_session_alloc(
    struct presence *pr, struct pres_node *n, uint64_t cn, struct str dev);
/* out of the node's and his user's; then free */
void presence_session_release(struct presence *pr, struct pres_session *s);
void presence_session_free(struct presence *pr, struct pres_session *s);
/* another device name, if it is set; it may be another object then */
struct pres_session *presence_session_dev(
    struct presence *pr, struct pres_session *s, struct str dev);
/* in no order; NULL: none is there */
struct pres_session *presence_any_session(struct pres_node *n);
/* n_seats of them, until one comes or goes */
struct pres_member **presence_seats(struct pres_session *s);
void presence_seat_add(
    struct presence *pr, struct pres_session *s, struct pres_member *m);
void presence_seat_del(
    struct presence *pr, struct pres_session *s, unsigned i);
void presence_keep_fini(struct presence *pr);

/* for TABLE_EACH */
struct str presence_room_key(const struct table_link *e);
struct str presence_user_key(const struct table_link *e);

static inline struct pres_node *
presence_node_of(const struct presence *p, const struct pres_session *s)
{
	return p->by_at[s->node];
}

static inline uint64_t
presence_cn(const struct presence *p, const struct pres_session *s)
{
	return (uint64_t)presence_node_of(p, s)->no << 32 | s->cn;
}

static inline const char *
presence_uid(const struct pres_user *u)
{
	return u->card->text;
}

/* NULL: he has none */
static inline const char *
presence_name(const struct pres_card *c)
{
	return c->has_name ? c->text + c->uid_len + 1 : NULL;
}

static inline const char *
presence_avatar(const struct pres_card *c)
{
	return c->has_avatar ? c->text + c->uid_len + 1 + c->name_len + 1
			     : NULL;
}

static inline bool
presence_is_held(const struct pres_member *m)
{
	return m->absence != NULL && m->absence->held;
}

static inline bool
presence_is_dirty(const struct pres_room *room)
{
	return room->news != NULL &&
	       (room->news->changes != NULL || room->news->cut);
}

/* --- presence_room.c --- */
void presence_change(struct presence *pr, struct pres_room *room,
    enum pres_change_kind kind, const struct pres_user *user, uint64_t cn,
    bool num_rid);
/* tells what is due: in a turn small rooms, by the clock big ones */
void presence_flush(struct presence *pr);
/* of a dirty room */
void presence_forget_changes(struct presence *pr, struct pres_room *room);
/* of one that is empty: nothing is to be told any more */
void presence_news_free(struct presence *pr, struct pres_room *room);

/* ours may be told already, by the one before: until all have settled */
bool presence_is_doubtful(const struct presence *pr);

/* --- presence_watch.c --- */
/* his sessions changed: what those who watch him see */
void presence_judge(struct presence *pr, struct pres_user *u);
/* his last session has ended at last_ms; now: without grace. Does not free
 * him */
void presence_user_left(struct presence *pr, struct pres_user *u, bool now,
    bool by_link, int64_t last_ms);
/* a session of his is there: he is not leaving any more */
void presence_user_back(struct presence *pr, struct pres_user *u);
/* users whose grace is over, watchers who may be told now */
void presence_watch_tick(struct presence *pr, int64_t now);
void presence_watch_flush(struct presence *pr);
/* forgets what a server watches */
void presence_unwatch_all(struct presence *pr, struct pres_node *n);
/* forgets everything */
void presence_watch_fini(struct presence *pr);
/* ms since 1970, 0: not known */
int64_t presence_last(struct presence *pr, struct str uid);
/* how long after its time an absence that began with a lost link is held */
int64_t presence_due(const struct presence *pr, bool by_link);

#endif
