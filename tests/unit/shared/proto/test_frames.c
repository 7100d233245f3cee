/* SPDX-License-Identifier: MIT */
/*
 * Every frame: written, read and written again it is the same, with all fields
 * at their limit and with all optional ones absent; cut at any byte or one
 * byte too long it is refused; each limit plus one is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/proto/frames.h"
#include "shared/proto/link.h"

/* a frame of any kind, and how it is written and read */
union any {
	struct f_active active;
	struct f_ping ping;
	uint32_t u32;
	struct f_error error;
	struct f_append append;
	struct f_ack ack;
	struct f_nak nak;
	struct f_sub sub;
	struct f_subbed subbed;
	struct f_item item;
	struct f_read read;
	struct f_set set;
	struct f_state state;
	struct f_eph eph;
	struct f_pres pres;
	struct f_room room;
	struct f_who who;
	struct f_whois whois;
	struct f_kick kick;
	struct f_join join;
	struct f_joined joined;
	struct f_beat beat;
	struct f_topo topo;
	struct f_report report;
	struct f_job job;
	struct f_event event;
};

struct codec {
	const char *name;
	uint8_t type;
	void (*put)(struct buf *, const union any *);
	int (*get)(struct str, union any *);
	void (*max)(union any *), (*min)(union any *);
};

static char text[70000]; /* x x x x */

static struct str
x(size_t n)
{
	return str_n(text, n);
}

