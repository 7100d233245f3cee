/* SPDX-License-Identifier: MIT */
/*
 * A whole proxy on a log that the test plays: msg_servers link over socket
 * pairs, operations come back when and how the test says.
 */
#include "tests/unit/shared/net/fixture.h"

#include <ftw.h>
#include <unistd.h>

#include "proxy_server/peer.h"
#include "proxy_server/presence.h"
#include "proxy_server/proxy.h"
#include "proxy_server/route.h"
#include "shared/proto/json.h"

/* ---- the log, played -------------------------------------------------- */

static struct {
	const struct log_ops *ops;
	void *arg;
	struct log_op *head, **tail;
	unsigned n;
	bool busy;
	uint64_t reads;
	struct f_read read; /* the last one */
	uint64_t read_peer;
} fake;

struct log *
log_open(struct ev_loop *loop, const struct log_settings *set,
    const struct log_ops *ops, void *arg)
{
	(void)loop;
	(void)set;
	memset(&fake, 0, sizeof fake);
	fake.ops = ops;
	fake.arg = arg;
	fake.tail = &fake.head;
	return (struct log *)&fake;
}

int
log_op_new(
    enum log_kind kind, uint64_t peer, struct str body, struct log_op **out)
{
	struct log_op *op = calloc(1, sizeof *op + body.len);
	struct str copy;
	int err = 0;

	op->kind = kind;
	op->peer = peer;
	op->body_len = body.len;
	memcpy(op->body, body.p, body.len);
	copy = str_n(op->body, body.len);
	switch (kind) {
	case LOG_APPEND:
		err = get_append(copy, &op->append);
		break;
	case LOG_TOUCH:
		err = get_sub(copy, &op->sub);
		break;
	case LOG_SET:
		err = get_set(copy, &op->set);
		break;
	}
	if (err != 0) {
		free(op);
		return err;
	}
	buf_init(&op->states, 65536);
	*out = op;
	return 0;
}

void
log_op_free(struct log_op *op)
{
	buf_fini(&op->states);
	free(op);
}

int
log_submit(struct log *l, struct log_op *op)
{
	(void)l;
	if (fake.busy)
		return ERR_BUSY;
	op->next = NULL;
	*fake.tail = op;
	fake.tail = &op->next;
	fake.n++;
	return 0;
}

int
log_read(struct log *l, uint64_t peer, const struct f_read *read)
{
	(void)l;
	fake.reads++;
	fake.read = *read;
	fake.read_peer = peer;
	return fake.busy ? ERR_BUSY : 0;
}

int
log_states_next(struct str *rest, struct state_rec *rec)
{
	if (rest->len == 0)
		return ERR_EOF;
	rec->key = str_n(rest->p, 1); /* one letter a state */
	rec->val = STR_LIT("v");
	rec->rev = 1;
	rec->exp = 0;
	*rest = str_n(rest->p + 1, rest->len - 1);
	return 0;
}

enum log_state
log_state(const struct log *l)
{
	(void)l;
	return LOG_ACTIVE;
}

void
log_figures(struct log *l, struct log_figures *out)
{
	(void)l;
	memset(out, 0, sizeof *out);
}

int
log_lock_holder(
    const char *dir, int *pid, uint64_t *start, char name[ID_MAX + 1])
{
	(void)dir;
	*pid = 1;
	*start = 1;
	str_copy(name, ID_MAX + 1, STR_LIT("other"));
	return 0;
}

/* answers the oldest operation; seq of r:, useq of u: */
static void
commit(uint16_t code, uint64_t seq, uint64_t useq0, uint64_t useq1, bool dup)
{
	struct log_op *op = fake.head;

	assert_non_null(op);
	fake.head = op->next;
	if (fake.head == NULL)
		fake.tail = &fake.head;
	fake.n--;
	op->code = code;
	op->seq = op->head = seq;
	op->first = 1;
	op->ts = (int64_t)seq * 1000;
	op->useq[0] = useq0;
	op->useq[1] = useq1;
	op->dup = dup;
	if (code == 503)
		op->retry_ms = 5000;
	if (op->kind == LOG_TOUCH && op->sub.want_state) {
		buf_puts(&op->states, "ab");
		op->n_states = 2;
	}
	fake.ops->on_done(fake.arg, op);
	fake.ops->on_batch_end(fake.arg);
	log_op_free(op);
}

