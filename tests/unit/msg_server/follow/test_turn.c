/* SPDX-License-Identifier: MIT */
/*
 * The turn buffer of a room (msg_server/follow/turn.h): one block for all, own
 * bytes for who sent or joined in the middle, order, views, full queues, ends
 * in the middle of a turn, and when a room rests.
 */
#include "msg_server/follow/turn.h"
#include "shared/proc/clock.h"
#include "tests/unit/msg_server/core_fixture.h"

static char said[4096]; /* all frames, as "<cn>:<frame>;" */

static void
on_said(struct fake *f, const char *text)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof said - n, "%llu:%s;",
	    (unsigned long long)f->s.cn, text);
}

/* member of m, and one of u's sessions where u is given */
static void
enter(struct fake *f, unsigned level, struct model *m, struct model *u)
{
	fake_open(f, level);
	for (int i = 0; i < 2; i++) {
		struct model *x = i == 0 ? u : m;

		if (x == NULL)
			continue;
		fake_join(f, x, NULL, 0, false, NULL);
		if (model_channel(x)->state != CHANNEL_LIVE)
			model_subbed(x);
		run_tasks();
	}
	f->frames = f->blocks = 0;
}

static void
item_from(struct model *m, const char *uid, uint64_t cn)
{
	struct item it;

	m->sent = ++m->head;
	model_item(m, m->head, &it);
	it.uid = str_of(uid);
	it.cn = cn;
	channel_on_item(model_channel(m), &it, m->head, NULL, 0);
}

static void
test_one_block(void **state)
{
	enum { N = 50 };
	static struct fake f[N];
	struct model *m = model_new("r:12", 0);

	(void)state;
	for (unsigned i = 0; i < N; i++)
		enter(&f[i], 2, m, NULL);
	for (unsigned i = 0; i < 4; i++)
		item_from(m, "9", 99);
	assert_int_equal(f[0].frames, 0); /* not before the turn's end */
	encoded = 0;
	loop_turn();
	assert_int_equal(encoded, 0); /* was done when they came */
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(f[i].blocks, 1);
		assert_int_equal(f[i].frames, 4);
		assert_string_equal(f[i].last, "item 12 4 0");
		assert_ptr_equal(f[i].block, f[0].block);
	}
	assert_int_equal(srv.stats[S_TURNS], 1);
	assert_int_equal(srv.stats[S_DELIVERIES], 4 * N);
	loop_turn(); /* nothing is left */
	assert_int_equal(f[0].blocks, 1);
	for (unsigned i = 0; i < N; i++)
		fake_close(&f[i]);
}

static void
test_order_and_views(void **state)
{
	struct model *m = model_new("r:12", 0), *u = model_new("u:1", 0);
	struct fake sender, phone, other, old, old_other;

	(void)state;
	enter(&sender, 2, m, u);
	enter(&phone, 2, m, u);
	enter(&other, 2, m, NULL);
	enter(&old, 1, m, u);
	enter(&old_other, 1, m, NULL);
	item_from(m, "9", 99);
	item_from(m, "1", sender.s.cn);
	item_from(m, "1", old.s.cn);
	item_from(m, "9", 99);
	said[0] = '\0';
	on_frame = on_said;
	loop_turn();
	on_frame = NULL;
	/* the last of the array first: old_other, old, other, phone, sender */
	char want[1024];
	snprintf(want, sizeof want,
	    "%1$u:item 12 1 0;%1$u:item 12 2 0;%1$u:item 12 3 0;"
	    "%1$u:item 12 4 0;"
	    "%2$u:item 12 1 0;%2$u:item 12 2 1;%2$u:item 12 4 0;"
	    "%3$u:item 12 1 0;%3$u:item 12 2 0;%3$u:item 12 3 0;"
	    "%3$u:item 12 4 0;"
	    "%4$u:item 12 1 0;%4$u:item 12 2 1;%4$u:item 12 3 1;"
	    "%4$u:item 12 4 0;"
	    "%5$u:item 12 1 0;%5$u:item 12 2 1;%5$u:item 12 3 1;"
	    "%5$u:item 12 4 0;",
	    (unsigned)old_other.s.cn, (unsigned)old.s.cn, (unsigned)other.s.cn,
	    (unsigned)phone.s.cn, (unsigned)sender.s.cn);
	assert_string_equal(said, want);
	fake_close(&sender);
	fake_close(&phone);
	fake_close(&other);
	fake_close(&old);
	fake_close(&old_other);
}

