/* SPDX-License-Identifier: MIT */
/*
 * edit, recall, react, title (msg_server/cmd/cmd_item.c): what goes to the log,
 * by whose leave, at what rate. Log, rooms and answers are fakes.
 */
#include "msg_server/groups.h"
#include "tests/unit/msg_server/asker_fixture.h"

static struct room in;
/* the last append, the last question, and what was told */
static struct f_append ap;
static char chan[CHAN_MAX + 1], body[8192], need[STATE_KEY_MAX + 1];
static char to[2][CHAN_MAX + 1], key[STATE_KEY_MAX + 1], val[256];
static struct relay_append *call;
static struct relay_get *got;
static unsigned n_puts;

int
relay_append(struct relay *r, const struct f_append *f, struct relay_append *c)
{
	(void)r;
	ap = *f;
	str_copy(chan, sizeof chan, f->chan);
	str_copy(body, sizeof body, f->item.body);
	str_copy(need, sizeof need, f->need);
	for (unsigned i = 0; i < f->n_to; i++)
		str_copy(to[i], sizeof to[i], f->to[i]);
	str_copy(val, sizeof val,
	    f->n_states > 0 ? f->states[0].val : STR_LIT("none"));
	call = c;
	n_puts++;
	return 0;
}

int
relay_get(struct relay *r, const struct f_get *f, struct relay_get *c)
{
	(void)r;
	str_copy(chan, sizeof chan, f->chan);
	str_copy(key, sizeof key, f->key);
	got = c;
	return 0;
}

void
reply_event(struct session *session, const struct event *ev)
{
	assert_ptr_equal(session, &s);
	code = ev->kind == EVENT_ERROR ? ev->code : 200;
}

static int
setup(void **state)
{
	(void)state;
	asker_setup();
	member.room = &in;
	srv.set.msg_max = 100;
	call = NULL;
	got = NULL;
	n_puts = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asker_teardown();
	return 0;
}

/* the log's answer */
static unsigned
answered(unsigned n)
{
	struct f_ack ack = {.seq = 9};

	assert_non_null(call);
	code = 0;
	call->done(call, n, 0, n == 200 ? &ack : NULL);
	call = NULL;
	return code;
}

static struct command
command(enum command_kind kind, const char *rid, const char *tid)
{
	return (struct command){.kind = kind,
	    .level = 2,
	    .cid = STR_LIT("c"),
	    .rid = str_of(rid),
	    .tid = str_of(tid),
	    .ref = 7,
	    .emo = STR_LIT("+1"),
	    .msg = STR_LIT("words"),
	    .title = STR_LIT("Tea")};
}

static void
test_kinds(void **state)
{
	struct command c = command(CMD_EDIT, "12", NULL);

	(void)state;
	cmd_edit(&srv, &s, &c);
	assert_int_equal(ap.item.kind, ITEM_EDIT);
	assert_int_equal(ap.item.ref, 7);
	assert_string_equal(body, "words");
	assert_string_equal(chan, "r:12");
	assert_int_equal(ap.item.flags, 0);
	assert_int_equal(ap.n_to, 0);
	assert_int_equal(s.pending, 1);
	assert_int_equal(answered(200), 200);
	assert_int_equal(s.pending, 0);
	cmd_recall(&srv, &s, &c);
	assert_int_equal(ap.item.kind, ITEM_RECALL);
	assert_false(str_is_set(ap.item.body));
	/* what the log says of the message meant is his answer */
	assert_int_equal(answered(403), 403);
	cmd_react(&srv, &s, &c);
	assert_int_equal(ap.item.kind, ITEM_REACT);
	assert_int_equal(ap.item.flags, ITEM_F_OFF);
	assert_string_equal(body, "+1");
	assert_int_equal(answered(404), 404);
	c.on = true;
	cmd_react(&srv, &s, &c);
	assert_int_equal(ap.item.flags, 0);
	assert_int_equal(answered(409), 409);
	assert_int_equal(srv.stats[S_EDITS], 1);
	assert_int_equal(srv.stats[S_RECALLS], 1);
	assert_int_equal(srv.stats[S_REACTS], 2);
	assert_int_equal(srv.stats[S_APPENDS], 4);
}