void
log_close(struct log *l)
{
	(void)l;
	while (fake.head != NULL)
		commit(200, 77, 0, 0, false);
}

/* ---- a msg_server ----------------------------------------------------- */

struct ms {
	struct linkconn lc;
	int ups, downs, deads;
	int n[256]; /* frames by type */
	char why[200];
	struct f_active active;
	char ep[9];
	struct f_subbed subbed;
	struct f_item item;
	struct item got[16]; /* numbers of items, in order */
	struct f_ack ack;
	struct f_nak nak;
	struct f_page page;
	struct f_room room;
	struct f_whois whois;
	struct f_kick kick;
	struct f_eph eph;
	struct f_state state;
	char text[4096]; /* of the last EPH, WHOIS, KICK, STATE */
};

static struct fx fx;
static struct proxy p;
static struct ms m[4];
static char dir[64];
static char any_port[] = "127.0.0.1:0";
static bool quit;
static struct settings defaults;

static void
ms_on_up(struct linkconn *lc)
{
	((struct ms *)lc->arg)->ups++;
}

static int
ms_on_frame(struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct ms *s = lc->arg;
	struct str rest;
	int err = 0;

	(void)flags;
	switch (type) {
	case F_ACTIVE:
		err = get_active(body, &s->active);
		str_copy(s->ep, sizeof s->ep, s->active.ep);
		break;
	case F_SUBBED:
		err = get_subbed(body, &s->subbed);
		break;
	case F_ITEM:
		err = get_item(body, &s->item);
		if (s->n[F_ITEM] < 16)
			s->got[s->n[F_ITEM]] = s->item.item;
		break;
	case F_ACK:
		err = get_ack(body, &s->ack);
		break;
	case F_NAK:
		err = get_nak(body, &s->nak);
		break;
	case F_PAGE:
		err = get_page(body, &s->page, &rest);
		break;
	case F_ROOM:
		err = get_room(body, &s->room);
		str_copy(s->text, sizeof s->text,
		    s->room.n_in ? s->room.in[0].uid : STR_LIT(""));
		break;
	case F_WHOIS:
		err = get_whois(body, &s->whois);
		str_copy(s->text, sizeof s->text, s->whois.json);
		break;
	case F_KICK:
		err = get_kick(body, &s->kick);
		str_copy(s->text, sizeof s->text, s->kick.text);
		break;
	case F_EPH:
		err = get_eph(body, &s->eph);
		str_copy(s->text, sizeof s->text, s->eph.body);
		break;
	case F_STATE:
		err = get_state(body, &s->state);
		str_copy(s->text, sizeof s->text, s->state.rec.key);
		break;
	default:
		fail_msg("frame %u", type);
	}
	assert_int_equal(err, 0);
	s->n[type]++;
	return 0;
}

static void
ms_on_down(struct linkconn *lc, int err, const char *why)
{
	struct ms *s = lc->arg;

	(void)err;
	s->downs++;
	str_copy(s->why, sizeof s->why, str_of(why));
}

static void
ms_on_dead(struct linkconn *lc)
{
	((struct ms *)lc->arg)->deads++;
}

static const struct linkconn_ops ms_ops = {
    .on_up = ms_on_up,
    .on_frame = ms_on_frame,
    .on_down = ms_on_down,
    .on_dead = ms_on_dead,
};

