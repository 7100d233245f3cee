/* SPDX-License-Identifier: MIT */
/*
 * A log for the changes of groups, which judges need, deny and if_key as the
 * real one does, and dies or is overtaken when the test says so; asking for a
 * change, and looking whether it is whole.
 */
#ifndef TESTS_UNIT_MSG_SERVER_GROUPS_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_GROUPS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "msg_server/groups.h"
#include "msg_server/server.h"
#include "shared/base/map.h"

enum { RECORDS = 24000, CALLS = 512 };

/* --- the log ------------------------------------------------------------ */

static struct record {
	char chan[CHAN_MAX + 1], key[STATE_KEY_MAX + 1], val[256];
	uint64_t rev;
} db[RECORDS];
static unsigned n_db;
static uint64_t seq;
static unsigned n_items, n_steps;
static unsigned dies_at; /* this append and all behind it: not stored, 503 */
static void (*before_step)(void); /* somebody else is faster */

/* answers on their way */
static struct call {
	void (*fn)(struct call *);
	void *call;
	unsigned code;
	struct f_ack ack;
	char val[256];
	bool has_val;
	struct buf recs;
	struct f_stated st;
} calls[CALLS];
static unsigned n_calls;

static inline struct call *
call_new(void (*fn)(struct call *), void *call)
{
	struct call *c = &calls[n_calls++];

	assert_true(n_calls <= CALLS);
	memset(c, 0, sizeof *c);
	c->fn = fn;
	c->call = call;
	c->code = 200;
	return c;
}

static inline struct record *
find(struct str chan, struct str key)
{
	for (unsigned i = 0; i < n_db; i++)
		if (str_eqc(chan, db[i].chan) && str_eqc(key, db[i].key))
			return &db[i];
	return NULL;
}

static inline void
set(struct str chan, struct str key, struct str val, uint64_t rev)
{
	struct record *r = find(chan, key);

	if (r == NULL) {
		assert_true(n_db < RECORDS);
		r = &db[n_db++];
	}
	str_copy(r->chan, sizeof r->chan, chan);
	str_copy(r->key, sizeof r->key, key);
	str_copy(r->val, sizeof r->val, val);
	r->rev = rev;
}

static inline void
answer_append(struct call *c)
{
	struct relay_append *ra = c->call;

	ra->done(ra, c->code, 0, c->code == 200 ? &c->ack : NULL);
}

static inline unsigned
judge(const struct f_append *ap)
{
	struct record *r;

	if (str_is_set(ap->need) && find(ap->chan, ap->need) == NULL)
		return 403;
	if (str_is_set(ap->deny) && find(ap->chan, ap->deny) != NULL)
		return 403;
	if (str_is_set(ap->if_key)) {
		r = find(ap->chan, ap->if_key);
		if ((r != NULL ? r->rev : 0) != ap->if_rev)
			return 409;
	}
	return 200;
}

int
relay_append(
    struct relay *r, const struct f_append *ap, struct relay_append *call)
{
	void (*fn)(void) = before_step;
	struct call *c;
	struct buf b;

	(void)r;
	n_steps++;
	if (fn != NULL) {
		before_step = NULL;
		fn();
	}
	c = call_new(answer_append, call);
	assert_true(str_is_set(ap->item.cid));
	assert_int_equal(ap->item.kind, ITEM_MEMBER);
	/* what is no frame is no append */
	buf_init(&b, 1 << 20);
	put_append(&b, ap);
	assert_true(buf_ok(&b));
	buf_fini(&b);
	if (dies_at != 0 && n_steps >= dies_at) {
		c->code = 503;
		return 0;
	}
	c->code = judge(ap);
	if (c->code != 200)
		return 0;
	n_items++;
	c->ack.seq = ++seq;
	for (unsigned i = 0; i < ap->n_states; i++)
		set(ap->chan, ap->states[i].key, ap->states[i].val, seq);
	return 0;
}

static inline void
answer_get(struct call *c)
{
	struct relay_get *g = c->call;
	struct f_got got = {.code = 200};

	if (c->has_val)
		got.val = str_of(c->val);
	g->done(g, c->code, c->code == 200 ? &got : NULL);
}

int
relay_get(struct relay *r, const struct f_get *get, struct relay_get *call)
{
	struct call *c = call_new(answer_get, call);
	struct record *rec = find(get->chan, get->key);

	(void)r;
	c->has_val = rec != NULL;
	if (rec != NULL)
		strcpy(c->val, rec->val);
	return 0;
}

static inline void
answer_states(struct call *c)
{
	struct relay_states *s = c->call;

	s->done(s, c->code, c->code == 200 ? &c->st : NULL, buf_str(&c->recs));
	buf_fini(&c->recs);
}

static inline int
compare(const void *a, const void *b)
{
	return strcmp((*(struct record *const *)a)->key,
	    (*(struct record *const *)b)->key);
}

