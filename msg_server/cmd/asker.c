/* SPDX-License-Identifier: MIT */
/*
 * What commands share: remembering who asked, and whether he may.
 */
#include "msg_server/cmd/asker.h"

void
asker_fill(struct asker *a, struct server *srv, const struct session *s,
    const struct command *cmd)
{
	a->srv = srv;
	a->cn = s->cn;
	str_copy(a->cid, sizeof a->cid, cmd->cid);
	str_copy(a->rid, sizeof a->rid, cmd->rid);
	str_copy(a->tid, sizeof a->tid, cmd->tid);
}

struct session *
asker_session(const struct asker *a)
{
	return session_find(a->srv, a->cn);
}

void
asker_wait(struct session *s)
{
	if (s->asks < UINT8_MAX)
		s->asks++;
}

struct session *
asker_done(const struct asker *a)
{
	struct session *s = asker_session(a);

	if (s != NULL && s->asks > 0)
		s->asks--;
	return s;
}

static struct str
asker_text(const char *s)
{
	return s[0] != '\0' ? str_of(s) : STR_NONE;
}

struct str
asker_cid(const struct asker *a)
{
	return asker_text(a->cid);
}

struct str
asker_rid(const struct asker *a)
{
	return asker_text(a->rid);
}

struct str
asker_tid(const struct asker *a)
{
	return asker_text(a->tid);
}

void
asker_event(const struct asker *a, struct event *ev)
{
	ev->cid = asker_cid(a);
	ev->tid = asker_tid(a);
	/* the conversation is the pair, whatever room it was said in */
	ev->rid = str_is_set(ev->tid) ? STR_NONE : asker_rid(a);
}

static const char *
asker_why(unsigned code)
{
	switch (code) {
	case 403:
		return "forbidden";
	case 404:
		return "not found";
	case 409:
		return "conflict";
	case 413:
		return "too long";
	case 429:
		return "too fast";
	case 503:
		return "busy, try again";
	}
	return "refused";
}

void
asker_refuse(const struct asker *a, unsigned code, int64_t retry_ms)
{
	struct session *s = asker_session(a);
	struct event ev = {.kind = EVENT_ERROR,
	    .code = code,
	    .why = asker_why(code),
	    .v1_code = 50,
	    .v1_text = code == 403   ? V1_T_MUTED
		       : code == 429 ? V1_T_TOO_FAST
				     : V1_T_BUSY};

	if (s == NULL)
		return;
	asker_event(a, &ev);
	ev.retry_ms = retry_ms;
	if (ev.retry_ms == 0 && code == 503)
		ev.retry_ms = ASKER_RETRY_MS;
	if (ev.retry_ms == 0 && code == 429)
		ev.retry_ms = ASKER_MINUTE_MS; /* rooms_new */
	a->srv->stats[S_ERRORS]++;
	reply_event(s, &ev);
}

bool
asker_channel(
    struct session *s, const struct command *cmd, struct chan_name *out)
{
	if (str_is_set(cmd->tid)) {
		*out = chan_pair(session_uid(s), cmd->tid);
		return true;
	}
	/* the log knows who is a member of a group (groups.h) */
	if (room_member(s, cmd->rid) == NULL &&
	    !(id_is_group(cmd->rid) &&
		dialect_has(s->dialect, DIALECT_GROUPS))) {
		reply_error(
		    s, cmd->cid, 403, "not in this room", 0, 50, V1_T_NOT_IN);
		return false;
	}
	*out = chan_room(cmd->rid);
	return true;
}

const struct command *
asker_home(struct session *s, const struct command *cmd, struct command *own)
{
	struct member *home;

	if (str_is_set(cmd->rid) || str_is_set(cmd->tid))
		return cmd;
	home = room_home(s);
	if (home == NULL)
		return cmd;
	*own = *cmd;
	own->rid = str_of(room_rid(home->room));
	return own;
}
