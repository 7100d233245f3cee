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
	timer_set(&pr->timer, PRESENCE_TICK_MS, PRESENCE_TICK_MS);
	return pr;
}

void
presence_set_active(struct presence *pr, bool active)
{
	int64_t now = clock_mono_ms();
	struct pres_member *m;
	struct pres_user *u;

	if (active == pr->active)
		return;
	pr->active = active;
	pr->promoted_ms = active ? now : 0;
	pr->settled = WAIT_NOT;
	if (!active)
		return;
	/* with nobody known yet there is nothing that followers could miss */
	pr->quiet_until_ms = pr->sessions != NULL ? now + PRESENCE_QUIET_MS : 0;
	/* a server that we have lost may have been the active one's all along:
	   it links to us first */
	DL_FOREACH2(pr->held[1], m, next_held)
	m->due_ms = presence_due(pr, true);
	DL_FOREACH2(pr->leaving[1], u, next_held)
	u->due_ms = presence_due(pr, true);
}

int64_t
presence_due(const struct presence *pr, bool by_link)
{
	return clock_mono_ms() + pr->grace_ms +
	       (by_link && !pr->active ? PRESENCE_STANDBY_MS : 0);
}

/* ---- users, rooms, members -------------------------------------------- */

struct pres_user *
presence_user(struct presence *pr, struct str uid)
{
	struct pres_user *u;

	HASH_FIND(hh, pr->users, uid.p, uid.len, u);
	return u;
}

static struct pres_user *
presence_user_get(struct presence *pr, struct str uid)
{
	struct pres_user *u = presence_user(pr, uid);

	if (u != NULL)
		return u;
	u = xcalloc(1, sizeof *u);
	str_copy(u->uid, sizeof u->uid, uid);
	HASH_ADD_KEYPTR(hh, pr->users, u->uid, uid.len, u);
	return u;
}

/* a user with neither session nor room is gone */
void
presence_user_rest(struct presence *pr, struct pres_user *u)
{
	if (u->sessions != NULL || u->members != NULL || u->leaving)
		return;
	HASH_DEL(pr->users, u);
	free(u->name);
	free(u->avatar);
	free(u);
}

struct pres_room *
presence_room(struct presence *pr, struct str rid)
{
	struct pres_room *room;

	HASH_FIND(hh, pr->rooms, rid.p, rid.len, room);
	return room;
}

static struct pres_room *
presence_room_get(struct presence *pr, struct str rid)
{
	struct pres_room *room = presence_room(pr, rid);

	if (room != NULL)
		return room;
	room = xcalloc(1, sizeof *room);
	str_copy(room->rid, sizeof room->rid, rid);
	HASH_ADD_KEYPTR(hh, pr->rooms, room->rid, rid.len, room);
	return room;
}

void
presence_room_rest(struct presence *pr, struct pres_room *room)
{
	if (room->n_members > 0 || room->changes != NULL || room->cut)
		return;
	HASH_DEL(pr->rooms, room);
	free(room);
}

static void
presence_share(struct pres_room *room, struct pres_node *n, int by)
{
	struct pres_share **at, *s;

	for (at = &room->shares; (s = *at) != NULL; at = &s->next)
		if (s->node == n)
			break;
	if (s == NULL) {
		s = xcalloc(1, sizeof *s);
		s->node = n;
		*at = s;
	}
	s->n += (uint32_t)by;
	if (s->n == 0) {
		*at = s->next;
		free(s);
	}
}

static struct pres_member *
presence_member(struct pres_user *u, const struct pres_room *room)
{
	struct pres_member *m;

	DL_FOREACH2(u->members, m, next_of_user)
	if (m->room == room)
		return m;
	return NULL;
}

static void
presence_unhold(struct presence *pr, struct pres_member *m)
{
	DL_DELETE2(pr->held[m->by_link], m, prev_held, next_held);
}

static void
presence_member_free(struct presence *pr, struct pres_member *m)
{
	struct pres_user *u = m->user;
	struct pres_room *room = m->room;

	DL_DELETE(room->members, m);
	room->n_members--;
	DL_DELETE2(u->members, m, prev_of_user, next_of_user);
	free(m);
	presence_room_rest(pr, room);
	presence_user_rest(pr, u);
}

/* ---- coming and going ------------------------------------------------- */

enum leave { LEAVE_NOW, LEAVE_GRACE, LEAVE_LINK, LEAVE_SILENT };

/* the last seat of a member is empty */
static void
presence_vacant(
    struct presence *pr, struct pres_member *m, enum leave how, uint64_t cn)
{
	if (how == LEAVE_NOW || how == LEAVE_SILENT || pr->grace_ms == 0) {
		if (how != LEAVE_SILENT)
			presence_change(pr, m->room, CHANGE_OUT, m->user, cn);
		presence_member_free(pr, m);
		return;
	}
	m->by_link = how == LEAVE_LINK;
	m->due_ms = presence_due(pr, m->by_link);
	DL_APPEND2(pr->held[m->by_link], m, prev_held, next_held);
}

