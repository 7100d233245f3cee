/* SPDX-License-Identifier: MIT */
/*
 * Rooms: the local members of a room and what they see of it: items, people
 * coming and going. Order and holes are channel.c's, positions replay.c's.
 */
#include "msg_server/follow/replay.h"
#include "msg_server/follow/room_priv.h"
#include "msg_server/follow/room_title.h"
#include "msg_server/follow/told.h"
#include "msg_server/follow/turn.h"
#include "msg_server/follow/watch.h"
#include "msg_server/reply.h"
#include "msg_server/server.h"
#include "shared/proc/clock.h"

enum {
	ROOM_TOLD_S = 10, /* by then an announced one was told of */
	ROOM_MINUTE_S = 60
};

static uint32_t
room_now(void)
{
	return (uint32_t)(clock_mono_ms() / 1000) + 1;
}

static struct str
room_key(const struct table_link *e)
{
	return str_of(room_rid(container_of(e, const struct room, by_rid)));
}

struct room *
room_find(struct server *srv, struct str rid)
{
	struct table_link *e = table_find(&srv->rooms, rid, room_key);

	return e ? container_of(e, struct room, by_rid) : NULL;
}

struct member *
room_member_any(struct session *s, struct str rid)
{
	struct member *m;

	for (m = s->members; m; m = m->next_of_session)
		if (str_eqc(rid, room_rid(m->room)))
			return m;
	return NULL;
}

/* --- what comes from the log -------------------------------------------- */

/* not known, unless the item says it: it does when it comes live */
static void
room_set_people(
    struct room *room, const struct state_rec *states, unsigned n_states)
{
	uint64_t n;

	room->people = 0;
	for (unsigned i = 0; i < n_states; i++)
		if (str_eqc(states[i].key, "n") &&
		    str_u64(states[i].val, &n) == 0 && n <= UINT32_MAX)
			room->people = (uint32_t)n;
}

static void
room_on_item(struct channel *c, const struct item *it,
    const struct state_rec *states, unsigned n_states)
{
	struct room *room = room_of(c);
	struct server *srv = relay_server(c->relay);

	if (it->kind == ITEM_TITLE || n_states > 0)
		room_title_on_item(
		    srv, str_of(room_rid(room)), it, states, n_states);
	srv->stats[S_ITEMS_IN]++;
	/* ours were counted when they were said */
	if (srv->set.room_rate && it->cn >> 32 != srv->node_no)
		bucket_pour(&room->rate, (uint32_t)srv->set.room_rate,
		    (uint32_t)srv->set.room_rate);
	if (room->n_members)
		turn_item(room, it);
	if (it->kind == ITEM_MEMBER)
		room_set_people(room, states, n_states);
}

static void
room_on_gap(struct channel *c, uint64_t from, uint64_t to, bool reset)
{
	struct room *room = room_of(c);

	turn_give(room);
	room->people = 0;
	for (uint32_t i = room->n_members; i-- > 0;) {
		struct member *m = room->members[i];

		if (m->cursor.live || reset)
			replay_gap(m->session, c, &m->cursor, from, to, reset);
	}
}

/* where it is followed anew a title of before is none of this history's */
static void
room_on_states(struct channel *c, const struct state_rec *states,
    unsigned n_states, bool anew)
{
	struct server *srv = relay_server(c->relay);
	struct str rid = str_of(channel_id(c));

	if (anew)
		room_title_set(srv, rid, STR_NONE);
	for (unsigned i = 0; i < n_states; i++)
		if (str_eqc(states[i].key, "t"))
			room_title_set(srv, rid, states[i].val);
}

static size_t
room_size(size_t chan_len)
{
	return offsetof(struct room, name) + chan_len + 1;
}

static void
room_on_idle(struct channel *c)
{
	struct room *room = room_of(c);
	struct server *srv = relay_server(c->relay);
	size_t chan_len = channel_name(c).len;

	table_del(&srv->rooms, &room->by_rid, room_key);
	srv->stats[S_ROOMS] = srv->rooms.n;
	room_title_set(srv, str_of(room_rid(room)), STR_NONE);
	turn_drop(room);
	if (srv->rooms.n == 0)
		turn_end(srv);
	slab_put(&srv->slab, room->members, room->cap * sizeof *room->members);
	slab_put(&srv->slab, room, room_size(chan_len));
}

