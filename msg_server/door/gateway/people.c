/* SPDX-License-Identifier: MIT */
/*
 * The table beside the sessions: entries by session, names by text, and ties
 * between them. Who is connected and what a group means is gateway_set.c's.
 */
#include <stdlib.h>

#include "msg_server/door/gateway/people.h"

/* what an entry costs beside its own bytes, about */
enum { PEOPLE_HASHED = 32 };

static bool
people_take(struct people *p, size_t n)
{
	if (p->bytes + n > PEOPLE_BYTES_MAX)
		return false;
	p->bytes += n;
	return true;
}

struct person *
people_find(const struct people *p, uint64_t cn)
{
	struct person *who;

	HASH_FIND(hh, p->by_cn, &cn, sizeof cn, who);
	return who;
}

struct person *
people_get(struct people *p, uint64_t cn)
{
	struct person *who = people_find(p, cn);

	if (who != NULL || !people_take(p, sizeof *who + PEOPLE_HASHED))
		return who;
	who = xcalloc(1, sizeof *who);
	who->cn = cn;
	HASH_ADD(hh, p->by_cn, cn, sizeof who->cn, who);
	return who;
}

/* --- names -----------------------------------------------------------------
 */

static size_t
people_name_size(size_t len)
{
	return sizeof(struct people_name) + len + 1 + PEOPLE_HASHED;
}

static struct people_name *
people_name(struct people_name *table, struct str text)
{
	struct people_name *n;

	HASH_FIND(hh, table, text.p, (unsigned)text.len, n);
	return n;
}

const struct people_name *
people_uid(const struct people *p, struct str uid)
{
	return people_name(p->uids, uid);
}

const struct people_name *
people_group(const struct people *p, struct str group)
{
	return people_name(p->groups, group);
}

static struct people_tie *
people_tie(struct people *p, struct people_name **table, struct person *who,
    struct str text)
{
	struct people_name *n;
	struct people_tie *t;

	if (text.len == 0 || text.len > PEOPLE_NAME_MAX)
		return NULL;
	n = people_name(*table, text);
	if (!people_take(
		p, sizeof *t + (n == NULL ? people_name_size(text.len) : 0)))
		return NULL;
	if (n == NULL) {
		n = xcalloc(1, sizeof *n + text.len + 1);
		n->len = (uint32_t)text.len;
		memcpy(n->text, text.p, text.len);
		HASH_ADD(hh, *table, text[0], n->len, n);
	}
	t = xcalloc(1, sizeof *t);
	t->person = who;
	t->name = n;
	DL_APPEND(n->ties, t);
	n->n++;
	return t;
}

static void
people_untie(struct people *p, struct people_name **table, struct people_tie *t)
{
	struct people_name *n = t->name;

	DL_DELETE(n->ties, t);
	p->bytes -= sizeof *t;
	free(t);
	if (--n->n > 0)
		return;
	p->bytes -= people_name_size(n->len);
	HASH_DEL(*table, n);
	free(n);
}

/* --- what is said of a person ----------------------------------------------
 */

void
people_trim(struct people *p, struct person *who)
{
	if (who->uid != NULL || who->groups != NULL || who->array != NULL ||
	    who->was_in_group)
		return;
	free(who->home);
	HASH_DEL(p->by_cn, who);
	p->bytes -= sizeof *who + PEOPLE_HASHED;
	free(who);
}

int
people_bind(struct people *p, uint64_t cn, struct str uid)
{
	struct person *who = people_get(p, cn);
	struct people_tie *t;

	if (who == NULL)
		return ERR_LIMIT;
	t = people_tie(p, &p->uids, who, uid);
	if (t != NULL) {
		if (who->uid != NULL)
			people_untie(p, &p->uids, who->uid);
		who->uid = t;
	}
	people_trim(p, who);
	return t != NULL ? 0 : ERR_LIMIT;
}

void
people_unbind(struct people *p, uint64_t cn)
{
	struct person *who = people_find(p, cn);

	if (who == NULL || who->uid == NULL)
		return;
	people_untie(p, &p->uids, who->uid);
	who->uid = NULL;
	people_trim(p, who);
}

int
people_join(struct people *p, uint64_t cn, struct str group)
{
	struct person *who = people_get(p, cn);
	struct people_tie **at, *t = NULL;

	if (who == NULL)
		return ERR_LIMIT;
	for (at = &who->groups; *at != NULL; at = &(*at)->next_of_person)
		if (str_eq(people_text((*at)->name), group))
			return 0;
	if (who->n_groups < PEOPLE_GROUPS_MAX)
		t = people_tie(p, &p->groups, who, group);
	if (t != NULL) {
		*at = t;
		who->n_groups++;
		who->was_in_group = true;
	}
	people_trim(p, who);
	return t != NULL ? 0 : ERR_LIMIT;
}

bool
people_leave(struct people *p, uint64_t cn, struct str group)
{
	struct person *who = people_find(p, cn);
	struct people_tie **at, *t;

	if (who == NULL)
		return false;
	for (at = &who->groups; (t = *at) != NULL; at = &t->next_of_person) {
		if (!str_eq(people_text(t->name), group))
			continue;
		*at = t->next_of_person;
		who->n_groups--;
		people_untie(p, &p->groups, t);
		return true;
	}
	return false;
}

int
people_set_array(struct people *p, uint64_t cn, struct str text)
{
	struct person *who = people_get(p, cn);
	char *copy = NULL;

	if (who == NULL)
		return ERR_LIMIT;
	if (text.len > PEOPLE_ARRAY_MAX ||
	    p->bytes - who->array_len + text.len > PEOPLE_BYTES_MAX) {
		people_trim(p, who);
		return ERR_LIMIT;
	}
	/* text may be what is freed */
	if (text.len > 0) {
		copy = xmalloc(text.len);
		memcpy(copy, text.p, text.len);
	}
	free(who->array);
	p->bytes += text.len - who->array_len;
	who->array = copy;
	who->array_len = (uint32_t)text.len;
	people_trim(p, who);
	return 0;
}

void
people_forget(struct people *p, uint64_t cn)
{
	struct person *who = people_find(p, cn);
	struct people_tie *t;

	if (who == NULL)
		return;
	if (who->uid != NULL)
		people_untie(p, &p->uids, who->uid);
	who->uid = NULL;
	while ((t = who->groups) != NULL) {
		who->groups = t->next_of_person;
		people_untie(p, &p->groups, t);
	}
	p->bytes -= who->array_len;
	free(who->array);
	who->array = NULL;
	who->was_in_group = false;
	people_trim(p, who);
}
