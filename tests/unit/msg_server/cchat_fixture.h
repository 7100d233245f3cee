/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the cchat dialect share: one frame decoded, its command
 * kept; one event encoded as text.
 */
#ifndef TESTS_UNIT_MSG_SERVER_CCHAT_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_CCHAT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/dialect/dialect.h"

static const struct dialect *const d = &dialect_cchat;
static struct dialect_ctx ctx;
static struct command got;
static unsigned n_got;
static struct buf err, out;
/* what commands borrow is gone after decode(): kept as text */
static char kept[12][8192];

static inline struct str
keep(unsigned i, struct str s)
{
	if (!str_is_set(s))
		return STR_NONE;
	assert_true(s.len < sizeof kept[i]);
	memcpy(kept[i], s.p, s.len);
	return str_n(kept[i], s.len);
}

static inline void
on_command(void *arg, const struct command *cmd)
{
	assert_ptr_equal(arg, &got);
	n_got++;
	got = *cmd;
	got.cid = keep(0, cmd->cid);
	got.rid = keep(1, cmd->rid);
	got.tid = keep(2, cmd->tid);
	got.msg = keep(3, cmd->msg);
	got.uid = keep(4, cmd->uid);
	got.name = keep(5, cmd->name);
	got.avatar = keep(6, cmd->avatar);
	got.token = keep(7, cmd->token);
	got.dev = keep(8, cmd->dev);
	got.at = keep(9, cmd->at);
	got.emo = keep(10, cmd->emo);
	got.title = keep(11, cmd->title);
}

/* the answer of the dialect itself, or "" when it was a command */
static inline const char *
decode(const char *text)
{
	n_got = 0;
	buf_reset(&err);
	d->decode(&ctx, str_of(text), on_command, &got, &err);
	buf_putc(&err, '\0');
	/* one or the other */
	assert_int_equal(n_got, buf_len(&err) == 1);
	return (const char *)buf_p(&err);
}

static inline void
level(unsigned n)
{
	memset(&ctx, 0, sizeof ctx);
	ctx.level = (uint8_t)n;
	ctx.in = n > 0;
}

static inline const char *
encode(const struct event *ev, unsigned lvl, enum view view)
{
	buf_reset(&out);
	d->encode(ev, lvl, view, &out);
	buf_putc(&out, '\0');
	assert_true(buf_ok(&out));
	return (const char *)buf_p(&out);
}

static inline int
setup(void **state)
{
	(void)state;
	buf_init(&err, 65536);
	buf_init(&out, 1 << 20);
	level(0);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	buf_fini(&err);
	buf_fini(&out);
	return 0;
}

#endif
