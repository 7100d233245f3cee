/* SPDX-License-Identifier: MIT */
/*
 * A change of a group, step by step: what there is, who of those named is new,
 * then the items (groups.h). Each step may find that somebody else was faster;
 * then it begins again with what there is now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/groups.h"
#include "msg_server/server.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

enum {
	WORK_WINDOW = 32, /* questions or items on their way at a time */
	WORK_TRIES = 16,
	WORK_BODY_MAX = 64 + STATES_MAX * (ID_MAX + 3)
};

struct work_uid {
	char uid[ID_MAX + 1];
	bool again;  /* named before */
	bool member; /* he was one */
	bool fresh;  /* he is one now, by this change */
};

struct work {
	struct server *srv;
	struct groups_call *call;
	struct relay_states states;
	struct relay_append append;
	struct relay_task later;
	void (*step)(struct work *); /* of the window */
	bool (*one)(struct work *, unsigned i);
	unsigned at, out, tries; /* of the window: next one, on their way */
	unsigned code;
	const char *why;
	char rid[ID_MAX + 1], by[ID_MAX + 1], name[GROUP_NAME_MAX + 1];
	char index_key[STATE_KEY_MAX + 1], member_key[STATE_KEY_MAX + 1];
	bool create, indexing;
	struct group_info was; /* as the index says; rid not set: nothing */
	uint64_t index_rev, n_rev;
	uint32_t n;
	unsigned batch[STATES_MAX], n_batch; /* on their way */
	unsigned n_uids, n_fresh;
	struct work_uid uids[];
};

/* one of the window */
struct work_ask {
	struct relay_get get;
	struct relay_states states;
	struct relay_append append;
	struct work *w;
	unsigned i;
};

static void work_read_index(struct work *w);

static void
work_end(struct work *w, unsigned code, const char *why)
{
	struct groups_result res = {.n = w->n, .n_fresh = w->n_fresh};
	bool fresh[GROUP_UIDS];

	for (unsigned i = 0; i < w->n_uids; i++)
		fresh[i] = w->uids[i].fresh;
	res.fresh = fresh;
	w->call->done(w->call, code, why, code == 200 ? &res : NULL);
	free(w);
}

static void
work_on_busy(struct relay_task *t)
{
	work_end(container_of(t, struct work, later), 503, "busy");
}

/* never before the asking function has returned */
static void
work_busy(struct work *w)
{
	w->later.fn = work_on_busy;
	relay_later(w->srv->relay, &w->later);
}

static void
work_again(struct work *w)
{
	if (++w->tries < WORK_TRIES)
		work_read_index(w);
	else
		work_end(w, 503, "the group is being changed");
}

/* --- all of the uids, some at a time ------------------------------------ */

static void
work_pump(struct work *w)
{
	while (w->code == 200 && w->at < w->n_uids && w->out < WORK_WINDOW)
		if (!w->uids[w->at++].again && w->one(w, w->at - 1))
			w->out++;
	if (w->out > 0)
		return;
	if (w->code == 200)
		w->step(w);
	else
		work_end(w, w->code, w->why);
}

static void
work_fail(struct work *w, unsigned code, const char *why)
{
	if (w->code != 200)
		return;
	w->code = code;
	w->why = why;
}

static void
work_done_one(struct work_ask *a)
{
	struct work *w = a->w;

	free(a);
	w->out--;
	work_pump(w);
}

static struct work_ask *
work_ask_new(struct work *w, unsigned i)
{
	struct work_ask *a = xcalloc(1, sizeof *a);

	a->w = w;
	a->i = i;
	return a;
}

static void
work_each(struct work *w, bool (*one)(struct work *, unsigned),
    void (*step)(struct work *))
{
	w->one = one;
	w->step = step;
	w->at = w->out = 0;
	w->code = 200;
	work_pump(w);
}

/* --- items -------------------------------------------------------------- */

