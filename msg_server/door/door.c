/* SPDX-License-Identifier: MIT */
/*
 * The list of doors. Adding one is a line here and its own file.
 */
#include "msg_server/door/door.h"
#include "msg_server/door/meteor_api.h"
#include "msg_server/door/webim/webim.h"
#include "msg_server/push/http.h"

static const struct door door_sok = {"sok", push_http_hello};
static const struct door door_push = {"push", push_http_request};

const struct door *const doors[] = {&door_meteor, &door_webim, &door_webim_2014,
    &door_webim_2019, &door_sok, &door_push, NULL};

const struct door *
door_by_name(struct str name)
{
	size_t i;

	for (i = 0; doors[i] != NULL; i++)
		if (str_eqc(name, doors[i]->name))
			return doors[i];
	return NULL;
}