static const struct channel_ops room_channel_ops = {.on_item = room_on_item,
    .on_states = room_on_states,
    .on_gap = room_on_gap,
    .on_idle = room_on_idle};

void
room_presence_fill(const struct session *s, struct f_pres *out)
{
	memset(out, 0, sizeof *out);
	out->op = PRES_SET;
	out->cn = s->cn;
	out->uid = session_uid(s);
	out->name = session_name(s);
	out->avatar = session_avatar(s);
	out->dev = session_dev(s);
	out->dialect = s->dialect ? s->dialect->index : 0;
	out->level = s->level;
	out->silent = s->silent;
	out->away = s->away;
	out->num_rid = s->ctx.rid_is_num;
}

static void
room_announce(
    struct server *srv, struct session *s, struct channel *c, bool silent)
{
	struct member *m = room_member_any(s, str_of(channel_id(c)));
	struct f_pres pres;

	if (!room_of(c)->entered_ms)
		room_of(c)->entered_ms = clock_mono_ms();
	if (m) {
		m->since_s = room_now() & 0x3fffffff;
		m->told |= silent; /* there is nothing to be told */
	}
	room_presence_fill(s, &pres);
	pres.silent = silent;
	pres.add[pres.n_add++] = str_of(channel_id(c));
	relay_pres(srv->relay, &pres);
	s->unsaid = 0;
}

void
room_announce_none(struct server *srv, struct session *s, bool silent)
{
	struct f_pres pres;

	room_presence_fill(s, &pres);
	pres.silent = silent;
	relay_pres(srv->relay, &pres);
	s->unsaid = 0;
}

bool
room_is_entering(const struct session *s)
{
	const struct member *m;

	for (m = s->members; m != NULL; m = m->next_of_session)
		if (m->cursor.waiting)
			return true;
	return false;
}

/* --- members ------------------------------------------------------------ */

static struct room *
room_get(struct server *srv, struct str rid)
{
	struct room *room = room_find(srv, rid);
	struct chan_name name;

	if (room) {
		channel_keep(&room->channel);
		return room;
	}
	name = chan_room(rid);
	room = slab_get(&srv->slab, room_size(name.len));
	memcpy(room->name, name.s, name.len);
	channel_open(
	    &room->channel, srv->relay, room->name, true, &room_channel_ops);
	table_add(&srv->rooms, &room->by_rid, room_key);
	srv->stats[S_ROOMS] = srv->rooms.n;
	return room;
}

struct member *
room_member(struct session *s, struct str rid)
{
	struct member *m = room_member_any(s, rid);

	if (m && m->cursor.waiting)
		return NULL;
	return m;
}

struct member *
room_home(struct session *s)
{
	struct member *m;

	for (m = s->members; m != NULL; m = m->next_of_session)
		if (m->home)
			return m->cursor.waiting ? NULL : m;
	return NULL;
}

void
room_set_home(struct session *s, struct str rid)
{
	struct member *m;

	for (m = s->members; m != NULL; m = m->next_of_session)
		m->home = str_eqc(rid, room_rid(m->room));
}

void
room_again(struct server *srv, struct member *m)
{
	room_announce(srv, m->session, &m->room->channel, false);
}

static void
room_drop_member(struct server *srv, struct session *s, struct member *m)
{
	struct room *room = m->room;
	struct member **p = &s->members;

	while (*p != m)
		p = &(*p)->next_of_session;
	*p = m->next_of_session;
	s->n_rooms -= !id_is_group(str_of(room_rid(room)));
	room->n_members--;
	room->members[m->index] = room->members[room->n_members];
	room->members[m->index]->index = m->index;
	if (!room->n_members) {
		turn_drop(room);
		channel_release(&room->channel);
	}
	replay_leave(s, &m->cursor);
	slab_put(&srv->slab, m, sizeof *m);
}

