/* SPDX-License-Identifier: MIT */
/*
 * Rooms and users (msg_server/room.h): who is in, who is told what of whom,
 * what presence hears, and that nothing is left when all have gone.
 */
#include "shared/proc/clock.h"
#include "tests/unit/msg_server/core_fixture.h"

static struct fake *
in_room(struct fake *f, unsigned level, struct model *m)
{
	fake_open(f, level);
	fake_join(f, m, NULL, 0, false, NULL);
	if (model_channel(m)->state != CHANNEL_LIVE)
		model_subbed(m);
	run_tasks();
	return f;
}

static void
attach(struct fake *f, struct model *u)
{
	fake_join(f, u, NULL, 0, false, NULL);
	if (model_channel(u)->state != CHANNEL_LIVE)
		model_subbed(u);
	run_tasks();
}

/* --- membership --------------------------------------------------------- */

static void
test_churn(void **state)
{
	enum { N = 40, ROOMS = 6 };
	static struct fake f[N];
	struct model *m[ROOMS];

	(void)state;
	for (unsigned i = 0; i < ROOMS; i++) {
		char name[8];

		snprintf(name, sizeof name, "r:%u", i + 1);
		m[i] = model_new(name, 3);
	}
	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		struct fake *x = &f[rand() % N];
		struct model *y = m[rand() % ROOMS];
		struct str rid = chan_id(chan_str(&y->name));

		if (!x->started)
			fake_open(x, 2);
		else if (rand() % 20 == 0)
			fake_close(x);
		else if (room_member(&x->s, rid))
			room_leave(&srv, &x->s, rid);
		else if (rand() % 2)
			fake_join(x, y, NULL, 0, false, NULL);
		if (rand() % 4 == 0)
			model_subbed(y);
		if (rand() % 4 == 0)
			run_tasks();
	}
	for (unsigned i = 0; i < ROOMS; i++)
		model_subbed(m[i]);
	run_tasks();
	/* the two ways round agree */
	unsigned n = 0, k = 0;
	struct table_link *e, *next;
	TABLE_EACH(&relay.channels, e, next, channel_key)
	{
		struct room *room =
		    container_of(container_of(e, struct channel, by_ch),
			struct room, channel);

		if (channel_is_user(&room->channel))
			continue;
		assert_int_equal(room->channel.released, room->n_members == 0);
		for (unsigned i = 0; i < room->n_members; i++, n++) {
			assert_int_equal(room->members[i]->index, i);
			assert_ptr_equal(room->members[i]->room, room);
		}
	}
	for (unsigned i = 0; i < N; i++) {
		unsigned mine = 0;

		for (struct member *x = f[i].s.members; x;
		     x = x->next_of_session, mine++)
			assert_ptr_equal(x->session, &f[i].s);
		assert_int_equal(mine, f[i].s.n_rooms);
		k += mine;
		fake_close(&f[i]);
	}
	assert_int_equal(n, k);
}

static void
test_as_many_rooms_as_allowed(void **state)
{
	struct model *m = model_new("r:1", 0), *n = model_new("r:2", 0),
		     *o = model_new("r:3", 0);
	struct join *j;
	struct fake a;

	(void)state;
	srv.set.rooms_max = 2;
	in_room(&a, 2, m);
	fake_join(&a, n, NULL, 0, false, NULL);
	model_subbed(n);
	j = fake_join(&a, o, NULL, 0, true, NULL);
	assert_int_equal(j->joined, 0); /* never before it returns */
	run_tasks();
	assert_int_equal(j->res.code, 403);
	free(j);
	/* whose session ends before the answer is told so */
	j = fake_join(&a, o, NULL, 0, true, NULL);
	fake_close(&a);
	run_tasks();
	assert_int_equal(j->lost, 1);
	free(j);
}

