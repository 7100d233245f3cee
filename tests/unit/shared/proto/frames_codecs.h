/* SPDX-License-Identifier: MIT */
/*
 * Every frame as a row of one table: how it is written and read, one with all
 * fields at their limit (max) and one with all optional ones absent (min).
 */
#ifndef TESTS_UNIT_SHARED_PROTO_FRAMES_CODECS_H
#define TESTS_UNIT_SHARED_PROTO_FRAMES_CODECS_H

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
	struct f_watch watch;
	struct f_status status;
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
	size_t older; /* a body of this length is one of an older version */
};

static char text[70000]; /* x x x x */

static struct str
x(size_t n)
{
	return str_n(text, n);
}

/* as many uids as there can be, as long as they can be */
static struct str
max_at(void)
{
	static char at[AT_BYTES];

	for (size_t i = 0; i < sizeof at; i++)
		at[i] = (i + 1) % (ID_MAX + 1) == 0 ? ',' : 'x';
	return str_n(at, sizeof at);
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
	    .rid = x(ID_MAX),
	    .at = max_at()};
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
	    .num_rid = true,
	    .again = true,
	    .maybe = true,
	    .age = UINT32_MAX};
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
	f->silent = f->away = f->num_rid = true;
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
	f->big = f->more = f->rest = f->unsure = true;
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

CODEC(watch, F_WATCH)
{
	struct f_watch *f = &a->watch;

	f->again = true;
	for (f->n_add = 0; f->n_add < 200; f->n_add++)
		f->add[f->n_add] = x(ID_MAX);
	for (f->n_del = 0; f->n_del < 200; f->n_del++)
		f->del[f->n_del] = x(1);
}
MIN(watch)
{
	(void)a;
}

CODEC(status, F_STATUS)
{
	struct f_status *f = &a->status;

	for (f->n = 0; f->n < 128; f->n++)
		f->list[f->n] =
		    (struct status_rec){x(ID_MAX), STATUS_ON, INT64_MAX};
}
MIN(status)
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
	    UINT32_MAX, UINT32_MAX, UINT32_MAX, x(256), x(256), x(256), x(256),
	    x(256)};
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
	a->beat = (struct f_beat){UINT32_MAX, 1, 2, 3, 4, 5, 6, UINT32_MAX, 2,
	    UINT64_MAX, 7, UINT32_MAX};
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
	a->job.id = 1;
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
		    c_min_##NAME, 0                                    \
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
    ROW(watch, F_WATCH),
    ROW(status, F_STATUS),
    ROW(kick, F_KICK),
    {"join", F_JOIN, c_put_join, c_get_join, c_max_join, c_min_join, 1117},
    ROW(joined, F_JOINED),
    {"beat", F_BEAT, c_put_beat, c_get_beat, c_max_beat, c_min_beat, 33},
    ROW(topo, F_TOPO),
    ROW(report, F_REPORT),
    ROW(job, F_JOB),
    ROW(event, F_EVENT),
};

#endif
