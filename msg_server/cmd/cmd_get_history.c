/* SPDX-License-Identifier: MIT */
/*
 * getHistory: a page of a room he is in, from recent items in memory when all
 * of it is there, or of one of his private conversations; else read from the
 * log. The list is ascending; `more` says whether
 * there are items beyond it in the direction that was asked for. A page that a
 * recall has overtaken on its way from the log is read again.
 */
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "msg_server/follow/recent.h"
#include "shared/proto/link.h"

enum {
	HISTORY_DEFAULT = 50,
	HISTORY_READS = 4 /* of one page, when recalls overtake it */
};

struct history_call {
	struct relay_read read;
	struct asker asker;
	struct chan_name chan;
	struct f_read rd;
	uint32_t erased; /* of the stream he hears it in, when it was asked */
	unsigned reads;
	bool back, none;
};

static void
history_reply(const struct history_call *h, struct session *s,
    const struct f_page *page, struct str items)
{
	struct event ev = {.kind = EVENT_HISTORY};

	asker_event(&h->asker, &ev);
	ev.uid = session_uid(s);
	ev.chan = chan_str(&h->chan);
	ev.ep = page->ep;
	ev.first = page->first;
	ev.last = page->head;
	ev.reversed = h->back;
	if (!h->none) {
		ev.page = items;
		ev.n_items = page->n_items;
		ev.more = page->more;
	}
	reply_event(s, &ev);
}

/* the channel of a room he is in; NULL: none, or the conversation of a pair */
static struct channel *
history_channel(const struct history_call *h, struct session *s)
{
	struct str chan = chan_str(&h->chan);
	struct member *m = NULL;

	if (chan_kind(chan) == CHAN_ROOM)
		m = room_member(s, chan_id(chan));
	return m != NULL ? &m->room->channel : NULL;
}

/* recalls he has heard of there; a pair's come with his private traffic */
static uint32_t
history_erased(const struct history_call *h, struct session *s)
{
	struct channel *c = history_channel(h, s);

	if (c == NULL && s->user != NULL)
		c = &s->user->channel;
	return c != NULL ? c->erased : 0;
}

static int
history_read(struct history_call *h, struct session *s)
{
	h->erased = history_erased(h, s);
	h->reads++;
	return relay_read(h->asker.srv->relay, &h->rd, &h->read);
}

static void
history_learn(const struct history_call *h, struct session *s,
    const struct f_page *page, struct str items)
{
	struct channel *c = history_channel(h, s);

	if (c == NULL)
		return;
	recent_fill(h->asker.srv->recent, c, page, items, h->erased);
	if (str_eqc(page->ep, channel_ep(c)))
		channel_heard_first(c, page->first);
}

static void
history_on_page(struct relay_read *rr, unsigned code, const struct f_page *page,
    struct str items)
{
	struct history_call *h = container_of(rr, struct history_call, read);
	struct session *s = asker_session(&h->asker);
	bool there = code == 200 && page != NULL && page->code == 200;

	/* it may have the words of what he has seen recalled meanwhile */
	if (there && s != NULL && h->erased != history_erased(h, s)) {
		if (h->reads < HISTORY_READS && history_read(h, s) == 0)
			return;
		there = false;
	}
	s = asker_done(&h->asker);
	if (!there) {
		asker_refuse(&h->asker, 503, 0);
	} else if (s != NULL) {
		history_learn(h, s, page, items);
		history_reply(h, s, page, items);
	}
	free(h);
}

/* true: answered */
static bool
history_from_recent(struct server *srv, const struct history_call *h,
    struct session *s, const struct f_read *rd)
{
	struct channel *c = history_channel(h, s);
	struct f_page page;
	struct buf items;
	bool there;

	if (c == NULL)
		return false;
	buf_init(&items, LINK_FRAME_MAX);
	there = recent_page(srv->recent, c, rd, &page, &items);
	if (there) {
		srv->stats[S_RECENT_HITS]++;
		history_reply(h, s, &page, buf_str(&items));
	} else {
		srv->stats[S_RECENT_MISSES]++;
	}
	buf_fini(&items);
	return there;
}

void
cmd_get_history(
    struct server *srv, struct session *s, const struct command *cmd)
{
	uint64_t limit = cmd->limit > 0 ? cmd->limit : HISTORY_DEFAULT;
	struct f_read rd = {.n = (uint16_t)limit, .back = true};
	struct command in_home;
	struct history_call *h;
	struct chan_name chan;

	cmd = asker_home(s, cmd, &in_home);
	if (!asker_channel(s, cmd, &chan))
		return;
	h = xcalloc(1, sizeof *h);
	if (cmd->has_after) {
		rd.back = false;
		rd.from = cmd->after + 1;
	} else if (cmd->has_around) {
		rd.back = false;
		rd.from = cmd->around > limit / 2 ? cmd->around - limit / 2 : 1;
	} else if (cmd->has_before && cmd->before <= 1) {
		/* nothing is before the first; ask for the head alone */
		h->none = true;
		rd.n = 1;
	} else if (cmd->has_before) {
		rd.from = cmd->before - 1;
	}
	asker_fill(&h->asker, srv, s, cmd);
	h->chan = chan;
	h->back = rd.back;
	h->read.done = history_on_page;
	rd.chan = chan_str(&h->chan);
	if (history_from_recent(srv, h, s, &rd)) {
		free(h);
		return;
	}
	h->rd = rd;
	if (history_read(h, s) != 0) {
		asker_refuse(&h->asker, 503, 0);
		free(h);
		return;
	}
	asker_wait(s);
}