static void
test_where(void **state)
{
	struct command c = command(CMD_EDIT, NULL, "1002");

	(void)state;
	cmd_edit(&srv, &s, &c);
	assert_string_equal(chan, "p:1001:1002");
	assert_int_equal(ap.n_to, 2);
	assert_string_equal(to[0], "u:1001");
	assert_string_equal(to[1], "u:1002");
	answered(200);
	/* not in it; a group's members are judged where the order is */
	c = command(CMD_REACT, "13", NULL);
	cmd_react(&srv, &s, &c);
	assert_int_equal(code, 403);
	assert_int_equal(n_puts, 1);
	c = command(CMD_RECALL, "gab", NULL);
	cmd_recall(&srv, &s, &c);
	assert_string_equal(need, "m:1001");
	answered(200);
}

/* as messages do: size, what is unanswered, rate */
static void
test_bounds(void **state)
{
	struct command c = command(CMD_EDIT, "12", NULL);
	char text[101];

	(void)state;
	memset(text, 'x', sizeof text);
	c.msg = str_n(text, 101);
	cmd_edit(&srv, &s, &c);
	assert_int_equal(code, 413);
	c.msg = str_n(text, 100);
	cmd_edit(&srv, &s, &c);
	assert_int_equal(answered(200), 200);
	s.pending = 64;
	cmd_react(&srv, &s, &c);
	assert_int_equal(code, 503);
	s.pending = 0;
	for (unsigned i = 0; i < 19; i++) {
		cmd_react(&srv, &s, &c);
		assert_int_equal(answered(200), 200);
	}
	cmd_react(&srv, &s, &c);
	assert_int_equal(code, 429);
	assert_null(call);
}

static void
test_title(void **state)
{
	struct command c = command(CMD_TITLE, "12", NULL);

	(void)state;
	cmd_title(&srv, &s, &c);
	assert_int_equal(code, 403);
	s.adm = 1;
	cmd_title(&srv, &s, &c);
	assert_int_equal(ap.item.kind, ITEM_TITLE);
	assert_string_equal(body, "Tea");
	assert_int_equal(ap.n_states, 1);
	assert_true(str_eqc(ap.states[0].key, "t"));
	assert_string_equal(val, "Tea");
	answered(200);
	/* none: the state goes */
	c.title = STR_LIT("");
	cmd_title(&srv, &s, &c);
	assert_true(str_is_set(ap.item.body));
	assert_false(str_is_set(ap.states[0].val));
	answered(200);
	/* somewhere else he is nobody */
	c.rid = STR_LIT("13");
	cmd_title(&srv, &s, &c);
	assert_int_equal(code, 403);
	s.adm = 0;
	srv.set.room_title = SETTINGS_TITLE_ANY;
	cmd_title(&srv, &s, &c);
	assert_int_equal(code, 403);
	c.rid = STR_LIT("12");
	cmd_title(&srv, &s, &c);
	assert_int_equal(answered(200), 200);
	assert_int_equal(n_puts, 3);
}

/* what he is in the group is asked first */
static void
test_group_title(void **state)
{
	static const struct {
		const char *val;
		unsigned code, want;
	} roles[] = {{"owner 0", 200, 0}, {"member 1", 200, 403},
	    {"ownership 1", 200, 403}, {NULL, 200, 403}, {NULL, 503, 503}};
	struct command c = command(CMD_TITLE, "gab", NULL);

	(void)state;
	srv.set.room_title = SETTINGS_TITLE_ANY; /* of no weight here */
	for (unsigned i = 0; i < ARRAY_LEN(roles); i++) {
		struct f_got f = {.code = 200, .val = str_of(roles[i].val)};

		cmd_title(&srv, &s, &c);
		assert_string_equal(chan, "r:gab");
		assert_string_equal(key, "m:1001");
		assert_int_equal(s.asks, 1);
		code = 0;
		got->done(got, roles[i].code, &f);
		assert_int_equal(s.asks, 0);
		assert_int_equal(code, roles[i].want);
		if (roles[i].want == 0) {
			assert_string_equal(body, "Tea");
			assert_string_equal(need, "m:1001");
			answered(200);
		}
	}
	assert_int_equal(n_puts, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_kinds),
	    T(test_where),
	    T(test_bounds),
	    T(test_title),
	    T(test_group_title),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
