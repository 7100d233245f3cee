/* SPDX-License-Identifier: MIT */
/*
 * The time a turn has for reading: many who are ready at once make nobody wait
 * for all of them, the urgent go first, and nobody is passed over for ever.
 */
#include "shared/proc/clock.h"
#include "tests/unit/shared/net/owner.h"

enum { CROWD = 96, SLOW_US = 1000 };

struct crowd {
	struct owner o[CROWD];
	int peer[CROWD];
};

/* a handler that takes its time */
static void
slow_on_data(struct conn *c, const uint8_t *p, size_t n)
{
	int64_t end = clock_mono_us() + SLOW_US;

	owner_on_data(c, p, n);
	while (clock_mono_us() < end)
		;
}

static const struct conn_ops slow_ops = {
    .on_data = slow_on_data,
    .on_end = owner_on_end,
    .on_dead = owner_on_dead,
};

static void
crowd_open(struct fx *fx, struct crowd *cr)
{
	int i;

	for (i = 0; i < CROWD; i++) {
		cr->peer[i] = owner_open(fx, &cr->o[i]);
		cr->o[i].c.ops = &slow_ops;
	}
}

static void
crowd_end(struct fx *fx, struct crowd *cr)
{
	int i;

	for (i = 0; i < CROWD; i++)
		owner_end(fx, &cr->o[i], cr->peer[i]);
}

static int
crowd_heard(const struct crowd *cr, size_t n)
{
	int i, heard = 0;

	for (i = 0; i < CROWD; i++)
		heard += buf_len(&cr->o[i].got) >= n;
	return heard;
}

static void
test_a_turn_ends(void **state)
{
	static struct crowd cr;
	struct fx fx;
	struct owner link;
	int i, peer, turns = 0;

	(void)state;
	fx_init(&fx);
	peer = owner_open(&fx, &link);
	crowd_open(&fx, &cr);
	conn_urgent(&link.c);
	for (i = 0; i < CROWD; i++)
		fx_write(cr.peer[i], "x");
	fx_write(peer, "news");
	ev_run(fx.loop, EVRUN_NOWAIT);
	assert_true(crowd_heard(&cr, 1) >= 1);
	assert_true(crowd_heard(&cr, 1) <= NET_TURN_US / SLOW_US + 1);
	assert_int_equal(buf_len(&link.got), 4);
	assert_true(fx.net->passed > 0);

	/* what is urgent is heard in each turn, and what is queued goes out */
	while (crowd_heard(&cr, 1) < CROWD) {
		assert_true(++turns < CROWD);
		fx_write(peer, "news");
		conn_send_bytes(&link.c, "said", 4);
		ev_run(fx.loop, EVRUN_NOWAIT);
		assert_int_equal(buf_len(&link.got), 4 * (size_t)(turns + 1));
		assert_int_equal(conn_queued(&link.c), 0);
	}
	assert_true(turns >= 2);
	crowd_end(&fx, &cr);
	owner_end(&fx, &link, peer);
	fx_fini(&fx);
}

/* some who never rest do not keep the others from being heard */
static void
test_nobody_starves(void **state)
{
	static struct crowd cr;
	struct fx fx;
	int i, turns;

	(void)state;
	fx_init(&fx);
	crowd_open(&fx, &cr);
	for (i = 0; i < CROWD; i++)
		fx_write(cr.peer[i], "x");
	for (turns = 0; crowd_heard(&cr, 1) < CROWD; turns++) {
		assert_true(turns < 100);
		for (i = 0; i < CROWD / 2; i++)
			fx_write(cr.peer[i * 2], "x");
		ev_run(fx.loop, EVRUN_NOWAIT);
	}
	crowd_end(&fx, &cr);
	fx_fini(&fx);
}

/* who is in does not wait for those who are on their way in */
static void
test_who_is_in(void **state)
{
	static struct crowd cr;
	struct fx fx;
	struct owner in;
	int i, peer, turns = 0;

	(void)state;
	fx_init(&fx);
	peer = owner_open(&fx, &in);
	crowd_open(&fx, &cr);
	conn_settle(&in.c);
	for (i = 0; i < CROWD; i++)
		fx_write(cr.peer[i], "x");
	/* heard in each turn, and in the one that begins the crowd */
	while (crowd_heard(&cr, 1) < CROWD) {
		assert_true(turns < CROWD);
		fx_write(peer, "said");
		ev_run(fx.loop, EVRUN_NOWAIT);
		assert_int_equal(buf_len(&in.got), 4 * (size_t)++turns);
	}
	assert_true(turns >= 2);
	assert_true(fx.net->passed > 0);
	crowd_end(&fx, &cr);
	owner_end(&fx, &in, peer);
	fx_fini(&fx);
}

/* nor do those who come starve when all who are in have much to say */
static void
test_who_comes(void **state)
{
	static struct crowd cr;
	struct fx fx;
	struct owner new;
	int i, peer;

	(void)state;
	fx_init(&fx);
	peer = owner_open(&fx, &new);
	crowd_open(&fx, &cr);
	for (i = 0; i < CROWD; i++) {
		conn_settle(&cr.o[i].c);
		fx_write(cr.peer[i], "x");
	}
	fx_write(peer, "come");
	ev_run(fx.loop, EVRUN_NOWAIT);
	assert_int_equal(buf_len(&new.got), 4);
	assert_true(crowd_heard(&cr, 1) < CROWD);
	crowd_end(&fx, &cr);
	owner_end(&fx, &new, peer);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_turn_ends),
	    cmocka_unit_test(test_nobody_starves),
	    cmocka_unit_test(test_who_is_in),
	    cmocka_unit_test(test_who_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
