/* SPDX-License-Identifier: MIT */
/*
 * Who is there and who is told: presence without links, on a clock that the
 * test turns.
 */
#include "tests/unit/shared/net/fixture.h"

#include "proxy_server/presence.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

enum { GRACE = 15000 };

static struct fx fx;
static struct presence *pr;
static struct pres_node *n1, *n2;
static int64_t now;
static char told[8192]; /* what rooms were told, as text */
static unsigned n_told;

static void
on_room(void *arg, struct str rid, struct f_room *f)
{
	size_t n = strlen(told);

	(void)arg;
	n_told++;
	n += (size_t)snprintf(told + n, sizeof told - n, "%.*s=%u%s",
	    STR_ARG(rid), f->count, f->big ? "!" : "");
	for (unsigned i = 0; i < f->n_in && n < sizeof told; i++)
		n += (size_t)snprintf(told + n, sizeof told - n, " +%.*s%s",
		    STR_ARG(f->in[i].uid), f->in[i].again ? "*" : "");
	for (unsigned i = 0; i < f->n_out && n < sizeof told; i++)
		n += (size_t)snprintf(told + n, sizeof told - n, " -%.*s",
		    STR_ARG(f->out[i].uid));
	if (n < sizeof told)
		snprintf(told + n, sizeof told - n, ";");
}

static void
on_room_info(void *arg, struct str rid, struct buf *json)
{
	(void)arg;
	(void)rid;
	buf_puts(json, "\"seq\":7");
}

static int64_t heard;

static int64_t
on_heard(void *arg)
{
	(void)arg;
	return heard;
}

static const struct presence_ops ops = {.on_heard = on_heard,

    .on_room = on_room,
    .on_room_info = on_room_info};

static void
pass(int64_t ms)
{
	now += ms;
	clock_test_set(now, now);
	presence_tick(pr);
}

/* what was told since the last question */
#define TOLD(want)                               \
	do {                                     \
		presence_tick(pr);               \
		assert_string_equal(told, want); \
		told[0] = '\0';                  \
	} while (0)

static int
setup(void **state)
{
	(void)state;
	now = 1000000;
	clock_test_set(now, now);
	fx_init(&fx);
	pr = presence_new(fx.net, GRACE, &ops, NULL);
	n1 = presence_node(pr, 1, "ms1");
	n2 = presence_node(pr, 2, "ms2");
	presence_begin(pr, n1);
	presence_end(pr, n1);
	presence_begin(pr, n2);
	presence_end(pr, n2);
	presence_set_active(pr, true);
	pass(1000); /* the quiet second */
	told[0] = '\0';
	n_told = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	presence_free(pr);
	fx_fini(&fx);
	clock_test_set(0, 0);
	return 0;
}

static uint64_t
cn(struct pres_node *n, unsigned i)
{
	return (uint64_t)presence_node_no(n) << 32 | i;
}

static void
put(struct pres_node *n, unsigned i, const char *uid, const char *add,
    const char *del, bool silent)
{
	struct f_pres f = {
	    .op = PRES_SET,
	    .cn = cn(n, i),
	    .uid = str_of(uid),
	    .name = str_of(uid),
	    .dev = STR_LIT("web"),
	    .level = 2,
	    .silent = silent,
	    .n_add = add != NULL,
	    .n_del = del != NULL,
	};

	f.add[0] = str_of(add);
	f.del[0] = str_of(del);
	presence_put(pr, n, &f);
}

static void
gone(struct pres_node *n, unsigned i, enum pres_op op, bool silent)
{
	struct f_pres f = {.op = (uint8_t)op, .cn = cn(n, i), .silent = silent};

	presence_put(pr, n, &f);
}

static void
test_in_and_out(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n2, 1, "bob", "12", NULL, false);
	TOLD("12=2 +amy +bob;");
	gone(n1, 1, PRES_GONE, false);
	TOLD("");
	pass(GRACE - 1);
	TOLD("");
	pass(1);
	TOLD("12=1 -amy;");
	gone(n2, 1, PRES_BYE, false);
	TOLD("12=0 -bob;");
}

static void
test_devices(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n2, 9, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
	gone(n1, 1, PRES_BYE, false);
	pass(GRACE * 2);
	TOLD("");
	gone(n2, 9, PRES_BYE, false);
	TOLD("12=0 -amy;");
}

static void
test_leave_is_at_once(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 1, "amy", "13", NULL, false);
	TOLD("12=1 +amy;13=1 +amy;");
	put(n1, 1, "amy", NULL, "12", false);
	TOLD("12=0 -amy;");
	put(n1, 1, "amy", NULL, "12", false);
	TOLD("");
}

