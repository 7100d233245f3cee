/* SPDX-License-Identifier: MIT */
/*
 * message: one item for the log, to a room or to somebody. Nobody is told
 * here: the item comes back over the log to all who follow, the sender too;
 * `ok` follows the commit. The order of checks of level 1 (rate, login, room)
 * is the recorded one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/cmd/message_to.h"
#include "msg_server/groups.h"
#include "shared/proc/clock.h"

enum { MESSAGE_PENDING_MAX = 64, MESSAGE_UID_BURST = 20 };

struct message_call {
	struct relay_append append;
	struct asker asker;
	struct chan_name chan;
	bool has_note;
	uint32_t note_len;
	char note[]; /* of the command */
};

static void
message_on_done(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct message_call *m = container_of(ra, struct message_call, append);
	struct session *s = asker_session(&m->asker);
	struct event ev = {.kind = EVENT_OK};
	struct str note = m->has_note ? str_n(m->note, m->note_len) : STR_NONE;

	if (s != NULL) {
		s->pending--;
		if (code != 200) {
			asker_refuse(&m->asker, code, retry_ms);
		} else if ((s->level > 1 && m->asker.cid[0] != '\0') ||
			   str_is_set(note)) {
			asker_event(&m->asker, &ev);
			ev.note = note;
			ev.cn = s->cn;
			ev.uid = session_uid(s);
			ev.name = session_name(s);
			ev.chan = chan_str(&m->chan);
			ev.seq = ack->seq;
			ev.useq = ack->useq;
			ev.ts = ack->ts;
			ev.dup = ack->dup;
			ev.unkept = ack->unkept;
			reply_event(s, &ev);
		}
	}
	free(m);
}

static void
message_too_fast(struct session *s, const struct command *cmd, int64_t retry)
{
	reply_error(s, cmd->cid, 429, "too fast", retry, 50, V1_T_TOO_FAST);
}

/* level 1: whole seconds, the clock set before anything else is known */
static bool
message_v1_rate(struct server *srv, struct session *s)
{
	uint32_t now = (uint32_t)(clock_mono_ms() / 1000) + 1;
	struct session_busy *b = session_busy(s);

	if (srv->set.v1_interval > 0 && b->v1_last_s != 0 &&
	    now - b->v1_last_s < (uint32_t)srv->set.v1_interval)
		return false;
	b->v1_last_s = now;
	return true;
}

/* by whole seconds, not by a bucket */
static bool
message_is_paced(const struct session *s)
{
	return s->level < 2 && dialect_has(s->dialect, DIALECT_PACE);
}

static bool
message_rate(struct server *srv, struct session *s, const struct command *cmd)
{
	uint32_t rate = (uint32_t)srv->set.uid_rate;
	int64_t retry = 0;

	if (!message_is_paced(s) &&
	    !bucket_take(&session_busy(s)->send, (uint32_t)srv->set.send_rate,
		(uint32_t)srv->set.send_burst, &retry)) {
		message_too_fast(s, cmd, retry);
		return false;
	}
	if (!bucket_take(&user_busy(s->user)->send, rate,
		rate < MESSAGE_UID_BURST ? MESSAGE_UID_BURST : rate, &retry)) {
		message_too_fast(s, cmd, retry);
		return false;
	}
	return true;
}

/* the room has heard all it takes in a second, from whoever it came */
static bool
message_room_rate(
    struct server *srv, struct session *s, const struct command *cmd)
{
	uint32_t rate = (uint32_t)srv->set.room_rate;
	struct member *m;
	int64_t retry = 0;

	if (rate == 0 || str_is_set(cmd->tid))
		return true;
	m = room_member(s, cmd->rid);
	if (m == NULL || bucket_take(&m->room->rate, rate, rate, &retry))
		return true;
	srv->stats[S_ROOM_FAST]++;
	message_too_fast(s, cmd, retry);
	return false;
}

/* may this session say that now? false: answered */
static bool
message_check(struct server *srv, struct session *s, const struct command *cmd)
{
	if (cmd->level < 2 && dialect_has(s->dialect, DIALECT_PACE) &&
	    !message_v1_rate(srv, s)) {
		message_too_fast(s, cmd, 0);
		return false;
	}
	if (s->level == 0 || s->user == NULL) {
		reply_error(
		    s, cmd->cid, 401, "log in first", 0, 50, V1_T_NO_LOGIN);
		return false;
	}
	if (cmd->level > 1 && cmd->msg.len > (size_t)srv->set.msg_max) {
		reply_error(s, cmd->cid, 413, "too long", 0, 50, V1_T_BUSY);
		return false;
	}
	if (s->pending >= MESSAGE_PENDING_MAX) {
		reply_error(s, cmd->cid, 503, "too many unanswered",
		    ASKER_RETRY_MS, 50, V1_T_BUSY);
		return false;
	}
	return true;
}

