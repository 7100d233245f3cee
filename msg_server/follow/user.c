/* SPDX-License-Identifier: MIT */
/*
 * Users: the local sessions (devices) of a uid, and their private traffic,
 * which comes over the channel u:<uid>.
 */
#include "msg_server/follow/delivered.h"
#include "msg_server/follow/fanout.h"
#include "msg_server/follow/replay.h"
#include "msg_server/server.h"

static struct user *
user_of(struct channel *c)
{
	return container_of(c, struct user, channel);
}

struct str
user_key(const struct table_link *e)
{
	return str_of(user_uid(container_of(e, const struct user, by_uid)));
}

struct user *
user_find(struct server *srv, struct str uid)
{
	struct table_link *e = table_find(&srv->users, uid, user_key);

	return e ? container_of(e, struct user, by_uid) : NULL;
}

/* the three shapes of a private item: to version 1, to the sender, to the other
 */
enum { CLASS_V1, CLASS_SELF, CLASS_OTHER, CLASS_COUNT };

/* he is in a group now (groups.h): from the item on that made him a member */
static void
user_on_member(struct server *srv, struct user *u, const struct item *it)
{
	struct str ep =
	    it->ref > 0 ? str_of(channel_ep(&u->channel)) : STR_NONE;

	if (!str_is_set(it->rid) || !id_is_group(it->rid))
		return;
	for (struct session *s = u->sessions; s; s = s->next_of_user)
		if (s->level > 0 && !s->passed &&
		    dialect_has(s->dialect, DIALECT_GROUPS))
			room_join(srv, s, it->rid, ep, it->ref, false, NULL);
}

static void
user_on_item(struct channel *c, const struct item *it,
    const struct state_rec *states, unsigned n_states)
{
	struct user *u = user_of(c);
	struct server *srv = relay_server(c->relay);
	struct fanout f[CLASS_COUNT];
	struct event ev[CLASS_COUNT];
	bool begun[CLASS_COUNT] = {false};
	enum view view;

	(void)states;
	(void)n_states;
	srv->stats[S_ITEMS_IN]++;
	for (struct session *s = u->sessions; s; s = s->next_of_user) {
		if (s->passed || !replay_takes(srv, s, &s->priv, it->useq))
			continue;
		s->given = 1;
		if (replay_is_echo(s, it))
			continue;
		unsigned class = s->level < 2			 ? CLASS_V1
				 : str_eqc(it->uid, user_uid(u)) ? CLASS_SELF
								 : CLASS_OTHER;
		if (!begun[class]) {
			replay_event(&ev[class], c, it, s, &view);
			fanout_begin(&f[class], &ev[class]);
			begun[class] = true;
		}
		fanout_send(&f[class], s,
		    str_eqc(it->uid, user_uid(u)) ? VIEW_SELF : VIEW_OTHER);
	}
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		if (begun[i])
			fanout_end(&f[i]);
	if (it->kind == ITEM_MEMBER)
		user_on_member(srv, u, it);
	if (u->n_sessions > 0)
		delivered_note(srv, u);
}

static void
user_on_gap(struct channel *c, uint64_t from, uint64_t to, bool reset)
{
	if (reset)
		delivered_reset(user_of(c));
	for (struct session *s = user_of(c)->sessions; s; s = s->next_of_user)
		if (s->priv.live || reset)
			replay_gap(s, c, &s->priv, from, to, reset);
}

static size_t
user_size(size_t chan_len)
{
	return offsetof(struct user, name) + chan_len + 1;
}

static void
user_on_idle(struct channel *c)
{
	struct user *u = user_of(c);
	struct server *srv = relay_server(c->relay);
	size_t chan_len = channel_name(c).len;

	delivered_forget(srv, u);
	table_del(&srv->users, &u->by_uid, user_key);
	free(u->busy);
	slab_put(&srv->slab, u, user_size(chan_len));
}

static const struct channel_ops user_channel_ops = {
    .on_item = user_on_item, .on_gap = user_on_gap, .on_idle = user_on_idle};

/* who is about to be in a room is announced with it: one word for both */
static void
user_announce(
    struct server *srv, struct session *s, struct channel *c, bool silent)
{
	(void)c;
	s->unsaid = room_is_entering(s);
	if (!s->unsaid)
		room_announce_none(srv, s, silent);
}

static void
user_on_refused(struct server *srv, struct session *s, struct channel *c)
{
	(void)c;
	user_detach(srv, s);
}

static const struct follow_ops user_follow_ops = {
    .on_in = user_announce, .on_refused = user_on_refused};

void
user_attach(struct server *srv, struct session *s, struct str uid,
    struct str ep, uint64_t from, struct follow_call *call)
{
	struct user *u = user_find(srv, uid);
	struct chan_name name;

	if (!u) {
		name = chan_user(uid);
		u = slab_get(&srv->slab, user_size(name.len));
		memcpy(u->name, name.s, name.len);
		channel_open(
		    &u->channel, srv->relay, u->name, false, &user_channel_ops);
		table_add(&srv->users, &u->by_uid, user_key);
	} else {
		channel_keep(&u->channel);
	}
	if (!u->n_sessions++)
		srv->stats[S_USERS]++;
	memset(&s->priv, 0, sizeof s->priv);
	/* who starts at the head has been given nothing of what is before */
	s->given = str_is_set(ep);
	if (s->given)
		delivered_note(srv, u);
	s->user = u;
	s->next_of_user = u->sessions;
	u->sessions = s;
	srv->stats[S_SESSIONS]++;
	replay_follow(srv, s, &u->channel, &s->priv, ep, from, s->silent, call,
	    &user_follow_ops);
}

void
user_detach(struct server *srv, struct session *s)
{
	struct user *u = s->user;
	struct session **p;

	if (!u)
		return;
	for (p = &u->sessions; *p != s; p = &(*p)->next_of_user)
		;
	*p = s->next_of_user;
	s->user = NULL;
	srv->stats[S_SESSIONS]--;
	if (!--u->n_sessions) {
		srv->stats[S_USERS]--;
		channel_release(&u->channel);
	}
	replay_leave(s, &s->priv);
}
