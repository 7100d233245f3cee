/* SPDX-License-Identifier: MIT */
/*
 * From a session's number to its user. Asks, and remembers the message
 * meanwhile; it neither stores nor sends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/cmd/cmd_message_to.h"
#include "shared/proto/json.h"

/* a message that waits for the name of whom it is for */
struct message_ask {
	struct relay_who who;
	struct asker asker;
	struct command cmd; /* its strings are behind it, in text */
	char text[];
};

static void
message_to_nobody(struct session *s, const struct command *cmd)
{
	struct event ev = {.kind = EVENT_ERROR,
	    .cid = cmd->cid,
	    .code = 404,
	    .why = "nobody has that number",
	    .note = cmd->note,
	    .cn = s->cn,
	    .uid = session_uid(s),
	    .name = session_name(s)};

	reply_event(s, &ev);
}

static void
message_to_uid(struct server *srv, struct session *s, const struct command *cmd,
    struct str uid)
{
	struct command c = *cmd;

	c.to_cn = 0;
	c.tid = uid;
	message_send(srv, s, &c);
}

static void
message_on_who(
    struct relay_who *rw, unsigned code, const struct f_whois *answer)
{
	struct message_ask *a = container_of(rw, struct message_ask, who);
	struct session *s = asker_done(&a->asker);
	json_t *obj = NULL;
	int err;

	if (s == NULL || s->user == NULL) {
		;
	} else if (code != 200 && code != 404) {
		asker_refuse(&a->asker, 503, 0);
	} else {
		if (code == 200)
			obj = json_read(answer->json, &err);
		if (obj != NULL && id_is_word(json_str(obj, "uid")))
			message_to_uid(
			    a->asker.srv, s, &a->cmd, json_str(obj, "uid"));
		else
			message_to_nobody(s, &a->cmd);
		json_decref(obj);
	}
	free(a);
}

static struct str
message_keep(char **at, struct str s)
{
	char *p = *at;

	if (!str_is_set(s))
		return STR_NONE;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	*at += s.len;
	return str_n(p, s.len);
}

static void
message_ask(struct server *srv, struct session *s, const struct command *cmd)
{
	struct f_who who = {.what = WHO_WHOSE, .limit = 1};
	struct message_ask *a;
	char number[24], *at;

	if (cmd->note.len > NOTE_MAX) {
		message_to_nobody(s, cmd);
		return;
	}
	a = xcalloc(1, sizeof *a + cmd->cid.len + cmd->msg.len + cmd->note.len);
	at = a->text;
	asker_fill(&a->asker, srv, s, cmd);
	/* what a private message has; the rest of a command is not for one */
	a->cmd.kind = cmd->kind;
	a->cmd.level = cmd->level;
	a->cmd.type = cmd->type;
	a->cmd.msg_is_json = cmd->msg_is_json;
	a->cmd.cid = message_keep(&at, cmd->cid);
	a->cmd.msg = message_keep(&at, cmd->msg);
	a->cmd.note = message_keep(&at, cmd->note);
	a->who.done = message_on_who;
	snprintf(number, sizeof number, "%" PRIu64, cmd->to_cn);
	who.arg = str_of(number);
	if (relay_who(srv->relay, &who, &a->who) != 0) {
		asker_refuse(&a->asker, 503, 0);
		free(a);
	} else {
		asker_wait(s);
	}
}

void
message_to(struct server *srv, struct session *s, const struct command *cmd)
{
	struct session *peer = session_find(srv, cmd->to_cn);

	if (peer != NULL && peer->user != NULL)
		message_to_uid(srv, s, cmd, session_uid(peer));
	else
		message_ask(srv, s, cmd);
}
