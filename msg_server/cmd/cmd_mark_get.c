/* SPDX-License-Identifier: MIT */
/*
 * getMarks: who of the others has read message `seq`. Of a private
 * conversation that is the peer's own mark; of a group the marks its members
 * left there (marks.h), a page of them at a time: `nread` counts those of the
 * page, and with `next` there is another one. Of an open room nobody knows who
 * its members are: 400. `nrecv` is not said, for `recv` is kept nowhere.
 * It costs what a message costs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/cmd/asker.h"
#include "shared/proto/json.h"

enum { MARKS_PAGE = 1000 };

struct marks_call {
	struct relay_get get;	    /* of a pair */
	struct relay_states states; /* of a group */
	struct asker asker;
	uint64_t seq;
};

static void
marks_answer(struct session *s, const struct marks_call *m, struct event *ev,
    struct jw *w)
{
	jw_arr_end(w);
	asker_event(&m->asker, ev);
	ev->kind = EVENT_MARKS;
	ev->seq = m->seq;
	ev->list = buf_str(w->out);
	if (buf_ok(w->out))
		reply_event(s, ev);
	else
		asker_refuse(&m->asker, 503, 0);
}

static void
marks_on_pair(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct marks_call *m = container_of(get, struct marks_call, get);
	struct session *s = asker_done(&m->asker);
	struct event ev = {.read = 0};
	struct buf list;
	struct jw w;

	if (code != 200) {
		asker_refuse(&m->asker, 503, 0);
	} else if (s != NULL) {
		if (str_u64(got->val, &ev.read) != 0)
			ev.read = 0;
		buf_init(&list, ID_MAX + 8);
		jw_init(&w, &list);
		jw_arr(&w, NULL);
		if (ev.read >= m->seq) {
			jw_str(&w, NULL, asker_tid(&m->asker));
			ev.count = 1;
		}
		marks_answer(s, m, &ev, &w);
		buf_fini(&list);
	}
	free(m);
}

static void
marks_page(struct session *s, struct marks_call *m, const struct f_stated *f,
    struct str recs)
{
	struct event ev = {.count = 0};
	struct str uid = STR_NONE;
	struct state_rec rec;
	struct buf list;
	uint64_t read;
	struct jw w;

	buf_init(&list, MARKS_PAGE * (ID_MAX + 3) + 8);
	jw_init(&w, &list);
	jw_arr(&w, NULL);
	for (unsigned i = 0; i < f->n; i++) {
		if (frames_states_next(&recs, &rec) != 0)
			break;
		/* it begins with k: for that was asked for */
		uid = str_n(rec.key.p + 2, rec.key.len - 2);
		if (str_u64(rec.val, &read) != 0 || read < m->seq ||
		    str_eq(uid, session_uid(s)))
			continue;
		jw_str(&w, NULL, uid);
		ev.count++;
	}
	if (f->more)
		ev.next = uid;
	marks_answer(s, m, &ev, &w);
	buf_fini(&list);
}

static void
marks_on_page(struct relay_states *call, unsigned code,
    const struct f_stated *f, struct str recs)
{
	struct marks_call *m = container_of(call, struct marks_call, states);
	struct session *s = asker_done(&m->asker);

	if (code != 200)
		asker_refuse(&m->asker, 503, 0);
	else if (s != NULL)
		marks_page(s, m, f, recs);
	free(m);
}

static int
marks_ask_pair(struct marks_call *m, const struct session *s)
{
	struct chan_name peer = chan_user(asker_tid(&m->asker));
	char key[ID_MAX + 4];
	struct f_get get = {.chan = chan_str(&peer)};

	snprintf(key, sizeof key, "k:@%.*s", STR_ARG(session_uid(s)));
	get.key = str_of(key);
	m->get.done = marks_on_pair;
	return relay_get(m->asker.srv->relay, &get, &m->get);
}

static int
marks_ask_group(struct marks_call *m, struct str chan, struct str next)
{
	char after[ID_MAX + 3];
	struct f_states q = {
	    .chan = chan, .prefix = STR_LIT("k:"), .n = MARKS_PAGE};

	if (str_is_set(next)) {
		snprintf(after, sizeof after, "k:%.*s", STR_ARG(next));
		q.after = str_of(after);
	}
	m->states.done = marks_on_page;
	return relay_states(m->asker.srv->relay, &q, &m->states);
}

void
cmd_get_marks(struct server *srv, struct session *s, const struct command *cmd)
{
	bool pair = str_is_set(cmd->tid);
	struct chan_name chan;
	struct marks_call *m;
	int64_t retry = 0;
	int err;

	if (!asker_channel(s, cmd, &chan))
		return;
	if (!pair && !id_is_group(cmd->rid)) {
		reply_error(s, cmd->cid, 400,
		    "marks are of groups and private conversations", 0, 50,
		    V1_T_BUSY);
		return;
	}
	if (!bucket_take(&session_busy(s)->send, (uint32_t)srv->set.send_rate,
		(uint32_t)srv->set.send_burst, &retry)) {
		reply_error(
		    s, cmd->cid, 429, "too fast", retry, 50, V1_T_TOO_FAST);
		return;
	}
	srv->stats[S_GET_MARKS]++;
	m = xcalloc(1, sizeof *m);
	asker_fill(&m->asker, srv, s, cmd);
	m->seq = cmd->seq;
	err = pair ? marks_ask_pair(m, s)
		   : marks_ask_group(m, chan_str(&chan), cmd->next);
	if (err == 0) {
		asker_wait(s);
		return;
	}
	asker_refuse(&m->asker, 503, 0);
	free(m);
}