static void
ms_start(struct ms *s, enum link_role role, const char *name, uint32_t node,
    uint32_t inc)
{
	struct link_id id = {
	    .role = role, .cluster = "cchat", .node_no = node, .inc = inc};
	int fd[2];

	str_copy(id.name, sizeof id.name, str_of(name));
	memset(s, 0, sizeof *s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	peer_open(&p, fd[0], "test");
	linkconn_open(&s->lc, fx.net, fd[1], true, &id, p.key, &ms_ops, s);
}

static void
ms_open(struct ms *s, const char *name, uint32_t node)
{
	ms_start(s, ROLE_MSG, name, node, 1);
	FX_WAIT(&fx, 2000, s->n[F_ACTIVE] == 1);
}

static void
ms_sub(struct ms *s, uint32_t ch, const char *chan)
{
	struct f_sub f = {.ch = ch,
	    .chan = str_of(chan),
	    .from_seq = SUB_HEAD,
	    .want_presence = true};
	unsigned n = fake.n;

	put_sub(linkconn_out(&s->lc), &f);
	FX_WAIT(&fx, 2000, fake.n > n);
}

/* ... and the log has answered */
static void
ms_subbed(struct ms *s, uint32_t ch, const char *chan, uint64_t head)
{
	int n = s->n[F_SUBBED];

	ms_sub(s, ch, chan);
	commit(200, head, 0, 0, false);
	FX_WAIT(&fx, 2000, s->n[F_SUBBED] == n + 1);
	assert_int_equal(s->subbed.ch, ch);
	assert_int_equal(s->subbed.head, head);
}

static void
ms_append(struct ms *s, uint64_t req, const char *chan, const char *body,
    const char *to0, const char *to1)
{
	struct f_append f = {.req = req,
	    .chan = str_of(chan),
	    .item = {.kind = ITEM_MESSAGE,
		.uid = STR_LIT("amy"),
		.cid = STR_LIT("c1"),
		.body = str_of(body)},
	    .n_to = (uint8_t)((to0 != NULL) + (to1 != NULL)),
	    .to = {str_of(to0), str_of(to1)}};
	unsigned n = fake.n;

	put_append(linkconn_out(&s->lc), &f);
	FX_WAIT(&fx, 2000, fake.n > n);
}

static void
activate(uint64_t gen, const char *ep)
{
	fake.ops->on_state(fake.arg, LOG_ACTIVE, gen, ep, NULL, 0);
}

static void
on_quit(struct proxy *px)
{
	(void)px;
	quit = true;
}

static int
setup(void **state)
{
	(void)state;
	memset(&p, 0, sizeof p);
	p.set = defaults;
	memset(m, 0, sizeof m);
	quit = false;
	fx_init(&fx);
	strcpy(dir, "/tmp/cchat-route-XXXXXX");
	assert_non_null(mkdtemp(dir));
	p.set.data = dir;
	p.set.link_listen = p.set.admin = any_port;
	p.set.presence_grace = 0;
	p.net = fx.net;
	p.loop = fx.loop;
	p.on_quit = on_quit;
	proxy_init(&p);
	proxy_open(&p);
	activate(3, "0123abcd");
	return 0;
}

static int
rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(m); i++)
		if (m[i].lc.ops != NULL && m[i].downs == 0)
			linkconn_close(&m[i].lc, 0, "over", 0);
	for (unsigned i = 0; i < ARRAY_LEN(m); i++)
		FX_WAIT(&fx, 5000, m[i].lc.ops == NULL || m[i].deads == 1);
	proxy_stop(&p);
	FX_WAIT(&fx, 5000, quit);
	FX_WAIT(&fx, 5000, p.n_closing == 0);
	assert_int_equal(p.stats[P_CHANNELS], 0);
	assert_int_equal(p.stats[P_FOLLOWS], 0);
	listener_close(&p.admin.listener);
	httpd_stop(&p.admin.httpd);
	proxy_fini(&p);
	fx_fini(&fx);
	nftw(dir, rm_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* ---- tests ------------------------------------------------------------ */

static void
test_active(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	assert_true(m[0].active.active);
	assert_int_equal(m[0].active.gen, 3);
	assert_string_equal(m[0].ep, "0123abcd");
	activate(3, "0123abcd"); /* after trouble: no news */
	activate(3, "99999999"); /* another history */
	FX_WAIT(&fx, 2000, !strcmp(m[0].ep, "99999999"));
	assert_int_equal(m[0].n[F_ACTIVE], 2);
}

static void
test_fan_out(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_open(&m[2], "ms3", 3);
	ms_subbed(&m[0], 10, "r:12", 5);
	ms_subbed(&m[1], 20, "r:12", 5);
	ms_subbed(&m[2], 30, "r:13", 0);
	ms_append(&m[0], 1, "r:12", "hi", NULL, NULL);
	commit(200, 6, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ITEM] == 1 && m[1].n[F_ITEM] == 1);
	assert_int_equal(m[0].item.ch, 10);
	assert_int_equal(m[0].item.req, 1); /* its ack */
	assert_int_equal(m[0].item.gen, 3);
	assert_int_equal(m[0].got[0].seq, 6);
	assert_int_equal(m[0].got[0].ts, 6000);
	assert_int_equal(m[1].item.ch, 20);
	assert_int_equal(m[1].item.req, 0);
	fx_spin(&fx);
	assert_int_equal(m[2].n[F_ITEM], 0);
	assert_int_equal(m[0].n[F_ACK] + m[1].n[F_ACK], 0);

	/* of a channel that the appender does not follow: an ACK */
	ms_append(&m[2], 9, "r:12", "yo", NULL, NULL);
	commit(200, 7, 0, 0, false);
	FX_WAIT(&fx, 2000, m[2].n[F_ACK] == 1 && m[1].n[F_ITEM] == 2);
	assert_int_equal(m[2].ack.req, 9);
	assert_int_equal(m[2].ack.seq, 7);
	assert_false(m[2].ack.dup);

	/* a repeat goes to nobody but its sender */
	ms_append(&m[0], 2, "r:12", "hi", NULL, NULL);
	commit(200, 6, 0, 0, true);
	FX_WAIT(&fx, 2000, m[0].n[F_ACK] == 1);
	assert_true(m[0].ack.dup);
	assert_int_equal(m[0].ack.seq, 6);
	assert_int_equal(m[1].n[F_ITEM], 2);

	/* refused */
	ms_append(&m[0], 3, "r:12", "hi", NULL, NULL);
	commit(403, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1);
	assert_int_equal(m[0].nak.req, 3);
	assert_int_equal(m[0].nak.code, 403);

	put_unsub(linkconn_out(&m[1].lc), 20);
	FX_WAIT(&fx, 2000, p.stats[P_FOLLOWS] == 2);
	ms_append(&m[0], 4, "r:12", "bye", NULL, NULL);
	commit(200, 8, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ITEM] == 3);
	assert_int_equal(m[1].n[F_ITEM], 2);
}

