/* SPDX-License-Identifier: MIT */
/*
 * What a room hears of people when a new active proxy tells the last seconds
 * again (frames.h, f_room): nothing twice, nothing lost; what a new link is
 * told of sessions; rooms opened and rooms too fast.
 */
#include "shared/proc/clock.h"
#include "tests/unit/msg_server/core_fixture.h"

static struct f_room news;
static uint32_t age;
static struct model *m;
static struct fake v1, v2;

static void
enter(struct fake *f, unsigned level, struct model *to, struct model *user)
{
	fake_open(f, level);
	if (user != NULL) {
		fake_join(f, user, NULL, 0, false, NULL);
		if (model_channel(user)->state != CHANNEL_LIVE)
			model_subbed(user);
		run_tasks();
	}
	fake_join(f, to, NULL, 0, false, NULL);
	if (model_channel(to)->state != CHANNEL_LIVE)
		model_subbed(to);
	run_tasks();
}

static void
begin(void)
{
	m = model_new("r:1", 1);
	enter(&v1, 1, m, NULL);
	enter(&v2, 2, m, NULL);
}

static void
end(void)
{
	fake_close(&v1);
	fake_close(&v2);
}

/* + in, - out; * again, ? maybe; what both levels heard of it */
static void
tell(const char *what, bool unsure, const char *want1, const char *want2)
{
	struct room_user *u;

	memset(&news, 0, sizeof news);
	news.unsure = unsure;
	u = what[0] == '+' ? &news.in[news.n_in++] : &news.out[news.n_out++];
	u->cn = 1000000 + (uint64_t)(what[1] - '0');
	u->uid = STR_LIT("7");
	u->age = age;
	u->again = strchr(what, '*') != NULL;
	u->maybe = strchr(what, '?') != NULL;
	v1.last[0] = v2.last[0] = '\0';
	room_on_people(&srv, model_channel(m), &news);
	assert_string_equal(v1.last, want1);
	assert_string_equal(v2.last, want2);
}

static const char in[] = "newUser 7", out_[] = "offline 7";

static void
test_told_again(void **state)
{
	(void)state;
	begin();
	tell("+1", false, in, in);
	tell("+1", true, "", ""); /* the new one says it too */
	tell("+2*", false, in, "");
	tell("+2*", true, "", "");
	tell("+3*", true, in, ""); /* that one was not told */
	tell("-0", false, "", out_);
	tell("-0", true, "", "");
	tell("+4", true, in, in);
	end();
}

/* he is where he was: only for those who heard of the change in between */
static void
test_round_trip(void **state)
{
	(void)state;
	begin();
	tell("-0?", true, "", ""); /* came and went, unheard */
	tell("+1", false, in, in);
	tell("-0?", true, "", out_); /* it was heard that he came */
	tell("+1?", true, in, in);   /* and that he went: back from the hold */
	tell("+1?", true, "", "");
	tell("+2*?", true, in, ""); /* went and came: a login, no more */
	end();
}

static void
test_silent_return(void **state)
{
	(void)state;
	begin();
	tell("+1?", true, "", "");
	tell("-0", true, "", out_);
	end();
}

/* what was before anybody here was in the room was told to nobody here */
static void
test_before_us(void **state)
{
	(void)state;
	clock_test_set(1000000, 1000000);
	begin();
	clock_test_set(1002000, 1002000);
	age = 2001;
	tell("+1", true, "", "");
	tell("-1", true, "", out_); /* he is known from then on */
	age = 1999;
	tell("+2", true, in, in);
	end();

	age = 0;
	clock_test_set(0, 0);
}

/*
 * About when ours came, said by one who heard of it 50 ms later; but not what
 * has happened since the new one is the active one.
 */
static void
test_about_then(void **state)
{
	(void)state;
	clock_test_set(1000000, 1000000);
	begin();
	clock_test_set(1002000, 1002000);
	srv.promoted_ms = 1000040;
	age = 1961;
	tell("+1", true, "", "");
	tell("-1", true, "", out_);
	age = 1960;
	tell("+2", true, in, in);
	srv.promoted_ms = 0;
	age = 0;
	clock_test_set(0, 0);
	end();
}

