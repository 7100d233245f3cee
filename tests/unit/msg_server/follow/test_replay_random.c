/* SPDX-License-Identifier: MIT */
/*
 * Cursors (msg_server/replay.h) at random against a model of the log: joins
 * and leaves, full queues, lost items, failed and small pages, retention,
 * links lost and histories begun anew.
 */
#include "msg_server/follow/turn.h"
#include "tests/unit/msg_server/follow/replay_fixture.h"

/* --- at random ---------------------------------------------------------- */

enum { FAKES = 6 };

static struct fake fakes[FAKES];
static unsigned n_lagged;

static unsigned
rnd(unsigned n)
{
	return (unsigned)rand() % n;
}

/* somewhere a client may say that it stands */
static void
enter_random(struct fake *f, struct model *m)
{
	unsigned i = (unsigned)(m - models);
	uint64_t from = f->at[i].next ? f->at[i].next - 1 : 0;
	const char *ep = m->ep;

	switch (rnd(6)) {
	case 0:
		ep = NULL;
		break;
	case 1:
		from = rnd((unsigned)m->head + 1);
		break;
	case 2:
		from = m->head + rnd(3);
		break;
	case 3:
		ep = rnd(2) ? "00000000" : m->ep;
		break;
	}
	enter(f, m, ep, from, false);
}

static bool
is_in(struct fake *f, const struct model *m)
{
	struct str id = chan_id(chan_str(&m->name));

	for (struct member *x = f->s.members; x; x = x->next_of_session)
		if (m->name.s[0] == CHAN_ROOM && str_eqc(id, room_rid(x->room)))
			return true;
	return m->name.s[0] == CHAN_USER && f->s.user;
}

static void
step_session(struct fake *f)
{
	struct model *m = &models[rnd(n_models)];

	if (!f->started) {
		fake_open(f, 2);
		f->weight = rnd(3) ? 4096 : 100;
		return;
	}
	switch (rnd(8)) {
	case 0:
	case 1:
	case 2:
		if (!is_in(f, m))
			enter_random(f, m);
		return;
	case 3:
		if (m->name.s[0] == CHAN_ROOM && rnd(2))
			room_leave(&srv, &f->s, chan_id(chan_str(&m->name)));
		return;
	case 4:
		if (rnd(4) == 0)
			fake_close(f);
		return;
	default:
		if (rnd(2)) {
			drain(f);
		} else {
			f->queued -= f->queued / 2;
			if (!f->queued)
				room_on_drain(&srv, &f->s);
		}
	}
}

static void
step_log(struct model *m)
{
	switch (rnd(10)) {
	case 0:
	case 1:
		for (unsigned n = rnd(60); n > 0; n--)
			if (rnd(8) == 0 && ++m->head > 1)
				model_recall(
				    m, 1 + rnd((unsigned)m->head), m->head);
			else
				m->head++;
		return;
	case 2:
	case 3:
	case 4: /* the link brings what it has, with losses */
		while (m->sent < m->head) {
			m->sent++;
			if (rnd(40))
				model_send(m, m->sent);
		}
		return;
	case 5:
		if (rnd(4) == 0 && m->first + 30 < m->head)
			m->first += rnd(30);
		return;
	case 6: /* link reset, or the answer to the first SUB */
		model_subbed(m);
		return;
	case 7:
		if (rnd(40) == 0) {
			snprintf(m->ep, sizeof m->ep, "%08x", rnd(1u << 30));
			m->head = m->sent = rnd((unsigned)m->head + 1);
			memset(m->ref, 0, sizeof m->ref);
			memset(m->gone_by, 0, sizeof m->gone_by);
			if (m->first > m->head + 1)
				m->first = m->head + 1;
			model_subbed(m);
		}
		return;
	case 8:
		refuse_reads = rnd(10) == 0;
		run_tasks();
		hold_turns = rnd(2);
		loop_turn();
		return;
	case 9:
		if (m->head)
			model_send(m, 1 + rnd((unsigned)m->head));
		return;
	}
}

/* something is still to be taken by somebody */
static bool
is_busy(void)
{
	bool busy = asks || relay.later;

	for (unsigned k = 0; k < n_models; k++) {
		struct channel *c = model_channel(&models[k]);

		busy |= c && c->name[0] == CHAN_ROOM &&
			container_of(c, struct room, channel)->turn;
	}
	for (unsigned k = 0; k < FAKES; k++)
		busy |= fakes[k].started && fakes[k].queued > 0;
	return busy;
}

static void
settle(void)
{
	refuse_reads = 0;
	hold_turns = false;
	loop_turn();
	for (unsigned i = 0; i < n_models; i++)
		model_subbed(&models[i]);
	for (unsigned i = 0; i < 5000 && is_busy(); i++) {
		while (asks)
			model_answer(200);
		for (unsigned k = 0; k < FAKES; k++)
			if (fakes[k].started)
				drain(&fakes[k]);
		run_tasks();
		loop_turn();
	}
	for (unsigned k = 0; k < FAKES; k++)
		for (unsigned i = 0; i < n_models; i++)
			if (fakes[k].started && is_in(&fakes[k], &models[i]))
				assert_int_equal(
				    fakes[k].at[i].next, models[i].head + 1);
	assert_int_equal(calls_open, 0); /* all are synced */
	n_lagged += (unsigned)srv.stats[S_LAGGED];
}

static void
run_random(void **state, unsigned seeds, size_t max, uint64_t least_hits)
{
	uint64_t hits = 0, shared = 0;

	n_lagged = 0;
	recent_max = max;
	for (unsigned seed = 1; seed <= seeds; seed++) {
		core_teardown(state);
		setup(state);
		tell_bodies = true;
		srand(seed);
		memset(fakes, 0, sizeof fakes);
		model_new("r:12", 100);
		model_new("r:g1", 7);
		model_new("u:1001", 40);
		for (unsigned i = 0; i < 1500; i++) {
			struct fake *f = &fakes[rnd(FAKES)];

			switch (rnd(3)) {
			case 0:
				step_session(f);
				break;
			case 1:
				step_log(&models[rnd(n_models)]);
				break;
			case 2:
				if (asks)
					model_answer(rnd(5) ? 1 + rnd(16) : 0);
				break;
			}
			/* a page asked for before live items filled up, or
			   a turn of the room (frames count 4096 here) */
			assert_true(
			    f->most <= QUEUE_LAG + (18 + TURN_ITEMS) * 4096);
		}
		settle();
		for (unsigned k = 0; k < FAKES; k++)
			fake_close(&fakes[k]);
		hits += srv.stats[S_RECENT_HITS];
		shared += srv.stats[S_RECENT_SHARED];
	}
	recent_max = 0;
	assert_true(n_lagged > 100); /* it was hard enough */
	assert_true(shared > 100);
	assert_true(hits >= least_hits);
	if (!max)
		assert_int_equal(hits, 0);
}

/* every page from the log */
static void
test_random(void **state)
{
	run_random(state, 300, 0, 0);
}

/* recent items in memory: what is given must be the same */
static void
test_random_recent(void **state)
{
	run_random(state, 300, 32 << 20, 10000);
}

/* so few that items and channels are pushed out all the time */
static void
test_random_little(void **state)
{
	run_random(state, 100, 48 * 1024, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, core_teardown)
	    T(test_random), T(test_random_recent), T(test_random_little)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
