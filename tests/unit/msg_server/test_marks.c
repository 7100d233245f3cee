/* SPDX-License-Identifier: MIT */
/*
 * Read marks (msg_server/marks.h): the first goes at once, what follows within
 * a second is one, the newest wins, and who hears of it.
 */
#include "msg_server/follow/fanout.h"
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
	    T(test_bound),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