/* takes one seat from the session; the member may be freed */
static void
presence_stand_up(struct presence *pr, struct pres_session *s,
    struct pres_seat **at, enum leave how)
{
	struct pres_seat *seat = *at;
	struct pres_member *m = seat->member;

	*at = seat->next;
	s->n_seats--;
	free(seat);
	presence_share(m->room, s->node, -1);
	if (how == LEAVE_LINK) {
		m->n_owed++;
		m->owed_ms = clock_mono_ms() + pr->grace_ms;
	}
	if (--m->n_seats == 0)
		presence_vacant(pr, m, how, s->cn);
}

/* may free the user */
static void
presence_session_free(
    struct presence *pr, struct pres_session *s, enum leave how)
{
	struct pres_user *u = s->user;

	u->last_ms = clock_wall_ms();
	HASH_DEL(pr->sessions, s);
	DL_DELETE(s->node->sessions, s);
	s->node->n_sessions--;
	DL_DELETE2(u->sessions, s, prev_of_user, next_of_user);
	u->n_sessions--;
	u->n_away -= s->away;
	if (u->sessions != NULL)
		presence_judge(pr, u);
	else
		presence_user_left(pr, u,
		    how == LEAVE_NOW || how == LEAVE_SILENT, how == LEAVE_LINK);
	/* rooms hold the user while any is left; so the last may free him */
	if (s->seats == NULL)
		presence_user_rest(pr, u);
	while (s->seats != NULL)
		presence_stand_up(pr, s, &s->seats, how);
	free(s->name);
	free(s->avatar);
	free(s);
}

static struct pres_session *
presence_session_new(
    struct presence *pr, struct pres_node *n, uint64_t cn, struct str uid)
{
	struct pres_session *s = xcalloc(1, sizeof *s);

	s->cn = cn;
	s->since_ms = clock_wall_ms();
	s->node = n;
	s->user = presence_user_get(pr, uid);
	s->user->last_ms = s->since_ms;
	presence_user_back(pr, s->user);
	HASH_ADD(hh, pr->sessions, cn, sizeof s->cn, s);
	DL_APPEND(n->sessions, s);
	n->n_sessions++;
	DL_APPEND2(s->user->sessions, s, prev_of_user, next_of_user);
	s->user->n_sessions++;
	return s;
}

static void
presence_replace(char **at, struct str s)
{
	if (!str_is_set(s) || (*at != NULL && str_eqc(s, *at)))
		return;
	free(*at);
	*at = str_dup(s);
}

static struct pres_seat **
presence_seat(struct pres_session *s, struct str rid)
{
	struct pres_seat **at;

	for (at = &s->seats; *at != NULL; at = &(*at)->next)
		if (str_eqc(rid, (*at)->member->room->rid))
			break;
	return at;
}

/* one of those whose seats a link has taken along */
static bool
presence_is_owed(struct pres_member *m)
{
	if (m->n_owed > 0 && clock_mono_ms() >= m->owed_ms)
		m->n_owed = 0;
	if (m->n_owed == 0)
		return false;
	m->n_owed--;
	return true;
}

/*
 * silent: nobody is told that he is here on another server now; who was not
 * in the room at all is news all the same. In a snapshot: it has been told.
 */
static void
presence_sit_down(
    struct presence *pr, struct pres_session *s, struct str rid, bool silent)
{
	bool quiet = silent, snapshot = s->node->in_snapshot, doubt = false;
	struct pres_seat **at = presence_seat(s, rid), *seat;
	struct pres_room *room;
	struct pres_member *m;

	if (*at != NULL) {
		/* a login repeated: version 1 sees each */
		if (!quiet)
			presence_change(pr, (*at)->member->room, CHANGE_AGAIN,
			    s->user, s->cn);
		return;
	}
	if (s->n_seats >= PRESENCE_ROOMS_MAX) {
		pr->refused++;
		return;
	}
	room = presence_room_get(pr, rid);
	m = presence_member(s->user, room);
	if (m == NULL) {
		m = xcalloc(1, sizeof *m);
		m->user = s->user;
		m->room = room;
		DL_APPEND(room->members, m);
		room->n_members++;
		DL_APPEND2(s->user->members, m, prev_of_user, next_of_user);
		if (!quiet || !snapshot)
			presence_change(pr, room, CHANGE_IN, s->user, s->cn);
	} else {
		if (m->n_seats == 0) {
			presence_unhold(pr, m);
			quiet = quiet || m->by_link;
			doubt = presence_is_doubtful(pr);
		}
		if ((!silent || snapshot) && presence_is_owed(m))
			quiet = true;
		/* his server is to know that it is no news; and the active one
		   before may have said by then that he left */
		if (quiet && (!silent || doubt))
			presence_change(pr, room, CHANGE_BACK, s->user, s->cn);
		if (!quiet)
			presence_change(pr, room, CHANGE_AGAIN, s->user, s->cn);
	}
	m->n_seats++;
	m->by_link = false;
	presence_share(room, s->node, 1);
	seat = xcalloc(1, sizeof *seat);
	seat->member = m;
	seat->next = s->seats;
	s->seats = seat;
	s->n_seats++;
}

