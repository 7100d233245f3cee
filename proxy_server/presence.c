/* SPDX-License-Identifier: MIT */
/*
 * Sessions, users and rooms, as the msg_servers announce them. What becomes
 * of a change is presence_room.c; knows no links and no channels.
 */
#include <stdlib.h>

#include "proxy_server/presence_priv.h"
#include "shared/proc/clock.h"

enum {
	PRESENCE_TICK_MS = 200,
	PRESENCE_QUIET_MS = 1000,
	PRESENCE_SLICE = 5000, /* members released in one go */
	/* a standby holds longer: the active one's word comes first */
	PRESENCE_STANDBY_MS = 5000
};

static void presence_on_timer(void *arg);
static void presence_on_turn(struct net_turn *turn);

struct presence *
presence_new(struct net *net, int64_t grace_ms, const struct presence_ops *ops,
    void *arg)
{
	struct presence *pr = xcalloc(1, sizeof *pr);

	pr->net = net;
	pr->ops = ops;
	pr->arg = arg;
	pr->grace_ms = grace_ms;
	pr->turn.on_turn = presence_on_turn;
	net_turn_add(net, &pr->turn);
	timer_init(&pr->timer, net, presence_on_timer, pr);
	timer_set(&pr->timer, PRESENCE_TICK_MS, 0);
	return pr;
}

void
presence_set_active(struct presence *pr, bool active)
{
	int64_t now = clock_mono_ms();
	struct pres_absence *a;
	struct pres_leave *l;

	if (active == pr->active)
		return;
	pr->active = active;
	pr->promoted_ms = active ? now : 0;
	pr->settled = WAIT_NOT;
	if (!active)
		return;
	/* with nobody known yet there is nothing that followers could miss */
	pr->quiet_until_ms = pr->n_sessions > 0 ? now + PRESENCE_QUIET_MS : 0;
	/* a server that we have lost may have been the active one's all along:
	   it links to us first */
	DL_FOREACH (pr->held[1], a)
		a->due_ms = presence_due(pr, true);
	DL_FOREACH (pr->leaving[1], l)
		l->due_ms = presence_due(pr, true);
}

int64_t
presence_due(const struct presence *pr, bool by_link)
{
	return clock_mono_ms() + pr->grace_ms +
	       (by_link && !pr->active ? PRESENCE_STANDBY_MS : 0);
}

/* ---- coming and going ------------------------------------------------- */

enum leave { LEAVE_NOW, LEAVE_GRACE, LEAVE_LINK, LEAVE_SILENT };

/* the last seat of a member is empty */
static void
presence_vacant(
    struct presence *pr, struct pres_member *m, enum leave how, uint64_t cn)
{
	bool by_link = how == LEAVE_LINK;

	if (how == LEAVE_NOW || how == LEAVE_SILENT || pr->grace_ms == 0) {
		if (how != LEAVE_SILENT)
			presence_change(
			    pr, m->room, CHANGE_OUT, m->user, cn, false);
		presence_member_free(pr, m);
		return;
	}
	presence_hold(pr, m, by_link, presence_due(pr, by_link));
}

/* takes one seat from the session; the member may be freed */
static void
presence_stand_up(
    struct presence *pr, struct pres_session *s, unsigned i, enum leave how)
{
	struct pres_member *m = presence_seats(s)[i];

	presence_seat_del(pr, s, i);
	presence_share(pr, m->room, s->node, -1);
	if (how == LEAVE_LINK)
		presence_owe(pr, m, clock_mono_ms() + pr->grace_ms);
	if (--m->n_seats == 0)
		presence_vacant(pr, m, how, presence_cn(pr, s));
}

/* he stays as he was: which of his sessions is the last to go says nothing */
static bool
presence_loses_all(const struct presence *pr, const struct pres_user *u)
{
	const struct pres_session *s;

	DL_FOREACH (u->sessions, s)
		if (!presence_node_of(pr, s)->losing)
			return false;
	return true;
}

