/* SPDX-License-Identifier: MIT */
/*
 * Whose sessions were that are gone: older systems name people by the number
 * of a session, and who came back within the grace, or has another device, is
 * there under another number that they were not told. The newest are kept.
 */
#include <stdlib.h>

#include "proxy_server/presence_priv.h"

static struct pres_gone *
gone_of(const struct table_link *e)
{
	return container_of(e, struct pres_gone, by_cn);
}

static struct str
gone_key(const struct table_link *e)
{
	return str_n((const char *)&gone_of(e)->cn, sizeof gone_of(e)->cn);
}

static struct pres_gone *
gone_find(const struct presence *pr, uint64_t cn)
{
	struct table_link *e;

	e = table_find(
	    &pr->gone, str_n((const char *)&cn, sizeof cn), gone_key);
	return e != NULL ? gone_of(e) : NULL;
}

static void
gone_forget(struct presence *pr, struct pres_gone *g)
{
	table_del(&pr->gone, &g->by_cn, gone_key);
	DL_DELETE(pr->gone_old, g);
	free(g);
}

void
presence_gone_note(struct presence *pr, uint64_t cn, struct str uid)
{
	struct pres_gone *g = gone_find(pr, cn);

	/* a person of one session: with it he is gone for good */
	if (str_starts(uid, STR_LIT("fd-")))
		return;
	if (g == NULL && pr->gone.n >= PRESENCE_GONE_MAX)
		g = pr->gone_old;
	if (g != NULL)
		gone_forget(pr, g);
	g = xcalloc(1, sizeof *g + uid.len + 1);
	g->cn = cn;
	memcpy(g->uid, uid.p, uid.len);
	table_add(&pr->gone, &g->by_cn, gone_key);
	DL_APPEND(pr->gone_old, g);
}

struct str
presence_gone_uid(const struct presence *pr, uint64_t cn)
{
	const struct pres_gone *g = gone_find(pr, cn);

	return g != NULL ? str_of(g->uid) : STR_NONE;
}

void
presence_gone_fini(struct presence *pr)
{
	while (pr->gone_old != NULL)
		gone_forget(pr, pr->gone_old);
}