static void
max_item(struct item *it)
{
	*it = (struct item){.seq = UINT64_MAX,
	    .ts = INT64_MAX,
	    .kind = ITEM_POINTER,
	    .flags = 0xffff,
	    .uid = x(ID_MAX),
	    .cid = x(CID_MAX),
	    .cn = UINT64_MAX,
	    .name = x(NAME_MAX_BYTES),
	    .avatar = x(AVATAR_MAX),
	    .ref = UINT64_MAX,
	    .crc = UINT32_MAX,
	    .body = x(BODY_MAX),
	    .pchan = STR_LIT("p:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:"
			     "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
	    .useq = UINT64_MAX,
	    .rid = x(ID_MAX)};
}

static void
max_state(struct state_rec *r)
{
	*r = (struct state_rec){.key = x(STATE_KEY_MAX),
	    .val = x(STATE_VAL_MAX),
	    .exp = INT64_MAX,
	    .rev = UINT64_MAX};
}

static void
max_user(struct room_user *u)
{
	*u = (struct room_user){.cn = UINT64_MAX,
	    .uid = x(ID_MAX),
	    .name = x(NAME_MAX_BYTES),
	    .avatar = x(AVATAR_MAX),
	    .again = true};
}

#define CODEC(NAME, TYPE)                                           \
	static void c_put_##NAME(struct buf *b, const union any *a) \
	{                                                           \
		put_##NAME(b, &a->NAME);                            \
	}                                                           \
	static int c_get_##NAME(struct str s, union any *a)         \
	{                                                           \
		return get_##NAME(s, &a->NAME);                     \
	}                                                           \
	static void c_min_##NAME(union any *a);                     \
	static void c_max_##NAME(union any *a)

#define MIN(NAME) static void c_min_##NAME(union any *a)

CODEC(active, F_ACTIVE)
{
	a->active = (struct f_active){UINT64_MAX, STR_LIT("0123abcd"), true};
}
MIN(active)
{
	a->active = (struct f_active){0, STR_NONE, false};
}

static void
c_put_ping(struct buf *b, const union any *a)
{
	put_ping(b, F_PING, &a->ping);
}
static int
c_get_ping(struct str s, union any *a)
{
	return get_ping(s, &a->ping);
}
static void
c_max_ping(union any *a)
{
	a->ping = (struct f_ping){INT64_MIN, UINT64_MAX};
}
MIN(ping)
{
	(void)a;
}

static void
c_put_u32(struct buf *b, const union any *a)
{
	put_credit(b, a->u32);
}
static int
c_get_u32(struct str s, union any *a)
{
	return get_credit(s, &a->u32);
}
static void
c_max_u32(union any *a)
{
	a->u32 = UINT32_MAX;
}
MIN(u32)
{
	(void)a;
}

static void
c_put_unsub(struct buf *b, const union any *a)
{
	put_unsub(b, a->u32);
}
static int
c_get_unsub(struct str s, union any *a)
{
	return get_unsub(s, &a->u32);
}
MIN(unsub)
{
	a->u32 = 1;
}

CODEC(error, F_ERROR)
{
	a->error = (struct f_error){0xffff, x(1024)};
}
MIN(error)
{
	(void)a;
}

CODEC(append, F_APPEND)
{
	struct f_append *f = &a->append;

	f->req = UINT64_MAX;
	f->chan = STR_LIT("r:12");
	max_item(&f->item);
	f->need = f->deny = f->if_key = x(STATE_KEY_MAX);
	f->if_rev = UINT64_MAX;
	for (f->n_states = 0; f->n_states < STATES_MAX; f->n_states++)
		max_state(&f->states[f->n_states]);
	f->n_to = TO_MAX;
	f->to[0] = STR_LIT("u:1001");
	f->to[1] = STR_LIT("u:1002");
}
MIN(append)
{
	a->append.req = 1;
	a->append.chan = STR_LIT("c:");
	a->append.item.kind = ITEM_MESSAGE;
}

CODEC(ack, F_ACK)
{
	a->ack =
	    (struct f_ack){UINT64_MAX, UINT64_MAX, INT64_MAX, UINT64_MAX, true};
}
MIN(ack)
{
	(void)a;
}

CODEC(nak, F_NAK)
{
	a->nak = (struct f_nak){UINT64_MAX, 0xffff, UINT32_MAX};
}
MIN(nak)
{
	(void)a;
}

CODEC(sub, F_SUB)
{
	a->sub = (struct f_sub){UINT32_MAX, STR_LIT("u:1001"), SUB_HEAD - 1,
	    STR_LIT("ffffffff"), true, true};
}
MIN(sub)
{
	a->sub.ch = 1;
	a->sub.chan = STR_LIT("r:x");
	a->sub.from_seq = SUB_HEAD;
}

CODEC(subbed, F_SUBBED)
{
	struct f_subbed *f = &a->subbed;

	f->ch = UINT32_MAX;
	f->ep = STR_LIT("ffffffff");
	f->head = f->first = UINT64_MAX;
	f->reset = f->more = true;
	for (f->n_states = 0; f->n_states < 64; f->n_states++)
		max_state(&f->states[f->n_states]);
}
MIN(subbed)
{
	a->subbed.ch = 1;
	a->subbed.ep = STR_LIT("00000000");
}

CODEC(item, F_ITEM)
{
	struct f_item *f = &a->item;

	f->gen = UINT64_MAX;
	f->req = UINT64_MAX;
	f->chan = STR_LIT("p:1001:1002");
	f->n_refs = TO_MAX;
	f->refs[0].ch = f->refs[1].ch = UINT32_MAX;
	f->refs[0].useq = f->refs[1].useq = UINT64_MAX;
	max_item(&f->item);
	for (f->n_states = 0; f->n_states < STATES_MAX; f->n_states++)
		max_state(&f->states[f->n_states]);
}
MIN(item)
{
	a->item.ch = 1;
	a->item.item.kind = ITEM_MESSAGE;
}

CODEC(read, F_READ)
{
	a->read = (struct f_read){UINT32_MAX, STR_LIT("r:1"), UINT64_MAX,
	    UINT64_MAX, PAGE_MAX, true, UINT32_MAX};
}
MIN(read)
{
	a->read.chan = STR_LIT("r:1");
	a->read.n = 1;
}

CODEC(set, F_SET)
{
	a->set.chan = STR_LIT("u:1");
	max_state(&a->set.rec);
}
MIN(set)
{
	a->set.chan = STR_LIT("c:");
	a->set.rec.key = x(1);
}

CODEC(state, F_STATE)
{
	a->state.ch = UINT32_MAX;
	max_state(&a->state.rec);
}
MIN(state)
{
	a->state.ch = 1;
	a->state.rec.key = x(1);
}

CODEC(eph, F_EPH)
{
	a->eph = (struct f_eph){
	    UINT32_MAX, STR_LIT("r:1"), 255, x(ID_MAX), x(STATE_VAL_MAX)};
}
MIN(eph)
{
	a->eph.chan = STR_LIT("r:1");
}

CODEC(pres, F_PRES)
{
	struct f_pres *f = &a->pres;

	f->op = PRES_SET;
	f->cn = UINT64_MAX;
	f->uid = f->dev = x(ID_MAX);
	f->name = x(NAME_MAX_BYTES);
	f->avatar = x(AVATAR_MAX);
	f->dialect = f->level = 255;
	f->silent = f->away = true;
	for (f->n_add = 0; f->n_add < 32; f->n_add++)
		f->add[f->n_add] = x(ID_MAX);
	for (f->n_del = 0; f->n_del < 32; f->n_del++)
		f->del[f->n_del] = x(1);
}
MIN(pres)
{
	a->pres.op = PRES_BYE;
}

CODEC(room, F_ROOM)
{
	struct f_room *f = &a->room;

	f->ch = f->count = UINT32_MAX;
	f->big = true;
	for (f->n_in = 0; f->n_in < 64; f->n_in++)
		max_user(&f->in[f->n_in]);
	for (f->n_out = 0; f->n_out < 64; f->n_out++)
		max_user(&f->out[f->n_out]);
}
MIN(room)
{
	a->room.ch = 1;
}

CODEC(who, F_WHO)
{
	a->who =
	    (struct f_who){UINT32_MAX, WHO_ROOM_INFO, x(8192), x(64), 0xffff};
}
MIN(who)
{
	a->who.what = WHO_ROOM;
}

CODEC(whois, F_WHOIS)
{
	a->whois =
	    (struct f_whois){UINT32_MAX, 200, UINT32_MAX, x(64), x(70000)};
}
MIN(whois)
{
	(void)a;
}

CODEC(kick, F_KICK)
{
	a->kick = (struct f_kick){UINT64_MAX, x(ID_MAX), 0xffff, x(1024)};
}
MIN(kick)
{
	a->kick.cn = 1;
}

CODEC(join, F_JOIN)
{
	a->join = (struct f_join){x(ID_MAX), x(32), ROLE_CTL, UINT32_MAX,
	    UINT32_MAX, UINT32_MAX, UINT32_MAX, x(256), x(256), x(256), x(256)};
}
MIN(join)
{
	a->join.name = x(1);
	a->join.role = ROLE_MSG;
}

CODEC(joined, F_JOINED)
{
	a->joined = (struct f_joined){UINT32_MAX, UINT64_MAX};
}
MIN(joined)
{
	(void)a;
}

CODEC(beat, F_BEAT)
{
	a->beat = (struct f_beat){UINT32_MAX, 1, 2, 3, 4, 5, 6, UINT32_MAX, 2};
}
MIN(beat)
{
	a->beat.state = 1;
}

CODEC(topo, F_TOPO)
{
	a->topo = (struct f_topo){UINT64_MAX, x(70000)};
}
MIN(topo)
{
	a->topo.json = STR_LIT("");
}

CODEC(report, F_REPORT)
{
	a->report = (struct f_report){UINT64_MAX, STR_LIT("ffffffff"), true};
}
MIN(report)
{
	(void)a;
}

CODEC(job, F_JOB)
{
	a->job = (struct f_job){UINT64_MAX, x(32), x(65536)};
}
MIN(job)
{
	a->job.kind = x(1);
}

CODEC(event, F_EVENT)
{
	a->event = (struct f_event){x(32), x(1024)};
}
MIN(event)
{
	a->event.kind = x(1);
}

#define ROW(NAME, TYPE)                                                \
	{                                                              \
#NAME, TYPE, c_put_##NAME, c_get_##NAME, c_max_##NAME, \
		    c_min_##NAME                                       \
	}
#define c_max_unsub c_max_u32

static const struct codec codecs[] = {
    ROW(active, F_ACTIVE),
    ROW(ping, F_PING),
    ROW(u32, F_CREDIT),
    ROW(unsub, F_UNSUB),
    ROW(error, F_ERROR),
    ROW(append, F_APPEND),
    ROW(ack, F_ACK),
    ROW(nak, F_NAK),
    ROW(sub, F_SUB),
    ROW(subbed, F_SUBBED),
    ROW(item, F_ITEM),
    ROW(read, F_READ),
    ROW(set, F_SET),
    ROW(state, F_STATE),
    ROW(eph, F_EPH),
    ROW(pres, F_PRES),
    ROW(room, F_ROOM),
    ROW(who, F_WHO),
    ROW(whois, F_WHOIS),
    ROW(kick, F_KICK),
    ROW(join, F_JOIN),
    ROW(joined, F_JOINED),
    ROW(beat, F_BEAT),
    ROW(topo, F_TOPO),
    ROW(report, F_REPORT),
    ROW(job, F_JOB),
    ROW(event, F_EVENT),
};

static struct str
body_of(const struct buf *b)
{
	return str_n(buf_p(b) + LINK_HEAD, buf_len(b) - LINK_HEAD - 4);
}

static void
check_one(const struct codec *c, void (*fill)(union any *), const char *how)
{
	static union any a, back;
	struct buf one, two;
	struct str body;
	char *copy;
	size_t n, step;

	memset(&a, 0, sizeof a);
	memset(&back, 0xee, sizeof back);
	fill(&a);
	buf_init(&one, 1 << 21);
	buf_init(&two, 1 << 21);
	c->put(&one, &a);
	if (!buf_ok(&one) || buf_len(&one) < LINK_HEAD + 4)
		fail_msg("%s %s: can't be written", c->name, how);
	assert_int_equal(buf_p(&one)[4], c->type);
	body = body_of(&one);
	if (c->get(body, &back) != 0)
		fail_msg("%s %s: can't be read", c->name, how);
	c->put(&two, &back);
	if (!str_eq(buf_str(&one), buf_str(&two)))
		fail_msg("%s %s: not the same again", c->name, how);
	/* cut at every byte (in the middle of long fields: at some) */
	step = body.len > 20000 ? 97 : 1;
	for (n = 0; n < body.len; n += step) {
		copy = malloc(n ? n : 1); /* a reader beyond it is seen */
		memcpy(copy, body.p, n);
		if (c->get(str_n(copy, n), &back) == 0)
			fail_msg("%s %s: good with %zu bytes of %zu", c->name,
			    how, n, body.len);
		free(copy);
	}
	copy = malloc(body.len + 1);
	memcpy(copy, body.p, body.len);
	copy[body.len] = 0;
	if (c->get(str_n(copy, body.len + 1), &back) == 0)
		fail_msg("%s %s: good with a byte too many", c->name, how);
	free(copy);
	buf_fini(&one);
	buf_fini(&two);
}

static void
test_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		check_one(&codecs[i], codecs[i].max, "full");
		check_one(&codecs[i], codecs[i].min, "bare");
	}
}

