/* SPDX-License-Identifier: MIT */
/*
 * The command table (msg_server/command.h): every command before login,
 * during one and after it, on level 1 and 2. Handlers and answers are fakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "msg_server/reply.h"
#include "msg_server/server.h"

static int ran;
static unsigned refused;

#define X(KIND, name, handler, state, level)                                  \
	void handler(                                                         \
	    struct server *srv, struct session *s, const struct command *cmd) \
	{                                                                     \
		(void)srv;                                                    \
		(void)s;                                                      \
		assert_int_equal(cmd->kind, KIND);                            \
		ran = KIND;                                                   \
	}
COMMAND_TABLE(X)
#undef X

void
reply_error(struct session *s, struct str cid, unsigned code, const char *why,
    int64_t retry_ms, unsigned v1_code, const char *v1_text)
{
	(void)s;
	(void)cid;
	assert_non_null(why);
	assert_int_equal(retry_ms, 0);
	/* both levels always have something to say */
	assert_true(v1_code == 50 || v1_code == 102);
	assert_non_null(v1_text);
	refused = code;
}

static unsigned
outcome(enum command_kind kind, unsigned level, bool in, bool logging_in)
{
	struct server srv = {0};
	struct session s = {
	    .level = in ? (uint8_t)level : 0, .logging_in = logging_in};
	struct command cmd = {.kind = kind, .level = level};

	ran = -1;
	refused = 0;
	command_run(&srv, &s, &cmd);
	assert_int_equal(srv.stats[S_COMMANDS], 1);
	assert_true((ran == (int)kind) == (refused == 0));
	return refused;
}

static void
test_who_may_what(void **state)
{
	static const struct {
		enum command_kind kind;
		bool any;
		unsigned level;
	} rows[] = {
#define X(kind, name, handler, state, level) {kind, state == ST_ANY, level},
	    COMMAND_TABLE(X)
#undef X
	};
	size_t i;

	(void)state;
	assert_int_equal(ARRAY_LEN(rows), CMD_COUNT);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		enum command_kind k = rows[i].kind;

		assert_int_equal(outcome(k, 2, true, false), 0);
		assert_int_equal(
		    outcome(k, 2, false, false), rows[i].any ? 0 : 401);
		assert_int_equal(
		    outcome(k, 2, true, true), rows[i].any ? 0 : 401);
		assert_int_equal(
		    outcome(k, 1, true, false), rows[i].level > 1 ? 102 : 0);
	}
}

/* what version 1 documents is all it may do */
static void
test_level_1_is_two_commands(void **state)
{
	(void)state;
	for (int k = 0; k < CMD_COUNT; k++)
		assert_int_equal(outcome((enum command_kind)k, 1, true, false),
		    k == CMD_LOGIN || k == CMD_MESSAGE ? 0 : 102);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who_may_what),
	    cmocka_unit_test(test_level_1_is_two_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