/* who joins between two items gets the later one, and it alone */
static void
test_join_in_the_middle(void **state)
{
	struct model *m = model_new("r:12", 5);
	struct fake a, b, old;

	(void)state;
	enter(&a, 2, m, NULL);
	item_from(m, "9", 99);
	enter(&b, 2, m, NULL);
	enter(&old, 1, m, NULL); /* a level nobody had when the first came */
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(a.frames, 2);
	assert_int_equal(b.frames, 1);
	assert_int_equal(old.frames, 1);
	assert_string_equal(b.last, "item 12 7 0");
	assert_string_equal(old.last, "item 12 7 0");
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(a.frames + b.frames + old.frames, 3 + 2 + 2);
	assert_ptr_equal(a.block, b.block);
	fake_close(&a);
	fake_close(&b);
	fake_close(&old);
}

/* the rule of 256 KiB holds for blocks; what is missed is paged */
static void
test_full_queue(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a, b;

	(void)state;
	enter(&a, 2, m, NULL);
	enter(&b, 2, m, NULL);
	item_from(m, "9", 99);
	b.queued = QUEUE_LAG + 1;
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(a.frames, 2);
	assert_int_equal(b.frames, 0);
	assert_int_equal(srv.stats[S_LAGGED], 1);
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(b.frames, 0);
	b.queued = 0;
	room_on_drain(&srv, &b.s);
	run_tasks();
	item_from(m, "9", 99); /* gathered while he is paged */
	while (asks)
		model_answer(200);
	assert_string_equal(b.last, "item 12 4 0");
	assert_int_equal(b.frames, 4);
	loop_turn();
	assert_int_equal(b.frames, 4);
	assert_int_equal(a.frames, 4);
	fake_close(&a);
	fake_close(&b);
}

/* not without bound */
static void
test_given_when_full(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a;

	(void)state;
	enter(&a, 2, m, NULL);
	for (unsigned i = 0; i < TURN_ITEMS - 1; i++)
		item_from(m, "9", 99);
	assert_int_equal(a.frames, 0);
	item_from(m, "9", 99);
	assert_int_equal(a.blocks, 1);
	assert_int_equal(a.frames, TURN_ITEMS);
	fake_close(&a);
}

/* someone's death, or leaving, between an item and the turn's end */
static void
test_ends_in_the_middle(void **state)
{
	struct model *m = model_new("r:12", 0), *u = model_new("u:1", 0);
	struct fake a, b, c, d;

	(void)state;
	enter(&a, 2, m, NULL);
	enter(&b, 2, m, u);
	enter(&c, 2, m, NULL);
	enter(&d, 2, m, NULL);
	item_from(m, "1", b.s.cn);
	c.closed = true; /* to be detached later */
	fake_close(&b);
	room_leave(&srv, &d.s, STR_LIT("12"));
	assert_int_equal(d.frames, 1); /* he was in when it was said */
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(a.frames, 2);
	assert_int_equal(b.frames, 0);
	assert_int_equal(c.frames, 0);
	assert_int_equal(d.frames, 1);
	/* the last one goes, and what waited for him with him */
	fake_close(&c);
	item_from(m, "9", 99);
	fake_close(&a);
	assert_null(
	    container_of(table_first(&srv.rooms), struct room, by_rid)->turn);
	loop_turn();
	fake_close(&d);
}

/* what is said in another way does not overtake the items before it */
static void
test_nothing_overtakes(void **state)
{
	static struct f_room news;
	struct model *m = model_new("r:12", 0);
	struct fake a;

	(void)state;
	enter(&a, 2, m, NULL);
	item_from(m, "9", 99);
	memset(&news, 0, sizeof news);
	news.n_out = 1;
	news.out[0].uid = STR_LIT("9");
	said[0] = '\0';
	on_frame = on_said;
	room_on_people(&srv, model_channel(m), &news);
	item_from(m, "9", 99);
	m->head = m->sent = 7;
	m->first = 8;
	model_subbed(m); /* 3 to 7 are gone by retention */
	while (asks)
		model_answer(200);
	on_frame = NULL;
	char want[256];
	snprintf(want, sizeof want,
	    "%1$u:item 12 1 0;%1$u:offline 9;%1$u:item 12 2 0;"
	    "%1$u:gap 12 3 7 purge;",
	    (unsigned)a.s.cn);
	assert_string_equal(said, want);
	fake_close(&a);
}