/* a session that went and came back: version 1 sees each login */
static void
test_back_within_grace(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	gone(n1, 1, PRES_GONE, false);
	pass(GRACE / 2);
	put(n2, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy*;");
	pass(GRACE * 2);
	TOLD("");
}

/* takeover by `move`: nobody is told anything */
static void
test_move(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n2, 1, "amy", "12", NULL, true);
	gone(n1, 1, PRES_GONE, true);
	pass(GRACE * 2);
	TOLD("");
}

static void
test_link_lost(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "bob", "12", NULL, false);
	put(n1, 3, "eve", "12", NULL, false);
	TOLD("12=3 +amy +bob +eve;");
	presence_lost(pr, n1);
	TOLD("");
	pass(GRACE / 2);
	/* amy comes back there, bob elsewhere, eve does not; dan is new */
	presence_begin(pr, n1);
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 4, "dan", "12", NULL, false);
	presence_end(pr, n1);
	put(n2, 1, "bob", "12", NULL, false);
	TOLD("12=4 +dan;");
	pass(GRACE);
	TOLD("12=3 -eve;");
}

/* the server was restarted and counts from 1 again: other people */
static void
test_numbers_begin_anew(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("12=1 +amy;");
	put(n1, 1, "bob", "12", NULL, false);
	TOLD("12=2 +bob;");
	pass(GRACE);
	TOLD("12=1 -amy;");
}

static void
test_snapshot_replaces(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "bob", "12", NULL, false);
	TOLD("12=2 +amy +bob;");
	presence_begin(pr, n1); /* the same link, or one that took over */
	put(n1, 2, "bob", "12", NULL, false);
	presence_end(pr, n1);
	TOLD("");
	pass(GRACE);
	TOLD("12=1 -amy;");
}

/* what a server had announced before we came is old news */
static void
test_first_snapshot_is_silent(void **state)
{
	struct pres_node *n3 = presence_node(pr, 3, "ms3");

	(void)state;
	presence_begin(pr, n3);
	put(n3, 1, "amy", "12", NULL, false);
	presence_end(pr, n3);
	TOLD("");
	put(n3, 2, "bob", "12", NULL, false);
	TOLD("12=2 +bob;");
}

static void
test_cancelled(void **state)
{
	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	gone(n1, 1, PRES_BYE, false);
	TOLD(""); /* in and out in one turn */
	put(n1, 2, "bob", "12", NULL, false);
	TOLD("12=1 +bob;");
	gone(n1, 2, PRES_BYE, false);
	put(n1, 3, "bob", "12", NULL, false);
	TOLD("12=1 +bob*;"); /* out and in */
	put(n1, 4, "bob", "12", NULL, false);
	gone(n1, 4, PRES_BYE, false);
	gone(n1, 3, PRES_BYE, false);
	TOLD("12=0 -bob;");
}

static void
test_big_room(void **state)
{
	char uid[16];

	(void)state;
	for (unsigned i = 0; i < PRESENCE_BIG; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		put(n1, i, uid, "12", NULL, false);
	}
	presence_tick(pr);
	assert_int_equal(n_told, 2); /* 64 names a frame */
	assert_null(strchr(told, '!'));
	told[0] = '\0';
	n_told = 0;
	pass(1000);
	put(n1, 1000, "x0", "12", NULL, false);
	TOLD("12=101! +x0;");
	for (unsigned i = 1; i <= 9; i++) {
		snprintf(uid, sizeof uid, "x%u", i);
		put(n1, 1000 + i, uid, "12", NULL, false);
		pass(100);
		TOLD("");
	}
	pass(100);
	TOLD("12=110! +x1 +x2 +x3 +x4 +x5 +x6 +x7 +x8 +x9;");
	/* further devices are nobody's business in there */
	put(n2, 1, "x1", "12", NULL, false);
	pass(1000);
	TOLD("");
}

/* a standby knows and says nothing; promoted, only what is fresh */
static void
test_standby(void **state)
{
	(void)state;
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	TOLD("");
	pass(4000);
	TOLD("");
	put(n1, 2, "bob", "12", NULL, false);
	pass(500);
	TOLD("");
	presence_set_active(pr, true);
	TOLD(""); /* first the servers come over */
	pass(1000);
	TOLD("12=2 +bob;");
	pass(GRACE);
	TOLD("");
}

/* what the active one lived to tell is not told again */
static void
test_standby_heard(void **state)
{
	(void)state;
	presence_set_active(pr, false);
	put(n1, 1, "amy", "12", NULL, false);
	pass(500);
	heard = now;
	put(n1, 2, "bob", "12", NULL, false);
	pass(100);
	presence_set_active(pr, true);
	pass(1000);
	TOLD("12=2 +bob;");
	heard = 0;
}