/* may free the user */
static void
presence_session_end(
    struct presence *pr, struct pres_session *s, enum leave how)
{
	struct pres_user *u = s->user;

	presence_gone_note(pr, presence_cn(pr, s), str_of(presence_uid(u)));
	presence_session_release(pr, s);
	u->n_sessions--;
	u->n_away -= s->away;
	if (u->sessions == NULL)
		presence_user_left(pr, u,
		    how == LEAVE_NOW || how == LEAVE_SILENT, how == LEAVE_LINK,
		    clock_wall_ms());
	else if (!presence_loses_all(pr, u))
		presence_judge(pr, u);
	/* rooms hold the user while any is left; so the last may free him */
	if (s->n_seats == 0)
		presence_user_rest(pr, u);
	while (s->n_seats > 0)
		presence_stand_up(pr, s, s->n_seats - 1u, how);
	presence_session_free(pr, s);
}

static struct pres_session *
presence_session_new(
    struct presence *pr, struct pres_node *n, const struct f_pres *pres)
{
	struct pres_session *s =
	    presence_session_alloc(pr, n, pres->cn, pres->dev);

	s->since_ms = clock_wall_ms();
	s->user = presence_user_get(pr, pres->uid);
	presence_user_back(pr, s->user);
	DL_APPEND(s->user->sessions, s);
	s->user->n_sessions++;
	return s;
}

/* which of its seats is in the room; n_seats: none */
static unsigned
presence_seat(struct pres_session *s, const struct pres_room *room)
{
	struct pres_member **seats = presence_seats(s);
	unsigned i;

	for (i = 0; i < s->n_seats; i++)
		if (seats[i]->room == room)
			break;
	return i;
}

/* one of those whose seats a link has taken along */
static bool
presence_is_owed(struct pres_member *m)
{
	struct pres_absence *a = m->absence;

	if (a == NULL)
		return false;
	if (a->n_owed > 0 && clock_mono_ms() >= a->owed_ms)
		a->n_owed = 0;
	if (a->n_owed == 0)
		return false;
	a->n_owed--;
	return true;
}

/* who was in the room before, or is with another session: is that news? */
static void
presence_sit_again(struct presence *pr, struct pres_session *s,
    struct pres_member *m, bool silent)
{
	bool quiet = silent, doubt = false;
	uint64_t cn = presence_cn(pr, s);

	if (presence_is_held(m)) {
		quiet = quiet || m->absence->by_link;
		presence_unhold(pr, m);
		doubt = presence_is_doubtful(pr);
	}
	if ((!silent || presence_node_of(pr, s)->in_snapshot) &&
	    presence_is_owed(m))
		quiet = true;
	presence_absence_rest(pr, m);
	/* his server is to know that it is no news; and the active one
	   before may have said by then that he left */
	if (quiet && (!silent || doubt))
		presence_change(
		    pr, m->room, CHANGE_BACK, s->user, cn, s->num_rid);
	if (!quiet)
		presence_change(
		    pr, m->room, CHANGE_AGAIN, s->user, cn, s->num_rid);
}

/*
 * silent: nobody is told that he is here on another server now; who was not
 * in the room at all is news all the same. In a snapshot: it has been told.
 */
static void
presence_sit_down(
    struct presence *pr, struct pres_session *s, struct str rid, bool silent)
{
	struct pres_room *room = presence_room(pr, rid);
	struct pres_member *m;

	if (room != NULL && presence_seat(s, room) < s->n_seats) {
		/* a login repeated: version 1 sees each */
		if (!silent)
			presence_change(pr, room, CHANGE_AGAIN, s->user,
			    presence_cn(pr, s), s->num_rid);
		return;
	}
	if (s->n_seats >= PRESENCE_ROOMS_MAX) {
		pr->refused++;
		return;
	}
	if (room == NULL)
		room = presence_room_get(pr, rid);
	m = presence_member(s->user, room);
	if (m == NULL) {
		m = presence_member_new(pr, s->user, room);
		if (!silent || !presence_node_of(pr, s)->in_snapshot)
			presence_change(pr, room, CHANGE_IN, s->user,
			    presence_cn(pr, s), s->num_rid);
	} else {
		presence_sit_again(pr, s, m, silent);
	}
	m->n_seats++;
	presence_share(pr, room, s->node, 1);
	if (silent && presence_node_of(pr, s)->in_snapshot)
		presence_share_is_old(room, s->node);
	presence_seat_add(pr, s, m);
}