/* nor more than the link to the proxy can bear, whoever opens them */
static void
test_as_many_rooms_as_followed(void **state)
{
	struct model *m = model_new("r:1", 0), *n = model_new("r:2", 0),
		     *o = model_new("r:3", 0);
	struct join *j;
	struct fake a, b;

	(void)state;
	srv.max_rooms = 2;
	in_room(&a, 2, m);
	fake_join(&a, n, NULL, 0, false, NULL);
	model_subbed(n);
	j = fake_join(&a, o, NULL, 0, true, NULL);
	run_tasks();
	assert_int_equal(j->res.code, 503);
	free(j);
	assert_null(model_channel(o));
	/* into those that are there all may go */
	in_room(&b, 2, m);
	assert_int_equal(b.s.n_rooms, 1);
	/* one that was left is followed for a while yet */
	room_leave(&srv, &a.s, STR_LIT("2"));
	j = fake_join(&a, o, NULL, 0, true, NULL);
	run_tasks();
	assert_int_equal(j->res.code, 503);
	free(j);
	channel_expire(model_channel(n));
	fake_join(&a, o, NULL, 0, false, NULL);
	model_subbed(o);
	run_tasks();
	assert_int_equal(a.s.n_rooms, 2);
	fake_close(&a);
	fake_close(&b);
}

/* an empty room is kept for a while, then unsubscribed and gone */
static void
test_idle_room(void **state)
{
	struct model *m = model_new("r:1", 0);
	struct channel *c;
	struct fake a, b;
	uint32_t ch;

	(void)state;
	in_room(&a, 2, m);
	c = model_channel(m);
	ch = c->ch;
	fake_close(&a);
	assert_true(c->released);
	in_room(&b, 2, m);
	assert_ptr_equal(model_channel(m), c);
	assert_false(c->released);
	fake_close(&b);
	channel_expire(c);
	assert_int_equal(srv.rooms.n, 0);
	assert_null(model_channel(m));
	/* UNSUB, then SUB of the same name: another number */
	in_room(&a, 2, m);
	assert_true(model_channel(m)->ch != ch);
	fake_close(&a);
}

/* who waits comes back to its memory: not freed under it */
static void
test_idle_room_with_a_wait(void **state)
{
	struct model *m = model_new("r:1", 0);
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	fake_join(&a, m, NULL, 0, false, NULL);
	fake_close(&a);
	channel_expire(model_channel(m));
	assert_int_not_equal(srv.rooms.n, 0);
	model_subbed(m);
	channel_expire(model_channel(m));
	assert_int_equal(srv.rooms.n, 0);
}

/* --- people ------------------------------------------------------------- */

static struct f_room news;

static void
test_people(void **state)
{
	struct model *m = model_new("r:1", 0);
	struct fake v1, v2, me, new;

	(void)state;
	in_room(&v1, 1, m);
	in_room(&v2, 2, m);
	in_room(&me, 2, m);
	fake_open(&new, 2);
	fake_join(&new, m, NULL, 0, false, NULL); /* not in yet */
	memset(&news, 0, sizeof news);
	news.count = 3;
	news.n_in = 1;
	news.in[0].cn = me.s.cn;
	news.in[0].uid = STR_LIT("7");
	room_on_people(&srv, model_channel(m), &news);
	assert_string_equal(v1.last, "newUser 7");
	assert_string_equal(v2.last, "newUser 7");
	assert_int_equal(me.frames + new.frames, 0);
	/* one more device of his: version 1 was told of each */
	news.in[0].again = true;
	room_on_people(&srv, model_channel(m), &news);
	assert_int_equal(v1.frames, 2);
	assert_int_equal(v2.frames, 1);
	/* gone: version 2 only */
	news.n_in = 0;
	news.n_out = 1;
	news.out[0].uid = STR_LIT("7");
	room_on_people(&srv, model_channel(m), &news);
	assert_int_equal(v1.frames, 2);
	assert_string_equal(v2.last, "offline 7");
	/* who lags gets the list when he asks */
	v2.queued = QUEUE_LAG + 1;
	room_on_people(&srv, model_channel(m), &news);
	assert_int_equal(v2.frames, 2);
	run_tasks();
	fake_close(&v1);
	fake_close(&v2);
	fake_close(&me);
	fake_close(&new);
}