static void
test_foreign_session(void **state)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn(n2, 5),
	    .uid = STR_LIT("amy"),
	    .n_add = 1,
	    .add = {STR_LIT("12")}};
	struct presence_figures fig;

	(void)state;
	presence_put(pr, n1, &f);
	TOLD("");
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 0);
	assert_int_equal(fig.refused, 1);
}

static void
test_session_limits(void **state)
{
	struct presence_figures fig;
	char rid[16];

	(void)state;
	for (unsigned i = 0; i <= PRESENCE_ROOMS_MAX; i++) {
		snprintf(rid, sizeof rid, "r%u", i);
		put(n1, 1, "amy", rid, NULL, true);
	}
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.rooms, PRESENCE_ROOMS_MAX);
	assert_int_equal(fig.refused, 1);
	for (unsigned i = 0; i < PRESENCE_SESSIONS_MAX; i++)
		put(n2, i + 1, "bob", NULL, NULL, true);
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 1 + PRESENCE_SESSIONS_MAX);
	put(n2, PRESENCE_SESSIONS_MAX + 1, "bob", NULL, NULL, true);
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 1 + PRESENCE_SESSIONS_MAX);
	assert_int_equal(fig.refused, 2);
}

/* nothing is left of people who are gone */
static void
test_nothing_left(void **state)
{
	struct presence_figures fig;

	(void)state;
	put(n1, 1, "amy", "12", NULL, false);
	put(n1, 2, "amy", "13", NULL, false);
	put(n2, 1, "bob", "12", NULL, false);
	put(n2, 2, "eve", NULL, NULL, false);
	presence_lost(pr, n1);
	presence_lost(pr, n2);
	pass(GRACE);
	presence_tick(pr);
	presence_get_figures(pr, &fig);
	assert_int_equal(fig.sessions, 0);
	assert_int_equal(fig.users, 0);
	assert_int_equal(fig.rooms, 0);
}

/* ---- questions -------------------------------------------------------- */

static struct buf json;
static struct f_whois ans;
static char next[80];

static const char *
ask(enum who_what what, const char *arg, const char *from, uint16_t limit)
{
	struct f_who who = {.rid = 5,
	    .what = (uint8_t)what,
	    .arg = str_of(arg),
	    .next = str_of(from),
	    .limit = limit};
	json_t *v;
	int err;

	buf_fini(&json);
	buf_init(&json, 1 << 20);
	presence_who(pr, &who, &json, &ans);
	assert_int_equal(ans.rid, 5);
	str_copy(next, sizeof next, ans.next);
	if (ans.code != 200)
		return "";
	v = json_read(ans.json, &err);
	assert_non_null(v);
	json_decref(v);
	buf_putc(&json, '\0');
	return (const char *)buf_p(&json);
}

static void
test_get_online(void **state)
{
	(void)state;
	assert_string_equal(ask(WHO_ROOM, "12", NULL, 10), "[]");
	assert_int_equal(ans.count, 0);
	put(n1, 1, "cat", "12", NULL, false);
	put(n1, 2, "amy", "12", NULL, false);
	put(n2, 2, "amy", "12", NULL, false);
	put(n2, 3, "bob", "12", NULL, false);
	put(n2, 4, "dan", "13", NULL, false);
	assert_string_equal(ask(WHO_ROOM, "12", NULL, 2),
	    "[{\"uid\":\"amy\",\"name\":\"amy\",\"st\":\"on\",\"dev\":2},"
	    "{\"uid\":\"bob\",\"name\":\"bob\",\"st\":\"on\",\"dev\":1}]");
	assert_int_equal(ans.count, 3);
	assert_string_equal(next, "bob");
	assert_string_equal(ask(WHO_ROOM, "12", "bob", 2),
	    "[{\"uid\":\"cat\",\"name\":\"cat\",\"st\":\"on\",\"dev\":1}]");
	assert_string_equal(next, "");
	assert_string_equal(ask(WHO_USERS, "bob,zed,b/d,amy", NULL, 0),
	    "[{\"uid\":\"bob\",\"name\":\"bob\",\"st\":\"on\",\"dev\":1},"
	    "{\"uid\":\"zed\",\"st\":\"off\",\"dev\":0},"
	    "{\"uid\":\"amy\",\"name\":\"amy\",\"st\":\"on\",\"dev\":2}]");
	assert_int_equal(ans.count, 2);
}