static void
presence_get_up(struct presence *pr, struct pres_session *s, struct str rid)
{
	struct pres_room *room = presence_room(pr, rid);
	unsigned i;

	if (room == NULL)
		return;
	i = presence_seat(s, room);
	if (i < s->n_seats)
		presence_stand_up(pr, s, i, LEAVE_NOW);
}

static void
presence_set(
    struct presence *pr, struct pres_node *n, const struct f_pres *pres)
{
	struct pres_session *s = presence_session(n, pres->cn);

	if (s != NULL && !str_eqc(pres->uid, presence_uid(s->user))) {
		/* a counter that began anew */
		presence_session_end(pr, s, LEAVE_GRACE);
		s = NULL;
	}
	if (s == NULL) {
		if (n->sessions.n >= PRESENCE_SESSIONS_MAX) {
			pr->refused++;
			log_limited(&pr->limit, LOG_LEVEL_WARN,
			    "presence: %s announces more than %d sessions",
			    n->name, PRESENCE_SESSIONS_MAX);
			return;
		}
		s = presence_session_new(pr, n, pres);
	} else {
		s = presence_session_dev(pr, s, pres->dev);
	}
	presence_user_name(pr, s->user, pres->name, pres->avatar);
	s->level = pres->level;
	s->user->n_away += (uint32_t)pres->away - s->away;
	s->away = pres->away;
	s->num_rid = pres->num_rid;
	presence_judge(pr, s->user);
	for (unsigned i = 0; i < pres->n_add; i++)
		presence_sit_down(pr, s, pres->add[i], pres->silent);
	for (unsigned i = 0; i < pres->n_del; i++)
		presence_get_up(pr, s, pres->del[i]);
}

void
presence_put(
    struct presence *pr, struct pres_node *n, const struct f_pres *pres)
{
	struct pres_session *s;

	pr->updates++;
	/* a server speaks for its own sessions alone */
	if ((uint32_t)(pres->cn >> 32) != n->no) {
		pr->refused++;
		log_limited(&pr->limit, LOG_LEVEL_WARN,
		    "presence: %s announces a session of node %u", n->name,
		    (unsigned)(pres->cn >> 32));
		return;
	}
	switch ((enum pres_op)pres->op) {
	case PRES_SET:
		presence_set(pr, n, pres);
		return;
	case PRES_GONE:
	case PRES_BYE:
		s = presence_session(n, pres->cn);
		if (s != NULL)
			presence_session_end(pr, s,
			    pres->op == PRES_BYE ? LEAVE_NOW
			    : pres->silent	 ? LEAVE_LINK
						 : LEAVE_GRACE);
		return;
	}
}

/* ---- servers ---------------------------------------------------------- */

struct pres_node *
presence_node(struct presence *pr, uint32_t node_no, const char *name)
{
	struct pres_node *n;

	HASH_FIND(hh, pr->nodes, &node_no, sizeof node_no, n);
	if (n == NULL) {
		n = xcalloc(1, sizeof *n);
		n->no = node_no;
		n->at = pr->n_nodes++;
		pr->by_at =
		    xrealloc(pr->by_at, pr->n_nodes * sizeof *pr->by_at);
		pr->by_at[n->at] = n;
		HASH_ADD(hh, pr->nodes, no, sizeof n->no, n);
	}
	str_copy(n->name, sizeof n->name, str_of(name));
	return n;
}

uint32_t
presence_node_no(const struct pres_node *n)
{
	return n->no;
}

