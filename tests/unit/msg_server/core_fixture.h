/* SPDX-License-Identifier: MIT */
/*
 * What the tests of rooms, users and cursors share: real channels, rooms,
 * users, cursors and fan-out; a fake relay that records what is asked and
 * lets the test answer it; sessions with a queue of their own; a dialect that
 * says what happened in one word and numbers; and a model of the log.
 */
#ifndef TESTS_UNIT_MSG_SERVER_CORE_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/follow/fanout.h"
#include "msg_server/follow/recent.h"
#include "msg_server/follow/relay_priv.h"
#include "msg_server/follow/replay.h"
#include "msg_server/follow/told.h"
#include "msg_server/follow/watch.h"
#include "msg_server/server.h"

static struct net net;
static struct server srv;

#include "tests/unit/msg_server/core_relay.h"

/* --- the model of the log ----------------------------------------------- */

struct model {
	struct chan_name name;
	uint64_t head, first, sent; /* sent: what the link has brought */
	char ep[EP_LEN + 1];
	/* by seq: a recall, and of whom; who took its words. 0: neither */
	uint16_t ref[4096], gone_by[4096];
};

static struct model models[12];
static unsigned n_models;

static inline struct model *
model_of(struct str name)
{
	for (unsigned i = 0; i < n_models; i++)
		if (str_eq(chan_str(&models[i].name), name))
			return &models[i];
	fail_msg("no such channel: %.*s", STR_ARG(name));
	abort(); /* the compiler does not know that the line above ends it */
}

static inline struct model *
model_new(const char *name, uint64_t head)
{
	struct model *m = &models[n_models++];

	assert_true(n_models <= ARRAY_LEN(models));
	memset(m, 0, sizeof *m);
	assert_int_equal(chan_parse(str_of(name), &m->name), OK);
	m->head = m->sent = head;
	m->first = 1;
	str_copy(m->ep, sizeof m->ep, STR_LIT("9f3a01c2"));
	return m;
}

/* item `with` takes the words of item `seq` */
static inline void
model_recall(struct model *m, uint64_t seq, uint64_t with)
{
	if (with >= ARRAY_LEN(m->ref) || seq == 0 || seq >= with ||
	    m->gone_by[seq])
		return;
	m->ref[with] = (uint16_t)seq;
	m->gone_by[seq] = (uint16_t)with;
}

/* had item seq lost its words when `head` was all that there was? */
static inline bool
model_is_gone(const struct model *m, uint64_t seq, uint64_t head)
{
	return seq < ARRAY_LEN(m->gone_by) && m->gone_by[seq] &&
	       m->gone_by[seq] <= head;
}

static char model_body[32];

/* item `seq` of m; its sender is uid, on session cn */
static inline void
model_item(const struct model *m, uint64_t seq, struct item *it)
{
	memset(it, 0, sizeof *it);
	it->kind = ITEM_MESSAGE;
	it->seq = seq;
	it->ts = 1;
	it->uid = STR_LIT("1");
	it->name = STR_LIT("one");
	/* another history says other words at the same place */
	snprintf(model_body, sizeof model_body, "%s/%llu", m->ep,
	    (unsigned long long)seq);
	it->body = str_of(model_body);
	if (m->name.s[0] == CHAN_USER) {
		it->useq = seq;
		it->seq = seq * 7;
		it->pchan = STR_LIT("p:1:2");
	}
	if (seq < ARRAY_LEN(m->ref) && m->ref[seq]) {
		it->kind = ITEM_RECALL;
		it->ref = it->useq ? m->ref[seq] * 7u : m->ref[seq];
	}
}

static inline struct channel *
model_channel(const struct model *m)
{
	struct table_link *e, *next;

	TABLE_EACH (&relay.channels, e, next, channel_key) {
		struct channel *c = container_of(e, struct channel, by_ch);

		if (str_eqc(chan_str(&m->name), c->name))
			return c;
	}
	return NULL;
}

/* the loop's turn: rooms give what they have gathered */
static bool hold_turns;

