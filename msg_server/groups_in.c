/* SPDX-License-Identifier: MIT */
/*
 * Sessions in groups: who asks is let in when he is a member, and members of
 * some dialects come in by themselves. See groups.h.
 */
#include <stdlib.h>

#include "msg_server/groups.h"
#include "msg_server/server.h"

/* --- one who asks ------------------------------------------------------- */

struct group_join {
	struct relay_get get;
	struct relay_task later;
	struct server *srv;
	struct follow_call *call;
	uint64_t cn, from;
	unsigned code;
	char rid[ID_MAX + 1], ep[EP_LEN + 1];
	bool silent;
};

static void
group_join_end(struct group_join *j)
{
	struct session *s = session_find(j->srv, j->cn);
	struct follow_result res = {.code = j->code};

	if (s != NULL && j->code == 403)
		j->srv->stats[S_GROUP_REFUSED]++;
	if (s == NULL)
		j->call->on_lost(j->call);
	else if (j->code != 200)
		j->call->on_joined(j->call, s, &res);
	else
		room_join(j->srv, s, str_of(j->rid),
		    j->ep[0] != '\0' ? str_of(j->ep) : STR_NONE, j->from,
		    j->silent, j->call);
	free(j);
}

static void
group_join_on_got(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct group_join *j = container_of(get, struct group_join, get);

	j->code = code != 200 ? 503 : str_is_set(got->val) ? 200 : 403;
	group_join_end(j);
}

static void
group_join_on_later(struct relay_task *t)
{
	struct group_join *j = container_of(t, struct group_join, later);

	j->code = 503;
	group_join_end(j);
}

void
groups_join(struct server *srv, struct session *s, struct str rid,
    struct str ep, uint64_t from, bool silent, struct follow_call *call)
{
	struct chan_name r = chan_room(rid);
	char key[STATE_KEY_MAX + 1];
	struct f_get get = {
	    .chan = chan_str(&r), .key = group_need(session_uid(s), key)};
	struct group_join *j;

	if (!id_is_group(rid)) {
		room_join(srv, s, rid, ep, from, silent, call);
		return;
	}
	j = xcalloc(1, sizeof *j);
	j->srv = srv;
	j->call = call;
	j->cn = call->cn = s->cn;
	j->from = from;
	j->silent = silent;
	str_copy(j->rid, sizeof j->rid, rid);
	str_copy(j->ep, sizeof j->ep, ep);
	j->get.done = group_join_on_got;
	if (relay_get(srv->relay, &get, &j->get) == 0)
		return;
	j->later.fn = group_join_on_later;
	relay_later(srv->relay, &j->later);
}

/* --- all of a user's ---------------------------------------------------- */

struct group_part {
	struct follow_call call;
	struct groups_follow *follow; /* NULL: it has been told */
};

static void
groups_follow_part_done(struct group_part *p, struct session *s)
{
	struct groups_follow *f = p->follow;

	p->follow = NULL;
	if (f != NULL && --f->n_waiting == 0 && f->ended)
		f->done(f, s, 200);
}

static void
groups_on_joined(struct follow_call *call, struct session *s,
    const struct follow_result *res)
{
	struct group_part *p = container_of(call, struct group_part, call);

	groups_follow_part_done(p, s);
	if (res->code != 200)
		free(p);
}

static void
groups_on_synced(struct follow_call *call, struct session *s)
{
	(void)s;
	free(container_of(call, struct group_part, call));
}

static void
groups_on_lost(struct follow_call *call)
{
	struct group_part *p = container_of(call, struct group_part, call);
	struct session *s = p->follow != NULL
				? session_find(p->follow->list.srv, call->cn)
				: NULL;

	groups_follow_part_done(p, s);
	free(p);
}

static void
groups_enter(struct session *s, struct str rid, struct groups_follow *f)
{
	struct group_part *p = xcalloc(1, sizeof *p);

	p->call.on_joined = groups_on_joined;
	p->call.on_synced = groups_on_synced;
	p->call.on_lost = groups_on_lost;
	p->follow = f;
	room_join(f->list.srv, s, rid, STR_NONE, 0, s->silent, &p->call);
}

static void
groups_on_list(struct groups_list *l, unsigned code)
{
	struct groups_follow *f = container_of(l, struct groups_follow, list);
	struct session *s = session_find(l->srv, f->cn);
	struct str rest = buf_str(&l->recs), rid;
	struct state_rec rec;

	/* his login has failed meanwhile */
	if (s != NULL && s->user == NULL)
		s = NULL;
	/* one more than there are: done() is for us to say */
	f->n_waiting = 1;
	while (
	    s != NULL && code == 200 && frames_states_next(&rest, &rec) == 0) {
		rid = group_of_rid(&rec);
		if (!str_is_set(rid))
			continue;
		f->n_waiting++;
		groups_enter(s, rid, f);
	}
	groups_list_end(l);
	f->ended = true;
	if (--f->n_waiting == 0)
		f->done(f, s, code);
}

void
groups_follow(struct server *srv, struct session *s, struct groups_follow *f)
{
	f->cn = s->cn;
	f->n_waiting = 0;
	f->ended = false;
	f->list.done = groups_on_list;
	groups_list_of(srv, session_uid(s), &f->list);
}