static void
work_item(struct work *w, struct f_append *ap, char cid[CID_MAX + 1])
{
	struct server *srv = w->srv;

	snprintf(cid, CID_MAX + 1, "~%" PRIx32 ".%" PRIu64, srv->node_no,
	    srv->next_cid++);
	ap->item.kind = ITEM_MEMBER;
	ap->item.flags |= ITEM_F_AUTO_CID;
	ap->item.cid = str_of(cid);
	if (w->by[0] != '\0')
		ap->item.uid = str_of(w->by);
}

/* {"op":"add","uids":[..]} of those in batch */
static void
work_body(const struct work *w, const unsigned *batch, unsigned n,
    struct f_append *ap, struct buf *b)
{
	struct jw jw;

	buf_init(b, WORK_BODY_MAX);
	jw_init(&jw, b);
	jw_obj(&jw, NULL);
	jw_cstr(&jw, "op", "add");
	jw_arr(&jw, "uids");
	for (unsigned i = 0; i < n; i++)
		jw_cstr(&jw, NULL, w->uids[batch[i]].uid);
	jw_arr_end(&jw);
	jw_obj_end(&jw);
	ap->item.body = buf_str(b);
	ap->item.flags |= ITEM_F_JSON;
}

/* --- 4: the index ------------------------------------------------------- */

static void
work_on_indexed(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct work *w = container_of(ra, struct work, append);

	(void)retry_ms;
	(void)ack;
	if (code == 200)
		work_end(w, 200, NULL);
	else if (code == 409)
		work_again(w);
	else
		work_end(w, 503, "not stored");
}

static void
work_index(struct work *w)
{
	struct f_append ap = {.chan = STR_LIT("c:")};
	int64_t now = clock_wall_ms();
	char cid[CID_MAX + 1];
	struct buf val;
	struct jw jw;

	if (!w->create && w->n_fresh == 0 && w->n == w->was.n) {
		work_end(w, 200, NULL);
		return;
	}
	w->indexing = true;
	buf_init(&val, STATE_VAL_MAX);
	jw_init(&jw, &val);
	jw_obj(&jw, NULL);
	jw_cstr(&jw, "name", w->create ? w->name : w->was.name);
	jw_int(&jw, "created", w->create ? now : w->was.created);
	jw_int(&jw, "updated", now);
	jw_int(&jw, "n", w->n);
	jw_obj_end(&jw);
	work_item(w, &ap, cid);
	ap.if_key = str_of(w->index_key);
	ap.if_rev = w->index_rev;
	ap.states[ap.n_states++] =
	    (struct state_rec){.key = ap.if_key, .val = buf_str(&val)};
	w->append.done = work_on_indexed;
	if (!buf_ok(&val) || relay_append(w->srv->relay, &ap, &w->append) != 0)
		work_busy(w);
	buf_fini(&val);
}

/* --- 3: the users ------------------------------------------------------- */

static void
work_on_pointed(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct work_ask *a = container_of(ra, struct work_ask, append);

	(void)retry_ms;
	(void)ack;
	/* 403: he knows */
	if (code != 200 && code != 403)
		work_fail(a->w, 503, "not stored");
	work_done_one(a);
}

static bool
work_point(struct work *w, unsigned i)
{
	struct chan_name u = chan_user(str_of(w->uids[i].uid));
	struct f_append ap = {.chan = chan_str(&u)};
	struct work_ask *a = work_ask_new(w, i);
	char cid[CID_MAX + 1], key[STATE_KEY_MAX + 1];
	struct buf body;
	bool ok;

	work_item(w, &ap, cid);
	work_body(w, &i, 1, &ap, &body);
	snprintf(key, sizeof key, "g:%s", w->rid);
	ap.item.rid = str_of(w->rid);
	ap.item.ref = w->n_rev;
	ap.deny = str_of(key);
	ap.states[ap.n_states++] =
	    (struct state_rec){.key = ap.deny, .val = STR_LIT("member")};
	a->append.done = work_on_pointed;
	ok = relay_append(w->srv->relay, &ap, &a->append) == 0;
	buf_fini(&body);
	if (!ok) {
		work_fail(w, 503, "busy");
		free(a);
	}
	return ok;
}

/* --- 2: the members ----------------------------------------------------- */

