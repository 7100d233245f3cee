/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the relay share: a real one, real links, and two proxies
 * that the test plays: they write down what they are told.
 */
#ifndef TESTS_UNIT_MSG_SERVER_FOLLOW_RELAY_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_FOLLOW_RELAY_FIXTURE_H

#include "tests/unit/shared/net/fixture.h"

#include "msg_server/follow/relay_priv.h"
#include "msg_server/server.h"
#include "shared/base/digest.h"
#include "shared/net/listener.h"
#include "shared/proc/clock.h"

static struct fx fx;
static struct server srv;
static struct relay *r;
static const uint8_t key[32] = {7};
#define EP_1 "9f3a01c2"
#define EP_2 "00000001"

/* --- the proxies -------------------------------------------------------- */

struct plink {
	struct linkconn lc;
	struct played *p;
};

struct played {
	struct listener listener;
	struct plink *link; /* the live one */
	unsigned ups, downs, begins, ends, press;
	struct buf said; /* SUB, UNSUB, APPEND, READ, WHO, in order */
	uint64_t req[8]; /* of the last appends, newest last */
	uint32_t rid, ch;
	bool shut; /* takes no links */
};

static struct played px[2];

static inline int
played_on_frame(struct linkconn *lc, uint8_t type, uint8_t flags, struct str b)
{
	struct played *p = container_of(lc, struct plink, lc)->p;
	static struct f_append ap;
	struct f_sub sub;
	struct f_read rd;
	struct f_who who;
	struct f_get get;
	struct f_states states;
	static struct f_inbox inbox;
	struct f_raise raise;
	uint32_t ch;

	(void)flags;
	switch (type) {
	case F_SUB:
		assert_int_equal(get_sub(b, &sub), 0);
		if (sub.from_seq == SUB_HEAD)
			buf_printf(&p->said, "sub %.*s|", STR_ARG(sub.chan));
		else
			buf_printf(&p->said, "sub %.*s %.*s %llu|",
			    STR_ARG(sub.chan), STR_ARG(sub.ep),
			    (unsigned long long)sub.from_seq);
		p->ch = sub.ch;
		break;
	case F_UNSUB:
		assert_int_equal(get_unsub(b, &ch), 0);
		buf_printf(&p->said, "unsub|");
		break;
	case F_APPEND:
		assert_int_equal(get_append(b, &ap), 0);
		assert_int_equal(ap.item.crc,
		    digest_crc32c(0, ap.item.body.p, ap.item.body.len));
		buf_printf(&p->said, "app %.*s|", STR_ARG(ap.item.cid));
		memmove(p->req, p->req + 1, sizeof p->req - sizeof p->req[0]);
		p->req[7] = ap.req;
		break;
	case F_READ:
		assert_int_equal(get_read(b, &rd), 0);
		buf_printf(&p->said, "read %.*s|", STR_ARG(rd.chan));
		p->rid = rd.rid;
		break;
	case F_GET:
		assert_int_equal(get_get(b, &get), 0);
		buf_printf(&p->said, "get %.*s|", STR_ARG(get.key));
		p->rid = get.rid;
		break;
	case F_INBOX:
		assert_int_equal(get_inbox(b, &inbox), 0);
		buf_printf(&p->said, "inbox %u|", inbox.n_rooms);
		p->rid = inbox.rid;
		break;
	case F_STATES:
		assert_int_equal(get_states(b, &states), 0);
		buf_printf(&p->said, "states %.*s|", STR_ARG(states.prefix));
		p->rid = states.rid;
		break;
	case F_RAISE:
		assert_int_equal(get_raise(b, &raise), 0);
		buf_printf(&p->said, "raise %.*s %.*s|", STR_ARG(raise.key),
		    STR_ARG(raise.ep));
		break;
	case F_WHO:
		assert_int_equal(get_who(b, &who), 0);
		buf_printf(&p->said, "who|");
		p->rid = who.rid;
		break;
	case F_PRES_BEGIN:
		p->begins++;
		break;
	case F_PRES:
		p->press++;
		break;
	case F_PRES_END:
		p->ends++;
		break;
	default:
		fail_msg("frame %u", type);
	}
	return 0;
}