static void
room_on_refused(struct server *srv, struct session *s, struct channel *c)
{
	struct member *m = room_member_any(s, str_of(channel_id(c)));

	if (m)
		room_drop_member(srv, s, m);
	/* not with this one, then */
	if (s->unsaid && !room_is_entering(s))
		room_announce_none(srv, s, s->silent);
}

/*
 * A room is made by who enters it first while nothing has been said in it: as
 * far as this server knows, for it follows no room that nobody here is in. Who
 * is back with a position loses none of his; but a position of nothing can't
 * be told from a lie, so it is good for as many rooms as one may be in.
 */
static unsigned
room_may_enter(
    struct server *srv, struct session *s, struct channel *c, bool back)
{
	struct user *u = s->user;
	struct user_busy *b;
	uint32_t *n;

	if (!srv->set.rooms_new || room_of(c)->entered_ms || c->head > 0 || !u)
		return 200;
	b = user_busy(u);
	if (room_now() - b->made_s >= ROOM_MINUTE_S) {
		b->made_s = room_now();
		b->n_made = b->n_back = 0;
	}
	n = back ? &b->n_back : &b->n_made;
	if (*n >= (back ? srv->set.rooms_max : srv->set.rooms_new)) {
		srv->stats[S_ROOMS_REFUSED]++;
		return 429;
	}
	++*n;
	return 200;
}

static const struct follow_ops room_follow_ops = {.on_in = room_announce,
    .may_enter = room_may_enter,
    .on_refused = room_on_refused};

/* an answer that must not come before the asking function has returned */
struct room_refusal {
	struct relay_task task;
	struct server *srv;
	struct follow_call *call;
	unsigned code;
	struct chan_name name; /* of the room joined already, with code 200 */
};

/* of one who has joined before: what his answer says */
static unsigned
room_again_code(struct session *s, const struct member *m)
{
	/* out and in again meanwhile; or he asks and does not read */
	if (m && m->cursor.waiting)
		return 409;
	return m && !replay_may_wait(s, &m->cursor) ? 503 : 200;
}

static void
room_on_refusal(struct relay_task *t)
{
	struct room_refusal *r = container_of(t, struct room_refusal, task);
	struct follow_call *call = r->call;
	struct session *s = session_find(r->srv, call->cn);
	struct follow_result res = {.code = r->code, .full = true};
	struct str rid = chan_id(chan_str(&r->name));
	struct member *m = s ? room_member_any(s, rid) : NULL;

	if (s && r->code == 200)
		res.code = room_again_code(s, m);
	if (!s) {
		call->on_lost(call);
	} else if (res.code != 200) {
		call->on_joined(call, s, &res);
	} else {
		if (m) {
			/* who lags is told what is still to come */
			res.head = m->room->channel.last;
			if (m->cursor.pos < res.head) {
				res.from = m->cursor.pos + 1;
				res.n = res.head - m->cursor.pos;
			}
			str_copy(res.ep, sizeof res.ep,
			    str_of(channel_ep(&m->room->channel)));
		}
		call->on_joined(call, s, &res);
		/* the answer may have ended the session, or its membership */
		s = session_find(r->srv, call->cn);
		m = s ? room_member_any(s, rid) : NULL;
		if (m)
			replay_wait_level(s, &m->cursor, call);
		else if (s)
			call->on_synced(call, s);
		else
			call->on_lost(call);
	}
	free(r);
}

static void
room_answer_later(struct server *srv, struct session *s,
    struct follow_call *call, unsigned code, struct str rid)
{
	struct room_refusal *r;

	if (!call)
		return;
	r = xcalloc(1, sizeof *r);
	r->srv = srv;
	r->call = call;
	r->code = code;
	r->name = chan_room(rid);
	r->task.fn = room_on_refusal;
	call->cn = s->cn;
	relay_later(srv->relay, &r->task);
}

/* most rooms are small */
static void
room_grow(struct server *srv, struct room *room)
{
	uint32_t cap = room->cap + room->cap / 2 + 2;
	struct member **to = slab_get(&srv->slab, cap * sizeof *to);

	if (room->cap > 0)
		memcpy(to, room->members, room->cap * sizeof *to);
	slab_put(&srv->slab, room->members, room->cap * sizeof *to);
	room->members = to;
	room->cap = cap;
}

