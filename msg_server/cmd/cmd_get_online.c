/* SPDX-License-Identifier: MIT */
/*
 * getOnline: who is in a room of his, or which of some users are online
 * anywhere. The proxies know; the list comes from them as JSON.
 */
#include <stdlib.h>

#include "msg_server/cmd/asker.h"

enum { ONLINE_DEFAULT = 100, ONLINE_PEOPLE = 1000 };

struct online_call {
	struct relay_who who;
	struct asker asker;
};

static void
online_on_answer(
    struct relay_who *rw, unsigned code, const struct f_whois *answer)
{
	struct online_call *o = container_of(rw, struct online_call, who);
	struct session *s = asker_done(&o->asker);
	struct event ev = {.kind = EVENT_ONLINE};

	if (code != 200 || answer == NULL || answer->code == 503) {
		asker_refuse(&o->asker, 503, 0);
	} else if (s != NULL) {
		asker_event(&o->asker, &ev);
		if (answer->code == 200) {
			ev.count = answer->count;
			ev.list = answer->json;
			ev.next = answer->next;
		}
		reply_event(s, &ev);
	}
	free(o);
}

void
cmd_get_online(struct server *srv, struct session *s, const struct command *cmd)
{
	struct f_who who = {.what = WHO_ROOM, .next = cmd->next};
	struct command in_home;
	struct online_call *o;
	struct chan_name chan;
	struct buf uids;
	size_t i;

	if (cmd->n_uids == 0)
		cmd = asker_home(s, cmd, &in_home);
	if (cmd->n_uids == 0 && !asker_channel(s, cmd, &chan))
		return;
	o = xcalloc(1, sizeof *o);
	asker_fill(&o->asker, srv, s, cmd);
	o->who.done = online_on_answer;
	buf_init(&uids, UIDS_MAX * (ID_MAX + 1));
	who.arg = cmd->rid;
	who.limit = cmd->limit > 0 ? (uint16_t)cmd->limit : ONLINE_DEFAULT;
	/* they know each other by their numbers, and have no pages */
	if (dialect_has(s->dialect, DIALECT_OLD)) {
		who.what = WHO_PEOPLE;
		who.limit = ONLINE_PEOPLE;
	}
	if (cmd->n_uids > 0) {
		for (i = 0; i < cmd->n_uids; i++) {
			if (i > 0)
				buf_putc(&uids, ',');
			buf_putstr(&uids, cmd->uids[i]);
		}
		who.what = WHO_USERS;
		who.arg = buf_str(&uids);
		who.limit = UIDS_MAX;
	}
	if (relay_who(srv->relay, &who, &o->who) != 0) {
		asker_refuse(&o->asker, 503, 0);
		free(o);
	} else {
		asker_wait(s);
	}
	buf_fini(&uids);
}
