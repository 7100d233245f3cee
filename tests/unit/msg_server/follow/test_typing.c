/* SPDX-License-Identifier: MIT */
/*
 * Who types (follow/typing.h): what goes out and what is too soon, too much or
 * of no use, at each bound and one beyond; who hears of it and who does not.
 */
#include "tests/unit/shared/net/fixture.h"

#include "msg_server/follow/typing.h"
#include "shared/proc/clock.h"
#include "tests/unit/msg_server/core_fixture.h"

static struct fx fx;
static struct fake a, b, c;
static struct model *room, *amy, *bob;
static char said[256]; /* what went to the proxy, in order */
static unsigned n_said;
static size_t unacked;
static int64_t now;

void
relay_eph(struct relay *r, const struct f_eph *eph)
{
	size_t n = strlen(said);

	(void)r;
	assert_int_equal(eph->kind, 1);
	n_said++;
	snprintf(said + n, sizeof said - n, "[%.*s %.*s:%.*s]",
	    STR_ARG(eph->chan), STR_ARG(eph->uid), STR_ARG(eph->body));
}

size_t
relay_unacked(const struct relay *r)
{
	(void)r;
	return unacked;
}

static void
encode(const struct event *ev, unsigned level, enum view view, struct buf *to)
{
	(void)view;
	assert_int_equal(ev->kind, EVENT_TYPING);
	if (level > 1)
		buf_printf(to, "%.*s@%.*s %.*s %.*s %d", STR_ARG(ev->rid),
		    STR_ARG(ev->tid), STR_ARG(ev->uid), STR_ARG(ev->name),
		    ev->on);
}

static const struct dialect words = {
    .name = "words", .index = 1, .encode = encode};

static void
enter(struct fake *f, struct model *m)
{
	fake_join(f, m, NULL, 0, false, NULL);
	model_subbed(m);
	run_tasks();
}

static int
setup(void **state)
{
	core_setup(state);
	fx_init(&fx);
	srv.net = fx.net;
	srv.typing = typing_new(&srv);
	said[0] = '\0';
	n_said = 0;
	unacked = 0;
	now = 1000000;
	clock_test_set(1, now);
	room = model_new("r:12", 5);
	amy = model_new("u:amy", 0);
	bob = model_new("u:bob", 0);
	fake_open(&a, 2);
	fake_open(&b, 2);
	fake_open(&c, 2);
	enter(&a, amy);
	enter(&b, bob);
	enter(&c, bob);
	enter(&a, room);
	enter(&b, room);
	a.s.dialect = b.s.dialect = c.s.dialect = &words;
	return 0;
}

static int
teardown(void **state)
{
	int r;

	fake_close(&a);
	fake_close(&b);
	fake_close(&c);
	r = core_teardown(state);
	typing_free(srv.typing);
	srv.typing = NULL;
	fx_fini(&fx);
	clock_test_set(0, 0);
	return r;
}

static void
later(int64_t ms)
{
	now += ms;
	clock_test_set(1, now);
}

static void
in_12(bool on)
{
	typing_say(&srv, &a.s, STR_LIT("12"), STR_NONE, on);
}

#define SAID(want)                               \
	do {                                     \
		assert_string_equal(said, want); \
		said[0] = '\0';                  \
	} while (0)

static void
test_a_room(void **state)
{
	(void)state;
	in_12(false); /* nobody sees any */
	SAID("");
	in_12(true);
	SAID("[r:12 amy:1 amy]");
	in_12(true);
	later(TYPING_MS - TYPING_SLACK_MS - 1);
	in_12(true);
	SAID("");
	assert_int_equal(srv.stats[S_TYPING_DROPPED], 2);
	/* a little early is early once: time is counted from where it was due
	 */
	later(1);
	in_12(true);
	SAID("[r:12 amy:1 amy]");
	later(TYPING_MS - TYPING_SLACK_MS);
	in_12(true);
	SAID("");
	later(TYPING_SLACK_MS);
	in_12(true);
	SAID("[r:12 amy:1 amy]");
	in_12(false);
	in_12(false);
	SAID("[r:12 amy:0 amy]");
	later(TYPING_MS);
	in_12(true);
	SAID("[r:12 amy:1 amy]");
	/* they have taken it back themselves */
	later(TYPING_SHOWN_MS);
	in_12(false);
	SAID("");
	assert_int_equal(srv.stats[S_TYPING], 5);
}

static void
test_private(void **state)
{
	(void)state;
	typing_say(&srv, &a.s, STR_LIT("12"), STR_LIT("bob"), true);
	SAID("[u:bob amy:1 amy]");
	/* each conversation for itself; 12 is somebody, too */
	typing_say(&srv, &a.s, STR_NONE, STR_LIT("12"), true);
	SAID("[u:12 amy:1 amy]");
	in_12(true);
	SAID("[r:12 amy:1 amy]");
	typing_say(&srv, &a.s, STR_NONE, STR_LIT("amy"), true);
	SAID("");
	/* two sessions of one user are one */
	typing_say(&srv, &b.s, STR_LIT("12"), STR_NONE, true);
	SAID("[r:12 bob:1 amy]");
	typing_say(&srv, &c.s, STR_LIT("12"), STR_NONE, true);
	SAID("");
}

