/* SPDX-License-Identifier: MIT */
/*
 * What happens to one operation inside a commit. All decisions of order are
 * taken here, on one thread, against rows and memory that no one else changes.
 * Does not know queues, threads or when a commit ends: that is writer.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proxy_server/log_commit.h"
#include "proxy_server/log_history.h"
#include "proxy_server/log_ref.h"
#include "shared/base/digest.h"
#include "shared/proc/clock.h"
#include "shared/proto/wire.h"

void
log_commit_begin(struct log_commit *cm, int64_t now)
{
	cm->dirty = NULL;
	cm->now = now;
	cm->steady = clock_mono_ms();
	log_chans_clock(cm->chans, cm->steady, now);
	cm->begun = cm->reading = cm->restored = false;
	cm->items = cm->dups = cm->refused = 0;
	cm->bytes = 0;
}

/* a channel that is about to be written: has a row, is in the transaction */
static int
log_commit_open(struct log_commit *cm, struct log_chan *c)
{
	int err;

	if (!cm->begun) {
		err = cm->reading ? logdb_commit(cm->db) : 0;
		cm->reading = cm->reading && err != 0;
		if (err == 0)
			err = logdb_begin(cm->db);
		if (err != 0)
			return err;
		cm->begun = true;
		err = log_history_check(cm->db, cm->gen);
		if (err != 0)
			return err;
	}
	if (!c->dirty) {
		c->dirty = true;
		c->next_dirty = cm->dirty;
		cm->dirty = c;
	}
	if (c->id != 0)
		return 0;
	return logdb_chan_new(cm->db, chan_str(&c->name), &c->id);
}

/* the channel's next number; its clock never goes back */
static uint64_t
log_commit_next(struct log_commit *cm, struct log_chan *c)
{
	if (c->last_ts < cm->now)
		c->last_ts = cm->now;
	return ++c->head;
}

/* what the repeat of a private message needs: its numbers in the u: channels */
static int
log_commit_useqs(struct log_commit *cm, struct log_chan *p, struct log_op *op)
{
	for (unsigned i = 0; i < op->append.n_to; i++) {
		struct log_chan *u;
		uint64_t above;
		int err =
		    log_chans_get(cm->chans, cm->db, op->append.to[i], &u);

		if (err != 0)
			return err;
		op->useq[i] = 0;
		if (u->id == 0)
			continue;
		above =
		    u->head > LOG_WINDOW_ITEMS ? u->head - LOG_WINDOW_ITEMS : 0;
		err = logdb_item_pointer(
		    cm->db, u->id, above, p->id, op->seq, &op->useq[i]);
		if (err != 0 && err != ERR_NOTFOUND)
			return err;
	}
	return 0;
}

static int
log_commit_ref(struct log_commit *cm, struct log_chan *c, struct log_op *op)
{
	const struct item *it = &op->append.item;

	if (!log_ref_is_one(it))
		return 0;
	if (!cm->keep_nothing)
		return log_ref_judge(cm->db, c->id, c->first, it, &op->code);
	op->code = op->ref_code;
	return 0;
}

/* 0 with op->code 200, or the code that refuses it */
static int
log_commit_judge(struct log_commit *cm, struct log_chan *c, struct log_op *op)
{
	const struct f_append *a = &op->append;
	uint64_t rev;
	int err;

	op->code = 200;
	if (a->item.body.len > BODY_MAX)
		op->code = 413;
	else if (digest_crc32c(0, a->item.body.p, a->item.body.len) !=
		     a->item.crc ||
		 (a->n_to > 0 && chan_kind(a->chan) != CHAN_PAIR))
		op->code = 400;
	if (op->code != 200)
		return 0;
	err = log_commit_ref(cm, c, op);
	if (err != 0 || op->code != 200)
		return err;
	if (str_is_set(a->need)) {
		err = logdb_state_get(cm->db, c->id, a->need, cm->now, &rev);
		if (err != 0 && err != ERR_NOTFOUND)
			return err;
		if (err == ERR_NOTFOUND)
			op->code = 403;
	}
	if (str_is_set(a->deny)) {
		err = logdb_state_get(cm->db, c->id, a->deny, cm->now, &rev);
		if (err != 0 && err != ERR_NOTFOUND)
			return err;
		if (err == 0)
			op->code = 403;
	}
	if (op->code == 200 && str_is_set(a->if_key)) {
		err = logdb_state_get(cm->db, c->id, a->if_key, cm->now, &rev);
		if (err != 0 && err != ERR_NOTFOUND)
			return err;
		if (rev != a->if_rev)
			op->code = 409;
	}
	return 0;
}