static void
test_people_of_a_big_room(void **state)
{
	struct model *m = model_new("r:1", 0);
	struct fake v1, v2;

	(void)state;
	in_room(&v1, 1, m);
	in_room(&v2, 2, m);
	memset(&news, 0, sizeof news);
	news.count = 300;
	news.big = true;
	news.n_in = 2;
	news.in[0].uid = STR_LIT("7");
	news.in[1].uid = STR_LIT("8");
	news.n_out = 1;
	news.out[0].uid = STR_LIT("9");
	room_on_people(&srv, model_channel(m), &news);
	assert_int_equal(v2.frames, 1);
	assert_string_equal(v2.last, "presence 300 in 2 out 1");
	assert_int_equal(v1.frames, 2);
	assert_string_equal(v1.last, "newUser 8");
	fake_close(&v1);
	fake_close(&v2);
}

/* --- what presence hears ------------------------------------------------ */

static unsigned n_snap, snap_rooms;

static void
on_snap(void *arg, const struct f_pres *p)
{
	(void)arg;
	n_snap++;
	snap_rooms += p->n_add;
	/* no room has heard of him yet */
	assert_int_equal(p->silent, p->n_add == 0);
}

static void
test_presence(void **state)
{
	struct model *u = model_new("u:1001", 0), *m = model_new("r:1", 0);
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	attach(&a, u);
	assert_int_equal(pres.n, 1);
	fake_join(&a, m, NULL, 0, false, NULL);
	assert_int_equal(pres.n, 1); /* asked only */
	n_snap = snap_rooms = 0;
	room_snapshot(&srv, on_snap, NULL);
	assert_int_equal(n_snap, 1);
	assert_int_equal(snap_rooms, 0);
	model_subbed(m);
	assert_int_equal(pres.n, 2);
	assert_int_equal(pres.n_add, 1);
	room_snapshot(&srv, on_snap, NULL);
	assert_int_equal(snap_rooms, 1);
	room_leave(&srv, &a.s, STR_LIT("1"));
	assert_int_equal(pres.n_del, 1);
	room_detach(&srv, &a.s, true);
	assert_int_equal(pres.op, PRES_BYE);
	unsigned n = pres.n;
	fake_close(&a); /* is nobody any more: nothing to say */
	assert_int_equal(pres.n, n);
}

static struct model *first_room;

static void
into_first_room(struct join *j)
{
	fake_join(j->who, first_room, NULL, 0, false, NULL);
}

/* he has made as many rooms as he may */
static void
into_refused_room(struct join *j)
{
	user_busy(j->who->s.user)->made_s = clock_mono_ms() / 1000 + 1;
	user_busy(j->who->s.user)->n_made = srv.set.rooms_new = 1;
	into_first_room(j);
}

/* the user and the room he comes into are one word; he alone is one, too */
static void
test_presence_at_once(void **state)
{
	struct model *u = model_new("u:1001", 0), *v = model_new("u:1002", 0);
	struct fake a, b;

	(void)state;
	first_room = model_new("r:1", 0);
	fake_open(&a, 2);
	fake_join(&a, u, NULL, 0, false, into_first_room);
	model_subbed(u);
	assert_int_equal(pres.n, 0);
	assert_true(room_is_entering(&a.s));
	model_subbed(first_room);
	assert_int_equal(pres.n, 1);
	assert_int_equal(pres.n_add, 1);
	assert_false(room_is_entering(&a.s));
	fake_close(&a);
	memset(&pres, 0, sizeof pres);
	first_room = model_new("r:2", 0);
	fake_open(&b, 2);
	fake_join(&b, v, NULL, 0, false, into_refused_room);
	model_subbed(v);
	assert_int_equal(pres.n, 0);
	model_subbed(first_room);
	assert_int_equal(pres.n, 1);
	assert_int_equal(pres.op, PRES_SET);
	assert_int_equal(pres.n_add, 0);
	fake_close(&b);
}

