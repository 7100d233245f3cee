/* SPDX-License-Identifier: MIT */
/*
 * What the tests of msg_server/cmd share: one session of amy (u:1001, level 2)
 * who is in the rooms 12 and gab, the settings that every command looks at, and
 * the last error that was told. What a command asks of the log, and the events
 * that it tells, are each test's own fakes.
 */
#ifndef TESTS_UNIT_MSG_SERVER_ASKER_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_ASKER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "msg_server/cmd/asker.h"
#include "shared/proc/clock.h"

static struct server srv;
static struct session s;
static struct session_busy busy;
static struct user user;
static struct member member;
/* what was told last: 200 or the error, and when to come again */
static unsigned code;
static const char *v1_text;
static int64_t retry;

struct member *
room_member(struct session *session, struct str rid)
{
	(void)session;
	return str_eqc(rid, "12") || str_eqc(rid, "gab") ? &member : NULL;
}

struct member *
room_home(struct session *session)
{
	(void)session;
	return NULL;
}

struct session_busy *
session_busy(struct session *session)
{
	(void)session;
	return &busy;
}

static inline void
asker_told(unsigned n, int64_t retry_ms, const char *text)
{
	code = n;
	retry = retry_ms;
	v1_text = text;
}

void
reply_error(struct session *session, struct str cid, unsigned n,
    const char *why, int64_t retry_ms, unsigned v1_code, const char *text)
{
	assert_ptr_equal(session, &s);
	assert_non_null(why);
	assert_int_equal(v1_code, 50);
	assert_true(n == 429 || n >= 500 || retry_ms == 0);
	(void)cid;
	asker_told(n, retry_ms, text);
}

static inline void
asker_setup(void)
{
	memset(&srv, 0, sizeof srv);
	memset(&s, 0, sizeof s);
	memset(&busy, 0, sizeof busy);
	srv.set.msg_max = 4096;
	srv.set.send_rate = 5;
	srv.set.send_burst = 20;
	srv.set.uid_rate = 10;
	s.cn = 1ULL << 32 | 0x2a;
	s.user = &user;
	s.dialect = &dialect_cchat;
	s.level = 2;
	user.channel.name = "u:1001";
	session_set_strings(&s, STR_LIT("amy"), STR_NONE, STR_NONE);
	table_add(&srv.sessions, &s.by_cn, session_key);
	clock_test_set(1763660000000, 1000000000);
}

static inline void
asker_teardown(void)
{
	clock_test_set(0, 0);
	free(user.busy);
	user.busy = NULL;
	table_del(&srv.sessions, &s.by_cn, session_key);
	session_drop_strings(&s);
}

#endif