static void
test_private(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_open(&m[2], "ms3", 3);
	ms_subbed(&m[0], 1, "u:amy", 10);
	ms_subbed(&m[1], 5, "u:bob", 20);
	ms_subbed(&m[2], 7, "u:amy", 10);
	ms_subbed(&m[2], 8, "u:bob", 20);
	ms_append(&m[0], 1, "p:amy:bob", "psst", "u:amy", "u:bob");
	commit(200, 3, 11, 21, false);
	FX_WAIT(&fx, 2000,
	    m[0].n[F_ITEM] == 1 && m[1].n[F_ITEM] == 1 && m[2].n[F_ITEM] == 1);
	assert_int_equal(m[0].item.ch, 0);
	assert_int_equal(m[0].item.req, 1);
	assert_int_equal(m[0].item.n_refs, 2);
	assert_int_equal(m[0].item.refs[0].ch, 1);
	assert_int_equal(m[0].item.refs[0].useq, 11);
	assert_int_equal(m[0].item.refs[1].ch, 0); /* bob is not there */
	assert_int_equal(m[1].item.refs[0].ch, 0);
	assert_int_equal(m[1].item.refs[1].ch, 5);
	assert_int_equal(m[1].item.refs[1].useq, 21);
	assert_int_equal(m[2].item.refs[0].ch, 7);
	assert_int_equal(m[2].item.refs[1].ch, 8);
	assert_int_equal(m[2].got[0].seq, 3);
	/* nobody follows either of them there: ACK, with the sender's place */
	put_unsub(linkconn_out(&m[0].lc), 1);
	FX_WAIT(&fx, 2000, p.stats[P_FOLLOWS] == 3);
	ms_append(&m[0], 2, "p:amy:bob", "psst", "u:amy", "u:bob");
	commit(200, 4, 12, 22, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ACK] == 1 && m[2].n[F_ITEM] == 2);
	assert_int_equal(m[0].ack.useq, 12);
	assert_int_equal(m[0].n[F_ITEM], 1);
	/* with himself */
	ms_append(&m[2], 1, "p:amy:amy", "note", "u:amy", NULL);
	commit(200, 1, 13, 0, false);
	FX_WAIT(&fx, 2000, m[2].n[F_ITEM] == 3);
	assert_int_equal(m[2].item.n_refs, 1);
}

