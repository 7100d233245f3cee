/* SPDX-License-Identifier: MIT */
/*
 * connections: who is connected to the msg_servers of this machine, page after
 * page from their admin listeners.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config_server/ctl/ctl_ask.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"
#include "config_server/ctl/live/live.h"
#include "shared/base/err.h"
#include "shared/base/id.h"

enum { CONNS_PAGE = 1000 };

struct conns {
	const struct ctl_args *a;
	uint64_t left; /* of --limit */
	struct table table;
	size_t rows; /* in it */
	bool head;   /* was printed */
};

static const char *const conns_head[] = {"SERVER", "ID", "UID", "NAME",
    "DIALECT", "ADDRESS", ">SINCE", ">ROOMS", ">QUEUED", "STATE", NULL};

static void
conns_put(struct conns *k, const char *server, const json_t *c)
{
	struct table *t = &k->table;

	table_put(t, str_of(server), TABLE_DIM);
	cmd_put(t, c, "id");
	cmd_put(t, c, "uid");
	cmd_put(t, c, "name");
	cmd_put(t, c, "dialect");
	cmd_put(t, c, "addr");
	cmd_put_age(t, cmd_int(c, "since"));
	cmd_put_int(t, c, "rooms");
	cmd_put_int(t, c, "queued");
	cmd_put(t, c, "state");
	k->rows++;
}

/* one server, page after page; an exit code */
static int
conns_of(struct conns *k, const json_t *server)
{
	const char *name = state_text(server, "name");
	char target[80], after[24] = "0";
	json_t *v, *c;
	int status;
	size_t i;

	do {
		snprintf(target, sizeof(target),
		    "/connections?after=%s&limit=%" PRIu64, after,
		    k->left < CONNS_PAGE ? k->left : (uint64_t)CONNS_PAGE);
		v = live_ask(state_text(server, "admin"), target, &status);
		if (status != 200) {
			fprintf(stderr, "cchatctl: %s does not answer\n", name);
			json_decref(v);
			return EXIT_FAILED;
		}
		json_array_foreach(json_object_get(v, "list"), i, c)
		{
			if (k->a->json) {
				json_object_set_new(
				    c, "server", json_string(name));
				live_print_json(c);
			} else {
				conns_put(k, name, c);
			}
			k->left--;
		}
		str_copy(after, sizeof(after), str_of(state_text(v, "next")));
		json_decref(v);
	} while (after[0] != '\0' && k->left > 0);
	return EXIT_OK;
}

int
verb_connections(const struct ctl_args *a)
{
	struct conns k = {.a = a, .left = UINT64_MAX};
	json_t *state, *s;
	int code = EXIT_OK, which = -1;
	size_t i;

	if (a->n_words > 1 || !cmd_number(a->limit, 1, UINT32_MAX)) {
		fprintf(stderr,
		    "cchatctl: connections takes one msg_server, --limit a "
		    "number\n");
		return EXIT_USAGE;
	}
	if (a->limit != NULL && str_u64(str_of(a->limit), &k.left) != 0)
		k.left = 0; /* was looked at above */
	if (state_pid(a->set.data) == 0)
		return live_not_running(a);
	state = state_read(a->set.data);
	if (a->n_words > 0 && (which = live_find(state, a->word[0])) < 0)
		code = EXIT_FAILED;
	table_init(&k.table, conns_head);
	json_array_foreach(json_object_get(state, "servers"), i, s)
	{
		int64_t pid = 0;

		(void)json_int(s, "pid", &pid);
		if (code == EXIT_OK && pid != 0 && k.left > 0 &&
		    strcmp(state_text(s, "role"), "msg") == 0 &&
		    (which < 0 || which == (int)i))
			code = conns_of(&k, s);
	}
	table_print(&k.table, a->json ? NULL : stdout, "nobody is connected");
	json_decref(state);
	return code;
}
