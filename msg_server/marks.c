/* SPDX-License-Identifier: MIT */
/*
 * Coalescing of read marks. An entry lives from its first mark until there was
 * no other for a while; the timer runs only while there are entries.
 *
 * The body of an ephemeral mark is "CONVERSATION READ RECV", the conversation
 * as the receiving user names it: a rid, or "@" and the peer's uid.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/follow/fanout.h"
#include "msg_server/marks.h"

enum {
	MARKS_EPH = 2,
	MARKS_MS = 1000,
	MARKS_QUIET = 5 /* seconds that a mark may have been said in vain */
};

struct mark {
	UT_hash_handle hh; /* by key */
	uint64_t read, recv;
	uint64_t read_said, recv_said;
	unsigned quiet; /* seconds without news */
	char uid[ID_MAX + 1], rid[ID_MAX + 1], tid[ID_MAX + 1];
	char key[2 * ID_MAX + 4]; /* uid, blank, conversation */
};

struct marks {
	struct server *srv;
	struct mark *all; /* owned */
	struct timer timer;
	uint64_t gen; /* of the proxy they were said to */
};

static void
marks_tell(struct server *srv, struct str to, struct str from, const char *conv,
    uint64_t recv)
{
	struct chan_name chan = chan_user(to);
	char body[ID_MAX + 64];
	struct f_eph eph = {
	    .chan = chan_str(&chan), .kind = MARKS_EPH, .uid = from};

	snprintf(body, sizeof body, "%s 0 %" PRIu64, conv, recv);
	eph.body = str_of(body);
	relay_eph(srv->relay, &eph);
}

/* and for the others in it */
static void
marks_send_group(struct server *srv, struct mark *m)
{
	struct chan_name chan = chan_room(str_of(m->rid));
	char key[ID_MAX + 4];
	struct f_raise f = {
	    .chan = chan_str(&chan), .n = m->read, .of = chan_str(&chan)};

	snprintf(key, sizeof key, "k:%s", m->uid);
	f.key = str_of(key);
	(void)relay_raise(srv->relay, &f);
}

static void
marks_send_read(
    struct server *srv, struct mark *m, const char *conv, const char *self)
{
	struct str uid = str_of(m->uid), tid = str_of(m->tid);
	struct chan_name chan = chan_user(uid), peer = chan_user(tid);
	struct chan_name of =
	    tid.len > 0 ? chan_pair(uid, tid) : chan_room(str_of(m->rid));
	char key[ID_MAX + 4], body[ID_MAX + 64];
	struct f_raise f = {
	    .chan = chan_str(&chan), .n = m->read, .of = chan_str(&of)};

	snprintf(key, sizeof key, "k:%s", conv);
	f.key = str_of(key);
	if (tid.len > 0 && !str_eq(tid, uid)) {
		snprintf(body, sizeof body, "%s %" PRIu64 " 0", self, m->read);
		f.tell = chan_str(&peer);
		f.body = str_of(body);
	}
	if (!relay_raise(srv->relay, &f))
		return;
	m->read_said = m->read;
	if (tid.len == 0 && id_is_group(str_of(m->rid)))
		marks_send_group(srv, m);
}

static void
marks_send(struct server *srv, struct mark *m)
{
	struct str uid = str_of(m->uid), tid = str_of(m->tid);
	char conv[ID_MAX + 2], self[ID_MAX + 2];

	snprintf(conv, sizeof conv, "%s%s", tid.len > 0 ? "@" : "",
	    tid.len > 0 ? m->tid : m->rid);
	snprintf(self, sizeof self, "@%s", m->uid);
	if (m->read > m->read_said)
		marks_send_read(srv, m, conv, self);
	if (m->recv <= m->recv_said)
		return;
	m->recv_said = m->recv;
	marks_tell(srv, uid, uid, conv, m->recv);
	if (tid.len > 0 && !str_eq(tid, uid))
		marks_tell(srv, tid, uid, self, m->recv);
}