static inline void
loop_turn(void)
{
	for (struct net_turn *t = net.turns, *next; t; t = next) {
		next = t->next;
		t->on_turn(t);
	}
}

static inline void
model_send(const struct model *m, uint64_t seq)
{
	struct channel *c = model_channel(m);
	struct item it;

	model_item(m, seq, &it);
	if (c)
		channel_on_item(c, &it, seq, NULL, 0);
	if (!hold_turns)
		loop_turn();
}

/* the answer to a SUB */
static inline void
model_subbed(struct model *m)
{
	static struct f_subbed f;
	struct channel *c = model_channel(m);

	if (!c)
		return;
	m->sent = m->head;
	memset(&f, 0, sizeof f);
	f.ch = c->ch;
	f.ep = str_of(m->ep);
	f.head = m->head;
	f.first = m->first;
	f.reset = c->ep_no > 0 && (strcmp(channel_ep(c), m->ep) || c->last > m->head);
	channel_on_subbed(c, &f);
}

/* answers the oldest read with at most n items; n 0: code 503 */
static inline void
model_answer(unsigned n)
{
	struct ask *a = asks;
	struct model *m = model_of(chan_str(&a->chan));
	struct f_page page = {.code = 200};
	struct buf b;

	if (!m)
		abort(); /* a read of a channel the model does not have */
	page.ep = str_of(m->ep);
	uint64_t seq = a->f.from < m->first ? m->first : a->f.from;
	asks = a->next;
	n_asks--;
	assert_false(a->f.back);
	if (n > a->f.n)
		n = a->f.n;
	buf_init(&b, 1 << 20);
	for (; seq <= m->head && page.n_items < n; seq++, page.n_items++) {
		struct item it;

		model_item(m, seq, &it);
		if (model_is_gone(m, seq, m->head)) {
			it.flags |= ITEM_F_GONE;
			it.body = STR_NONE;
		}
		assert_int_equal(put_page_item(&b, &it), OK);
	}
	page.first = m->first;
	page.head = m->head;
	page.more = seq <= m->head;
	if (n > 0)
		a->call->done(a->call, 200, &page, buf_str(&b));
	else
		a->call->done(a->call, 503, NULL, STR_NONE);
	buf_fini(&b);
	free(a);
}

/* --- sessions ----------------------------------------------------------- */

struct fake {
	struct session s;
	struct session_busy busy;
	uint32_t queued, most, weight; /* weight: of one frame */
	bool closed, started;
	unsigned frames, blocks;
	const struct blob *block; /* the last, to compare only */
	bool alone;		  /* a frame is for this one, of a page or so */
	struct { /* by model: what is to come next; 0: not in it */
		uint64_t next;
		unsigned gaps, lost;
		char ep[EP_LEN + 1]; /* the history he was told of last */
	} at[ARRAY_LEN(models)];
	char last[128]; /* frame */
};

static void (*on_frame)(struct fake *, const char *text);

static struct fake *
fake_of(const struct session *s)
{
	return container_of(s, struct fake, s);
}

struct session_busy *
session_busy(struct session *s)
{
	return s->busy = &fake_of(s)->busy;
}

bool
session_is_open(const struct session *s)
{
	return !fake_of(s)->closed;
}

bool
session_has_all(const struct session *s)
{
	return session_is_open(s) && session_queued(s) == 0;
}

uint32_t
session_queued(const struct session *s)
{
	return fake_of(s)->queued;
}

/* one frame of a block; its length, header and all */
static inline size_t
fake_frame(struct fake *f, const uint8_t *p)
{
	size_t head = p[1] < 126 ? 2 : 4;
	size_t len = p[1] < 126 ? p[1] : (size_t)p[2] << 8 | p[3];

	f->frames++;
	f->queued += f->weight;
	if (f->queued > f->most)
		f->most = f->queued;
	str_copy(f->last, sizeof f->last, str_n(p + head, len));
	if (on_frame)
		on_frame(f, f->last);
	return head + len;
}

