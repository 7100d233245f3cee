/* SPDX-License-Identifier: MIT */
/*
 * The fake relay of core_fixture.h, which includes this in its place: what is
 * asked of it is recorded, and answered when the test says so.
 */
#ifndef TESTS_UNIT_MSG_SERVER_CORE_RELAY_H
#define TESTS_UNIT_MSG_SERVER_CORE_RELAY_H

#include "tests/unit/msg_server/follow/fake_relay.h"

struct ask {
	struct ask *next;
	struct f_read f;
	struct chan_name chan;
	struct relay_read *call;
};

static struct ask *asks;
static unsigned n_asks, refuse_reads;
static struct { /* PRES frames: what was said last, and how often */
	unsigned n;
	uint8_t op, n_add, n_del;
	bool silent;
} pres;

void
relay_pres(struct relay *r, const struct f_pres *f)
{
	(void)r;
	pres.n++;
	pres.op = f->op;
	pres.n_add = f->n_add;
	pres.n_del = f->n_del;
	pres.silent = f->silent;
}

int
relay_read(struct relay *r, const struct f_read *rd, struct relay_read *call)
{
	struct ask *a, **end = &asks;

	(void)r;
	if (refuse_reads)
		return ERR_BUSY;
	a = xcalloc(1, sizeof *a);
	a->f = *rd;
	assert_int_equal(chan_parse(rd->chan, &a->chan), OK);
	a->call = call;
	while (*end)
		end = &(*end)->next;
	*end = a;
	n_asks++;
	return OK;
}

static char watched[1024]; /* WATCH frames, as text */

void
relay_watch(struct relay *r, const struct f_watch *f)
{
	size_t n = strlen(watched);

	(void)r;
	if (f->again)
		n += (size_t)snprintf(watched + n, sizeof watched - n, "!");
	for (unsigned i = 0; i < f->n_add && n < sizeof watched; i++)
		n += (size_t)snprintf(watched + n, sizeof watched - n, "+%.*s",
		    STR_ARG(f->add[i]));
	for (unsigned i = 0; i < f->n_del && n < sizeof watched; i++)
		n += (size_t)snprintf(watched + n, sizeof watched - n, "-%.*s",
		    STR_ARG(f->del[i]));
	if (n < sizeof watched)
		snprintf(watched + n, sizeof watched - n, ";");
}

static int64_t active_ms;

int64_t
relay_active_ms(const struct relay *r)
{
	(void)r;
	return active_ms;
}

uint64_t
relay_gen(const struct relay *r)
{
	return r->gen;
}

static char raised[64]; /* the last one */
static unsigned n_raised;

bool
relay_raise(struct relay *r, const struct f_raise *f)
{
	(void)r;
	if (!linked)
		return false;
	n_raised++;
	snprintf(raised, sizeof raised, "%.*s %.*s=%llu %.*s", STR_ARG(f->chan),
	    STR_ARG(f->key), (unsigned long long)f->n, STR_ARG(f->ep));
	return true;
}

#endif