/* who entered before the old one fell may have a list of it: it may be old */
static void
test_riddle(void **state)
{
	(void)state;
	clock_test_set(1000000, 1000000);
	begin();
	srv.promoted_ms = 1010000;
	tell("+1?", true, "", ""); /* ten seconds: both knew the same */
	tell("-0", true, "", out_);
	news.out[0].uid = STR_LIT("8");
	news.out[0].maybe = true;
	v2.last[0] = '\0';
	room_on_people(&srv, model_channel(m), &news);
	assert_string_equal(v2.last, "");
	srv.promoted_ms = 1009999;
	news.out[0].uid = STR_LIT("9");
	room_on_people(&srv, model_channel(m), &news);
	assert_string_equal(v2.last, "presence 0 in 0 out 0 more");
	assert_string_equal(v1.last, "");
	v2.last[0] = '\0'; /* known by now */
	room_on_people(&srv, model_channel(m), &news);
	assert_string_equal(v2.last, "");
	srv.promoted_ms = 0;
	clock_test_set(0, 0);
	end();
}

/* a room that was not followed in between: what was told is told again */
static void
test_forgotten(void **state)
{
	(void)state;
	begin();
	tell("+1", false, in, in);
	end();
	channel_expire(model_channel(m));
	enter(&v1, 1, m, NULL);
	enter(&v2, 2, m, NULL);
	tell("+1", true, in, in);
	end();
}

static void
test_bound(void **state)
{
	char uid[16];

	(void)state;
	for (unsigned i = 0; i <= TOLD_MAX; i++) {
		snprintf(uid, sizeof uid, "u%u", i);
		told_set(srv.told, 1, str_of(uid), TOLD_IN);
	}
	assert_int_equal(told_get(srv.told, 1, STR_LIT("u0")), TOLD_NOTHING);
	assert_int_equal(told_get(srv.told, 1, STR_LIT("u1")), TOLD_IN);
	assert_int_equal(told_get(srv.told, 2, STR_LIT("u1")), TOLD_NOTHING);
}

/* of a big room the rest is for version 1; the count is for all */
static void
test_rest(void **state)
{
	(void)state;
	begin();
	memset(&news, 0, sizeof news);
	news.big = news.rest = true;
	news.count = 5000;
	news.n_in = 1;
	news.in[0].uid = STR_LIT("7");
	room_on_people(&srv, model_channel(m), &news);
	assert_int_equal(v1.frames, 1);
	assert_int_equal(v2.frames, 0);
	news.rest = false;
	news.more = true;
	news.in[0].uid = STR_LIT("8");
	news.in[1] = (struct room_user){.uid = STR_LIT("9"), .again = true};
	news.n_in = 2;
	room_on_people(&srv, model_channel(m), &news);
	assert_int_equal(v1.frames, 3);
	assert_string_equal(v2.last, "presence 5000 in 1 out 0 more");
	end();
}

/* --- what a new link is told of sessions --------------------------------- */

static char snap[256];

static void
put(void *arg, const struct f_pres *f)
{
	size_t n = strlen(snap);

	(void)arg;
	n += (size_t)snprintf(
	    snap + n, sizeof snap - n, "%s", f->silent ? "s" : "n");
	for (unsigned i = 0; i < f->n_add; i++)
		n += (size_t)snprintf(
		    snap + n, sizeof snap - n, " %.*s", STR_ARG(f->add[i]));
	snprintf(snap + n, sizeof snap - n, ";");
}

static const char *
snapshot(void)
{
	snap[0] = '\0';
	room_snapshot(&srv, put, NULL);
	return snap;
}

static void
test_snapshot(void **state)
{
	struct model *u = model_new("u:7", 1), *r2 = model_new("r:2", 1);
	struct fake f, back;

	(void)state;
	m = model_new("r:1", 1);
	clock_test_set(1000000, 1000000);
	active_ms = 1000000;
	enter(&f, 2, m, u);
	assert_string_equal(snapshot(), "s;n 1;");
	/* the room has heard of him */
	memset(&news, 0, sizeof news);
	news.n_in = 1;
	news.in[0].uid = STR_LIT("7");
	news.in[0].cn = f.s.cn;
	room_on_people(&srv, model_channel(m), &news);
	fake_join(&f, r2, NULL, 0, false, NULL);
	model_subbed(r2);
	run_tasks();
	assert_string_equal(snapshot(), "s 1;n 2;");
	/* who comes in silence, as he was there before, is no news either */
	enter(&back, 2, m, u);
	assert_true(!strcmp(snapshot(), "s 1;n 2;s 1;") ||
		    !strcmp(snapshot(), "s 1;s 1;n 2;"));
	told_set(srv.told, model_channel(m)->ch, STR_LIT("7"), TOLD_OUT);
	assert_true(!strcmp(snapshot(), "s 1;n 2;s;n 1;") ||
		    !strcmp(snapshot(), "s;n 1;s 1;n 2;"));
	fake_close(&back);
	/* an active proxy had time for it, or had not */
	active_ms = 1000000 + 8000;
	assert_string_equal(snapshot(), "s 1;n 2;");
	active_ms = 1000000 + 13000;
	assert_string_equal(snapshot(), "s 2 1;");
	clock_test_set(0, 0);
	fake_close(&f);
}