int
relay_states(
    struct relay *r, const struct f_states *q, struct relay_states *call)
{
	static struct record *list[RECORDS];
	struct call *c = call_new(answer_states, call);
	unsigned n = 0;

	(void)r;
	for (unsigned i = 0; i < n_db; i++)
		if (str_eqc(q->chan, db[i].chan) &&
		    str_starts(str_of(db[i].key), q->prefix))
			list[n++] = &db[i];
	qsort(list, n, sizeof *list, compare);
	buf_init(&c->recs, 1 << 24);
	c->st.count = q->count ? n : 0;
	for (unsigned i = 0; i < n; i++) {
		struct state_rec rec = {.key = str_of(list[i]->key),
		    .val = str_of(list[i]->val),
		    .rev = list[i]->rev};

		if (str_is_set(q->after) && str_cmp(rec.key, q->after) <= 0)
			continue;
		if (c->st.n == q->n) {
			c->st.more = true;
			break;
		}
		put_stated_rec(&c->recs, &rec);
		c->st.n++;
	}
	return 0;
}

void
relay_later(struct relay *r, struct relay_task *t)
{
	(void)r;
	(void)t;
	fail_msg("nothing was busy");
}

struct session *
session_find(struct server *server, uint64_t cn)
{
	(void)server;
	(void)cn;
	return NULL;
}

/* --- asking -------------------------------------------------------------- */

static struct server srv;

static struct asked {
	struct groups_call call;
	unsigned done, code;
	uint32_t n;
	unsigned n_fresh;
	bool fresh[GROUP_UIDS];
} a, other;

static inline void
on_changed(struct groups_call *call, unsigned code, const char *why,
    const struct groups_result *res)
{
	struct asked *q = container_of(call, struct asked, call);

	q->done++;
	q->code = code;
	assert_int_equal(why == NULL, code == 200);
	assert_int_equal(res != NULL, code == 200);
	if (res == NULL)
		return;
	q->n = res->n;
	q->n_fresh = res->n_fresh;
	memcpy(q->fresh, res->fresh, sizeof q->fresh);
}

/* all that is on its way comes; in any order, oldest first will do */
static inline void
run(void)
{
	struct call now[CALLS];
	unsigned n;

	while (n_calls > 0) {
		n = n_calls;
		memcpy(now, calls, n * sizeof now[0]);
		n_calls = 0;
		for (unsigned i = 0; i < n; i++)
			now[i].fn(&now[i]);
	}
}

static inline void
begin(struct asked *q, const char *rid, const char *name, unsigned from,
    unsigned n)
{
	static char text[GROUP_UIDS][16];
	struct str uids[GROUP_UIDS];
	struct groups_change c = {.rid = str_of(rid),
	    .name = str_of(name),
	    .uids = uids,
	    .n_uids = n};

	for (unsigned i = 0; i < n; i++) {
		snprintf(text[i], sizeof text[i], "u%05u", from + i);
		uids[i] = str_of(text[i]);
	}
	memset(q, 0, sizeof *q);
	q->call.done = on_changed;
	groups_change(&srv, &c, &q->call);
	assert_int_equal(q->done, 0);
}

static inline unsigned
change(const char *rid, const char *name, unsigned from, unsigned n)
{
	begin(&a, rid, name, from, n);
	run();
	assert_int_equal(a.done, 1);
	return a.code;
}

static inline unsigned
count(const char *chan, const char *prefix)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_db; i++)
		n += strcmp(db[i].chan, chan) == 0 &&
		     strncmp(db[i].key, prefix, strlen(prefix)) == 0;
	return n;
}

/* the group has those n members, who know it, and the index says so */
static inline void
whole(const char *rid, unsigned n)
{
	char chan[CHAN_MAX + 1], key[STATE_KEY_MAX + 1], text[16];
	struct group_info g;
	struct record *r;
	struct state_rec rec;

	snprintf(chan, sizeof chan, "r:%s", rid);
	assert_int_equal(count(chan, "m:"), n);
	r = find(str_of(chan), STR_LIT("n"));
	assert_non_null(r);
	snprintf(text, sizeof text, "%u", n);
	assert_string_equal(r->val, text);
	for (unsigned i = 0; i < n; i++) {
		snprintf(chan, sizeof chan, "u:u%05u", i);
		snprintf(key, sizeof key, "g:%s", rid);
		assert_non_null(find(str_of(chan), str_of(key)));
	}
	snprintf(key, sizeof key, "grp:%s", rid);
	r = find(STR_LIT("c:"), str_of(key));
	assert_non_null(r);
	rec = (struct state_rec){.key = str_of(r->key), .val = str_of(r->val)};
	assert_true(group_info_read(&rec, &g));
	assert_string_equal(g.name, "dns");
	assert_int_equal(g.n, n);
}

static inline int
setup(void **state)
{
	(void)state;
	n_db = n_calls = n_items = n_steps = dies_at = 0;
	seq = 0;
	before_step = NULL;
	return 0;
}

#endif