static void
test_pages_are_whole(void **state)
{
	char uid[16], seen[256] = {0};
	json_t *list, *v;
	size_t i;
	unsigned n = 0;
	int err;

	(void)state;
	for (i = 0; i < 250; i++) {
		snprintf(uid, sizeof uid, "u%zu", (i * 77) % 250);
		put(n1, (unsigned)i, uid, "12", NULL, true);
	}
	ask(WHO_ROOM, "12", NULL, 40);
	for (;;) {
		list = json_read(str_of((const char *)buf_p(&json)), &err);
		json_array_foreach(list, i, v)
		{
			struct str s = json_str(v, "uid");
			unsigned k = (unsigned)strtoul(s.p + 1, NULL, 10);

			assert_int_equal(seen[k], 0);
			seen[k] = 1;
			n++;
		}
		json_decref(list);
		if (next[0] == '\0')
			break;
		ask(WHO_ROOM, "12", strcpy(uid, next), 40);
	}
	assert_int_equal(n, 250);
}

static void
test_away(void **state)
{
	struct f_pres f = {.op = PRES_SET,
	    .cn = cn(n1, 1),
	    .uid = STR_LIT("amy"),
	    .name = STR_LIT("Amy \"A\""),
	    .avatar = STR_LIT("/a.png"),
	    .away = true,
	    .n_add = 1,
	    .add = {STR_LIT("12")}};

	(void)state;
	presence_put(pr, n1, &f);
	assert_string_equal(ask(WHO_ROOM, "12", NULL, 10),
	    "[{\"uid\":\"amy\",\"name\":\"Amy \\\"A\\\"\",\"st\":\"away\","
	    "\"dev\":1,\"avatar\":\"/a.png\"}]");
	put(n2, 2, "amy", "12", NULL, false);
	assert_non_null(strstr(ask(WHO_ROOM, "12", NULL, 10), "\"st\":\"on\""));
}

static void
test_where(void **state)
{
	(void)state;
	put(n1, 255, "amy", "12", NULL, false);
	assert_string_equal(ask(WHO_USER, "amy", NULL, 0),
	    "{\"uid\":\"amy\",\"online\":true,\"name\":\"amy\",\"sessions\":["
	    "{\"srv\":\"ms1\",\"sid\":\"s-1000000ff\",\"dev\":\"web\","
	    "\"since\":1001000,\"v\":2,\"st\":\"on\"}],\"rooms\":[\"12\"],"
	    "\"last\":1001000}");
	assert_string_equal(ask(WHO_USER, "bob", NULL, 0),
	    "{\"uid\":\"bob\",\"online\":false,\"sessions\":[],\"rooms\":[]}");
	assert_string_equal(ask(WHO_USER, "b b", NULL, 0), "");
	assert_int_equal(ans.code, 404);
	assert_true(presence_node_has(pr, n1, STR_LIT("amy")));
	assert_false(presence_node_has(pr, n2, STR_LIT("amy")));
}

static void
test_rooms(void **state)
{
	(void)state;
	put(n1, 1, "amy", "b", NULL, false);
	put(n2, 1, "amy", "b", NULL, false);
	put(n2, 2, "bob", "a", NULL, false);
	put(n1, 3, "cat", "c", NULL, false);
	assert_string_equal(ask(WHO_ROOMS, NULL, NULL, 2),
	    "[{\"rid\":\"a\",\"users\":1,\"members\":{\"ms2\":1}},"
	    "{\"rid\":\"b\",\"users\":1,\"members\":{\"ms1\":1,\"ms2\":1}}]");
	assert_int_equal(ans.count, 3);
	assert_string_equal(next, "b");
	assert_string_equal(ask(WHO_ROOMS, "ms1", NULL, 0),
	    "[{\"rid\":\"b\",\"users\":1,\"members\":{\"ms1\":1,\"ms2\":1}},"
	    "{\"rid\":\"c\",\"users\":1,\"members\":{\"ms1\":1}}]");
	assert_string_equal(ask(WHO_ROOM_INFO, "b", NULL, 0),
	    "{\"rid\":\"b\",\"users\":1,\"members\":{\"ms1\":1,\"ms2\":1},"
	    "\"seq\":7}");
	assert_string_equal(ask(WHO_TOTALS, NULL, NULL, 0),
	    "{\"sessions\":4,\"users\":3,\"rooms\":3,"
	    "\"servers\":{\"ms1\":2,\"ms2\":2}}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_in_and_out),
	    TEST(test_devices),
	    TEST(test_leave_is_at_once),
	    TEST(test_back_within_grace),
	    TEST(test_move),
	    TEST(test_link_lost),
	    TEST(test_numbers_begin_anew),
	    TEST(test_snapshot_replaces),
	    TEST(test_first_snapshot_is_silent),
	    TEST(test_cancelled),
	    TEST(test_big_room),
	    TEST(test_standby),
	    TEST(test_standby_heard),
	    TEST(test_foreign_session),
	    TEST(test_session_limits),
	    TEST(test_nothing_left),
	    TEST(test_get_online),
	    TEST(test_pages_are_whole),
	    TEST(test_away),
	    TEST(test_where),
	    TEST(test_rooms),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	buf_fini(&json);
	return rc;
}