/* --- limits ----------------------------------------------------------------
 */

static unsigned
try_room(struct fake *f, unsigned i, uint64_t head)
{
	struct model *r;
	struct join *j;
	unsigned code;
	char name[16];

	snprintf(name, sizeof name, "r:new%u", i);
	r = model_new(name, head);
	j = fake_join(f, r, NULL, 0, true, NULL);
	model_subbed(r);
	run_tasks();
	code = j->res.code;
	free(j);
	return code;
}

static void
test_rooms_new(void **state)
{
	struct model *u = model_new("u:7", 1);
	struct fake f, other;

	(void)state;
	m = model_new("r:1", 1);
	srv.set.rooms_new = 2;
	clock_test_set(1000000, 1000000);
	enter(&f, 2, m, u); /* somebody has spoken there: not new */
	enter(&other, 2, m, u);
	assert_int_equal(try_room(&f, 1, 0), 200);
	assert_int_equal(try_room(&f, 2, 0), 200);
	assert_int_equal(try_room(&f, 3, 0), 429);
	assert_int_equal(srv.stats[S_ROOMS_REFUSED], 1);
	/* back with a position: he has been there before */
	struct model *was = model_new("r:was", 0);
	struct join *back = fake_join(&f, was, was->ep, 0, true, NULL);
	model_subbed(was);
	run_tasks();
	assert_int_equal(back->res.code, 200);
	free(back);
	/* of as many as he may be in: no more, lest all say so */
	srv.set.rooms_max = 1;
	room_leave(&srv, &f.s, STR_LIT("1"));
	room_leave(&srv, &f.s, STR_LIT("new1"));
	room_leave(&srv, &f.s, STR_LIT("new2"));
	room_leave(&srv, &f.s, STR_LIT("was"));
	was = model_new("r:was2", 0);
	back = fake_join(&f, was, was->ep, 0, true, NULL);
	model_subbed(was);
	run_tasks();
	assert_int_equal(back->res.code, 429);
	free(back);
	srv.set.rooms_max = 128;
	assert_null(room_member(&f.s, STR_LIT("new3")));
	/* his other device is no way round; a room that there is, is */
	assert_int_equal(try_room(&other, 4, 0), 429);
	assert_int_equal(try_room(&other, 5, 1), 200);
	clock_test_set(1000000 + 59000, 1000000 + 59000);
	assert_int_equal(try_room(&f, 6, 0), 429);
	clock_test_set(1000000 + 60000, 1000000 + 60000);
	assert_int_equal(try_room(&f, 7, 0), 200);
	clock_test_set(0, 0);
	fake_close(&f);
	fake_close(&other);
}

static void
test_bucket_pour(void **state)
{
	struct bucket b = {0};
	int64_t retry = 0;

	(void)state;
	clock_test_set(1000000, 1000000);
	for (unsigned i = 0; i < 5; i++)
		bucket_pour(&b, 2, 2);
	assert_false(bucket_take(&b, 2, 2, &retry));
	assert_in_range(retry, 400, 601);
	clock_test_set(1000000 + 600, 1000000 + 600);
	assert_true(bucket_take(&b, 2, 2, &retry));
	clock_test_set(0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)
	    T(test_told_again), T(test_round_trip), T(test_silent_return),
	    T(test_before_us), T(test_about_then), T(test_riddle),
	    T(test_forgotten), T(test_bound), T(test_rest), T(test_snapshot),
	    T(test_rooms_new), T(test_bucket_pour)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
