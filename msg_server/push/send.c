/* SPDX-License-Identifier: MIT */
/*
 * One append and one question for each push; see send.h.
 */
#include "msg_server/push/send.h"

#include <inttypes.h>
#include <stdio.h>

#include "msg_server/follow/room.h"

static void
push_end(struct push_send *call)
{
	if (--call->waiting == 0)
		call->done(call, call->code, call->online);
}

static void
push_on_stored(struct relay_append *ra, unsigned code, uint32_t retry_ms,
    const struct f_ack *ack)
{
	struct push_send *call = container_of(ra, struct push_send, append);

	(void)retry_ms;
	(void)ack;
	call->code = code;
	push_end(call);
}

static void
push_on_whois(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct push_send *call = container_of(rw, struct push_send, who);

	call->online = code == 200 && a->code == 200 && a->count > 0;
	push_end(call);
}

/* who is here needs no question */
static void
push_look(struct push_send *call, struct str uid)
{
	struct f_who who = {.what = WHO_USERS, .arg = uid};
	const struct user *u = user_find(call->srv, uid);

	call->online = u != NULL && u->n_sessions > 0;
	if (call->online)
		return;
	call->who.done = push_on_whois;
	if (relay_who(call->srv->relay, &who, &call->who) == 0)
		call->waiting++;
}

static void
push_begin(struct server *srv, struct push_send *call)
{
	call->srv = srv;
	call->waiting = 1; /* ours, until all is asked */
	call->code = 200;
}

void
push_ask(struct server *srv, struct str uid, struct push_send *call)
{
	push_begin(srv, call);
	push_look(call, uid);
	push_end(call);
}

/* the back end's own number of it, or one of ours */
static void
push_cid(struct server *srv, const struct push_message *m, struct item *it,
    char cid[CID_MAX + 1])
{
	snprintf(cid, CID_MAX + 1, "id-%.*s", STR_ARG(m->id));
	if (!str_is_set(m->id) || m->id.len > CID_MAX - 3 ||
	    !id_is_cid(str_of(cid))) {
		snprintf(cid, CID_MAX + 1, "~%x.%" PRIu64, srv->node_no,
		    srv->next_cid++);
		it->flags |= ITEM_F_AUTO_CID;
	}
	it->cid = str_of(cid);
}

static int
push_append(
    struct server *srv, const struct push_message *m, struct relay_append *call)
{
	struct chan_name pair = chan_pair(m->from, m->to);
	struct chan_name from = chan_user(m->from), to = chan_user(m->to);
	char cid[CID_MAX + 1];
	struct f_append ap = {.chan = chan_str(&pair)};
	int err;

	ap.item.kind = ITEM_MESSAGE;
	ap.item.uid = ap.item.name = m->from;
	ap.item.body = m->body;
	if (m->json)
		ap.item.flags = ITEM_F_JSON | ITEM_F_PUSH;
	push_cid(srv, m, &ap.item, cid);
	/* nobody looks for what nobody has sent */
	if (!str_eqc(m->from, PUSH_NOBODY) || str_eq(m->from, m->to))
		ap.to[ap.n_to++] = chan_str(&from);
	if (!str_eq(m->from, m->to))
		ap.to[ap.n_to++] = chan_str(&to);
	err = relay_append(srv->relay, &ap, call);
	if (err == 0)
		srv->stats[S_APPENDS]++;
	return err;
}

void
push_send(
    struct server *srv, const struct push_message *m, struct push_send *call)
{
	push_begin(srv, call);
	push_look(call, m->to);
	call->append.done = push_on_stored;
	call->waiting++;
	if (push_append(srv, m, &call->append) != 0) {
		call->code = 503;
		push_end(call);
	}
	push_end(call);
}