static void
test_bounds(void **state)
{
	char rid[16];

	(void)state;
	for (int i = 0; i < TYPING_BURST + 5; i++) {
		snprintf(rid, sizeof rid, "x%d", i);
		typing_say(&srv, &a.s, STR_NONE, str_of(rid), true);
	}
	assert_int_equal(n_said, TYPING_BURST);
	assert_int_equal(srv.stats[S_TYPING_DROPPED], 5);
	later(1000);
	for (int i = 0; i < 100; i++) {
		snprintf(rid, sizeof rid, "y%d", i);
		typing_say(&srv, &a.s, STR_NONE, str_of(rid), true);
	}
	assert_int_equal(n_said, TYPING_BURST + TYPING_RATE);
	/* hammering on one conversation takes nothing from the others */
	later(60000);
	for (int i = 0; i < 1000; i++)
		in_12(true);
	typing_say(&srv, &a.s, STR_NONE, STR_LIT("other"), true);
	assert_int_equal(n_said, TYPING_BURST + TYPING_RATE + 2);
	/* the log is behind: this is the first to go */
	later(60000);
	unacked = 1025;
	in_12(true);
	assert_int_equal(n_said, TYPING_BURST + TYPING_RATE + 2);
	unacked = 1024;
	in_12(true);
	assert_int_equal(n_said, TYPING_BURST + TYPING_RATE + 3);
}

/* no more entries than that, and none that serves nothing */
static void
test_entries(void **state)
{
	uint64_t was;
	char rid[16];

	(void)state;
	for (int i = 0; i < TYPING_MAX; i++) {
		snprintf(rid, sizeof rid, "x%d", i);
		user_busy(a.s.user)->typing = (struct bucket){0};
		typing_say(&srv, &a.s, STR_NONE, str_of(rid), true);
	}
	assert_int_equal(n_said, TYPING_MAX);
	was = srv.stats[S_TYPING_DROPPED];
	user_busy(a.s.user)->typing = (struct bucket){0};
	in_12(true);
	assert_int_equal(n_said, TYPING_MAX);
	assert_int_equal(srv.stats[S_TYPING_DROPPED], was + 1);
	later(TYPING_SHOWN_MS + 1);
	fx_run_for(&fx, 3200); /* they are looked through */
	in_12(true);
	assert_int_equal(n_said, TYPING_MAX + 1);
	fx_run_for(&fx, 100);
	later(TYPING_SHOWN_MS + 1);
	fx_run_for(&fx, 3200);
	assert_int_equal(fx.net->timers, 0);
}

static void
hear(struct model *m, const char *uid, const char *body, uint8_t kind)
{
	struct f_eph eph = {
	    .kind = kind, .uid = str_of(uid), .body = str_of(body)};

	typing_on_eph(&srv, model_channel(m), &eph);
}

static void
test_who_hears(void **state)
{
	static const char *const bad[] = {"", "1", "2 x", "x 1", " ",
	    "1 0123456789012345678901234567890123456789012345678901234567890"
	    "1234"};

	(void)state;
	hear(room, "cat", "1 the cat", 1);
	assert_string_equal(a.last, "12@ cat the cat 1");
	assert_string_equal(b.last, "12@ cat the cat 1");
	assert_int_equal(c.frames, 0); /* not in the room */
	hear(room, "cat", "0 the cat", 1);
	assert_string_equal(a.last, "12@ cat the cat 0");
	/* none of his own */
	hear(room, "bob", "1 bob", 1);
	assert_int_equal(b.frames, 2);
	assert_int_equal(a.frames, 3);
	hear(bob, "cat", "1 the cat", 1);
	assert_string_equal(b.last, "@cat cat the cat 1");
	assert_string_equal(c.last, "@cat cat the cat 1");
	hear(bob, "bob", "1 bob", 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		hear(room, "cat", bad[i], 1);
	hear(room, "cat", "1 cat", 2);
	hear(room, NULL, "1 cat", 1);
	assert_int_equal(a.frames, 3);
	assert_int_equal(b.frames, 3);
	assert_int_equal(c.frames, 1);
}

static void
test_who_does_not(void **state)
{
	(void)state;
	b.queued = TYPING_QUEUE + 1;
	hear(room, "cat", "1 cat", 1);
	assert_int_equal(a.frames, 1);
	assert_int_equal(b.frames, 0);
	b.queued = TYPING_QUEUE;
	hear(room, "cat", "1 cat", 1);
	assert_int_equal(b.frames, 1);
	a.s.level = 1;
	hear(room, "cat", "1 cat", 1);
	assert_int_equal(a.frames, 2);
	a.s.level = 2;
	/* behind: it would be out of place */
	a.s.members->cursor.live = 0;
	hear(room, "cat", "1 cat", 1);
	assert_int_equal(a.frames, 2);
	a.s.members->cursor.live = 1;
	a.s.logging_in = 1;
	hear(room, "cat", "1 cat", 1);
	a.s.logging_in = 0;
	a.closed = true;
	hear(room, "cat", "1 cat", 1);
	assert_int_equal(a.frames, 2);
	a.closed = false;
	c.s.passed = 1;
	hear(bob, "cat", "1 cat", 1);
	assert_int_equal(c.frames, 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_a_room),
	    T(test_private),
	    T(test_bounds),
	    T(test_entries),
	    T(test_who_hears),
	    T(test_who_does_not),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