static inline void
played_on_up(struct linkconn *lc)
{
	container_of(lc, struct plink, lc)->p->ups++;
}

static inline void
played_on_down(struct linkconn *lc, int err, const char *why)
{
	struct plink *l = container_of(lc, struct plink, lc);

	(void)err;
	(void)why;
	l->p->downs++;
	if (l->p->link == l)
		l->p->link = NULL;
}

static inline void
played_on_dead(struct linkconn *lc)
{
	free(container_of(lc, struct plink, lc));
}

static const struct linkconn_ops played_ops = {
    .on_up = played_on_up,
    .on_frame = played_on_frame,
    .on_down = played_on_down,
    .on_dead = played_on_dead,
};

static inline void
played_on_accept(struct listener *l, int fd, const struct addr *from)
{
	struct played *p = l->arg;
	struct link_id id = {
	    .role = ROLE_PROXY, .cluster = "cchat", .node_no = 9, .inc = 1};

	(void)from;
	if (p->shut) {
		close(fd);
		return;
	}
	snprintf(id.name, sizeof id.name, "px%d", (int)(p - px) + 1);
	p->link = xcalloc(1, sizeof *p->link);
	p->link->p = p;
	linkconn_open(
	    &p->link->lc, fx.net, fd, false, &id, key, &played_ops, NULL);
}

static inline struct buf *
to(struct played *p)
{
	assert_non_null(p->link);
	return linkconn_out(&p->link->lc);
}

static inline void
lose(struct played *p)
{
	p->shut = true;
	linkconn_close(&p->link->lc, ERR_EOF, "lost", 0);
}

static inline void
says_active(struct played *p, uint64_t gen, const char *ep, bool active)
{
	struct f_active f = {.gen = gen, .ep = str_of(ep), .active = active};

	put_active(to(p), &f);
}

static inline bool
said(struct played *p, const char *text)
{
	return str_eqc(buf_str(&p->said), text);
}

/* waits until p has been told exactly that since the last time */
#define SAID(p, text)                                                    \
	do {                                                             \
		int64_t said_end = fx_ms() + FX_PATIENCE_MS;             \
		while (!said(p, text)) {                                 \
			if (fx_ms() > said_end)                          \
				fail_msg("said \"%.*s\", not \"%s\"",    \
				    STR_ARG(buf_str(&(p)->said)), text); \
			ev_run(fx.loop, EVRUN_ONCE);                     \
		}                                                        \
		fx_spin(&fx);                                            \
		assert_true(said(p, text));                              \
		buf_reset(&(p)->said);                                   \
	} while (0)

static inline void
ack(struct played *p, uint64_t req, uint64_t seq)
{
	struct f_ack f = {.req = req, .seq = seq, .ts = 5};

	put_ack(to(p), &f);
}

static inline void
nak(struct played *p, uint64_t req, uint16_t code, uint32_t retry)
{
	struct f_nak f = {.req = req, .code = code, .retry_ms = retry};

	put_nak(to(p), &f);
}

static inline void
page(struct played *p, uint32_t rid, uint16_t code)
{
	struct f_page f = {.rid = rid,
	    .code = code,
	    .ep = code == 200 ? str_of(EP_1) : STR_NONE,
	    .first = 1,
	    .head = 1};

	put_page_end(to(p), put_page_begin(to(p), &f), &f);
}

static inline void
item(struct played *p, uint64_t gen, uint32_t ch, uint64_t seq, uint64_t req)
{
	static struct f_item f;

	memset(&f, 0, sizeof f);
	f.gen = gen;
	f.ch = ch;
	f.req = req;
	f.item.kind = ITEM_MESSAGE;
	f.item.seq = seq;
	f.item.ts = 5;
	f.item.uid = STR_LIT("1");
	f.item.body = STR_LIT("x");
	put_item(to(p), &f);
}

static inline void
subbed(struct played *p, uint64_t head, const char *ep)
{
	static struct f_subbed f;

	memset(&f, 0, sizeof f);
	f.ch = p->ch;
	f.ep = str_of(ep);
	f.head = head;
	f.first = 1;
	put_subbed(to(p), &f);
}

