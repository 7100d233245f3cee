/* SPDX-License-Identifier: MIT */
/*
 * Of a user's sessions the newest hears (msg_server/newest.h): who gives way,
 * by the order in which they are said to be in, and who does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "msg_server/newest.h"
#include "msg_server/server.h"
#include "shared/base/map.h"

static struct server srv;
static struct user user;
static struct session s[3];
static struct room room;
static struct member members[3];
static struct f_eph said;
static char said_body[64], said_chan[64];
static unsigned n_said, n_left;

static const struct dialect newest = {
    .name = "newest", .traits = DIALECT_NEWEST};
static const struct dialect other = {.name = "other"};

bool
channel_is_user(const struct channel *c)
{
	return c->name[0] == CHAN_USER;
}

struct chan_name
channel_copy_name(const struct channel *c)
{
	return chan_room(str_of(channel_id(c)));
}

void
relay_eph(struct relay *r, const struct f_eph *eph)
{
	(void)r;
	n_said++;
	said = *eph;
	str_copy(said_body, sizeof said_body, eph->body);
	str_copy(said_chan, sizeof said_chan, eph->chan);
	said.body = str_of(said_body);
}

void
room_leave(struct server *server, struct session *session, struct str rid)
{
	assert_ptr_equal(server, &srv);
	assert_true(str_eqc(rid, "gab"));
	session->members = NULL;
	n_left++;
}

struct str
session_uid(const struct session *session)
{
	return session->user != NULL ? str_of(user_uid(session->user))
				     : STR_NONE;
}

static int
setup(void **state)
{
	(void)state;
	memset(s, 0, sizeof s);
	memset(&user, 0, sizeof user);
	user.channel.name = "u:1001";
	room.channel.name = "r:gab";
	n_said = n_left = 0;
	for (unsigned i = 0; i < ARRAY_LEN(s); i++) {
		s[i].cn = 1ULL << 32 | (i + 1);
		s[i].dialect = &newest;
		s[i].user = &user;
		s[i].next_of_user = user.sessions;
		user.sessions = &s[i];
		members[i] = (struct member){.session = &s[i], .room = &room};
		s[i].members = &members[i];
	}
	return 0;
}

/* what i has said comes back from the proxy */
static void
hear(unsigned i)
{
	newest_say(&srv, &s[i]);
	newest_on_eph(&srv, &user.channel, &said);
}

static void
test_order(void **state)
{
	(void)state;
	newest_say(&srv, &s[0]);
	assert_int_equal(n_said, 1);
	assert_string_equal(said_chan, "u:1001");
	assert_int_equal(said.kind, 4);
	/* nobody has heard it yet */
	assert_false(s[0].said || s[0].passed);
	hear(0);
	assert_true(s[0].said);
	assert_false(s[0].passed || s[1].passed);
	/* the second: the first one is out of its rooms, and deaf */
	hear(1);
	assert_true(s[0].passed && s[1].said);
	assert_false(s[1].passed || s[2].passed);
	assert_int_equal(n_left, 1);
	assert_null(s[0].members);
	hear(2);
	assert_true(s[1].passed);
	assert_false(s[2].passed);
	assert_int_equal(n_left, 2);
	/* said once more: nothing changes */
	newest_on_eph(&srv, &user.channel, &said);
	assert_false(s[2].passed);
	assert_int_equal(n_left, 2);
}

/* two at once: both have said it before either came back */
static void
test_at_once(void **state)
{
	struct f_eph first, second;
	char b1[64], b2[64];

	(void)state;
	newest_say(&srv, &s[0]);
	first = said;
	first.body = str_of(strcpy(b1, said_body));
	newest_say(&srv, &s[1]);
	second = said;
	second.body = str_of(strcpy(b2, said_body));
	/* the proxy's order: the second one first */
	newest_on_eph(&srv, &user.channel, &second);
	assert_false(s[0].passed || s[1].passed);
	newest_on_eph(&srv, &user.channel, &first);
	assert_true(s[1].passed);
	assert_false(s[0].passed);
}

static void
test_others(void **state)
{
	struct f_eph odd;

	(void)state;
	s[1].dialect = &other;
	newest_say(&srv, &s[1]);
	assert_int_equal(n_said, 0);
	hear(0);
	/* one of another server */
	said.body = STR_LIT("8589934593");
	/* what is no such thing is not looked at */
	odd = said;
	odd.kind = 2;
	newest_on_eph(&srv, &user.channel, &odd);
	odd = said;
	odd.body = STR_LIT("x");
	newest_on_eph(&srv, &user.channel, &odd);
	odd.body = STR_NONE;
	newest_on_eph(&srv, &user.channel, &odd);
	newest_on_eph(&srv, &room.channel, &said);
	assert_false(s[0].passed);
	newest_on_eph(&srv, &user.channel, &said);
	assert_true(s[0].passed);
	/* people of other systems hear on */
	assert_false(s[1].passed);
	assert_non_null(s[1].members);
	/* who is nobody says nothing */
	s[2].user = NULL;
	n_said = 0;
	newest_say(&srv, &s[2]);
	assert_int_equal(n_said, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup(t, setup)
	    T(test_order),
	    T(test_at_once),
	    T(test_others),
#undef T
	};

	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