static void
marks_on_timer(void *arg)
{
	struct marks *all = arg;
	uint64_t gen = relay_gen(all->srv->relay);
	struct mark *m, *next;

	HASH_ITER (hh, all->all, m, next) {
		if (gen != all->gen)
			m->read_said = 0;
		if (m->read > m->read_said || m->recv > m->recv_said) {
			m->quiet = 0;
			marks_send(all->srv, m);
			continue;
		}
		if (++m->quiet < MARKS_QUIET)
			continue;
		HASH_DEL(all->all, m);
		free(m);
	}
	all->gen = gen;
	if (all->all == NULL)
		timer_stop(&all->timer);
}

struct marks *
marks_new(struct server *srv)
{
	struct marks *m = xcalloc(1, sizeof *m);

	m->srv = srv;
	timer_init(&m->timer, srv->net, marks_on_timer, m);
	return m;
}

void
marks_free(struct marks *all)
{
	struct mark *m, *next;

	if (all == NULL)
		return;
	timer_stop(&all->timer);
	HASH_ITER (hh, all->all, m, next) {
		HASH_DEL(all->all, m);
		free(m);
	}
	free(all);
}

void
marks_put(struct server *srv, struct str uid, struct str rid, struct str tid,
    uint64_t read, uint64_t recv)
{
	struct marks *all = srv->marks;
	struct mark *m;
	char key[sizeof m->key];
	int len;
	bool fresh = false;

	len = snprintf(key, sizeof key, "%.*s %s%.*s", STR_ARG(uid),
	    tid.len > 0 ? "@" : "", STR_ARG(tid.len > 0 ? tid : rid));
	HASH_FIND(hh, all->all, key, (unsigned)len, m);
	if (m == NULL) {
		if (HASH_COUNT(all->all) >= MARKS_MAX)
			return;
		m = xcalloc(1, sizeof *m);
		memcpy(m->key, key, sizeof key);
		str_copy(m->uid, sizeof m->uid, uid);
		str_copy(m->rid, sizeof m->rid, rid);
		str_copy(m->tid, sizeof m->tid, tid);
		HASH_ADD(hh, all->all, key, (unsigned)len, m);
		fresh = true;
	}
	/* monotone: an older one says nothing */
	if (!fresh && read <= m->read && recv <= m->recv)
		return;
	m->read = read > m->read ? read : m->read;
	m->recv = recv > m->recv ? recv : m->recv;
	if (!timer_is_set(&all->timer)) {
		all->gen = relay_gen(srv->relay);
		timer_set(&all->timer, MARKS_MS, MARKS_MS);
	}
	/* nothing was said for a second: at once */
	if (fresh || m->quiet > 1)
		marks_send(srv, m);
	m->quiet = 0;
}

static void
marks_give(
    struct server *srv, struct channel *c, struct event *ev, struct str conv)
{
	struct user *u = user_find(srv, str_of(channel_id(c)));
	struct fanout f;

	if (u == NULL || conv.len == 0)
		return;
	if (conv.p[0] == '@')
		ev->tid = str_n(conv.p + 1, conv.len - 1);
	else
		ev->rid = conv;
	fanout_begin(&f, ev);
	for (struct session *s = u->sessions; s != NULL; s = s->next_of_user)
		if (s->level > 1 && !s->logging_in)
			fanout_send(&f, s, VIEW_OTHER);
	fanout_end(&f);
}

void
marks_on_state(
    struct server *srv, struct channel *c, const struct state_rec *rec)
{
	struct event ev = {.kind = EVENT_MARK};
	struct str of;

	if (!str_starts(rec->key, STR_LIT("k:")) ||
	    str_u64(rec->val, &ev.read) != 0)
		return;
	of = str_n(rec->key.p + 2, rec->key.len - 2);
	if (!channel_is_user(c)) {
		marks_on_group(srv, c, of, ev.read);
		return;
	}
	ev.uid = str_of(channel_id(c));
	marks_give(srv, c, &ev, of);
}

void
marks_on_eph(struct server *srv, struct channel *c, const struct f_eph *eph)
{
	struct str rest = eph->body, conv, read, recv;
	struct event ev = {.kind = EVENT_MARK, .uid = eph->uid};

	if (eph->kind != MARKS_EPH || !channel_is_user(c) ||
	    !str_next(&rest, ' ', &conv) || !str_next(&rest, ' ', &read) ||
	    !str_next(&rest, ' ', &recv) || str_u64(read, &ev.read) != 0 ||
	    str_u64(recv, &ev.recv) != 0)
		return;
	marks_give(srv, c, &ev, conv);
}
