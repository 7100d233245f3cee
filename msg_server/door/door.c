/* SPDX-License-Identifier: MIT */
/*
 * The list of doors. Adding one is a line here and its own file.
 */
#include "msg_server/door/door.h"
#include "msg_server/door/webim/webim.h"

const struct door *const doors[] = {
    &door_webim, &door_webim_2014, &door_webim_2019, NULL};

const struct door *
door_by_name(struct str name)
{
	size_t i;

	for (i = 0; doors[i] != NULL; i++)
		if (str_eqc(name, doors[i]->name))
			return doors[i];
	return NULL;
}