/* more rooms than one frame holds */
static void
test_snapshot_of_many_rooms(void **state)
{
	enum { N = 70 };
	struct model *u = model_new("u:1001", 0);
	struct fake a;

	(void)state;
	fake_open(&a, 2);
	attach(&a, u);
	for (unsigned i = 0; i < N; i++) {
		struct join *j = join_new(&a, NULL, false);
		char rid[8];

		snprintf(rid, sizeof rid, "%u", i);
		room_join(
		    &srv, &a.s, str_of(rid), STR_NONE, 0, false, &j->call);
	}
	struct table_link *e, *next;
	TABLE_EACH(&relay.channels, e, next, channel_key)
	{
		struct channel *c = container_of(e, struct channel, by_ch);
		static struct f_subbed f;

		f.ch = c->ch;
		f.ep = STR_LIT("9f3a01c2");
		channel_on_subbed(c, &f);
	}
	n_snap = snap_rooms = 0;
	room_snapshot(&srv, on_snap, NULL);
	assert_int_equal(snap_rooms, N);
	assert_int_equal(n_snap, 1 + 3);
	fake_close(&a);
}

/* --- items -------------------------------------------------------------- */

static void
test_views_of_a_room(void **state)
{
	struct model *u = model_new("u:1", 0), *v = model_new("u:2", 0),
		     *m = model_new("r:12", 0);
	struct fake sender, device, old, other;
	struct item it;

	(void)state;
	/* items of the model come from uid 1 */
	in_room(&sender, 1, m);
	attach(&sender, u);
	in_room(&device, 2, m);
	attach(&device, u);
	in_room(&old, 1, m);
	attach(&old, u);
	in_room(&other, 2, m);
	attach(&other, v);
	model_item(m, 1, &it);
	it.cn = sender.s.cn;
	channel_on_item(model_channel(m), &it, 1, NULL, 0);
	loop_turn();
	assert_int_equal(sender.frames, 0); /* version 1: not echoed */
	assert_string_equal(old.last, "item 12 1 1");
	assert_string_equal(device.last, "item 12 1 1");
	assert_string_equal(other.last, "item 12 1 0");
	assert_int_equal(encoded, 4); /* two levels, as the sender and not */
	/* a socket of before had the same number: that is no echo */
	model_item(m, 2, &it);
	it.cn = sender.s.cn;
	it.uid = STR_LIT("98");
	channel_on_item(model_channel(m), &it, 2, NULL, 0);
	loop_turn();
	assert_string_equal(sender.last, "item 12 2 0");
	/* of the system: nobody's own */
	model_item(m, 3, &it);
	it.uid = STR_NONE;
	channel_on_item(model_channel(m), &it, 3, NULL, 0);
	loop_turn();
	assert_string_equal(device.last, "item 12 3 0");
	/* a sender whom this server does not know */
	model_item(m, 4, &it);
	it.uid = STR_LIT("99");
	channel_on_item(model_channel(m), &it, 4, NULL, 0);
	loop_turn();
	assert_string_equal(sender.last, "item 12 4 0");
	fake_close(&sender);
	fake_close(&device);
	fake_close(&old);
	fake_close(&other);
}

/* a second login into a room where he lags: what is to come is named */
static void
test_joined_again(void **state)
{
	struct model *m = model_new("r:12", 0);
	struct fake a;
	struct join *j;

	(void)state;
	in_room(&a, 2, m);
	model_send(m, m->head = 1);
	a.s.members->cursor.live = false;
	model_send(m, m->head = 2);
	model_send(m, m->head = 3);
	j = fake_join(&a, m, NULL, 0, true, NULL);
	run_tasks();
	assert_int_equal(j->res.code, 200);
	assert_int_equal(j->res.head, 3);
	assert_true(j->res.from == 2 && j->res.n == 2);
	/* synced comes when he is level: he never is */
	fake_close(&a);
	assert_true(j->synced == 0 && j->lost == 1);
	free(j);
}

