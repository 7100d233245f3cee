/* SPDX-License-Identifier: MIT */
/*
 * The objects of presence, shared by presence.c (who is there), presence_room.c
 * (what rooms are told), presence_watch.c (what watchers are told) and
 * presence_who.c (answers).
 *
 *	node --< session >-- user
 *	            |          |
 *	           seat >--- member >-- room
 *
 * A seat is a session in a room, a member is a user in a room. A member with
 * no seat is held until due_ms; so is a user with no session.
 */
#ifndef PROXY_SERVER_PRESENCE_PRIV_H
#define PROXY_SERVER_PRESENCE_PRIV_H

#include "proxy_server/presence.h"
#include "shared/base/map.h"
#include "shared/net/timer.h"
#include "shared/proc/log.h"

struct pres_node {
	UT_hash_handle hh; /* presence->nodes by no */
	uint32_t no;
	char name[ID_MAX + 1];
	struct pres_session *sessions; /* owned list */
	uint32_t n_sessions;
	bool in_snapshot; /* between BEGIN and END */
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
	UT_hash_handle hh; /* presence->lasts by uid */
	struct pres_last *prev, *next;
	int64_t ms;
	bool doubt; /* left a standby that had lost the link */
	char uid[ID_MAX + 1];
};

struct pres_session {
	UT_hash_handle hh; /* presence->sessions by cn */
	uint64_t cn;
	int64_t since_ms;
	struct pres_user *user;
	struct pres_node *node;
	struct pres_session *prev, *next; /* of the node */
	struct pres_session *prev_of_user, *next_of_user;
	struct pres_seat *seats; /* owned list */
	uint16_t n_seats;
	uint8_t level, dialect;
	bool away, num_rid;
	char *name, *avatar; /* owned; may be NULL */
	char dev[ID_MAX + 1];
};

struct pres_seat {
	struct pres_seat *next; /* of the session */
	struct pres_member *member;
};

struct pres_user {
	UT_hash_handle hh; /* presence->users by uid */
	struct pres_session *sessions;
	struct pres_member *members;
	uint32_t n_sessions, n_away;
	uint8_t st;    /* enum user_status; as it was while he is held */
	bool leaving;  /* no session left: held until due_ms */
	bool by_link;  /* because a link was lost */
	int64_t due_ms;
	struct pres_user *prev_held, *next_held; /* of presence */
	int64_t last_ms;     /* wall clock of the last change */
	char *name, *avatar; /* owned; as last announced */
	char uid[ID_MAX + 1];
};

struct pres_member {
	struct pres_user *user;
	struct pres_room *room;
	struct pres_member *prev, *next; /* of the room */
	struct pres_member *prev_of_user, *next_of_user;
	struct pres_member *prev_held, *next_held; /* of presence */
	uint32_t n_seats;			   /* 0: held */
	bool by_link; /* held because a link was lost */
	int64_t due_ms;
	/* seats lost with a link: so many may come back in silence until then */
	uint32_t n_owed;
	int64_t owed_ms;
};

/* seats of a room by server */
struct pres_share {
	struct pres_share *next;
	struct pres_node *node;
	uint32_t n;
};

/* BACK: out of the hold; only told by one that may not know all */
enum pres_change_kind { CHANGE_IN, CHANGE_AGAIN, CHANGE_BACK, CHANGE_OUT };

/* not yet told; owned copies, the user may be gone by then */
struct pres_change {
	struct pres_change *prev, *next;
	enum pres_change_kind kind;
	bool num_rid;
	bool before; /* was he in before the first of his changes here? */
	bool doubt;  /* of a time when another one may have told it */
	uint64_t cn;
	int64_t at_ms;
	char *name, *avatar;
	char uid[ID_MAX + 1];
};

struct pres_room {
	UT_hash_handle hh; /* presence->rooms by rid */
	struct pres_member *members;
	struct pres_share *shares;
	uint32_t n_members;
	uint32_t n_changes;
	struct pres_change *changes; /* owned list, oldest first */
	int64_t told_ms;	     /* last frame of a big room */
	bool asked; /* the list was given while changes were not yet told */
	bool cut; /* what is told is not all: the list is to be asked for */
	struct pres_room *prev_dirty, *next_dirty;
	char rid[ID_MAX + 1];
};

struct presence {
	struct net *net;
	const struct presence_ops *ops;
	void *arg;
	int64_t grace_ms;
	struct net_turn turn;
	struct timer timer;
	struct pres_node *nodes;
	struct pres_session *sessions;
	struct pres_user *users;
	struct pres_room *rooms;
	/* [1]: for a lost link. Each oldest first: one grace for all */
	struct pres_member *held[2];
	struct pres_user *leaving[2];
	struct pres_room *dirty; /* rooms with changes */
	struct pres_watch *watches, *dirty_watches;
	struct pres_last *lasts, *lasts_old; /* by uid; oldest first */
	size_t n_interests;
	int64_t quiet_until_ms;
	int64_t promoted_ms; /* 0: standby */
	enum pres_wait settled; /* so far, since then */
	bool active;
	uint64_t updates, refused, told;
	struct log_limit limit;
};

/* --- presence_room.c --- */
void presence_change(struct presence *pr, struct pres_room *room,
    enum pres_change_kind kind, const struct pres_user *user, uint64_t cn);
/* tells what is due: in a turn small rooms, by the clock big ones */
void presence_flush(struct presence *pr);
/* of a dirty room */
void presence_forget_changes(struct presence *pr, struct pres_room *room);

/* ours may be told already, by the one before: until all have settled */
bool presence_is_doubtful(const struct presence *pr);

/* --- presence_watch.c --- */
/* his sessions changed: what those who watch him see */
void presence_judge(struct presence *pr, struct pres_user *u);
/* his last session has ended; now: without grace. May not free him */
void presence_user_left(
    struct presence *pr, struct pres_user *u, bool now, bool by_link);
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

/* --- presence.c --- */
struct pres_user *presence_user(struct presence *pr, struct str uid);
struct pres_room *presence_room(struct presence *pr, struct str rid);
/* frees a room that nobody is in and nothing is to be told about */
void presence_room_rest(struct presence *pr, struct pres_room *room);
void presence_user_rest(struct presence *pr, struct pres_user *u);

#endif
