/* SPDX-License-Identifier: MIT */
/*
 * Questions over the table of servers: where should a new client go, what is
 * wrong, the list for everybody. Changes nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/registry.h"
#include "shared/base/digest.h"

const char *
registry_addr(const struct registry_server *s)
{
	if (s->t.link[0] != '\0')
		return s->t.link;
	return s->t.direct_url[0] != '\0' ? s->t.direct_url : s->t.admin;
}

/* ---- next ------------------------------------------------------------- */

struct registry_choice {
	struct registry_server *s;
	double load;
	uint32_t hash;
};

static int
registry_choice_cmp(const void *a, const void *b)
{
	const struct registry_choice *x = a, *y = b;

	if (x->load < y->load || x->load > y->load)
		return x->load < y->load ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->s->t.name, y->s->t.name);
}

size_t
registry_next(const struct registry *r, struct str uid,
    struct registry_server **out, size_t max)
{
	struct registry_choice *c = xcalloc(r->n + 1, sizeof(*c));
	uint32_t seed = uid.len > 0 ? digest_crc32c(0, uid.p, uid.len)
				    : (uint32_t)digest_random_u64();
	size_t n = 0, i;

	for (i = 0; i < r->n; i++) {
		struct registry_server *s = r->list[i];

		if (s->t.role != ROLE_MSG || s->state != STATE_UP ||
		    s->link == NULL)
			continue;
		c[n].s = s;
		c[n].load = ((double)s->load.conns + s->sent) /
			    (s->t.weight > 0 ? s->t.weight : 1);
		c[n].hash = digest_crc32c(seed, s->t.name, strlen(s->t.name));
		n++;
	}
	qsort(c, n, sizeof(*c), registry_choice_cmp);
	if (n > max)
		n = max;
	for (i = 0; i < n; i++)
		out[i] = c[i].s;
	free(c);
	return n;
}

/* ---- check ------------------------------------------------------------ */

struct registry_report_to {
	struct registry_problem *out;
	size_t n, max;
};

static void __attribute__((format(printf, 4, 5)))
registry_problem(struct registry_report_to *to, const char *kind,
    const char *srv, const char *fmt, ...)
{
	struct registry_problem *p;
	va_list ap;

	if (to->n == to->max)
		return;
	p = &to->out[to->n++];
	p->kind = kind;
	p->srv = srv;
	va_start(ap, fmt);
	vsnprintf(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
}

static void
registry_check_server(const struct registry_server *s, const char *version,
    struct registry_report_to *to)
{
	const char *name = s->t.name;

	if (s->state == STATE_DOWN && s->load.state == BEAT_DRAINING &&
	    s->load.left == 0)
		registry_problem(to, "down", name, "drained, and not back");
	else if (s->state == STATE_DOWN || s->state == STATE_LATE)
		registry_problem(to, server_state_text(s->state), name,
		    "%s does not beat", link_role_text(s->t.role));
	else if (s->link == NULL)
		registry_problem(to, "dead_link", name, "its link is gone");
	if (s->state != STATE_DOWN && s->t.version[0] != '\0' &&
	    strcmp(s->t.version, version) != 0)
		registry_problem(to, "version_mix", name,
		    "runs %s, config_server runs %s", s->t.version, version);
	if (s->cap > 0 && s->load.conns >= s->cap && s->state == STATE_UP)
		registry_problem(to, "full", name, "%u connections of %u",
		    s->load.conns, s->cap);
}

static void
registry_check_active(const struct registry *r, struct registry_report_to *to)
{
	unsigned claims = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->list[i]->link != NULL && r->list[i]->claims)
			claims++;
	if (claims == 0)
		registry_problem(to, "no_owner", r->active,
		    "no linked proxy_server says it is active");
	if (claims > 1)
		registry_problem(to, "two_owners", r->active,
		    "%u proxy_servers say they are active", claims);
}

size_t
registry_check(
    const struct registry *r, struct registry_problem *out, size_t max)
{
	struct registry_report_to to = {.out = out, .max = max};
	const char *version = PACKAGE_VERSION;
	unsigned msgs = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->list[i]->t.role == ROLE_MSG &&
		    r->list[i]->state == STATE_UP)
			msgs++;
	registry_check_active(r, &to);
	if (msgs == 0)
		registry_problem(&to, "no_msg_server", "", "none is up");
	for (size_t i = 0; i < r->n; i++)
		registry_check_server(r->list[i], version, &to);
	return to.n;
}

/* ---- the list for everybody ------------------------------------------- */

void
registry_write(const struct registry *r, const char *cluster, struct buf *out)
{
	struct topology_server *list = xcalloc(r->n + 1, sizeof(*list));

	for (size_t i = 0; i < r->n; i++)
		list[i] = r->list[i]->t;
	topology_write(out, cluster, r->ver, list, r->n, r->active, r->gen);
	free(list);
}
