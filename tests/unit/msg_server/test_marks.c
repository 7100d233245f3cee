/* SPDX-License-Identifier: MIT */
/*
 * Read marks (msg_server/marks.h): the first goes at once, what follows within
 * a second is one, the newest wins, and who hears of it.
 */
#include "msg_server/follow/fanout.h"
#include "msg_server/follow/room_priv.h"
#include "msg_server/marks.h"
#include "tests/unit/shared/net/fixture.h"

static struct fx fx;
static struct server srv;
static char log_text[2048]; /* states and ephemerals in order */
static char told[512];	    /* marks that sessions got */

static bool linked;
static uint64_t gen;

bool
relay_raise(struct relay *r, const struct f_raise *f)
{
	size_t n = strlen(log_text);

	(void)r;
	if (!linked)
		return false;
	assert_false(str_is_set(f->ep));
	/* whose item it is a number of */
	if (f->key.p[2] == '@')
		assert_int_equal(chan_kind(f->of), CHAN_PAIR);
	else if (chan_kind(f->chan) == CHAN_ROOM)
		assert_true(str_eq(f->chan, f->of));
	else
		assert_true(str_eq(
		    chan_id(f->of), str_n(f->key.p + 2, f->key.len - 2)));
	snprintf(log_text + n, sizeof log_text - n, "[%.*s %.*s=%u|%.*s:%.*s]",
	    STR_ARG(f->chan), STR_ARG(f->key), (unsigned)f->n, STR_ARG(f->tell),
	    STR_ARG(f->body));
	return true;
}

uint64_t
relay_gen(const struct relay *r)
{
	(void)r;
	return gen;
}

void
relay_eph(struct relay *r, const struct f_eph *eph)
{
	size_t n = strlen(log_text);

	(void)r;
	assert_int_equal(eph->kind, 2);
	snprintf(log_text + n, sizeof log_text - n, "{%.*s %.*s: %.*s}",
	    STR_ARG(eph->chan), STR_ARG(eph->uid), STR_ARG(eph->body));
}

static struct user *the_user;
static struct room *the_room;
static struct relay_get *asked;
static unsigned n_asked;

struct room *
room_find(struct server *server, struct str rid)
{
	(void)server;
	return the_room && str_eqc(rid, room_rid(the_room)) ? the_room : NULL;
}

int
relay_get(struct relay *r, const struct f_get *get, struct relay_get *call)
{
	(void)r;
	assert_true(str_eqc(get->chan, "r:gab"));
	assert_true(str_eqc(get->key, "n"));
	n_asked++;
	if (!linked)
		return ERR_BUSY;
	asked = call;
	return 0;
}

struct str
session_uid(const struct session *s)
{
	return str_of(user_uid(s->user));
}

bool
session_is_open(const struct session *s)
{
	return s->level > 0;
}

struct user *
user_find(struct server *server, struct str uid)
{
	(void)server;
	return the_user && str_eqc(uid, user_uid(the_user)) ? the_user : NULL;
}

bool
channel_is_user(const struct channel *c)
{
	return c->name[0] == 'u';
}

void
fanout_begin(struct fanout *f, const struct event *ev)
{
	f->ev = ev;
}

void
fanout_send(struct fanout *f, struct session *s, enum view view)
{
	size_t n = strlen(told);

	(void)view;
	assert_int_equal(f->ev->kind, EVENT_MARK);
	snprintf(told + n, sizeof told - n, "%u<%.*s|%.*s|%.*s %u %u>",
	    (unsigned)s->cn, STR_ARG(f->ev->rid), STR_ARG(f->ev->tid),
	    STR_ARG(f->ev->uid), (unsigned)f->ev->read, (unsigned)f->ev->recv);
}

void
fanout_end(struct fanout *f)
{
	(void)f;
}

static int
setup(void **state)
{
	(void)state;
	memset(&srv, 0, sizeof srv);
	log_text[0] = told[0] = '\0';
	linked = true;
	gen = 1;
	fx_init(&fx);
	srv.net = fx.net;
	srv.marks = marks_new(&srv);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	marks_free(srv.marks);
	fx_fini(&fx);
	return 0;
}

static void
put(const char *rid, const char *tid, uint64_t read, uint64_t recv)
{
	marks_put(&srv, STR_LIT("1001"), str_of(rid), str_of(tid), read, recv);
}