/* SUBBED stands at one point of the order: nothing earlier comes live */
static void
test_sub_in_order(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_append(&m[1], 1, "r:12", "before", NULL, NULL);
	ms_sub(&m[0], 1, "r:12");
	ms_append(&m[1], 2, "r:12", "after", NULL, NULL);
	commit(200, 1, 0, 0, false);
	commit(200, 1, 0, 0, false); /* the touch: head 1 */
	commit(200, 2, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_ITEM] == 1);
	assert_int_equal(m[0].n[F_SUBBED], 1);
	assert_int_equal(m[0].subbed.head, 1);
	assert_int_equal(m[0].got[0].seq, 2);
}

static void
test_sub_answers(void **state)
{
	struct f_sub f = {.ch = 1,
	    .chan = STR_LIT("r:12"),
	    .from_seq = 9,
	    .ep = STR_LIT("0123abcd"),
	    .want_state = true};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, fake.n == 1);
	commit(200, 9, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 1);
	assert_false(m[0].subbed.reset);
	assert_int_equal(m[0].subbed.n_states, 2);
	/* above the head, or of another history: start again */
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, fake.n == 1);
	commit(200, 8, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 2);
	assert_true(m[0].subbed.reset);
	f.ep = STR_LIT("ffffffff");
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, fake.n == 1);
	commit(200, 9, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 3);
	assert_true(m[0].subbed.reset);
	/* gone before the answer: none */
	put_sub(linkconn_out(&m[0].lc), &f);
	put_unsub(linkconn_out(&m[0].lc), 1);
	FX_WAIT(&fx, 2000, fake.n == 1 && p.stats[P_FOLLOWS] == 0);
	commit(200, 9, 0, 0, false);
	fx_spin(&fx);
	assert_int_equal(m[0].n[F_SUBBED], 3);
	/* a number serves one channel at a time */
	ms_subbed(&m[0], 1, "r:12", 9);
	f.chan = STR_LIT("r:13");
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, m[0].downs == 1);
}

/* the log has no room, or trouble: the proxy asks again by itself */
static void
test_sub_retried(void **state)
{
	struct f_sub f = {
	    .ch = 1, .chan = STR_LIT("r:12"), .from_seq = SUB_HEAD};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	fake.busy = true;
	put_sub(linkconn_out(&m[0].lc), &f);
	FX_WAIT(&fx, 2000, p.stats[P_FOLLOWS] == 1);
	fx_run_for(&fx, 120);
	assert_int_equal(fake.n, 0);
	fake.busy = false;
	FX_WAIT(&fx, 2000, fake.n == 1);
	commit(503, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, fake.n == 1);
	commit(200, 4, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 1);
	assert_int_equal(m[0].subbed.head, 4);
}

static void
test_busy(void **state)
{
	struct f_append ap = {
	    .req = 5, .chan = STR_LIT("r:12"), .item = {.kind = ITEM_MESSAGE}};
	struct f_read rd = {.rid = 8, .chan = STR_LIT("r:12"), .n = 10};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	put_read(linkconn_out(&m[0].lc), &rd);
	FX_WAIT(&fx, 2000, fake.reads == 1);
	assert_int_equal(fake.read.n, 10);
	assert_int_equal(m[0].n[F_PAGE], 0);
	fake.busy = true;
	put_append(linkconn_out(&m[0].lc), &ap);
	put_read(linkconn_out(&m[0].lc), &rd);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1 && m[0].n[F_PAGE] == 1);
	assert_int_equal(m[0].nak.req, 5);
	assert_int_equal(m[0].nak.code, 503);
	assert_true(m[0].nak.retry_ms > 0);
	assert_int_equal(m[0].page.code, 503);
	assert_int_equal(m[0].page.rid, 8);
}