static uint16_t
message_flags(const struct command *cmd)
{
	uint16_t flags = 0;

	if (cmd->msg_is_json)
		flags |= ITEM_F_JSON;
	if (cmd->msg_is_push)
		flags |= ITEM_F_PUSH;
	if (cmd->rid_is_num)
		flags |= ITEM_F_NUM_RID;
	if (cmd->type == MSG_AUDIO)
		flags |= ITEM_F_AUDIO;
	else if (cmd->type == MSG_PIC)
		flags |= ITEM_F_PIC;
	else if (cmd->type == MSG_FILE)
		flags |= ITEM_F_FILE;
	if (str_is_set(cmd->tid) && cmd->tid.len == 0)
		flags |= ITEM_F_TID_EMPTY;
	return flags;
}

static void
message_fill(struct server *srv, struct session *s, const struct command *cmd,
    const struct chan_name *chan, struct f_append *ap)
{
	struct item *it = &ap->item;

	memset(ap, 0, sizeof *ap);
	ap->chan = chan_str(chan);
	it->kind = ITEM_MESSAGE;
	it->flags = message_flags(cmd);
	it->uid = session_uid(s);
	it->cid = cmd->cid;
	it->cn = s->cn;
	it->name = session_name(s);
	it->avatar = session_avatar(s);
	it->ref = cmd->re;
	it->body = cmd->msg;
	if (cmd->tid.len > 0) {
		it->rid = cmd->rid;
		ap->to[ap->n_to++] = channel_name(&s->user->channel);
	}
	(void)srv;
}

static struct message_call *
message_call_new(struct str note)
{
	struct message_call *m;

	if (note.len > NOTE_MAX)
		note = STR_NONE;
	m = xcalloc(1, sizeof *m + note.len);
	m->has_note = str_is_set(note);
	m->note_len = (uint32_t)note.len;
	if (note.len > 0)
		memcpy(m->note, note.p, note.len);
	return m;
}

void
message_send(struct server *srv, struct session *s, const struct command *cmd)
{
	struct command c = *cmd;
	struct chan_name chan, peer;
	struct message_call *m;
	struct f_append ap;
	char cid[CID_MAX + 1], need[STATE_KEY_MAX + 1];

	if (cmd->tid.len == 0)
		c.tid = STR_NONE;
	if (!str_is_set(c.rid) && !str_is_set(c.tid) && room_home(s) != NULL)
		c.rid = str_of(room_rid(room_home(s)->room));
	if (!asker_channel(s, &c, &chan) || !message_rate(srv, s, cmd) ||
	    !message_room_rate(srv, s, &c))
		return;
	message_fill(srv, s, cmd, &chan, &ap);
	if (!str_is_set(c.tid) && id_is_group(c.rid))
		ap.need = group_need(ap.item.uid, need);
	if (!str_is_set(cmd->cid)) {
		/* what is sent again after a lost link must be known again */
		snprintf(cid, sizeof cid, "~%" PRIx64 ".%" PRIu64, s->cn,
		    srv->next_cid++);
		ap.item.cid = str_of(cid);
		ap.item.flags |= ITEM_F_AUTO_CID;
	}
	if (str_is_set(c.tid) && !str_eq(c.tid, ap.item.uid)) {
		peer = chan_user(c.tid);
		ap.to[ap.n_to++] = chan_str(&peer);
	}
	m = message_call_new(c.note);
	asker_fill(&m->asker, srv, s, &c);
	m->chan = chan;
	m->append.done = message_on_done;
	if (relay_append(srv->relay, &ap, &m->append) != 0) {
		asker_refuse(&m->asker, 503, 0);
		free(m);
		return;
	}
	s->pending++;
	srv->stats[S_APPENDS]++;
}

void
cmd_message(struct server *srv, struct session *s, const struct command *cmd)
{
	if (!message_check(srv, s, cmd))
		return;
	if (cmd->to_cn != 0)
		message_to(srv, s, cmd);
	else
		message_send(srv, s, cmd);
}