static void
test_private(void **state)
{
	struct model *u = model_new("u:1", 0), *v = model_new("u:2", 0);
	struct fake sender, device, v1, to, to1;
	struct item it;

	(void)state;
	fake_open(&sender, 2);
	attach(&sender, u);
	fake_open(&device, 2);
	attach(&device, u);
	fake_open(&v1, 1);
	attach(&v1, u);
	fake_open(&to, 2);
	attach(&to, v);
	fake_open(&to1, 1);
	attach(&to1, v);
	/* 1 writes to 2 */
	model_item(u, 1, &it);
	it.cn = sender.s.cn;
	channel_on_item(model_channel(u), &it, 1, NULL, 0);
	channel_on_item(model_channel(v), &it, 1, NULL, 0);
	assert_string_equal(sender.last, "item @ 1 1 tid 2");
	assert_string_equal(device.last, "item @ 1 1 tid 2");
	assert_string_equal(v1.last, "item @ 1 1 tid 2");
	assert_string_equal(to.last, "item @ 1 0 tid 1");
	assert_string_equal(to1.last, "item @ 1 0 tid 2");
	fake_close(&sender);
	fake_close(&device);
	fake_close(&v1);
	fake_close(&to);
	fake_close(&to1);
}

/* one uid may be everybody's */
static void
test_as_many_devices_as_there_are(void **state)
{
	enum { N = 65540 };
	struct fake *f = xcalloc(N, sizeof *f);
	struct model *u = model_new("u:1", 0);

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		fake_open(&f[i], 2);
		fake_join(&f[i], u, NULL, 0, false, NULL);
	}
	model_subbed(u);
	assert_int_equal(srv.stats[S_USERS], 1);
	assert_int_equal(srv.stats[S_SESSIONS], N);
	for (unsigned i = N; i-- > 1;)
		fake_close(&f[i]);
	assert_false(model_channel(u)->released);
	u->head = 1;
	model_send(u, 1);
	assert_int_equal(f[0].frames, 1);
	fake_close(&f[0]);
	assert_true(model_channel(u)->released);
	free(f);
}

/* the history is another one: told to who reads and to who lags */
static void
test_reset(void **state)
{
	struct model *m = model_new("r:1", 9), *u = model_new("u:1001", 3);
	struct fake a, b, old;

	(void)state;
	in_room(&a, 2, m);
	attach(&a, u);
	in_room(&b, 2, m);
	in_room(&old, 1, m);
	b.queued = QUEUE_LAG + 1;
	m->head = 10;
	model_send(m, 10);
	str_copy(m->ep, sizeof m->ep, STR_LIT("00000001"));
	str_copy(u->ep, sizeof u->ep, STR_LIT("00000001"));
	m->head = 4;
	model_subbed(m);
	assert_string_equal(a.last, "gap 1 11 4 lost");
	assert_string_equal(b.last, "gap 1 11 4 lost");
	assert_int_equal(old.frames, 1); /* the item; it knows no gaps */
	model_subbed(u);
	assert_string_equal(a.last, "gap @ 4 3 lost");
	b.queued = 0;
	room_on_drain(&srv, &b.s);
	assert_null(asks);
	m->head = 5;
	model_send(m, 5);
	assert_string_equal(b.last, "item 1 5 0");
	assert_string_equal(old.last, "item 1 5 0");
	fake_close(&a);
	fake_close(&b);
	fake_close(&old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, core_setup, core_teardown)
	    T(test_churn), T(test_as_many_rooms_as_allowed),
	    T(test_as_many_rooms_as_followed), T(test_idle_room),
	    T(test_idle_room_with_a_wait), T(test_people),
	    T(test_people_of_a_big_room), T(test_presence),
	    T(test_presence_at_once), T(test_snapshot_of_many_rooms),
	    T(test_views_of_a_room), T(test_joined_again), T(test_private),
	    T(test_as_many_devices_as_there_are), T(test_reset)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