/* not the active one: the log is not even asked */
static void
test_standby(void **state)
{
	struct f_append ap = {
	    .req = 5, .chan = STR_LIT("r:12"), .item = {.kind = ITEM_MESSAGE}};
	struct f_read rd = {.rid = 8, .chan = STR_LIT("r:12"), .n = 10};
	struct f_sub sub = {
	    .ch = 1, .chan = STR_LIT("r:12"), .from_seq = SUB_HEAD};
	struct f_who who = {.rid = 4, .what = WHO_TOTALS};

	(void)state;
	p.state = LOG_WAITING;
	ms_open(&m[0], "ms1", 1);
	assert_false(m[0].active.active);
	fake.busy = true; /* as the log is while it waits */
	put_append(linkconn_out(&m[0].lc), &ap);
	put_read(linkconn_out(&m[0].lc), &rd);
	put_sub(linkconn_out(&m[0].lc), &sub);
	put_who(linkconn_out(&m[0].lc), &who);
	FX_WAIT(&fx, 2000, m[0].n[F_NAK] == 1 && m[0].n[F_PAGE] == 1);
	FX_WAIT(&fx, 2000, m[0].n[F_WHOIS] == 1); /* this it knows */
	assert_int_equal(fake.reads, 0);
	assert_int_equal(m[0].nak.code, 503);
	/* promoted: says so, and answers the SUB that waited */
	fake.busy = false;
	activate(4, "0123abcd");
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 2 && fake.n == 1);
	assert_true(m[0].active.active);
	assert_int_equal(m[0].active.gen, 4);
	commit(200, 4, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_SUBBED] == 1);
}

/*
 * A link that takes nothing is not waited for: the others get everything, it
 * gets the head when it is back, and live items only after that.
 */
static void
test_behind(void **state)
{
	static char body[60000];
	uint64_t seq = 0;
	unsigned i;

	(void)state;
	memset(body, 'x', sizeof body - 1);
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_subbed(&m[0], 1, "r:12", 0);
	ms_subbed(&m[1], 2, "r:12", 0);
	ms_subbed(&m[1], 3, "r:13", 40);
	conn_pause(&m[1].lc.conn);
	for (i = 0; i < 100; i++) {
		ms_append(&m[0], i + 1, "r:12", body, NULL, NULL);
		commit(200, ++seq, 0, 0, false);
	}
	FX_WAIT(&fx, 5000, m[0].n[F_ITEM] == 100);
	assert_int_equal(p.stats[P_BEHIND], 1);
	conn_resume(&m[1].lc.conn);
	FX_WAIT(&fx, 5000, m[1].n[F_SUBBED] == 3);
	assert_int_equal(m[1].subbed.ch, 2);
	assert_int_equal(m[1].subbed.head, 100); /* it reads (n, 100] itself */
	assert_true(m[1].n[F_ITEM] < 100);
	i = (unsigned)m[1].n[F_ITEM];
	ms_append(&m[0], 200, "r:12", "live", NULL, NULL);
	commit(200, ++seq, 0, 0, false);
	FX_WAIT(&fx, 5000, m[1].n[F_ITEM] == (int)i + 1);
	assert_int_equal(m[1].item.item.seq, 101);
	assert_int_equal(m[1].n[F_SUBBED], 3); /* r:13 was never behind */
}

static void
test_marks_and_ephemerals(void **state)
{
	struct f_set set = {.chan = STR_LIT("u:amy"),
	    .rec = {.key = STR_LIT("k:12"), .val = STR_LIT("7")}};
	struct f_eph eph = {.chan = STR_LIT("r:12"),
	    .kind = 1,
	    .uid = STR_LIT("amy"),
	    .body = STR_LIT("typing")};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	ms_subbed(&m[0], 1, "u:amy", 0);
	ms_subbed(&m[0], 2, "r:12", 0);
	ms_subbed(&m[1], 3, "r:12", 0);
	put_set(linkconn_out(&m[1].lc), &set);
	FX_WAIT(&fx, 2000, fake.n == 1);
	commit(200, 0, 0, 0, false);
	FX_WAIT(&fx, 2000, m[0].n[F_STATE] == 1);
	assert_int_equal(m[0].state.ch, 1);
	assert_string_equal(m[0].text, "k:12");
	put_eph(linkconn_out(&m[0].lc), &eph);
	FX_WAIT(&fx, 2000, m[0].n[F_EPH] == 1 && m[1].n[F_EPH] == 1);
	assert_int_equal(m[1].eph.ch, 3);
	assert_string_equal(m[1].text, "typing");
	assert_int_equal(fake.n, 0);
	eph.chan = STR_LIT("r:99"); /* nobody there */
	put_eph(linkconn_out(&m[0].lc), &eph);
	fx_spin(&fx);
	assert_int_equal(m[0].downs, 0);
}