static void work_members(struct work *w);

static void
work_on_members(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct work *w = container_of(ra, struct work, append);

	(void)retry_ms;
	if (code == 409) {
		work_again(w);
		return;
	}
	if (code != 200) {
		work_end(w, 503, "not stored");
		return;
	}
	for (unsigned i = 0; i < w->n_batch; i++)
		w->uids[w->batch[i]].fresh = true;
	w->n_fresh += w->n_batch;
	w->n += w->n_batch;
	w->n_rev = ack->seq;
	work_members(w);
}

static void
work_take_batch(struct work *w, unsigned max)
{
	w->n_batch = 0;
	for (unsigned i = 0; i < w->n_uids && w->n_batch < max; i++)
		if (!w->uids[i].again && !w->uids[i].member &&
		    !w->uids[i].fresh)
			w->batch[w->n_batch++] = i;
}

static void
work_members(struct work *w)
{
	bool first = w->n_rev == 0; /* nothing is known of it */
	struct chan_name r = chan_room(str_of(w->rid));
	struct f_append ap = {.chan = chan_str(&r)};
	char cid[CID_MAX + 1], n[16], keys[STATES_MAX][ID_MAX + 3];
	char places[STATES_MAX][24];
	struct buf body;

	work_take_batch(w, first ? STATES_MAX - 2 : STATES_MAX - 1);
	if (w->n_batch == 0 && !first) {
		work_each(w, work_point, work_index);
		return;
	}
	work_item(w, &ap, cid);
	work_body(w, w->batch, w->n_batch, &ap, &body);
	snprintf(n, sizeof n, "%" PRIu32, w->n + w->n_batch);
	ap.if_key = STR_LIT("n");
	ap.if_rev = w->n_rev;
	ap.states[ap.n_states++] =
	    (struct state_rec){.key = ap.if_key, .val = str_of(n)};
	if (first)
		ap.states[ap.n_states++] = (struct state_rec){
		    .key = STR_LIT("t"), .val = str_of(w->name)};
	for (unsigned i = 0; i < w->n_batch; i++) {
		snprintf(
		    keys[i], sizeof keys[i], "m:%s", w->uids[w->batch[i]].uid);
		snprintf(places[i], sizeof places[i], "%s %u",
		    w->create && !strcmp(w->uids[w->batch[i]].uid, w->by)
			? "owner"
			: "member",
		    i);
		ap.states[ap.n_states++] = (struct state_rec){
		    .key = str_of(keys[i]), .val = str_of(places[i])};
	}
	w->append.done = work_on_members;
	if (relay_append(w->srv->relay, &ap, &w->append) != 0)
		work_busy(w);
	buf_fini(&body);
}

/* --- 1: what there is --------------------------------------------------- */

static void
work_looked(struct work *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->n_uids; i++)
		n += !w->uids[i].again && !w->uids[i].member &&
		     !w->uids[i].fresh;
	if (w->n + n > GROUP_MEMBERS)
		work_end(w, 403, "too many members");
	else
		work_members(w);
}

static void
work_on_groups(struct relay_states *call, unsigned code,
    const struct f_stated *f, struct str recs)
{
	struct work_ask *a = container_of(call, struct work_ask, states);

	(void)recs;
	if (code != 200)
		work_fail(a->w, 503, "no answer");
	else if (f->count >= GROUPS_OF_USER)
		work_fail(a->w, 403, "a user is in too many groups");
	work_done_one(a);
}

static void
work_on_member(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct work_ask *a = container_of(get, struct work_ask, get);
	struct work *w = a->w;
	struct work_uid *u = &w->uids[a->i];
	struct chan_name chan;
	struct f_states q;

	if (code != 200) {
		work_fail(w, 503, "no answer");
	} else if (str_is_set(got->val)) {
		u->member = !u->fresh;
	} else if (!u->fresh) {
		groups_ask_of(str_of(u->uid), &chan, &q);
		q.n = 1;
		q.count = true;
		a->states.done = work_on_groups;
		if (relay_states(w->srv->relay, &q, &a->states) == 0)
			return;
		work_fail(w, 503, "busy");
	}
	work_done_one(a);
}

