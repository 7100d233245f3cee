/* SPDX-License-Identifier: MIT */
/*
 * edit, recall, react, title: lasting changes that are no messages, each an
 * item with its own seq. Whether the message meant is there, his own and not
 * recalled is judged by the log when the item gets its place (log_ref.h): 404,
 * 403, 409. Who may give a room a title is judged here: bearers of an `adm`
 * token, a group's owner, with room_title = any whoever is in a room that is
 * no group.
 */
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/cmd/cmd_message_send.h"
#include "msg_server/groups.h"

static void
item_put_ref(struct server *srv, struct session *s, const struct command *cmd,
    uint8_t kind, uint16_t flags, struct str body)
{
	struct f_append ap;

	if (!message_may(s, cmd))
		return;
	memset(&ap, 0, sizeof ap);
	ap.item.kind = kind;
	ap.item.flags = flags;
	ap.item.ref = cmd->ref;
	ap.item.body = body;
	message_put(srv, s, cmd, &ap);
}

void
cmd_edit(struct server *srv, struct session *s, const struct command *cmd)
{
	srv->stats[S_EDITS]++;
	if (cmd->msg.len > (size_t)srv->set.msg_max)
		reply_error(s, cmd->cid, 413, "too long", 0, 50, V1_T_BUSY);
	else
		item_put_ref(srv, s, cmd, ITEM_EDIT, 0, cmd->msg);
}

void
cmd_recall(struct server *srv, struct session *s, const struct command *cmd)
{
	srv->stats[S_RECALLS]++;
	item_put_ref(srv, s, cmd, ITEM_RECALL, 0, STR_NONE);
}

void
cmd_react(struct server *srv, struct session *s, const struct command *cmd)
{
	srv->stats[S_REACTS]++;
	item_put_ref(
	    srv, s, cmd, ITEM_REACT, cmd->on ? 0 : ITEM_F_OFF, cmd->emo);
}

/* --- title -------------------------------------------------------------- */

/* waits for what he is in the group */
struct item_title {
	struct relay_get get;
	struct asker asker;
	char title[TITLE_MAX + 1];
};

static void
item_put_title(struct server *srv, struct session *s, const struct command *cmd)
{
	struct f_append ap;

	if (!message_may(s, cmd))
		return;
	memset(&ap, 0, sizeof ap);
	ap.item.kind = ITEM_TITLE;
	ap.item.body = cmd->title;
	ap.states[ap.n_states++] = title_state(cmd->title);
	message_put(srv, s, cmd, &ap);
}

static void
item_on_role(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct item_title *t = container_of(get, struct item_title, get);
	struct session *s = asker_done(&t->asker);
	struct command cmd = {.kind = CMD_TITLE,
	    .level = 2,
	    .cid = asker_cid(&t->asker),
	    .rid = asker_rid(&t->asker),
	    .title = str_of(t->title)};

	if (s == NULL || s->user == NULL)
		;
	else if (code != 200)
		asker_refuse(&t->asker, 503, 0);
	else if (!group_is_owner(got->val))
		asker_refuse(&t->asker, 403, 0);
	else
		item_put_title(t->asker.srv, s, &cmd);
	free(t);
}

static void
item_ask_role(struct server *srv, struct session *s, const struct command *cmd)
{
	struct chan_name chan = chan_room(cmd->rid);
	char key[STATE_KEY_MAX + 1];
	struct f_get get = {
	    .chan = chan_str(&chan), .key = group_need(session_uid(s), key)};
	struct item_title *t = xcalloc(1, sizeof *t);

	asker_fill(&t->asker, srv, s, cmd);
	str_copy(t->title, sizeof t->title, cmd->title);
	t->get.done = item_on_role;
	if (relay_get(srv->relay, &get, &t->get) != 0) {
		asker_refuse(&t->asker, 503, 0);
		free(t);
	} else {
		asker_wait(s);
	}
}

void
cmd_title(struct server *srv, struct session *s, const struct command *cmd)
{
	struct chan_name chan;
	bool group = id_is_group(cmd->rid);

	srv->stats[S_TITLES]++;
	if (!asker_channel(s, cmd, &chan))
		return;
	if (s->adm || (!group && srv->set.room_title == SETTINGS_TITLE_ANY))
		item_put_title(srv, s, cmd);
	else if (group)
		item_ask_role(srv, s, cmd);
	else
		reply_error(s, cmd->cid, 403, "this takes an adm token", 0, 50,
		    V1_T_NOT_IN);
}