static void
test_a_room(void **state)
{
	(void)state;
	put("12", NULL, 854, 0);
	assert_string_equal(log_text, "[u:1001 k:12=854|:]");
	/* faster ones wait, older ones say nothing */
	put("12", NULL, 856, 0);
	put("12", NULL, 855, 0);
	put("12", NULL, 858, 0);
	put("12", NULL, 1, 0);
	assert_string_equal(log_text, "[u:1001 k:12=854|:]");
	FX_WAIT(&fx, 3000, strstr(log_text, "858") != NULL);
	/* an older one is not sent again either */
	put("12", NULL, 857, 0);
	fx_run_for(&fx, 1100);
	assert_string_equal(log_text, "[u:1001 k:12=854|:][u:1001 k:12=858|:]");
}

static void
test_a_pair(void **state)
{
	(void)state;
	put(NULL, "1002", 7, 0);
	assert_string_equal(log_text, "[u:1001 k:@1002=7|u:1002:@1001 7 0]");
	log_text[0] = '\0';
	/* received, not read: nothing to remember */
	put(NULL, "1003", 0, 9);
	assert_string_equal(
	    log_text, "{u:1001 1001: @1003 0 9}{u:1003 1001: @1001 0 9}");
	log_text[0] = '\0';
	put(NULL, "1001", 3, 0);
	assert_string_equal(log_text, "[u:1001 k:@1001=3|:]");
}

/* what nobody can have heard is said again */
static void
test_no_proxy(void **state)
{
	(void)state;
	linked = false;
	put("12", NULL, 4, 0);
	assert_string_equal(log_text, "");
	fx_run_for(&fx, 1100);
	linked = true;
	FX_WAIT(&fx, 3000, log_text[0] != '\0');
	assert_string_equal(log_text, "[u:1001 k:12=4|:]");
	/* another proxy is active: perhaps it was lost on the way */
	gen++;
	FX_WAIT(&fx, 3000, strlen(log_text) > 20);
	assert_string_equal(log_text, "[u:1001 k:12=4|:][u:1001 k:12=4|:]");
}

static void
test_conversations_are_apart(void **state)
{
	(void)state;
	put("12", NULL, 1, 0);
	put("13", NULL, 1, 0);
	put(NULL, "12", 1, 0);
	assert_non_null(strstr(log_text, "k:12=1"));
	assert_non_null(strstr(log_text, "k:13=1"));
	assert_non_null(strstr(log_text, "k:@12=1"));
}

static void
test_who_hears(void **state)
{
	struct channel c = {.name = "u:1002"};
	struct session v2 = {.cn = 2, .level = 2}, v1 = {.cn = 1, .level = 1};
	struct user u = {.channel.name = "u:1002", .sessions = &v2};
	struct f_eph eph = {.kind = 2, .uid = STR_LIT("1001")};
	static const char *const bad[] = {
	    "", "x", "12 1", "12 x 0", " 1 2", "12 -1 0"};
	size_t i;

	(void)state;
	v2.next_of_user = &v1;
	the_user = &u;
	eph.body = STR_LIT("@1001 7 0");
	marks_on_eph(&srv, &c, &eph);
	assert_string_equal(told, "2<|1001|1001 7 0>");
	told[0] = '\0';
	eph.body = STR_LIT("12 854 9");
	marks_on_eph(&srv, &c, &eph);
	assert_string_equal(told, "2<12||1001 854 9>");
	told[0] = '\0';
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		eph.body = str_of(bad[i]);
		marks_on_eph(&srv, &c, &eph);
	}
	eph.body = STR_LIT("12 854 9");
	eph.kind = 1;
	marks_on_eph(&srv, &c, &eph);
	/* a state record: of his own marks, and of nothing else */
	assert_string_equal(told, "");
	marks_on_state(&srv, &c,
	    &(struct state_rec){
		.key = STR_LIT("k:@1003"), .val = STR_LIT("12")});
	marks_on_state(&srv, &c,
	    &(struct state_rec){.key = STR_LIT("d"), .val = STR_LIT("12")});
	marks_on_state(&srv, &c,
	    &(struct state_rec){.key = STR_LIT("k:"), .val = STR_LIT("12")});
	marks_on_state(&srv, &c, &(struct state_rec){.key = STR_LIT("k:7")});
	assert_string_equal(told, "2<|1003|1002 12 0>");
	told[0] = '\0';
	v2.logging_in = 1;
	eph.kind = 2;
	marks_on_eph(&srv, &c, &eph);
	c.name = "u:1009";
	marks_on_eph(&srv, &c, &eph);
	assert_string_equal(told, "");
	the_user = NULL;
}