/* --- the asking side ---------------------------------------------------- */

static struct ask {
	struct relay_append append;
	struct relay_read read;
	struct relay_who who;
	struct relay_get get;
	struct relay_inbox inbox;
	unsigned done, code;
	uint32_t retry;
	uint64_t seq, useq;
} a[8];

static inline void
on_append(struct relay_append *x, unsigned code, uint32_t retry,
    const struct f_ack *f)
{
	struct ask *q = container_of(x, struct ask, append);

	q->done++;
	q->code = code;
	q->retry = retry;
	assert_int_equal(f != NULL, code == 200);
	q->seq = f ? f->seq : 0;
	q->useq = f ? f->useq : 0;
}

static inline void
on_read(struct relay_read *x, unsigned code, const struct f_page *f,
    struct str items)
{
	struct ask *q = container_of(x, struct ask, read);

	(void)items;
	assert_int_equal(f != NULL, code == 200);
	q->done++;
	q->code = code;
}

static inline void
on_who(struct relay_who *x, unsigned code, const struct f_whois *f)
{
	struct ask *q = container_of(x, struct ask, who);

	(void)f;
	q->done++;
	q->code = code;
}

static inline void
on_got(struct relay_get *x, unsigned code, const struct f_got *f)
{
	struct ask *q = container_of(x, struct ask, get);

	assert_int_equal(f != NULL, code == 200);
	q->done++;
	q->code = code;
	q->seq = f != NULL ? f->head : 0;
}

static inline void
on_inboxed(struct relay_inbox *x, unsigned code, const struct f_inboxed *f,
    struct str entries)
{
	struct ask *q = container_of(x, struct ask, inbox);

	(void)entries;
	assert_int_equal(f != NULL, code == 200);
	q->done++;
	q->code = code;
	q->seq = f != NULL ? f->next.lo : 0;
}

static inline int
append_to(struct ask *q, const char *chan, const char *cid)
{
	static struct f_append f;

	memset(&f, 0, sizeof f);
	f.chan = str_of(chan);
	f.item.kind = ITEM_MESSAGE;
	f.item.uid = STR_LIT("1");
	f.item.cid = str_of(cid);
	f.item.name = STR_LIT("one");
	f.item.body = STR_LIT("hello");
	if (chan[0] == CHAN_PAIR) {
		f.to[f.n_to++] = STR_LIT("u:1");
		f.to[f.n_to++] = STR_LIT("u:2");
	}
	q->append.done = on_append;
	return relay_append(r, &f, &q->append);
}

static inline void
append(struct ask *q, const char *cid)
{
	assert_int_equal(append_to(q, "r:12", cid), 0);
}

static inline int
ask_read(struct ask *q)
{
	struct f_read f = {.chan = STR_LIT("r:12"), .from = 1, .n = 10};

	q->read.done = on_read;
	return relay_read(r, &f, &q->read);
}

static inline int
ask_get(struct ask *q)
{
	struct f_get f = {.chan = STR_LIT("u:1"), .key = STR_LIT("d")};

	q->get.done = on_got;
	return relay_get(r, &f, &q->get);
}

static inline int
ask_inbox(struct ask *q)
{
	struct f_inbox f = {
	    .chan = STR_LIT("u:1"), .n = 50, .at = {.part = INBOX_ROOMS}};

	q->inbox.done = on_inboxed;
	return relay_inbox(r, &f, &q->inbox);
}

static inline int
ask_who(struct ask *q)
{
	struct f_who f = {.what = WHO_TOTALS, .limit = 1};

	q->who.done = on_who;
	return relay_who(r, &f, &q->who);
}

/* --- a channel ---------------------------------------------------------- */

static unsigned n_items, n_gaps, idled;
static struct channel chan;

static inline void
on_item(struct channel *c, const struct item *it, const struct state_rec *st,
    unsigned n)
{
	(void)c;
	(void)it;
	(void)st;
	(void)n;
	n_items++;
}

static inline void
on_gap(struct channel *c, uint64_t from, uint64_t end, bool reset)
{
	(void)c;
	(void)from;
	(void)end;
	n_gaps += reset;
}

static inline void
on_idle(struct channel *c)
{
	(void)c;
	idled++;
}