void
session_send_block(struct session *s, struct blob *b, unsigned n)
{
	struct fake *f = fake_of(s);
	unsigned frames = f->frames;

	if (f->closed)
		return;
	srv.stats[S_DELIVERIES] += n;
	f->blocks++;
	f->block = b;
	for (size_t at = 0; at < b->len;)
		at += fake_frame(f, b->bytes + at);
	assert_int_equal(f->frames, frames + n);
}

void
session_refused(struct session *s)
{
	(void)s;
}

void
session_send(struct session *s, struct blob *b)
{
	fake_of(s)->alone = true;
	session_send_block(s, b, 1);
	fake_of(s)->alone = false;
}

void
session_close(
    struct session *s, unsigned code, const char *why, int64_t retry_ms)
{
	(void)code;
	(void)why;
	(void)retry_ms;
	fake_of(s)->closed = true;
}

/* --- the dialect -------------------------------------------------------- */

static unsigned encoded;
static bool tell_bodies; /* in the frames of items */

static void
fake_encode(
    const struct event *ev, unsigned level, enum view view, struct buf *b)
{
	encoded++;
	switch (ev->kind) {
	case EVENT_ITEM:
		if (str_is_set(ev->tid))
			buf_printf(b, "item @ %llu %d tid %.*s",
			    (unsigned long long)ev->useq, (int)view,
			    STR_ARG(ev->tid));
		else
			buf_printf(b, "item %.*s %llu %d", STR_ARG(ev->rid),
			    (unsigned long long)ev->seq, (int)view);
		if (tell_bodies)
			buf_printf(b, " body %.*s", STR_ARG(ev->item->body));
		return;
	case EVENT_GAP:
		buf_printf(b, "gap %.*s %llu %llu %s",
		    STR_ARG(str_is_set(ev->tid) ? ev->tid : ev->rid),
		    (unsigned long long)ev->gap_from,
		    (unsigned long long)ev->gap_to, ev->why);
		return;
	case EVENT_NEW_USER:
		buf_printf(b, "newUser %.*s", STR_ARG(ev->uid));
		return;
	case EVENT_STATUS:
		buf_printf(b, "status %.*s %u %lld", STR_ARG(ev->uid),
		    ev->status, (long long)ev->ts);
		return;
	case EVENT_OFFLINE:
		if (level > 1)
			buf_printf(b, "offline %.*s", STR_ARG(ev->uid));
		return;
	case EVENT_PRESENCE:
		buf_printf(b, "presence %u in %zu out %zu%s", ev->count,
		    ev->n_in, ev->n_out, ev->more_people ? " more" : "");
		return;
	default:
		buf_printf(b, "event %d", (int)ev->kind);
	}
}

static const struct dialect fake_dialect = {
    .name = "fake", .index = 0, .encode = fake_encode};

static uint64_t next_cn;

static inline void
fake_open(struct fake *f, unsigned level)
{
	memset(f, 0, sizeof *f);
	f->s.cn = ++next_cn;
	f->s.dialect = &fake_dialect;
	f->s.level = (uint8_t)level;
	f->weight = 100;
	f->started = true;
	session_set_strings(&f->s, STR_LIT("amy"), STR_NONE, STR_NONE);
	table_add(&srv.sessions, &f->s.by_cn, session_key);
	srv.n_clients++;
}

static inline void
fake_close(struct fake *f)
{
	if (!f->started)
		return;
	f->closed = true;
	f->started = false;
	table_del(&srv.sessions, &f->s.by_cn, session_key);
	srv.n_clients--;
	room_detach(&srv, &f->s, false);
	session_drop_strings(&f->s);
	f->s.name = NULL;
}

/* --- calls -------------------------------------------------------------- */

static unsigned calls_open; /* follow_calls that were not told their end */

struct join {
	struct follow_call call;
	struct follow_result res;
	unsigned joined, synced, lost;
	struct fake *who;
	struct model *m;
	bool keep; /* the test frees it */
	void (*then)(struct join *);
};

static void
join_end(struct join *j)
{
	calls_open--;
	if (!j->keep)
		free(j);
}