static void
ms_pres(struct ms *s, uint64_t cn, const char *uid, const char *rid)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn,
	    .uid = str_of(uid),
	    .name = str_of(uid),
	    .n_add = 1,
	    .add = {str_of(rid)}};

	put_pres(linkconn_out(&s->lc), &f);
}

static void
test_people(void **state)
{
	struct f_who who = {
	    .rid = 4, .what = WHO_ROOM_INFO, .arg = STR_LIT("12")};
	struct f_kick kick = {
	    .cn = 2ULL << 32 | 9, .code = 4005, .text = STR_LIT("out")};

	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_open(&m[1], "ms2", 2);
	for (int i = 0; i < 2; i++) {
		put_empty(linkconn_out(&m[i].lc), F_PRES_BEGIN);
		put_empty(linkconn_out(&m[i].lc), F_PRES_END);
		ms_subbed(&m[i], (uint32_t)(i + 1), "r:12", 5);
	}
	ms_pres(&m[0], 1ULL << 32 | 1, "amy", "12");
	/* the quiet second after the promotion is part of it */
	FX_WAIT(&fx, 4000, m[0].n[F_ROOM] == 1 && m[1].n[F_ROOM] == 1);
	assert_int_equal(m[1].room.ch, 2);
	assert_int_equal(m[1].room.count, 1);
	assert_string_equal(m[1].text, "amy");
	ms_pres(&m[1], 2ULL << 32 | 9, "bob", "12");
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 2);
	assert_string_equal(m[0].text, "bob");

	put_who(linkconn_out(&m[0].lc), &who);
	FX_WAIT(&fx, 2000, m[0].n[F_WHOIS] == 1);
	assert_string_equal(m[0].text,
	    "{\"rid\":\"12\",\"users\":2,\"members\":{\"ms1\":1,\"ms2\":1},"
	    "\"owner\":\"proxy1\",\"gen\":3,\"ep\":\"0123abcd\",\"seq\":5}");

	/* to the node of the session; by uid to where he is */
	put_kick(linkconn_out(&m[0].lc), &kick);
	FX_WAIT(&fx, 2000, m[1].n[F_KICK] == 1);
	assert_int_equal(m[1].kick.code, 4005);
	kick.cn = 0;
	kick.uid = STR_LIT("amy");
	put_kick(linkconn_out(&m[1].lc), &kick);
	FX_WAIT(&fx, 2000, m[0].n[F_KICK] == 1);
	assert_int_equal(m[1].n[F_KICK], 1);

	/* a dead server's people are gone after the grace (here none) */
	linkconn_close(&m[1].lc, 0, "over", 0);
	FX_WAIT(&fx, 2000, m[0].n[F_ROOM] == 3);
	assert_int_equal(m[0].room.n_out, 1);
	assert_int_equal(m[0].room.count, 1);
}

static void
test_same_server_twice(void **state)
{
	(void)state;
	ms_start(&m[0], ROLE_MSG, "ms1", 1, 5);
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 1);
	ms_start(&m[1], ROLE_MSG, "ms1", 1, 5);
	FX_WAIT(&fx, 2000, m[1].n[F_ACTIVE] == 1 && m[0].downs == 1);
	assert_non_null(strstr(m[0].why, "superseded"));
	/* an earlier start of it comes late */
	ms_start(&m[2], ROLE_MSG, "ms1", 1, 4);
	FX_WAIT(&fx, 2000, m[2].downs == 1);
	assert_int_equal(m[1].downs, 0);
	assert_int_equal(p.stats[P_LINKS], 1);
}

