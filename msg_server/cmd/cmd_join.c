/* SPDX-License-Identifier: MIT */
/*
 * join: one more room for a session. `ok` with the position, then what was
 * missed, then `synced`, both with the command's cid.
 */
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/follow/room_title.h"
#include "msg_server/groups.h"

struct join_call {
	struct follow_call call;
	struct asker asker;
	bool answered;
};

static void
join_on_joined(struct follow_call *call, struct session *s,
    const struct follow_result *res)
{
	struct join_call *j = container_of(call, struct join_call, call);
	struct event_pos pos = {.rid = asker_rid(&j->asker),
	    .ep = str_of(res->ep),
	    .seq = res->head,
	    .from = res->from,
	    .n = res->n,
	    .full = res->full,
	    .title = room_title(j->asker.srv, asker_rid(&j->asker))};
	struct event ev = {.kind = EVENT_OK, .pos = &pos, .n_pos = 1};

	/* what he missed is the log's: a drain does not wait for that */
	(void)asker_done(&j->asker);
	j->answered = true;
	if (res->code != 200) {
		asker_refuse(&j->asker, res->code, 0);
		free(j);
		return;
	}
	asker_event(&j->asker, &ev);
	if (str_is_set(ev.cid))
		reply_event(s, &ev);
}

static void
join_on_synced(struct follow_call *call, struct session *s)
{
	struct join_call *j = container_of(call, struct join_call, call);
	struct event ev = {.kind = EVENT_SYNCED, .cid = asker_cid(&j->asker)};

	reply_event(s, &ev);
	free(j);
}

static void
join_on_lost(struct follow_call *call)
{
	struct join_call *j = container_of(call, struct join_call, call);

	struct session *s = j->answered ? NULL : asker_done(&j->asker);

	/* out of the room again before he was in */
	if (s != NULL && session_is_open(s))
		asker_refuse(&j->asker, 409, 0);
	free(j);
}

void
cmd_join(struct server *srv, struct session *s, const struct command *cmd)
{
	struct str ep = cmd->n_pos > 0 ? cmd->pos[0].ep : STR_NONE;
	uint64_t from = cmd->n_pos > 0 ? cmd->pos[0].seq : 0;
	struct join_call *j;

	if (!session_may_join(s, cmd->rid)) {
		reply_error(s, cmd->cid, 403, "not allowed in this room", 0, 50,
		    V1_T_NOT_IN);
		return;
	}
	j = xcalloc(1, sizeof *j);
	asker_fill(&j->asker, srv, s, cmd);
	j->call.cn = s->cn;
	j->call.on_joined = join_on_joined;
	j->call.on_synced = join_on_synced;
	j->call.on_lost = join_on_lost;
	asker_wait(s);
	groups_join(srv, s, cmd->rid, ep, from, false, &j->call);
}
