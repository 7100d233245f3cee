/* SPDX-License-Identifier: MIT */
/* Questions to the daemons of this machine. See live.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/live/live.h"
#include "shared/base/err.h"

json_t *
live_ask(const char *address, const char *target, int *status)
{
	struct buf body;
	json_t *v;
	int err;

	*status = ERR_IO;
	if (address[0] == '\0')
		return NULL;
	buf_init(&body, CTL_HTTP_MAX);
	*status = ctl_http("GET", address, target, LIVE_ASK_MS, &body);
	v = *status > 0 ? json_read(buf_str(&body), &err) : NULL;
	buf_fini(&body);
	return v;
}

int
live_not_running(const struct ctl_args *a)
{
	if (a->json)
		printf("{\"running\":false}\n");
	else
		printf("no cluster runs in %s\n", a->set.data);
	return EXIT_NOT_RUNNING;
}

int
live_find(const json_t *state, const char *name)
{
	const json_t *list = json_object_get(state, "servers");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(state_text(json_array_get(list, i), "name"), name))
			return (int)i;
	fprintf(stderr,
	    "cchatctl: no server of this machine's cluster is called %s\n",
	    name);
	return -1;
}

void
live_print_json(const json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT);

	printf("%s\n", text != NULL ? text : "{}");
	free(text);
}