static const struct channel_ops chan_ops = {on_item, on_gap, on_idle};

static inline void
open_channel(const char *name)
{
	channel_open(&chan, r, name, false, &chan_ops);
}

/* --- life --------------------------------------------------------------- */

static unsigned n_kicks;

static inline void
on_room(struct server *s, struct channel *c, const struct f_room *f)
{
	(void)s;
	(void)c;
	(void)f;
}

static inline void
on_eph(struct server *s, struct channel *c, const struct f_eph *f)
{
	(void)s;
	(void)c;
	(void)f;
}

static inline void
on_kick(struct server *s, const struct f_kick *f)
{
	(void)s;
	(void)f;
	n_kicks++;
}

static inline void
on_snapshot(
    struct server *s, void (*put)(void *, const struct f_pres *), void *arg)
{
	struct f_pres p = {.op = PRES_SET,
	    .cn = 1,
	    .uid = STR_LIT("1"),
	    .name = STR_LIT("one"),
	    .level = 2};

	(void)s;
	put(arg, &p);
}

static struct {
	unsigned n;
	char last[STATE_KEY_MAX + 128];
} states;

static inline void
on_state(
    struct server *s, struct channel *c, const struct state_rec *rec)
{
	(void)s;
	states.n++;
	snprintf(states.last, sizeof states.last, "%.64s %.*s=%.*s", c->name,
	    STR_ARG(rec->key), STR_ARG(rec->val));
}

static const struct relay_ops ops = {
    .on_state = on_state,
    .on_room = on_room,
    .on_eph = on_eph,
    .on_kick = on_kick,
    .on_snapshot = on_snapshot,
};

static inline int
setup(void **state)
{
	struct link_id id = {
	    .role = ROLE_MSG, .name = "ms1", .cluster = "cchat", .inc = 1};
	struct addr addrs[2];

	(void)state;
	memset(&srv, 0, sizeof srv);
	memset(px, 0, sizeof px);
	memset(a, 0, sizeof a);
	n_items = n_gaps = n_kicks = idled = 0;
	fx_init(&fx);
	srv.net = fx.net;
	for (unsigned i = 0; i < 2; i++) {
		buf_init(&px[i].said, 1 << 20);
		assert_int_equal(listener_open(&px[i].listener, fx.net,
				     STR_LIT("127.0.0.1:0"), false,
				     played_on_accept, &px[i]),
		    0);
		addrs[i] = px[i].listener.addr;
	}
	r = relay_new(&srv, fx.net, &id, key, &ops);
	relay_set_proxies(r, addrs, 2);
	/* it does not dial before it is somebody */
	fx_spin(&fx);
	assert_int_equal(px[0].listener.accepted, 0);
	id.node_no = 3;
	relay_set_self(r, &id);
	FX_WAIT(&fx, 3000, px[0].ends == 1 && px[1].ends == 1);
	assert_int_equal(px[0].begins, 1);
	assert_int_equal(px[0].press, 1);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	clock_test_set(0, 0);
	relay_free(r);
	for (unsigned i = 0; i < 2; i++) {
		px[i].shut = true;
		listener_close(&px[i].listener);
		if (px[i].link)
			linkconn_close(&px[i].link->lc, ERR_EOF, "over", 0);
	}
	FX_WAIT(&fx, 5000, fx.net->n_conns == 0);
	for (unsigned i = 0; i < 2; i++)
		buf_fini(&px[i].said);
	fx_fini(&fx);
	return 0;
}

static inline void
make_active(struct played *p, uint64_t gen)
{
	says_active(p, gen, EP_1, true);
	FX_WAIT(&fx, 2000, relay_has_active(r) && relay_gen(r) == gen);
}

/* the clock as it is, turned on by ms */
static inline void
turn_clock(int64_t ms)
{
	clock_test_set(clock_wall_ms() + ms, clock_mono_ms() + ms);
}

/* --- who waits for the channel ------------------------------------------ */

static unsigned waited, waited_code;

static inline void
on_wait(struct channel_wait *w, struct channel *c, unsigned code)
{
	(void)w;
	(void)c;
	waited++;
	waited_code = code;
}

#endif