/* what a reader must refuse: a full frame with one field out of bounds */
#define BAD(NAME, WANT, CHANGE)                                       \
	do {                                                          \
		static union any u, back;                             \
		struct buf b;                                         \
		int err;                                              \
                                                                      \
		memset(&u, 0, sizeof u);                              \
		c_max_##NAME(&u);                                     \
		{                                                     \
			__typeof__(u.NAME) *f = &u.NAME;              \
			CHANGE;                                       \
		}                                                     \
		buf_init(&b, 1 << 21);                                \
		c_put_##NAME(&b, &u);                                 \
		assert_true(buf_ok(&b));                              \
		err = c_get_##NAME(body_of(&b), &back);               \
		if (err != (WANT))                                    \
			fail_msg(#NAME ": " #CHANGE " gave %d", err); \
		buf_fini(&b);                                         \
	} while (0)

static void
test_limits(void **state)
{
	(void)state;
	BAD(error, ERR_LIMIT, f->text = x(1025));
	BAD(append, ERR_LIMIT, f->item.uid = x(ID_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.cid = x(CID_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.name = x(NAME_MAX_BYTES + 1));
	BAD(append, ERR_LIMIT, f->item.avatar = x(AVATAR_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.body = x(BODY_MAX + 1));
	BAD(append, ERR_LIMIT, f->item.rid = x(ID_MAX + 1));
	BAD(append, ERR_LIMIT, f->need = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->deny = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->if_key = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->states[3].key = x(STATE_KEY_MAX + 1));
	BAD(append, ERR_LIMIT, f->states[15].val = x(STATE_VAL_MAX + 1));
	BAD(sub, ERR_LIMIT, f->ep = x(9));
	BAD(subbed, ERR_LIMIT, f->states[63].val = x(STATE_VAL_MAX + 1));
	BAD(item, ERR_LIMIT, f->item.body = x(BODY_MAX + 1));
	BAD(read, ERR_LIMIT, f->n = PAGE_MAX + 1);
	BAD(set, ERR_LIMIT, f->rec.key = x(STATE_KEY_MAX + 1));
	BAD(eph, ERR_LIMIT, f->body = x(STATE_VAL_MAX + 1));
	BAD(pres, ERR_LIMIT, f->dev = x(ID_MAX + 1));
	BAD(pres, ERR_LIMIT, f->add[31] = x(ID_MAX + 1));
	BAD(room, ERR_LIMIT, f->in[63].name = x(NAME_MAX_BYTES + 1));
	BAD(who, ERR_LIMIT, f->arg = x(8193));
	BAD(who, ERR_LIMIT, f->next = x(65));
	BAD(kick, ERR_LIMIT, f->text = x(1025));
	BAD(join, ERR_LIMIT, f->link = x(257));
	BAD(join, ERR_LIMIT, f->version = x(33));
	BAD(job, ERR_LIMIT, f->kind = x(33));
	BAD(job, ERR_LIMIT, f->args = x(65537));
	BAD(event, ERR_LIMIT, f->detail = x(1025));
}

static void
test_grammar(void **state)
{
	(void)state;
	BAD(active, ERR_PROTO, f->ep = STR_NONE);
	BAD(active, ERR_PROTO, f->ep = STR_LIT("0123ABCD"));
	BAD(active, ERR_PROTO, f->ep = STR_LIT("0123abc"));
	BAD(append, ERR_PROTO, f->req = 0);
	BAD(append, ERR_PROTO, f->chan = STR_NONE);
	BAD(append, ERR_PROTO, f->chan = STR_LIT("r:"));
	BAD(append, ERR_PROTO, f->chan = STR_LIT("z:1"));
	BAD(append, ERR_PROTO, f->chan = STR_LIT("p:2:1"));
	BAD(append, ERR_PROTO, f->to[1] = STR_LIT("r:1"));
	BAD(append, ERR_PROTO, f->to[0] = STR_NONE);
	BAD(append, ERR_PROTO, f->item.uid = STR_LIT("a b"));
	BAD(append, ERR_PROTO, f->item.uid = STR_LIT(""));
	BAD(append, ERR_PROTO, f->item.cid = STR_LIT("a\n"));
	BAD(append, ERR_PROTO, f->item.name = STR_LIT("\xff"));
	BAD(append, ERR_PROTO, f->item.kind = 0);
	BAD(append, ERR_PROTO, f->item.kind = ITEM_POINTER + 1);
	BAD(append, ERR_PROTO, f->item.pchan = STR_LIT("r:1"));
	BAD(append, ERR_PROTO, f->states[0].key = STR_NONE);
	BAD(append, ERR_PROTO, f->states[0].key = STR_LIT(""));
	BAD(append, ERR_PROTO, f->need = STR_LIT(""));
	BAD(sub, ERR_PROTO, f->ch = 0);
	BAD(sub, ERR_PROTO, f->ep = STR_NONE);
	BAD(subbed, ERR_PROTO, f->ch = 0);
	BAD(item, ERR_PROTO, f->chan = STR_NONE; f->ch = 0);
	BAD(item, ERR_PROTO, f->ch = 1);
	BAD(read, ERR_PROTO, f->n = 0);
	BAD(eph, ERR_PROTO, f->chan = STR_NONE; f->ch = 0);
	BAD(pres, ERR_PROTO, f->op = 0);
	BAD(pres, ERR_PROTO, f->op = 4);
	BAD(pres, ERR_PROTO, f->uid = STR_NONE);
	BAD(pres, ERR_PROTO, f->del[0] = STR_LIT("a/b"));
	BAD(room, ERR_PROTO, f->ch = 0);
	BAD(room, ERR_PROTO, f->out[0].uid = STR_NONE);
	BAD(who, ERR_PROTO, f->what = 0);
	BAD(who, ERR_PROTO, f->what = WHO_ROOM_INFO + 1);
	BAD(kick, ERR_PROTO, f->cn = 0; f->uid = STR_NONE);
	BAD(join, ERR_PROTO, f->role = 0);
	BAD(join, ERR_PROTO, f->name = STR_LIT("a.b"));
	BAD(beat, ERR_PROTO, f->state = 0);
	BAD(beat, ERR_PROTO, f->state = 3);
	BAD(topo, ERR_PROTO, f->json = STR_NONE);
}

/* counts over their limit: by hand, no writer of ours does it */
static void
test_counts(void **state)
{
	static union any a;
	struct buf b;
	struct str body;
	char *copy;

	(void)state;
	memset(&a, 0, sizeof a);
	c_min_append(&a);
	buf_init(&b, 1 << 20);
	put_append(&b, &a.append);
	body = body_of(&b);
	copy = malloc(body.len);
	memcpy(copy, body.p, body.len);
	/* the last two bytes are n_to */
	copy[body.len - 2] = TO_MAX + 1;
	assert_int_equal(
	    get_append(str_n(copy, body.len), &a.append), ERR_LIMIT);
	memcpy(copy, body.p, body.len);
	copy[body.len - 4] = STATES_MAX + 1;
	assert_int_equal(
	    get_append(str_n(copy, body.len), &a.append), ERR_LIMIT);
	free(copy);
	buf_reset(&b);

	memset(&a, 0, sizeof a);
	c_min_item(&a);
	put_item(&b, &a.item);
	body = body_of(&b);
	copy = malloc(body.len);
	memcpy(copy, body.p, body.len);
	copy[body.len - 1] = TO_MAX + 1; /* n_refs */
	assert_int_equal(get_item(str_n(copy, body.len), &a.item), ERR_LIMIT);
	free(copy);
	buf_fini(&b);
}

/* one item to two links: only the tail differs, both are whole frames */
static void
test_item_shared(void **state)
{
	static union any a, back;
	struct item_shared sh;
	struct buf one, two;

	(void)state;
	memset(&sh, 0, sizeof sh);
	buf_init(&sh.bytes, LINK_FRAME_MAX);
	buf_init(&one, 1 << 20);
	buf_init(&two, 1 << 20);
	memset(&a, 0, sizeof a);
	c_max_item(&a);
	a.item.chan = STR_NONE;
	a.item.n_refs = 0;
	for (uint32_t ch = 1; ch < 4; ch++) {
		a.item.ch = ch;
		a.item.req = ch * 100;
		if (ch == 1)
			item_share(&sh, &a.item);
		put_item_shared(&one, &sh, &a.item);
		put_item(&two, &a.item);
	}
	assert_true(str_eq(buf_str(&one), buf_str(&two)));
	assert_int_equal(get_item(str_n(buf_p(&one) + LINK_HEAD,
				      buf_len(&one) / 3 - LINK_HEAD - 4),
			     &back.item),
	    0);
	assert_int_equal(back.item.ch, 1);
	assert_int_equal(back.item.req, 100);
	/* no room: nothing of it, and the buf says so */
	buf_fini(&two);
	buf_init(&two, 1000);
	put_item_shared(&two, &sh, &a.item);
	assert_false(buf_ok(&two));
	assert_int_equal(buf_len(&two), 0);
	buf_fini(&sh.bytes);
	buf_fini(&one);
	buf_fini(&two);
}

static void
test_page(void **state)
{
	static struct item it;
	struct f_page f = {.rid = 9, .code = 200, .ep = STR_LIT("0123abcd")};
	struct f_page back;
	struct buf b;
	struct str rest;
	size_t mark, n;

	(void)state;
	buf_init(&b, LINK_FRAME_MAX + 4);
	/* empty, and the refusal without a history */
	mark = put_page_begin(&b, &f);
	put_page_end(&b, mark, &f);
	assert_int_equal(get_page(body_of(&b), &back, &rest), 0);
	assert_int_equal(back.n_items, 0);
	assert_int_equal(rest.len, 0);
	buf_reset(&b);
	mark = put_page_begin(&b, &(struct f_page){.rid = 9, .code = 503});
	put_page_end(&b, mark, &(struct f_page){.rid = 9, .code = 503});
	assert_int_equal(get_page(body_of(&b), &back, &rest), 0);
	assert_int_equal(back.code, 503);
	assert_false(str_is_set(back.ep));
	buf_reset(&b);

	/* until the frame is full */
	max_item(&it);
	mark = put_page_begin(&b, &f);
	for (n = 0; put_page_item(&b, &it) == 0; n++)
		;
	assert_in_range(n, 14, 16);
	assert_true(buf_ok(&b));
	f.n_items = (uint16_t)n;
	f.more = true;
	f.first = 3;
	f.head = 77;
	put_page_end(&b, mark, &f);
	assert_true(buf_ok(&b));
	assert_int_equal(get_page(body_of(&b), &back, &rest), 0);
	assert_int_equal(back.rid, 9);
	assert_int_equal(back.first, 3);
	assert_int_equal(back.head, 77);
	assert_true(back.more);
	assert_true(str_eqc(back.ep, "0123abcd"));
	assert_int_equal(back.n_items, n);
	for (size_t i = 0; i < n; i++) {
		struct item got;

		assert_int_equal(frames_page_next(&rest, &got), 0);
		assert_int_equal(got.body.len, BODY_MAX);
		assert_true(got.useq == UINT64_MAX);
	}
	assert_int_equal(rest.len, 0);
	assert_int_equal(frames_page_next(&rest, &it), ERR_PROTO);
	buf_fini(&b);
}

static void
test_page_cut(void **state)
{
	struct f_page f = {.rid = 9, .code = 200, .ep = STR_LIT("0123abcd")};
	struct item it = {.kind = ITEM_MESSAGE, .body = STR_LIT("hi")};
	struct f_page back;
	struct buf b;
	struct str rest, body;
	size_t mark;

	(void)state;
	buf_init(&b, 4096);
	mark = put_page_begin(&b, &f);
	assert_int_equal(put_page_item(&b, &it), 0);
	f.n_items = 1;
	put_page_end(&b, mark, &f);
	body = body_of(&b);
	for (size_t n = 0; n < body.len; n++) {
		char *copy = malloc(n ? n : 1);
		struct item got;

		memcpy(copy, body.p, n);
		if (get_page(str_n(copy, n), &back, &rest) == 0)
			assert_int_not_equal(frames_page_next(&rest, &got), 0);
		free(copy);
	}
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_grammar),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_item_shared),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_page_cut),
	};

	memset(text, 'x', sizeof text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