static void
test_roles(void **state)
{
	struct f_who who = {.rid = 4, .what = WHO_TOTALS};
	struct f_read rd = {.rid = 8, .chan = STR_LIT("r:12"), .n = 10};

	(void)state;
	/* a standby: pings are answered, nothing else */
	ms_start(&m[0], ROLE_PROXY, "proxy2", 2, 1);
	FX_WAIT(&fx, 2000, m[0].n[F_ACTIVE] == 1);
	linkconn_ping(&m[0].lc);
	FX_WAIT(&fx, 2000, m[0].lc.rtt_us > 0);
	put_read(linkconn_out(&m[0].lc), &rd);
	FX_WAIT(&fx, 2000, m[0].downs == 1);
	/* an operator's tool asks */
	ms_start(&m[1], ROLE_CTL, "ctl", 0, 0);
	FX_WAIT(&fx, 2000, m[1].n[F_ACTIVE] == 1);
	put_who(linkconn_out(&m[1].lc), &who);
	FX_WAIT(&fx, 2000, m[1].n[F_WHOIS] == 1);
	put_read(linkconn_out(&m[1].lc), &rd);
	FX_WAIT(&fx, 2000, m[1].downs == 1);
	/* a msg_server needs its number */
	ms_start(&m[2], ROLE_MSG, "ms9", 0, 0);
	FX_WAIT(&fx, 2000, m[2].downs == 1);
	assert_int_equal(fake.reads, 0);
}

/* SIGTERM: what is queued is committed, and its acks arrive */
static void
test_stop(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	ms_append(&m[0], 1, "r:12", "last", NULL, NULL);
	proxy_stop(&p);
	FX_WAIT(&fx, 2000, m[0].downs == 1);
	assert_int_equal(m[0].n[F_ACK], 1);
	assert_int_equal(m[0].ack.seq, 77);
	FX_WAIT(&fx, 3000, quit);
}

static void
test_log_failed(void **state)
{
	(void)state;
	ms_open(&m[0], "ms1", 1);
	fake.ops->on_state(
	    fake.arg, LOG_FAILED, 3, "0123abcd", "disk is gone", EXIT_DATA);
	FX_WAIT(&fx, 3000, quit);
	assert_int_equal(p.exit_code, EXIT_DATA);
	assert_int_equal(m[0].downs, 1);
}

static void
test_links_max(void **state)
{
	(void)state;
	p.set.links_max = 1;
	ms_open(&m[0], "ms1", 1);
	ms_start(&m[1], ROLE_MSG, "ms2", 2, 1);
	FX_WAIT(&fx, 2000, m[1].downs == 1);
	assert_int_equal(m[1].ups, 0);
	assert_int_equal(p.stats[P_LINKS_REFUSED], 1);
}

static void
test_status(void **state)
{
	struct buf out;
	json_t *v;
	int err;

	(void)state;
	ms_open(&m[0], "ms1", 1);
	buf_init(&out, 1 << 20);
	assert_true(status_ready(&p, &out));
	v = json_read(buf_str(&out), &err);
	assert_non_null(v);
	json_decref(v);
	buf_reset(&out);
	status_json(&p, &out);
	v = json_read(buf_str(&out), &err);
	assert_non_null(v);
	assert_int_equal(json_array_size(json_object_get(v, "links")), 1);
	json_decref(v);
	buf_reset(&out);
	status_metrics(&p, &out);
	buf_putc(&out, '\0');
	assert_non_null(
	    strstr((const char *)buf_p(&out), "\ncchat_proxy_links 1\n"));
	buf_reset(&out);
	fake.ops->on_state(
	    fake.arg, LOG_DEGRADED, 3, "0123abcd", "disk full", 0);
	assert_false(status_ready(&p, &out));
	buf_putc(&out, '\0');
	assert_non_null(strstr((const char *)buf_p(&out), "disk full"));
	buf_reset(&out);
	fake.ops->on_state(fake.arg, LOG_WAITING, 0, "", "", 0);
	assert_true(status_ready(&p, &out)); /* the holder is known */
	buf_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_active),
	    TEST(test_fan_out),
	    TEST(test_private),
	    TEST(test_sub_in_order),
	    TEST(test_sub_answers),
	    TEST(test_sub_retried),
	    TEST(test_busy),
	    TEST(test_standby),
	    TEST(test_behind),
	    TEST(test_marks_and_ephemerals),
	    TEST(test_people),
	    TEST(test_same_server_twice),
	    TEST(test_roles),
	    TEST(test_stop),
	    TEST(test_log_failed),
	    TEST(test_links_max),
	    TEST(test_status),
	};
	static char name[] = "test", *args[] = {name, NULL};
	char err[200];

	log_init("test_route", LOG_LEVEL_ERR);
	if (settings_read(&defaults, NULL, 1, args, err, sizeof err) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
