/* SPDX-License-Identifier: MIT */
/*
 * Asking for a page of conversations and giving it: which rooms are his now
 * goes down with the question, what he may not see is taken out of the answer.
 * A page that a recall has overtaken on its way is asked for again.
 * The cursor is "PART.LO.HI.KEY", a text of ours that clients only carry.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/follow/replay.h"
#include "msg_server/inbox.h"
#include "shared/base/utf8.h"

enum { INBOX_READS = 4 /* of one page, when recalls overtake it */ };

struct inbox_call {
	struct relay_inbox call;
	struct asker asker;
	struct f_inbox_at at;	     /* from where; its key is the one below */
	char key[STATE_KEY_MAX + 1]; /* as long as at says */
	uint32_t erased;	     /* inbox_erased(), when it was asked */
	unsigned reads;
};

int
inbox_next_parse(struct str next, struct f_inbox_at *at)
{
	struct str part, lo, hi;
	uint64_t n;

	memset(at, 0, sizeof *at);
	if (!str_next(&next, '.', &part) || !str_next(&next, '.', &lo) ||
	    !str_next(&next, '.', &hi) || str_u64(part, &n) != 0 ||
	    n < INBOX_ROOMS || n > INBOX_MARKS || str_u64(lo, &at->lo) != 0 ||
	    str_u64(hi, &at->hi) != 0 || at->hi > INT64_MAX ||
	    at->lo > at->hi + 1 || next.len > STATE_KEY_MAX ||
	    !utf8_valid(next.p, next.len))
		return ERR_INVALID;
	at->part = (uint8_t)n;
	if (next.len > 0)
		at->key = next;
	return 0;
}

static void
inbox_next_text(const struct f_inbox_at *at, char *out, size_t size)
{
	snprintf(out, size, "%u.%" PRIu64 ".%" PRIu64 ".%.*s", at->part, at->lo,
	    at->hi, STR_ARG(at->key));
}

/* rooms that were taken from him, or that his token has no more */
static bool
inbox_may_see(struct session *s, const struct inbox_entry *e)
{
	struct str rid = chan_id(e->chan);

	return chan_kind(e->chan) == CHAN_PAIR ||
	       (chan_kind(e->chan) == CHAN_ROOM &&
		   (room_member(s, rid) != NULL ||
		       (!id_is_group(rid) && session_may_join(s, rid))));
}

static void
inbox_give(struct inbox_call *q, struct session *s, const struct f_inboxed *f,
    struct str entries)
{
	struct event ev = {.kind = EVENT_INBOX,
	    .cid = asker_cid(&q->asker),
	    .uid = session_uid(s),
	    .ep = f->ep};
	char next[STATE_KEY_MAX + 64];
	struct inbox_entry e;
	struct buf seen;

	buf_init(&seen, LINK_FRAME_MAX);
	for (unsigned i = 0; i < f->n; i++) {
		if (frames_inbox_next(&entries, &e) != 0)
			break;
		if (!inbox_may_see(s, &e))
			continue;
		put_inboxed_entry(&seen, &e);
		ev.n_items++;
	}
	ev.page = buf_str(&seen);
	if (f->next.part != 0) {
		inbox_next_text(&f->next, next, sizeof next);
		ev.next = str_of(next);
	}
	reply_event(s, &ev);
	buf_fini(&seen);
}

static int
inbox_compare(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int d = memcmp(x->p, y->p, n);

	return d != 0 ? d : (x->len > y->len) - (x->len < y->len);
}

static void
inbox_rooms(const struct session *s, struct f_inbox *f)
{
	const struct member *m;

	for (m = s->members; m != NULL && f->n_rooms < INBOX_ROOMS_MAX;
	     m = m->next_of_session)
		if (!m->cursor.waiting)
			f->rooms[f->n_rooms++] = str_of(room_rid(m->room));
	qsort(f->rooms, f->n_rooms, sizeof f->rooms[0], inbox_compare);
}

/* changes with every recall that he is told of, wherever he hears it */
static uint32_t
inbox_erased(const struct session *s)
{
	uint32_t n = s->user->channel.erased;
	const struct member *m;

	for (m = s->members; m != NULL; m = m->next_of_session)
		n = n * 31 + m->room->channel.erased + 1;
	return n;
}

static int
inbox_read(struct inbox_call *q, struct session *s)
{
	struct f_inbox f = {.chan = channel_name(&s->user->channel),
	    .n = INBOX_PAGE,
	    .at = q->at};

	inbox_rooms(s, &f);
	q->erased = inbox_erased(s);
	q->reads++;
	return relay_inbox(q->asker.srv->relay, &f, &q->call);
}

static void
inbox_on_done(struct relay_inbox *call, unsigned code,
    const struct f_inboxed *f, struct str entries)
{
	struct inbox_call *q = container_of(call, struct inbox_call, call);
	struct session *s = asker_session(&q->asker);
	bool in = s != NULL && s->user != NULL;

	/* it may have the words of what he has seen recalled meanwhile */
	if (code == 200 && in && q->erased != inbox_erased(s)) {
		if (q->reads < INBOX_READS && inbox_read(q, s) == 0)
			return;
		code = 503;
	}
	s = asker_done(&q->asker);
	if (code != 200)
		asker_refuse(&q->asker, 503, 0);
	else if (in)
		inbox_give(q, s, f, entries);
	free(q);
}

void
inbox_ask(struct server *srv, struct session *s, struct str cid,
    const struct f_inbox_at *at)
{
	struct inbox_call *q = xcalloc(1, sizeof *q);
	struct command cmd = {.cid = cid};

	q->at.part = INBOX_ROOMS;
	if (at != NULL)
		q->at = *at;
	if (str_is_set(q->at.key)) {
		str_copy(q->key, sizeof q->key, q->at.key);
		q->at.key = str_n(q->key, q->at.key.len);
	}
	asker_fill(&q->asker, srv, s, &cmd);
	q->call.done = inbox_on_done;
	srv->stats[S_INBOXES]++;
	if (inbox_read(q, s) != 0) {
		asker_refuse(&q->asker, 503, 0);
		free(q);
		return;
	}
	asker_wait(s);
}
