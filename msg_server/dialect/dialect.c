/* SPDX-License-Identifier: MIT */
/*
 * The list of dialects. Adding one is a line here and its own file.
 */
#include "msg_server/dialect/dialect.h"

const struct dialect *const dialects[] = {&dialect_cchat, &dialect_meteor,
    &dialect_sok, &dialect_webim, &dialect_webim_2014, &dialect_webim_2019,
    &dialect_workerman, NULL};

const struct dialect *
dialect_guess(const struct dialect_set *set, struct str text)
{
	const struct dialect *cchat = NULL;
	unsigned i;

	if (set->n == 1)
		return set->list[0];
	for (i = 0; i < set->n; i++)
		if (set->list[i] == &dialect_cchat)
			cchat = set->list[i];
		else if (set->list[i]->guess(text))
			return set->list[i];
	return cchat != NULL && cchat->guess(text) ? cchat : set->list[0];
}

const struct dialect *
dialect_at_open(
    const struct dialect_set *set, struct str path, struct str query)
{
	unsigned i;

	for (i = 0; i < set->n; i++)
		if (set->list[i]->at_open != NULL &&
		    set->list[i]->at_open(path, query))
			return set->list[i];
	return set->n > 0 && dialect_has(set->list[0], DIALECT_AT_ONCE)
		   ? set->list[0]
		   : NULL;
}

const struct dialect *
dialect_by_name(struct str name)
{
	size_t i;

	for (i = 0; dialects[i] != NULL; i++)
		if (str_eqc(name, dialects[i]->name))
			return dialects[i];
	return NULL;
}
