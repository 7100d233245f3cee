/* SPDX-License-Identifier: MIT */
/*
 * A change of a client's on its way to the log: where it goes, at what rate,
 * and the answer when it is stored. See cmd_message_send.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/cmd/cmd_message_send.h"
#include "msg_server/groups.h"

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

void
message_too_fast(struct session *s, const struct command *cmd, int64_t retry)
{
	reply_error(s, cmd->cid, 429, "too fast", retry, 50, V1_T_TOO_FAST);
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

bool
message_may(struct session *s, const struct command *cmd)
{
	if (s->pending < MESSAGE_PENDING_MAX)
		return true;
	reply_error(s, cmd->cid, 503, "too many unanswered", ASKER_RETRY_MS, 50,
	    V1_T_BUSY);
	return false;
}

/* who says it, and to whom */
static void
message_address(struct session *s, const struct command *cmd,
    const struct chan_name *chan, struct f_append *ap)
{
	struct item *it = &ap->item;

	ap->chan = chan_str(chan);
	it->uid = session_uid(s);
	it->cid = cmd->cid;
	it->cn = s->cn;
	it->name = session_name(s);
	it->avatar = session_avatar(s);
	if (cmd->tid.len > 0) {
		it->rid = cmd->rid;
		ap->to[ap->n_to++] = channel_name(&s->user->channel);
	}
}

void
message_put(struct server *srv, struct session *s, const struct command *cmd,
    struct f_append *ap)
{
	struct chan_name chan, peer;
	struct message_call *m;
	char cid[CID_MAX + 1], need[STATE_KEY_MAX + 1];

	if (!asker_channel(s, cmd, &chan) || !message_rate(srv, s, cmd) ||
	    !message_room_rate(srv, s, cmd))
		return;
	message_address(s, cmd, &chan, ap);
	if (!str_is_set(cmd->tid) && id_is_group(cmd->rid))
		ap->need = group_need(ap->item.uid, need);
	if (!str_is_set(cmd->cid)) {
		/* what is sent again after a lost link must be known again */
		snprintf(cid, sizeof cid, "~%" PRIx64 ".%" PRIu64, s->cn,
		    srv->next_cid++);
		ap->item.cid = str_of(cid);
		ap->item.flags |= ITEM_F_AUTO_CID;
	}
	if (str_is_set(cmd->tid) && !str_eq(cmd->tid, ap->item.uid)) {
		peer = chan_user(cmd->tid);
		ap->to[ap->n_to++] = chan_str(&peer);
	}
	m = message_call_new(cmd->note);
	asker_fill(&m->asker, srv, s, cmd);
	m->chan = chan;
	m->append.done = message_on_done;
	if (relay_append(srv->relay, ap, &m->append) != 0) {
		asker_refuse(&m->asker, 503, 0);
		free(m);
		return;
	}
	s->pending++;
	srv->stats[S_APPENDS]++;
}