bool
presence_node_has(
    struct presence *pr, const struct pres_node *n, struct str uid)
{
	struct pres_user *u = presence_user(pr, uid);
	struct pres_session *s;

	if (u != NULL)
		DL_FOREACH (u->sessions, s)
			if (s->node == n->at)
				return true;
	return false;
}

void
presence_lost(struct presence *pr, struct pres_node *n)
{
	struct pres_session *s;

	n->in_snapshot = false;
	presence_unwatch_all(pr, n);
	n->losing = true;
	while ((s = presence_any_session(n)) != NULL)
		presence_session_end(pr, s, LEAVE_LINK);
	n->losing = false;
}

void
presence_begin(struct presence *pr, struct pres_node *n)
{
	presence_lost(pr, n);
	n->in_snapshot = true;
}

void
presence_end(struct presence *pr, struct pres_node *n)
{
	(void)pr;
	n->in_snapshot = false;
}

/* ---- time ------------------------------------------------------------- */

/* of those who are held; false: all that are due are done */
static bool
presence_release(struct presence *pr, int64_t now, unsigned most)
{
	struct pres_absence *a;
	struct pres_member *m;

	for (unsigned i = 0; i < ARRAY_LEN(pr->held); i++)
		while ((a = pr->held[i]) != NULL && a->due_ms <= now) {
			if (most-- == 0)
				return true;
			m = a->member;
			/* a standby that has no link knows nothing */
			if (pr->active || !a->by_link)
				presence_change(
				    pr, m->room, CHANGE_OUT, m->user, 0, false);
			presence_member_free(pr, m);
		}
	return false;
}

static bool
presence_step(struct presence *pr, unsigned most)
{
	int64_t now = clock_mono_ms();
	bool more = presence_release(pr, now, most);

	presence_owed_tick(pr, now);
	presence_watch_tick(pr, now);
	presence_flush(pr);
	presence_watch_flush(pr);
	return more;
}

void
presence_tick(struct presence *pr)
{
	while (presence_step(pr, PRESENCE_SLICE))
		;
}

/* when a server is gone, thousands leave at once: others are served, too */
static void
presence_on_timer(void *arg)
{
	struct presence *pr = arg;
	bool more = presence_step(pr, PRESENCE_SLICE);

	timer_set(&pr->timer, more ? 1 : PRESENCE_TICK_MS, 0);
}

static void
presence_on_turn(struct net_turn *turn)
{
	struct presence *pr = container_of(turn, struct presence, turn);

	if (pr->dirty != NULL)
		presence_flush(pr);
	presence_watch_flush(pr);
}

void
presence_get_figures(const struct presence *pr, struct presence_figures *out)
{
	out->sessions = pr->n_sessions;
	out->users = pr->users.n;
	out->rooms = pr->rooms.n;
	out->updates = pr->updates;
	out->refused = pr->refused;
	out->watches = pr->n_interests;
	out->lasts = pr->lasts.n;
	out->told = pr->told;
}

void
presence_free(struct presence *pr)
{
	struct pres_node *n, *tmp;
	struct pres_session *s;
	struct pres_room *room;

	if (pr == NULL)
		return;
	timer_stop(&pr->timer);
	net_turn_remove(pr->net, &pr->turn);
	HASH_ITER (hh, pr->nodes, n, tmp) {
		while ((s = presence_any_session(n)) != NULL)
			presence_session_end(pr, s, LEAVE_SILENT);
		presence_unwatch_all(pr, n);
		HASH_DEL(pr->nodes, n);
		free(n->news);
		free(n);
	}
	presence_watch_fini(pr);
	for (unsigned i = 0; i < ARRAY_LEN(pr->held); i++)
		while (pr->held[i] != NULL)
			presence_member_free(pr, pr->held[i]->member);
	while (pr->dirty != NULL) {
		room = pr->dirty->room;
		presence_forget_changes(pr, room);
		presence_room_rest(pr, room);
	}
	presence_gone_fini(pr);
	presence_keep_fini(pr);
	free(pr);
}