static int
log_commit_point(struct log_commit *cm, struct log_chan *p, struct log_op *op)
{
	for (unsigned i = 0; i < op->append.n_to; i++) {
		struct item it = {.kind = ITEM_POINTER, .ref = op->seq};
		struct log_chan *u;
		int err =
		    log_chans_get(cm->chans, cm->db, op->append.to[i], &u);

		if (err == 0)
			err = log_commit_open(cm, u);
		if (err != 0)
			return err;
		it.seq = op->useq[i] = log_commit_next(cm, u);
		it.ts = op->uts[i] = u->last_ts;
		op->ufirst[i] = u->first;
		if (!cm->keep_nothing)
			err = logdb_item_new(cm->db, u->id, &it, p->id);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
log_commit_store(struct log_commit *cm, struct log_chan *c, struct log_op *op)
{
	struct f_append *a = &op->append;
	int err = log_commit_open(cm, c);

	if (err != 0)
		return err;
	a->item.seq = op->seq = log_commit_next(cm, c);
	a->item.ts = op->ts = c->last_ts;
	op->first = c->first;
	if (!cm->keep_nothing)
		err = logdb_item_new(cm->db, c->id, &a->item, 0);
	/* the store forgets the words at once, not only the readers */
	if (err == 0 && a->item.kind == ITEM_RECALL)
		err = log_ref_erase(cm->db, c->id, a->item.ref, &op->recalled);
	for (unsigned i = 0; err == 0 && i < a->n_states; i++)
		err = logdb_state_set(cm->db, c->id, &a->states[i], op->seq);
	if (err == 0)
		err = log_commit_point(cm, c, op);
	return err;
}

static int
log_commit_append(struct log_commit *cm, struct log_op *op)
{
	const struct item *it = &op->append.item;
	const struct window_entry *seen;
	struct window_key key = {0, 0};
	struct log_chan *c;
	int err = log_chans_get(cm->chans, cm->db, op->append.chan, &c);

	op->dup = false;
	op->retry_ms = 0;
	op->append.item.flags &= (uint16_t)~ITEM_F_UNKEPT;
	if (cm->keep_nothing)
		op->append.item.flags |= ITEM_F_UNKEPT;
	if (err == 0 && str_is_set(it->cid)) {
		err = log_chan_window(cm->chans, cm->db, c,
		    cm->now - LOG_WINDOW_MS - cm->jump_ms, cm->steady);
		if (err != 0)
			return err;
		key = log_chan_key(it->uid, it->cid);
		seen = log_chan_seen(c, key, cm->steady);
		if (seen != NULL) {
			op->code = 200;
			op->dup = true;
			op->seq = seen->seq;
			op->ts = seen->ts;
			cm->dups++;
			return log_commit_useqs(cm, c, op);
		}
	}
	if (err == 0)
		err = log_commit_judge(cm, c, op);
	if (err != 0)
		return err;
	if (op->code != 200) {
		cm->refused++;
		return 0;
	}
	err = log_commit_store(cm, c, op);
	if (err != 0)
		return err;
	if (str_is_set(it->cid))
		log_chan_note(cm->chans, c, key, op->seq, op->ts, cm->steady);
	cm->items++;
	cm->bytes += it->body.len;
	return 0;
}

static void
log_commit_put_state(struct log_op *op, const struct state_rec *rec)
{
	/* read back by log_states_next() */
	wire_put_str(&op->states, rec->key);
	wire_put_bytes(&op->states, rec->val);
	wire_put_u64(&op->states, (uint64_t)rec->exp);
	wire_put_u64(&op->states, rec->rev);
	op->n_states++;
}

static bool
log_commit_one_state(struct log_commit *cm, struct log_chan *c, struct str key,
    struct buf *val, int *err)
{
	buf_reset(val);
	*err = c->id != 0 ? logdb_state_val(cm->db, c->id, key, cm->now, val)
			  : ERR_NOTFOUND;
	if (*err != ERR_NOTFOUND)
		return *err == 0;
	*err = 0;
	return false;
}

/* one state into the answer, if it is there */
static int
log_commit_put_one(struct log_commit *cm, struct log_chan *c, struct str key,
    struct log_op *op)
{
	struct state_rec rec = {.key = key};
	struct buf val;
	int err;

	buf_init(&val, STATE_VAL_MAX);
	if (log_commit_one_state(cm, c, key, &val, &err) && buf_ok(&val)) {
		rec.val = buf_str(&val);
		log_commit_put_state(op, &rec);
	}
	buf_fini(&val);
	return err;
}

/*
 * A storm of people brings channels that memory does not know, each of them
 * looked for in the file: in one look, as to begin and end one costs what the
 * look does.
 */
static int
log_commit_look(struct log_commit *cm, struct str chan)
{
	int err;

	if (cm->begun || cm->reading || log_chans_find(cm->chans, chan) != NULL)
		return 0;
	err = logdb_begin_read(cm->db);
	cm->reading = err == 0;
	return err;
}

static int
log_commit_touch(struct log_commit *cm, struct log_op *op)
{
	struct log_chan *c;
	int err = log_commit_look(cm, op->sub.chan);

	if (err == 0)
		err = log_chans_get(cm->chans, cm->db, op->sub.chan, &c);
	if (err != 0)
		return err;
	op->code = 200;
	op->head = c->head;
	op->first = c->first;
	op->n_states = 0;
	buf_reset(&op->states);
	if (op->sub.from_seq != SUB_HEAD && op->sub.from_seq > c->head &&
	    str_eqc(op->sub.ep, cm->ep))
		cm->restored = true;
	if (!op->sub.want_state || c->id == 0)
		return 0;
	return log_commit_put_one(cm, c, STR_LIT("t"), op);
}

static int
log_commit_set(struct log_commit *cm, struct log_op *op)
{
	struct log_chan *c;
	int err = log_chans_get(cm->chans, cm->db, op->set.chan, &c);

	if (err == 0)
		err = log_commit_open(cm, c);
	if (err != 0)
		return err;
	op->code = 200;
	op->retry_ms = 0;
	return logdb_state_set(cm->db, c->id, &op->set.rec, 0);
}

/* nobody has come to a place that is not there; nor is there a row for it */
static int
log_commit_is_ahead(
    struct log_commit *cm, struct str of, uint64_t n, bool *ahead)
{
	struct log_chan *c;
	int err = 0;

	*ahead = false;
	if (str_is_set(of))
		err = log_chans_get(cm->chans, cm->db, of, &c);
	if (err == 0 && str_is_set(of))
		*ahead = n > c->head;
	return err;
}

/* what only grows, whichever server says it: the greater number stands */
static int
log_commit_raise(struct log_commit *cm, struct log_op *op)
{
	const struct f_raise *f = &op->raise;
	struct state_rec rec = {.key = f->key};
	struct log_chan *c;
	uint64_t was = 0;
	bool ahead;
	char val[24];
	int err = log_chans_get(cm->chans, cm->db, f->chan, &c);

	if (err != 0)
		return err;
	op->code = 200;
	op->retry_ms = 0;
	op->dup = true;
	/* a place in another history, said late, would never be reached */
	if (!str_eqc(f->ep, cm->ep))
		return 0;
	err = log_commit_is_ahead(cm, f->of, f->n, &ahead);
	if (err != 0 || ahead)
		return err;
	if (log_commit_one_state(cm, c, f->key, &op->states, &err) &&
	    str_u64(buf_str(&op->states), &was) != 0)
		was = 0;
	if (err != 0 || f->n <= was)
		return err;
	op->dup = false;
	err = log_commit_open(cm, c);
	if (err != 0)
		return err;
	snprintf(val, sizeof val, "%" PRIu64, f->n);
	rec.val = str_of(val);
	return logdb_state_set(cm->db, c->id, &rec, 0);
}

static int
log_commit_get(struct log_commit *cm, struct log_op *op)
{
	struct log_chan *c;
	int err = log_chans_get(cm->chans, cm->db, op->get.chan, &c);

	if (err != 0)
		return err;
	op->code = 200;
	op->head = c->head;
	op->first = c->first;
	op->n_states = 0;
	buf_reset(&op->states);
	return log_commit_put_one(cm, c, op->get.key, op);
}

int
log_commit_op(struct log_commit *cm, struct log_op *op)
{
	switch (op->kind) {
	case LOG_APPEND:
		return log_commit_append(cm, op);
	case LOG_TOUCH:
		return log_commit_touch(cm, op);
	case LOG_SET:
		return log_commit_set(cm, op);
	case LOG_RAISE:
		return log_commit_raise(cm, op);
	case LOG_GET:
		return log_commit_get(cm, op);
	}
	return ERR_INVALID;
}

int
log_commit_end(struct log_commit *cm)
{
	int err = 0;

	if (!cm->begun) {
		err = cm->reading ? logdb_commit(cm->db) : 0;
		cm->reading = cm->reading && err != 0;
		return err;
	}
	for (struct log_chan *c = cm->dirty; c != NULL && err == 0;
	     c = c->next_dirty) {
		err = logdb_chan_set(cm->db, c->id, c->head, c->last_ts);
		if (err != 0 || !cm->keep_nothing || c->first > c->head)
			continue;
		/* nothing below the next number will ever be in the file */
		c->first = c->head + 1;
		err = logdb_chan_first(cm->db, c->id, c->first);
	}
	if (err == 0)
		err = logdb_commit(cm->db);
	if (err != 0)
		return err;
	for (struct log_chan *c = cm->dirty; c != NULL; c = c->next_dirty)
		c->dirty = false;
	cm->dirty = NULL;
	cm->begun = false;
	return 0;
}

void
log_commit_undo(struct log_commit *cm)
{
	struct log_chan *c, *next;

	if (cm->begun || cm->reading)
		logdb_rollback(cm->db);
	cm->reading = false;
	for (c = cm->dirty; c != NULL; c = next) {
		next = c->next_dirty;
		log_chans_forget(cm->chans, c);
	}
	cm->dirty = NULL;
	cm->begun = false;
}
