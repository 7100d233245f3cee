/* SPDX-License-Identifier: MIT */
/*
 * Operations of the log: made around a copy of a frame's body, read, freed.
 * Whose an operation is at any time, and how it travels, is log.c's.
 */
#include <stdlib.h>

#include "proxy_server/log.h"
#include "shared/proto/wire.h"

enum {
	OP_BODY = 688, /* what most fit in: an operation is 2 KiB then */
#ifdef __SANITIZE_ADDRESS__
	OP_KEPT = 0 /* what is used after its end must be found */
#else
	OP_KEPT = 1024 /* of these, for use again */
#endif
};

/*
 * An operation is too large for malloc's quick lists, and there is one for each
 * message. Those that are done lie here, the one last used on top, as it is
 * still in the processor's cache. Of the loop's thread alone, as are
 * log_op_new() and log_op_free().
 */
static struct log_op *op_kept;
static unsigned op_n_kept;

static struct log_op *
op_alloc(size_t body)
{
	struct log_op *op = op_kept;

	if (body > OP_BODY)
		return malloc(sizeof *op + body);
	if (op == NULL)
		return malloc(sizeof *op + OP_BODY);
	op_kept = op->next;
	op_n_kept--;
	return op;
}

int
log_op_new(
    enum log_kind kind, uint64_t peer, struct str body, struct log_op **out)
{
	struct log_op *op = op_alloc(body.len);
	struct str copy;
	int err = ERR_INVALID;

	if (op == NULL)
		return ERR_MEMORY;
	op->next = NULL;
	op->kind = kind;
	op->peer = peer;
	op->code = 0;
	op->retry_ms = 0;
	op->dup = false;
	op->seq = op->head = op->first = 0;
	op->ts = 0;
	memset(op->useq, 0, sizeof op->useq);
	memset(op->uts, 0, sizeof op->uts);
	memset(op->ufirst, 0, sizeof op->ufirst);
	buf_init(&op->states, 128 * 1024);
	op->n_states = 0;
	op->batch_end = false;
	op->pooled = body.len <= OP_BODY;
	op->ref_code = 0;
	op->recalled = false;
	op->since_us = 0;
	op->news = NULL;
	op->body_len = body.len;
	if (body.len > 0)
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
	case LOG_RAISE:
		err = get_raise(copy, &op->raise);
		break;
	case LOG_GET:
		err = get_get(copy, &op->get);
		break;
	}
	if (err != 0) {
		log_op_free(op);
		return err;
	}
	*out = op;
	return 0;
}

void
log_op_free(struct log_op *op)
{
	if (op == NULL)
		return;
	buf_fini(&op->states);
	free(op->news);
	if (!op->pooled || op_n_kept == OP_KEPT) {
		free(op);
		return;
	}
	op->next = op_kept;
	op_kept = op;
	op_n_kept++;
}

int
log_states_next(struct str *rest, struct state_rec *rec)
{
	struct wire w;

	if (rest->len == 0)
		return ERR_EOF;
	wire_read(&w, rest->p, rest->len);
	rec->key = wire_str(&w);
	rec->val = wire_bytes(&w);
	rec->exp = (int64_t)wire_u64(&w);
	rec->rev = wire_u64(&w);
	if (w.bad)
		return ERR_PROTO;
	*rest = str_n(w.p, (size_t)(w.end - w.p));
	return 0;
}