void
room_join(struct server *srv, struct session *s, struct str rid, struct str ep,
    uint64_t from, bool silent, struct follow_call *call)
{
	struct member *m = room_member_any(s, rid);
	struct room *room;

	if (m) {
		room_answer_later(
		    srv, s, call, m->cursor.waiting ? 409 : 200, rid);
		return;
	}
	/* as many groups as he is in, which is a bound of its own */
	if (s->n_rooms >= srv->set.rooms_max && !id_is_group(rid)) {
		room_answer_later(srv, s, call, 403, rid);
		return;
	}
	if (srv->max_rooms > 0 && srv->rooms.n >= srv->max_rooms &&
	    !room_find(srv, rid)) {
		room_answer_later(srv, s, call, 503, rid);
		return;
	}
	room = room_get(srv, rid);
	turn_enter(room, s);
	m = slab_get(&srv->slab, sizeof *m);
	m->session = s;
	m->room = room;
	m->next_of_session = s->members;
	s->members = m;
	s->n_rooms += !id_is_group(rid);
	if (room->n_members == room->cap)
		room_grow(srv, room);
	m->index = room->n_members;
	room->members[room->n_members++] = m;
	replay_follow(srv, s, &room->channel, &m->cursor, ep, from, silent,
	    call, &room_follow_ops);
}

void
room_leave(struct server *srv, struct session *s, struct str rid)
{
	struct member *m = room_member_any(s, rid);
	struct f_pres pres;

	if (!m)
		return;
	turn_give_one(m->room, m);
	room_presence_fill(s, &pres);
	pres.del[pres.n_del++] = rid;
	relay_pres(srv->relay, &pres);
	room_drop_member(srv, s, m);
}

void
room_detach(struct server *srv, struct session *s, bool bye)
{
	struct f_pres pres;

	watch_leave(srv, s);
	if (s->user) {
		room_presence_fill(s, &pres);
		pres.op = bye ? PRES_BYE : PRES_GONE;
		relay_pres(srv->relay, &pres);
	}
	while (s->members)
		room_drop_member(srv, s, s->members);
	user_detach(srv, s);
}

void
room_on_drain(struct server *srv, struct session *s)
{
	replay_next(srv, s);
	watch_greet(srv, s);
}

/*
 * Was the room told that he is in? Of who is back in silence, within the grace
 * or because he was sent here, it has heard before. If nobody said so: while a
 * proxy could.
 */
static bool
room_was_told(
    struct server *srv, const struct session *s, const struct member *m)
{
	return m->told ||
	       told_get(srv->told, m->room->channel.ch, session_uid(s)) ==
		   TOLD_IN ||
	       (m->since_s && (int64_t)m->since_s + ROOM_TOLD_S <
				  relay_active_ms(srv->relay) / 1000);
}

/* the session and those of its rooms that know of it, or that do not */
static void
room_put_seats(struct server *srv, struct session *s, bool told,
    struct f_pres *pres, void (*put)(void *, const struct f_pres *), void *arg)
{
	pres->silent = told;
	pres->n_add = 0;
	for (struct member *m = s->members; m; m = m->next_of_session) {
		if (m->cursor.waiting || room_was_told(srv, s, m) != told)
			continue;
		if (pres->n_add == ARRAY_LEN(pres->add)) {
			put(arg, pres);
			pres->n_add = 0;
		}
		pres->add[pres->n_add++] = str_of(room_rid(m->room));
	}
	/* one without a room is there all the same */
	if (pres->n_add > 0 || told)
		put(arg, pres);
}

void
room_snapshot(
    struct server *srv, void (*put)(void *, const struct f_pres *), void *arg)
{
	struct session *s, *next;
	struct f_pres pres;

	SESSION_EACH(&srv->sessions, s, next)
	{
		if (!s->user)
			continue;
		room_presence_fill(s, &pres);
		room_put_seats(srv, s, true, &pres, put, arg);
		room_put_seats(srv, s, false, &pres, put, arg);
	}
}