static void
presence_set(
    struct presence *pr, struct pres_node *n, const struct f_pres *pres)
{
	struct pres_session *s;
	struct pres_seat **at;

	HASH_FIND(hh, pr->sessions, &pres->cn, sizeof pres->cn, s);
	if (s != NULL && !str_eqc(pres->uid, s->user->uid)) {
		/* a counter that began anew */
		presence_session_free(pr, s, LEAVE_GRACE);
		s = NULL;
	}
	if (s == NULL) {
		if (n->n_sessions >= PRESENCE_SESSIONS_MAX) {
			pr->refused++;
			log_limited(&pr->limit, LOG_LEVEL_WARN,
			    "presence: %s announces more than %d sessions",
			    n->name, PRESENCE_SESSIONS_MAX);
			return;
		}
		s = presence_session_new(pr, n, pres->cn, pres->uid);
	}
	presence_replace(&s->name, pres->name);
	presence_replace(&s->avatar, pres->avatar);
	presence_replace(&s->user->name, pres->name);
	presence_replace(&s->user->avatar, pres->avatar);
	if (str_is_set(pres->dev))
		str_copy(s->dev, sizeof s->dev, pres->dev);
	s->level = pres->level;
	s->dialect = pres->dialect;
	s->user->n_away += (uint32_t)pres->away - s->away;
	s->away = pres->away;
	s->num_rid = pres->num_rid;
	presence_judge(pr, s->user);
	for (unsigned i = 0; i < pres->n_add; i++)
		presence_sit_down(pr, s, pres->add[i], pres->silent);
	for (unsigned i = 0; i < pres->n_del; i++) {
		at = presence_seat(s, pres->del[i]);
		if (*at != NULL)
			presence_stand_up(pr, s, at, LEAVE_NOW);
	}
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
		HASH_FIND(hh, pr->sessions, &pres->cn, sizeof pres->cn, s);
		if (s != NULL)
			presence_session_free(pr, s,
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
		DL_FOREACH2(u->sessions, s, next_of_user)
	if (s->node == n)
		return true;
	return false;
}

void
presence_lost(struct presence *pr, struct pres_node *n)
{
	n->in_snapshot = false;
	presence_unwatch_all(pr, n);
	while (n->sessions != NULL)
		presence_session_free(pr, n->sessions, LEAVE_LINK);
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

void
presence_tick(struct presence *pr)
{
	int64_t now = clock_mono_ms();
	struct pres_member *m;

	for (unsigned i = 0; i < ARRAY_LEN(pr->held); i++)
		while ((m = pr->held[i]) != NULL && m->due_ms <= now) {
			presence_unhold(pr, m);
			/* a standby that has no link knows nothing */
			if (pr->active || !m->by_link)
				presence_change(
				    pr, m->room, CHANGE_OUT, m->user, 0);
			presence_member_free(pr, m);
		}
	presence_watch_tick(pr, now);
	presence_flush(pr);
	presence_watch_flush(pr);
}

static void
presence_on_timer(void *arg)
{
	presence_tick(arg);
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
	out->sessions = HASH_COUNT(pr->sessions);
	out->users = HASH_COUNT(pr->users);
	out->rooms = HASH_COUNT(pr->rooms);
	out->updates = pr->updates;
	out->refused = pr->refused;
	out->watches = pr->n_interests;
	out->lasts = HASH_COUNT(pr->lasts);
	out->told = pr->told;
}

void
presence_free(struct presence *pr)
{
	struct pres_node *n, *tmp;
	struct pres_room *room;
	struct pres_member *m;

	if (pr == NULL)
		return;
	timer_stop(&pr->timer);
	net_turn_remove(pr->net, &pr->turn);
	HASH_ITER (hh, pr->nodes, n, tmp) {
		while (n->sessions != NULL)
			presence_session_free(pr, n->sessions, LEAVE_SILENT);
		presence_unwatch_all(pr, n);
		HASH_DEL(pr->nodes, n);
		free(n->news);
		free(n);
	}
	presence_watch_fini(pr);
	for (unsigned i = 0; i < ARRAY_LEN(pr->held); i++)
		while ((m = pr->held[i]) != NULL) {
			presence_unhold(pr, m);
			presence_member_free(pr, m);
		}
	while ((room = pr->dirty) != NULL) {
		presence_forget_changes(pr, room);
		presence_room_rest(pr, room);
	}
	free(pr);
}