static void
join_on_joined(struct follow_call *call, struct session *s,
    const struct follow_result *res)
{
	struct join *j = container_of(call, struct join, call);

	assert_ptr_equal(&j->who->s, s);
	assert_int_equal(j->joined++, 0);
	j->res = *res;
	if (j->then)
		j->then(j);
	if (res->code != 200)
		join_end(j);
}

static void
join_on_synced(struct follow_call *call, struct session *s)
{
	struct join *j = container_of(call, struct join, call);

	assert_ptr_equal(&j->who->s, s);
	assert_int_equal(j->joined, 1);
	assert_int_equal(j->synced++, 0);
	join_end(j);
}

static void
join_on_lost(struct follow_call *call)
{
	struct join *j = container_of(call, struct join, call);

	assert_int_equal(j->lost++ + j->synced, 0);
	join_end(j);
}

static inline struct join *
join_new(struct fake *f, struct model *m, bool keep)
{
	struct join *j = xcalloc(1, sizeof *j);

	j->call.on_joined = join_on_joined;
	j->call.on_synced = join_on_synced;
	j->call.on_lost = join_on_lost;
	j->who = f;
	j->m = m;
	j->keep = keep;
	calls_open++;
	return j;
}

/* f joins the room of m, or becomes the user of m, as one with (ep, from) */
static inline struct join *
fake_join(struct fake *f, struct model *m, const char *ep, uint64_t from,
    bool keep, void (*then)(struct join *))
{
	struct join *j = join_new(f, m, keep);
	struct str id = chan_id(chan_str(&m->name));
	struct str e = ep ? str_of(ep) : STR_NONE;

	j->then = then;
	if (m->name.s[0] == CHAN_USER)
		user_attach(&srv, &f->s, id, e, from, &j->call);
	else
		room_join(&srv, &f->s, id, e, from, false, &j->call);
	return j;
}

/* --- life --------------------------------------------------------------- */

/* of the next setup: memory of recent items */
static size_t recent_max;

static inline int
core_setup(void **state)
{
	(void)state;
	map_init();
	memset(&relay, 0, sizeof relay);
	memset(&srv, 0, sizeof srv);
	memset(&pres, 0, sizeof pres);
	net.queued = 0;
	relay.srv = &srv;
	relay.later_end = &relay.later;
	srv.relay = &relay;
	srv.net = &net;
	srv.set.rooms_max = 128;
	srv.set.memory = 1024;
	srv.told = told_new();
	srv.watch = watch_new(&srv);
	watched[0] = '\0';
	active_ms = 0;
	buf_init(&out, 1 << 28);
	linked = true;
	n_models = encoded = refuse_reads = 0;
	on_frame = NULL;
	hold_turns = false;
	tell_bodies = false;
	srv.recent = recent_new(recent_max);
	return 0;
}

/* all sessions must be closed; then nothing may be left */
static inline int
core_teardown(void **state)
{
	struct table_link *e, *next;

	(void)state;
	while (asks)
		model_answer(0);
	for (int i = 0; i < 4; i++)
		run_tasks();
	while (asks)
		model_answer(0);
	TABLE_EACH (&relay.channels, e, next, channel_key)
		channel_drop(container_of(e, struct channel, by_ch));
	for (uint32_t i = 0; i < relay.n_eps; i++)
		assert_int_equal(relay.eps[i].refs, 0);
	free(relay.eps);
	told_free(srv.told);
	watch_free(srv.watch);
	assert_int_equal(srv.rooms.n, 0);
	assert_int_equal(srv.users.n, 0);
	assert_int_equal(srv.sessions.n, 0);
	assert_int_equal(calls_open, 0);
	assert_int_equal(relay.held, 0);
	assert_int_equal(srv.stats[S_SESSIONS], 0);
	assert_int_equal(srv.stats[S_USERS], 0);
	assert_int_equal(recent_bytes(srv.recent), 0); /* nobody is followed */
	recent_free(srv.recent);
	srv.recent = NULL;
	buf_fini(&out);
	return 0;
}

#endif
