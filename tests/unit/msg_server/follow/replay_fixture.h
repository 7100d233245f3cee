/* SPDX-License-Identifier: MIT */
/*
 * A judge of what sessions are given (msg_server/replay.h): every version 2
 * session gets every item after its position once and in order, or is told
 * which it does not get.
 */
#ifndef TESTS_UNIT_MSG_SERVER_FOLLOW_REPLAY_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_FOLLOW_REPLAY_FIXTURE_H

#include "tests/unit/msg_server/core_fixture.h"

/* --- the judge ---------------------------------------------------------- */

static inline unsigned
judge_index(const struct fake *f, const char *rid)
{
	for (unsigned i = 0; i < n_models; i++) {
		const char *name = models[i].name.s;

		if (!strcmp(rid, "@")
			? f->s.user && !strcmp(f->s.user->channel.name, name)
			: name[0] == CHAN_ROOM && !strcmp(rid, name + 2))
			return i;
	}
	fail_msg("a frame of %s, of which nobody knows", rid);
	return 0;
}

/* nobody who comes after a recall reads what it took */
static inline void
judge_words(struct fake *f, struct model *m, uint64_t seq, const char *text,
    const char *body)
{
	bool now = !strcmp(f->at[m - models].ep, m->ep);

	if (strstr(text, body)) {
		if (now && f->alone &&
		    model_is_gone(m, seq, model_channel(m)->last))
			fail_msg("%s: that was recalled", text);
	} else if (!strstr(text, "body ") || strstr(text, "/") ||
		   (now && !model_is_gone(m, seq, m->head))) {
		fail_msg("%s: the words are %s", text, body);
	}
}

static inline void
judge(struct fake *f, const char *text)
{
	unsigned long long a, b;
	char rid[64], why[16], body[32];
	unsigned i;

	if (sscanf(text, "item %63s %llu", rid, &a) == 2) {
		i = judge_index(f, rid);
		if (tell_bodies) {
			/* the words of this history, not of one that was */
			snprintf(body, sizeof body, "%s/%llu", f->at[i].ep, a);
			judge_words(f, &models[i], a, text, body);
		}
		if (!f->at[i].next || a != f->at[i].next)
			fail_msg("%s: %llu was due", text,
			    (unsigned long long)f->at[i].next);
		f->at[i].next++;
	} else if (sscanf(text, "gap %63s %llu %llu %15s", rid, &a, &b, why) ==
		   4) {
		i = judge_index(f, rid);
		if (!strcmp(why, "lost")) {
			f->at[i].lost++;
			str_copy(f->at[i].ep, sizeof f->at[i].ep,
			    str_of(
				channel_ep(model_channel(&models[i]))));
		} else {
			/* from where it stands, and only what is gone */
			if (a != f->at[i].next || b < a || b >= models[i].first)
				fail_msg("%s: at %llu, first is %llu", text,
				    (unsigned long long)f->at[i].next,
				    (unsigned long long)models[i].first);
			f->at[i].gaps++;
		}
		f->at[i].next = b + 1;
	}
}

/* what the answer to a join promises */
static inline void
judge_joined(struct join *j)
{
	unsigned i = (unsigned)(j->m - models);

	if (j->res.code != 200)
		return;
	memcpy(j->who->at[i].ep, j->res.ep, sizeof j->res.ep);
	if (j->res.n > 0 || (!j->res.full && j->res.from > j->res.head))
		j->who->at[i].next = j->res.full    ? j->res.from
				     : j->res.n > 0 ? j->res.head - j->res.n + 1
						    : j->res.head + 1;
	else
		j->who->at[i].next = j->res.head + 1;
}

static inline struct join *
enter(struct fake *f, struct model *m, const char *ep, uint64_t from, bool keep)
{
	f->at[m - models].next = 0;
	return fake_join(f, m, ep, from, keep, judge_joined);
}

static inline int
setup(void **state)
{
	core_setup(state);
	on_frame = judge;
	return 0;
}

/* a first member makes the channel live */
static inline void
make_live(struct fake *f, struct model *m)
{
	fake_open(f, 2);
	enter(f, m, NULL, 0, false);
	model_subbed(m);
	assert_int_equal(f->at[m - models].next, m->head + 1);
}

static inline void
drain(struct fake *f)
{
	f->queued = 0;
	room_on_drain(&srv, &f->s);
}

static inline void
bring(struct model *m, unsigned n)
{
	while (n-- > 0) {
		m->sent = ++m->head;
		model_send(m, m->sent);
	}
}

#endif
