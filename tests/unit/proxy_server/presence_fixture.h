/* SPDX-License-Identifier: MIT */
/*
 * Presence without links, on a clock that the test turns: two servers that have
 * announced nobody yet, and what rooms were told as text.
 */
#ifndef TESTS_UNIT_PROXY_SERVER_PRESENCE_FIXTURE_H
#define TESTS_UNIT_PROXY_SERVER_PRESENCE_FIXTURE_H

#include "tests/unit/shared/net/fixture.h"

#include "proxy_server/presence.h"
#include "shared/proc/clock.h"

enum { GRACE = 15000 };

static struct fx fx;
static struct presence *pr;
static struct pres_node *n1, *n2;
static int64_t now;
static char told[8192]; /* what rooms were told, as text */
static unsigned n_told;

static inline void
on_room(void *arg, struct str rid, struct f_room *f)
{
	size_t n = strlen(told);

	(void)arg;
	n_told++;
	n += (size_t)snprintf(told + n, sizeof told - n, "%.*s=%u%s%s%s%s",
	    STR_ARG(rid), f->count, f->big ? "!" : "", f->more ? "m" : "",
	    f->rest ? "r" : "", f->unsure ? "~" : "");
	for (unsigned i = 0; i < f->n_in && n < sizeof told; i++)
		n += (size_t)snprintf(told + n, sizeof told - n, " +%.*s%s%s",
		    STR_ARG(f->in[i].uid), f->in[i].again ? "*" : "",
		    f->in[i].maybe ? "?" : "");
	for (unsigned i = 0; i < f->n_out && n < sizeof told; i++)
		n += (size_t)snprintf(told + n, sizeof told - n, " -%.*s%s",
		    STR_ARG(f->out[i].uid), f->out[i].maybe ? "?" : "");
	if (n < sizeof told)
		snprintf(told + n, sizeof told - n, ";");
}

/* what servers were told of whom they watch, as text */
static char news[8192];

static inline void
on_status(void *arg, struct pres_node *n, const struct f_status *f)
{
	static const char *const st[] = {"off", "away", "on"};
	size_t len = strlen(news);

	(void)arg;
	for (unsigned i = 0; i < f->n && len < sizeof news; i++)
		len += (size_t)snprintf(news + len, sizeof news - len,
		    "%u:%.*s %s%s;", (unsigned)presence_node_no(n),
		    STR_ARG(f->list[i].uid), st[f->list[i].st],
		    f->list[i].last ? "@" : "");
}

static inline void
on_room_info(void *arg, struct str rid, struct buf *json)
{
	(void)arg;
	(void)rid;
	buf_puts(json, "\"seq\":7");
}

static int64_t heard;

static inline int64_t
on_heard(void *arg)
{
	(void)arg;
	return heard;
}

static const struct presence_ops ops = {
    .on_heard = on_heard,
    .on_status = on_status,
    .on_room = on_room,
    .on_room_info = on_room_info,
};

static inline void
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

#define NEWS(want)                               \
	do {                                     \
		presence_tick(pr);               \
		assert_string_equal(news, want); \
		news[0] = '\0';                  \
	} while (0)

static inline int
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
	pass(GRACE + 10000); /* nobody doubts any more what it says */
	told[0] = news[0] = '\0';
	n_told = 0;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	presence_free(pr);
	fx_fini(&fx);
	clock_test_set(0, 0);
	return 0;
}

static inline uint64_t
cn(struct pres_node *n, unsigned i)
{
	return (uint64_t)presence_node_no(n) << 32 | i;
}

static inline void
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

static inline void
gone(struct pres_node *n, unsigned i, enum pres_op op, bool silent)
{
	struct f_pres f = {.op = (uint8_t)op, .cn = cn(n, i), .silent = silent};

	presence_put(pr, n, &f);
}

static inline void
watch(struct pres_node *n, const char *add, const char *del, bool again)
{
	static struct f_watch f;

	f = (struct f_watch){
	    .again = again, .n_add = add != NULL, .n_del = del != NULL};
	f.add[0] = str_of(add);
	f.del[0] = str_of(del);
	presence_watch(pr, n, &f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
