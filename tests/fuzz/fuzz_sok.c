/* SPDX-License-Identifier: MIT */
/*
 * Whatever a client of sok says in its handshake or later, and any line of a
 * file of credentials: a command that keeps the grammar that the core relies
 * on, or nothing; and never a word back.
 */
#include <stdlib.h>

#include "config_server/ctl/tool/import_line.h"
#include "msg_server/dialect/dialect.h"
#include "shared/base/utf8.h"
#include "shared/proto/push.h"
#include "tests/fuzz/fuzz.h"

static void
on_command(void *arg, const struct command *c)
{
	++*(unsigned *)arg;
	switch (c->kind) {
	case CMD_BYE:
	case CMD_PONG:
		check(c->level == 2);
		break;
	case CMD_LOGIN:
		check(c->level == 1 && c->by_credentials && c->no_room &&
		      !c->proven);
		check(!str_is_set(c->uid) || id_is_word(c->uid));
		check(c->token.len <= PUSH_TOKEN_MAX);
		check(c->dev.len >= PUSH_DEVICE_MIN &&
		      c->dev.len <= PUSH_DEVICE_MAX &&
		      utf8_valid(c->dev.p, c->dev.len) &&
		      memchr(c->dev.p, '\0', c->dev.len) == NULL);
		break;
	case CMD_MESSAGE:
		check(c->level == 1 && id_is_word(c->tid));
		check(c->msg.len > 0 && utf8_valid(c->msg.p, c->msg.len));
		check(c->msg_is_json == c->msg_is_push);
		check(c->msg.len <=
		      (c->msg_is_json ? PUSH_BODY_MAX : PUSH_TEXT_MAX));
		break;
	default:
		abort();
	}
}

static void
on_credential(void *arg, const struct import_credential *c)
{
	++*(unsigned *)arg;
	check(id_is_word(c->uid) && id_is_word(c->source));
	check(c->token.len > 0 && c->token.len <= PUSH_TOKEN_MAX);
	check(c->expires >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dialect_ctx ctx = {0};
	struct str text = str_n(data, size);
	struct buf err;
	unsigned n = 0;
	int in, k;

	buf_init(&err, 65536);
	dialect_sok.at_open(STR_LIT("/"), text);
	dialect_sok.open(&ctx, STR_LIT("/"), text, on_command, &n, &err);
	check(n == 1);
	for (in = 0; in < 2; in++) {
		n = 0;
		ctx.in = in != 0;
		dialect_sok.decode(&ctx, text, on_command, &n, &err);
		check(n <= 1);
	}
	check(buf_len(&err) == 0);
	buf_fini(&err);
	dialect_sok.guess(text);
	n = 0;
	k = import_line(text, on_credential, &n);
	check(k < 0 ? n == 0 : (unsigned)k == n);
	return 0;
}