/* a room that was given just now gathers for as long as its writes took */
static void
test_rest(void **state)
{
	enum { N = 100 };
	static struct fake f[N];
	struct model *m = model_new("r:12", 0);

	(void)state;
	for (unsigned i = 0; i < N; i++)
		enter(&f[i], 2, m, NULL);
	clock_test_set(1000000, 5000);
	net.write_ns = 5000; /* 0.5 ms for all */
	srv.set.gather_us = 2000;
	item_from(m, "9", 99);
	loop_turn(); /* one alone never waits */
	assert_int_equal(f[0].frames, 1);
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(f[0].frames, 1);
	assert_int_equal(srv.stats[S_TURNS_HELD], 1);
	item_from(m, "9", 99);
	clock_test_set(1000001, 5001); /* 0.5 to write, 0.5 to rest */
	loop_turn();
	assert_int_equal(f[0].frames, 3);
	assert_int_equal(f[0].blocks, 2);
	/* however dear its writes are, it rests for no more than 2 ms */
	net.write_ns = 1000000;
	clock_test_set(1000010, 5010);
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(f[0].frames, 4);
	item_from(m, "9", 99);
	clock_test_set(1000111, 5111);
	loop_turn();
	assert_int_equal(f[0].frames, 4);
	clock_test_set(1000112, 5112);
	loop_turn();
	assert_int_equal(f[0].frames, 5);
	/* and a small one not at all */
	net.write_ns = 500;
	clock_test_set(1000300, 5300);
	item_from(m, "9", 99);
	loop_turn();
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(f[0].frames, 7);
	/* nor any, where it is switched off */
	net.write_ns = 5000;
	srv.set.gather_us = 0;
	item_from(m, "9", 99);
	loop_turn();
	item_from(m, "9", 99);
	loop_turn();
	assert_int_equal(f[0].frames, 9);
	net.write_ns = 0;
	clock_test_set(0, 0);
	for (unsigned i = 0; i < N; i++)
		fake_close(&f[i]);
}

/* n items, and what the turn of the loop at `ms` makes of them */
static unsigned
test_given(struct fake *f, struct model *m, unsigned n, int64_t ms)
{
	unsigned was = f->frames;

	clock_test_set(1000000, ms);
	while (n-- > 0)
		item_from(m, "9", 99);
	loop_turn();
	return f->frames - was;
}

/* those that came together are waited for, the others are not */
static void
test_together(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a, b;

	(void)state;
	enter(&a, 2, m, NULL);
	enter(&b, 2, m, NULL);
	srv.set.gather_us = 20000;
	/* one by one: never */
	assert_int_equal(test_given(&a, m, 1, 50000), 1);
	assert_int_equal(test_given(&a, m, 1, 50001), 1);
	/* four at once, then one: it waits for three more and no longer */
	assert_int_equal(test_given(&a, m, 4, 50002), 4);
	assert_int_equal(test_given(&a, m, 1, 50003), 0);
	assert_int_equal(srv.stats[S_TURNS_HELD], 1);
	assert_int_equal(test_given(&a, m, 2, 50004), 0);
	assert_int_equal(test_given(&a, m, 1, 50005), 4);
	assert_int_equal(a.blocks, 4);
	/* those that do not come are not waited for without end, ... */
	assert_int_equal(test_given(&a, m, 1, 50006), 0);
	assert_int_equal(test_given(&a, m, 0, 50024), 0);
	assert_int_equal(test_given(&a, m, 0, 50025), 1);
	/* ... each time for fewer, then for none */
	assert_int_equal(test_given(&a, m, 1, 50026), 0);
	assert_int_equal(test_given(&a, m, 1, 50027), 2);
	assert_int_equal(test_given(&a, m, 1, 50028), 0);
	assert_int_equal(test_given(&a, m, 0, 50047), 1);
	assert_int_equal(test_given(&a, m, 1, 50048), 1);
	/* after a silence nobody waits, however many there were */
	assert_int_equal(test_given(&a, m, 8, 50050), 8);
	assert_int_equal(test_given(&a, m, 1, 50070), 1);
	/* who leaves gets what waits, and what is said otherwise is behind */
	assert_int_equal(test_given(&a, m, 1, 50071), 0);
	room_leave(&srv, &b.s, STR_LIT("12"));
	assert_int_equal(b.frames, m->head);
	assert_int_equal(a.frames, m->head - 1);
	assert_int_equal(test_given(&a, m, 0, 50090), 1);
	srv.set.gather_us = 0;
	clock_test_set(0, 0);
	fake_close(&a);
	fake_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)
	    T(test_one_block), T(test_order_and_views),
	    T(test_join_in_the_middle), T(test_full_queue),
	    T(test_given_when_full), T(test_ends_in_the_middle),
	    T(test_nothing_overtakes), T(test_rest), T(test_together)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