static bool
work_look(struct work *w, unsigned i)
{
	struct chan_name r = chan_room(str_of(w->rid));
	char key[STATE_KEY_MAX + 1];
	struct f_get get = {.chan = chan_str(&r),
	    .key = group_need(str_of(w->uids[i].uid), key)};
	struct work_ask *a;

	if (w->uids[i].fresh)
		return false;
	a = work_ask_new(w, i);
	a->get.done = work_on_member;
	if (relay_get(w->srv->relay, &get, &a->get) == 0)
		return true;
	work_fail(w, 503, "busy");
	free(a);
	return false;
}

static void
work_on_n(struct relay_states *call, unsigned code, const struct f_stated *f,
    struct str recs)
{
	struct work *w = container_of(call, struct work, states);
	struct state_rec rec;
	uint64_t n = 0;

	if (code != 200) {
		work_end(w, 503, "no answer");
		return;
	}
	w->n_rev = 0;
	if (f->n > 0 && frames_states_next(&recs, &rec) == 0 &&
	    str_eqc(rec.key, "n")) {
		w->n_rev = rec.rev;
		if (str_u64(rec.val, &n) != 0 || n > UINT32_MAX)
			n = 0;
	}
	w->n = (uint32_t)n;
	if (w->indexing)
		work_index(w);
	else
		work_each(w, work_look, work_looked);
}

static void
work_read_n(struct work *w)
{
	struct chan_name r = chan_room(str_of(w->rid));
	struct f_states q = {
	    .chan = chan_str(&r), .prefix = STR_LIT("n"), .n = 1};

	w->states.done = work_on_n;
	if (relay_states(w->srv->relay, &q, &w->states) != 0)
		work_busy(w);
}

static void
work_on_index(struct relay_states *call, unsigned code,
    const struct f_stated *f, struct str recs)
{
	struct work *w = container_of(call, struct work, states);
	struct state_rec rec = {.key = STR_NONE};

	if (code != 200) {
		work_end(w, 503, "no answer");
		return;
	}
	memset(&w->was, 0, sizeof w->was);
	w->index_rev = 0;
	if (f->n > 0 && frames_states_next(&recs, &rec) == 0 &&
	    str_eqc(rec.key, w->index_key)) {
		w->index_rev = rec.rev;
		if (group_info_read(&rec, &w->was))
			w->was.rid = str_of(w->rid);
	}
	if (w->create && str_is_set(w->was.rid))
		work_end(w, 409, "the group exists already");
	else if (!w->create && !str_is_set(w->was.rid))
		work_end(w, 404, "no such group");
	else
		work_read_n(w);
}

static void
work_read_index(struct work *w)
{
	struct f_states q;

	groups_ask_one(str_of(w->rid), w->index_key, &q);
	w->states.done = work_on_index;
	if (relay_states(w->srv->relay, &q, &w->states) != 0)
		work_busy(w);
}

static bool
work_is_again(const struct work *w, unsigned n, struct str uid)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eqc(uid, w->uids[i].uid))
			return true;
	return false;
}

void
groups_change(
    struct server *srv, const struct groups_change *q, struct groups_call *call)
{
	unsigned n = q->n_uids < GROUP_UIDS ? q->n_uids : GROUP_UIDS;
	struct work *w = xcalloc(1, sizeof *w + n * sizeof w->uids[0]);

	w->srv = srv;
	w->call = call;
	w->create = str_is_set(q->name);
	str_copy(w->rid, sizeof w->rid, q->rid);
	str_copy(w->by, sizeof w->by, q->by);
	str_copy(w->name, sizeof w->name, q->name);
	w->n_uids = n;
	for (unsigned i = 0; i < n; i++) {
		w->uids[i].again = work_is_again(w, i, q->uids[i]);
		str_copy(w->uids[i].uid, sizeof w->uids[i].uid, q->uids[i]);
	}
	srv->stats[S_GROUP_CHANGES]++;
	work_read_index(w);
}
