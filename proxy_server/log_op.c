/* SPDX-License-Identifier: MIT */
/*
 * Operations of the log: made around a copy of a frame's body, read, freed.
 * Whose an operation is at any time, and how it travels, is log.c's.
 */
#include <stdlib.h>

#include "proxy_server/log.h"
#include "shared/proto/wire.h"

int
log_op_new(
    enum log_kind kind, uint64_t peer, struct str body, struct log_op **out)
{
	struct log_op *op = malloc(sizeof *op + body.len);
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
	op->more_states = op->batch_end = false;
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
	free(op);
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
