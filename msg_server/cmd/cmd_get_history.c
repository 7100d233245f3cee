/* SPDX-License-Identifier: MIT */
/*
 * getHistory: a page of a room he is in or of one of his private
 * conversations, read from the log. The list is ascending; `more` says whether
 * there are items beyond it in the direction that was asked for.
 */
#include <stdlib.h>

#include "msg_server/cmd/asker.h"

enum { HISTORY_DEFAULT = 50 };

struct history_call {
	struct relay_read read;
	struct asker asker;
	struct chan_name chan;
	bool back, none;
};

static void
history_on_page(struct relay_read *rr, unsigned code, const struct f_page *page,
    struct str items)
{
	struct history_call *h = container_of(rr, struct history_call, read);
	struct session *s = asker_session(&h->asker);
	struct event ev = {.kind = EVENT_HISTORY};

	if (code != 200 || page == NULL || page->code != 200) {
		asker_refuse(&h->asker, 503, 0);
	} else if (s != NULL) {
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
	free(h);
}

void
cmd_get_history(
    struct server *srv, struct session *s, const struct command *cmd)
{
	uint64_t limit = cmd->limit > 0 ? cmd->limit : HISTORY_DEFAULT;
	struct f_read rd = {.n = (uint16_t)limit, .back = true};
	struct history_call *h;
	struct chan_name chan;

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
	if (relay_read(srv->relay, &rd, &h->read) != 0) {
		asker_refuse(&h->asker, 503, 0);
		free(h);
	}
}
