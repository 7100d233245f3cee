/* SPDX-License-Identifier: MIT */
/*
 * The list of dialects. Adding one is a line here and its own file.
 */
#include "msg_server/dialect/dialect.h"

const struct dialect *const dialects[] = {&dialect_cchat, NULL};

const struct dialect *
dialect_by_name(struct str name)
{
	size_t i;

	for (i = 0; dialects[i] != NULL; i++)
		if (str_eqc(name, dialects[i]->name))
			return dialects[i];
	return NULL;
}