/* for the others in it beside his own; a room that is no group has no others */
static void
test_a_group(void **state)
{
	(void)state;
	put("gab", NULL, 7, 0);
	assert_string_equal(log_text, "[u:1001 k:gab=7|:][r:gab k:1001=7|:]");
	put("gone", NULL, 7, 0); /* no group's name */
	assert_non_null(strstr(log_text, "[u:1001 k:gone=7|:]"));
	assert_null(strstr(log_text, "[r:gone"));
	log_text[0] = '\0';
	/* received: told to his own, as in a room */
	put("gcd", NULL, 0, 9);
	assert_string_equal(log_text, "{u:1001 1001: gcd 0 9}");
}

static void
got_size(const char *n, unsigned code)
{
	struct f_got got = {.code = 200, .val = str_of(n)};
	struct relay_get *call = asked;

	assert_non_null(call);
	asked = NULL;
	call->done(call, code, code == 200 ? &got : NULL);
}

static void
test_a_group_hears(void **state)
{
	struct channel of_bob = {.name = "u:1002"}, of_amy = {.name = "u:1001"};
	struct user bob = {.channel = of_bob}, amy = {.channel = of_amy};
	struct session s[5];
	struct member m[5], *list[5];
	struct room room = {
	    .channel.name = "r:gab", .members = list, .n_members = 5};
	struct state_rec rec = {.key = STR_LIT("k:1001"), .val = STR_LIT("12")};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		s[i] = (struct session){
		    .cn = i + 1, .level = 2, .user = i == 1 ? &amy : &bob};
		m[i] = (struct member){
		    .session = &s[i], .room = &room, .cursor.live = 1};
		list[i] = &m[i];
	}
	s[2].level = 1;
	m[3].cursor.live = 0;
	m[4].cursor.waiting = 1;
	the_room = &room;
	srv.set.marks_max = 100;
	/* nobody knows how many are in it: it is asked, and then remembered */
	marks_on_state(&srv, &room.channel, &rec);
	assert_string_equal(told, "");
	got_size("100", 200);
	assert_string_equal(told, "1<gab||1001 12 0>");
	told[0] = '\0';
	n_asked = 0;
	marks_on_state(&srv, &room.channel, &rec);
	assert_string_equal(told, "1<gab||1001 12 0>");
	assert_int_equal(n_asked, 0);
	told[0] = '\0';
	/* one more than that */
	room.people = 101;
	marks_on_state(&srv, &room.channel, &rec);
	/* who left it meanwhile, no answer, no sense, no room in the table */
	room.people = 0;
	marks_on_state(&srv, &room.channel, &rec);
	the_room = NULL;
	got_size("3", 200);
	the_room = &room;
	marks_on_state(&srv, &room.channel, &rec);
	got_size("3", 503);
	marks_on_state(&srv, &room.channel, &rec);
	got_size("", 200);
	marks_on_state(&srv, &room.channel, &rec);
	got_size("0", 200);
	linked = false;
	marks_on_state(&srv, &room.channel, &rec);
	linked = true;
	assert_string_equal(told, "");
	assert_int_equal(room.people, 0);
	/* off, other keys, and a room that is no group */
	n_asked = 0;
	room.people = 3;
	srv.set.marks_max = 0;
	marks_on_state(&srv, &room.channel, &rec);
	srv.set.marks_max = 100;
	rec.key = STR_LIT("t");
	marks_on_state(&srv, &room.channel, &rec);
	rec.key = STR_LIT("k:1001");
	rec.val = STR_LIT("many");
	marks_on_state(&srv, &room.channel, &rec);
	rec.val = STR_LIT("12");
	room.channel.name = "r:12";
	marks_on_state(&srv, &room.channel, &rec);
	assert_string_equal(told, "");
	assert_int_equal(n_asked, 0);
	the_room = NULL;
}

static void
test_bound(void **state)
{
	char rid[16];
	int i;

	(void)state;
	for (i = 0; i <= MARKS_MAX; i++) {
		snprintf(rid, sizeof rid, "r%d", i);
		log_text[0] = '\0';
		put(rid, NULL, 1, 0);
		assert_int_equal(log_text[0] != '\0', i < MARKS_MAX);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_a_room),
	    T(test_a_pair),
	    T(test_no_proxy),
	    T(test_conversations_are_apart),
	    T(test_who_hears),
	    T(test_a_group),
	    T(test_a_group_hears),
	    T(test_bound),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
