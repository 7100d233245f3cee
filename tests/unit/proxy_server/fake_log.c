/* SPDX-License-Identifier: MIT */
/*
 * proxy_server/log.h in memory, but for the operations themselves (log_op.c).
 * Linked before libproxy_server.a, so the real log stays out.
 */
#include "tests/unit/proxy_server/fake_log.h"
#include "shared/proto/wire.h"
#include "tests/unit/proxy_server/proxy_fixture.h"

struct fake_log fake;

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
log_inbox(struct log *l, uint64_t peer, struct str body)
{
	struct f_inbox f;

	(void)l;
	(void)peer;
	fake.inboxes++;
	return fake.busy ? ERR_BUSY : get_inbox(body, &f);
}

int
log_states(struct log *l, uint64_t peer, struct str body)
{
	struct f_states f;

	(void)l;
	(void)peer;
	fake.states++;
	return fake.busy ? ERR_BUSY : get_states(body, &f);
}

int
log_backup(struct log *l, uint64_t token, const char *path)
{
	(void)l;
	(void)token;
	(void)path;
	return ERR_BUSY;
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

static void
fake_state(struct log_op *op, const char *key)
{
	/* as log_states_next() reads it back */
	wire_put_str(&op->states, str_of(key));
	wire_put_bytes(&op->states, STR_LIT("v"));
	wire_put_u64(&op->states, 0);
	wire_put_u64(&op->states, 1);
	op->n_states++;
}

void
fake_commit(
    uint16_t code, uint64_t seq, uint64_t useq0, uint64_t useq1, bool dup)
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
		fake_state(op, "a");
		fake_state(op, "b");
	}
	fake.ops->on_done(fake.arg, op);
	fake.ops->on_batch_end(fake.arg);
	log_op_free(op);
}

void
log_set_disk(struct log *l, int64_t disk_min, int64_t disk_warn)
{
	(void)l;
	(void)disk_min;
	(void)disk_warn;
}

void
log_close(struct log *l)
{
	(void)l;
	while (fake.head != NULL)
		fake_commit(200, 77, 0, 0, false);
}

void
fake_activate(uint64_t gen, const char *ep)
{
	fake.ops->on_state(fake.arg, LOG_ACTIVE, gen, ep, NULL, 0);
}

void
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
void
ms_subbed(struct ms *s, uint32_t ch, const char *chan, uint64_t head)
{
	int n = s->n[F_SUBBED];

	ms_sub(s, ch, chan);
	fake_commit(200, head, 0, 0, false);
	FX_WAIT(&fx, 2000, s->n[F_SUBBED] == n + 1);
	assert_int_equal(s->subbed.ch, ch);
	assert_int_equal(s->subbed.head, head);
}

void
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
