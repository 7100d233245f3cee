/* SPDX-License-Identifier: MIT */
/*
 * What the relay has asked and not been answered: appends in their order,
 * reads and whos by number; sending again to the next active proxy, and the
 * deadlines. See relay.h for the promises.
 */
#include "msg_server/follow/relay_priv.h"
#include "shared/base/digest.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"

enum { APPEND_KEEP = 65536 }; /* of the buffer they are written into */

/* --- appends ------------------------------------------------------------ */

int
relay_append(
    struct relay *r, const struct f_append *ap, struct relay_append *call)
{
	struct unacked *u;
	struct f_append f = *ap;
	struct buf *b = &r->append;

	if (r->closing || r->n_unacked >= RELAY_UNACKED_MAX ||
	    r->unacked_bytes >= RELAY_UNACKED_BYTES)
		return ERR_BUSY;
	f.req = ++r->next_req;
	f.item.crc = digest_crc32c(0, f.item.body.p, f.item.body.len);
	put_append(b, &f);
	if (!buf_ok(b)) {
		buf_fini(b);
		return ERR_LIMIT;
	}
	u = xcalloc(1, sizeof *u);
	u->req = f.req;
	u->frame = blob_take(b);
	if (b->cap > APPEND_KEEP)
		buf_fini(b);
	u->call = call;
	u->since_ms = clock_mono_ms();
	DL_APPEND(r->unacked, u);
	if (!r->unsent)
		r->unsent = u;
	HASH_ADD(hh, r->unacked_by_req, req, sizeof u->req, u);
	r->n_unacked++;
	r->unacked_bytes += u->frame->len;
	calls_push(r);
	relay_wake(r);
	return OK;
}

static void
calls_drop(struct relay *r, struct unacked *u)
{
	if (r->unsent == u)
		r->unsent = u->next;
	DL_DELETE(r->unacked, u);
	HASH_DELETE(hh, r->unacked_by_req, u);
	r->n_unacked--;
	r->unacked_bytes -= u->frame->len;
	blob_unref(u->frame);
	free(u);
}

/*
 * In order and only while the peer has credit: a held or unsent append stops
 * those behind it, so that one channel's appends never overtake each other.
 * What was on its way behind a refused one the proxy refuses too (peer.c of
 * proxy_server), until that one comes again; each goes again only when its
 * refusal is here, so that a link never holds two of one.
 */
void
calls_push(struct relay *r)
{
	struct unacked *u;
	struct buf *out;
	int64_t now = clock_mono_ms();

	if (!r->active)
		return;
	while ((u = r->unsent) && u->hold_until_ms <= now && !u->on_link &&
	       linkconn_has_credit(&r->active->link->lc) &&
	       (out = relay_out(r))) {
		buf_put(out, u->frame->bytes, u->frame->len);
		u->on_link = true;
		r->unsent = u->next;
	}
}

void
calls_on_ack(struct relay *r, const struct f_ack *ack)
{
	struct unacked *u;

	HASH_FIND(hh, r->unacked_by_req, &ack->req, sizeof ack->req, u);
	if (!u)
		return; /* a resend answered twice */
	struct relay_append *call = u->call;
	calls_drop(r, u);
	if (call)
		call->done(call, 200, 0, ack);
}

static bool
calls_is_not_now(const struct f_nak *nak)
{
	return nak->code == 429 || (nak->code == 503 && nak->retry_ms > 0 &&
				       nak->retry_ms <= RELAY_HOLD_MS);
}

void
calls_on_nak(struct relay *r, const struct f_nak *nak)
{
	struct unacked *u;

	HASH_FIND(hh, r->unacked_by_req, &nak->req, sizeof nak->req, u);
	if (!u)
		return;
	if (calls_is_not_now(nak)) {
		/*
		 * The proxy's queue is full, or it is the active one no
		 * more: hold this one, and all behind it, which are refused
		 * too.
		 */
		u->on_link = false;
		u->hold_until_ms =
		    clock_mono_ms() + (nak->retry_ms ? nak->retry_ms : 50);
		if (!r->unsent || r->unsent->req > u->req)
			r->unsent = u;
		return;
	}
	struct relay_append *call = u->call;
	calls_drop(r, u);
	if (call)
		call->done(call, nak->code, nak->retry_ms, NULL);
}

/* --- reads and whos ----------------------------------------------------- */

/* is not on the link, or no more */
static void
calls_unsend(struct relay *r, struct asked *a)
{
	if (a->sent)
		r->answers -= a->cost;
	if (a->held)
		r->n_held--;
	a->sent = a->held = false;
}

static void
calls_put(struct relay *r, struct asked *a)
{
	struct buf *out = relay_out(r);

	calls_unsend(r, a);
	if (!out)
		return;
	if (r->answers > 0 && r->answers + a->cost > RELAY_ANSWERS_BYTES) {
		a->held = true;
		r->n_held++;
		return;
	}
	buf_put(out, a->frame->bytes, a->frame->len);
	r->answers += a->cost;
	a->sent = true;
}

/* an answer has made room for others */
static void
calls_put_held(struct relay *r)
{
	struct asked *a;

	for (a = r->asked; a && r->n_held > 0; a = a->next) {
		if (!a->held)
			continue;
		calls_put(r, a);
		if (!a->sent)
			break;
	}
}

/* the proxy can't answer now: another, or itself, may within the wait */
static bool
calls_ask_again(struct relay *r, struct asked *a, unsigned code)
{
	if (code != 503 || clock_mono_ms() - a->since_ms >= RELAY_WAIT_MS)
		return false;
	calls_unsend(r, a);
	relay_wake(r);
	return true;
}

static struct asked *
calls_ask(struct relay *r, struct buf *frame, uint32_t rid, uint32_t cost)
{
	struct asked *a = xcalloc(1, sizeof *a);

	a->rid = rid;
	a->frame = blob_take(frame);
	a->cost = cost > 0 ? cost : RELAY_ANSWER_BYTES;
	a->since_ms = clock_mono_ms();
	DL_APPEND(r->asked, a);
	HASH_ADD(hh, r->asked_by_rid, rid, sizeof a->rid, a);
	r->n_asked++;
	calls_put(r, a);
	relay_wake(r);
	return a;
}

int
relay_read(struct relay *r, const struct f_read *rd, struct relay_read *call)
{
	struct f_read f = *rd;
	struct buf b;

	if (r->closing || r->n_asked >= RELAY_CALLS_MAX)
		return ERR_BUSY;
	f.rid = ++r->next_rid;
	buf_init(&b, 1024);
	put_read(&b, &f);
	calls_ask(r, &b, f.rid, f.max_bytes)->read = call;
	buf_fini(&b);
	return OK;
}

int
relay_who(struct relay *r, const struct f_who *who, struct relay_who *call)
{
	struct f_who f = *who;
	struct buf b;

	if (r->closing || r->n_asked >= RELAY_CALLS_MAX)
		return ERR_BUSY;
	f.rid = ++r->next_rid;
	buf_init(&b, 16384);
	put_who(&b, &f);
	if (!buf_ok(&b)) {
		buf_fini(&b);
		return ERR_LIMIT;
	}
	calls_ask(r, &b, f.rid, 0)->who = call;
	buf_fini(&b);
	return OK;
}

int
relay_get(struct relay *r, const struct f_get *get, struct relay_get *call)
{
	struct f_get f = *get;
	struct buf b;

	if (r->closing || r->n_asked >= RELAY_CALLS_MAX)
		return ERR_BUSY;
	f.rid = ++r->next_rid;
	buf_init(&b, 1024);
	put_get(&b, &f);
	calls_ask(r, &b, f.rid, 0)->get = call;
	buf_fini(&b);
	return OK;
}

int
relay_inbox(struct relay *r, const struct f_inbox *in, struct relay_inbox *call)
{
	struct f_inbox f = *in;
	struct buf b;

	if (r->closing || r->n_asked >= RELAY_CALLS_MAX)
		return ERR_BUSY;
	f.rid = ++r->next_rid;
	buf_init(&b, 16384);
	put_inbox(&b, &f);
	calls_ask(r, &b, f.rid, 0)->inbox = call;
	buf_fini(&b);
	return OK;
}

int
relay_states(
    struct relay *r, const struct f_states *q, struct relay_states *call)
{
	struct f_states f = *q;
	struct buf b;

	if (r->closing || r->n_asked >= RELAY_CALLS_MAX)
		return ERR_BUSY;
	f.rid = ++r->next_rid;
	buf_init(&b, 1024);
	put_states(&b, &f);
	calls_ask(r, &b, f.rid, STATES_PAGE_BYTES)->states = call;
	buf_fini(&b);
	return OK;
}

static struct asked *
calls_find(struct relay *r, uint32_t rid)
{
	struct asked *a;

	HASH_FIND(hh, r->asked_by_rid, &rid, sizeof rid, a);
	return a;
}

static void
calls_forget(struct relay *r, struct asked *a)
{
	calls_unsend(r, a);
	DL_DELETE(r->asked, a);
	HASH_DELETE(hh, r->asked_by_rid, a);
	r->n_asked--;
	blob_unref(a->frame);
	free(a);
	calls_put_held(r);
}

int
calls_on_page(struct relay *r, struct str body)
{
	struct f_page page;
	struct str items;
	struct asked *a;
	int err = get_page(body, &page, &items);

	if (err)
		return err;
	a = calls_find(r, page.rid);
	if (!a || !a->read || calls_ask_again(r, a, page.code))
		return OK;
	struct relay_read *call = a->read;
	calls_forget(r, a);
	if (page.code == 200)
		call->done(call, 200, &page, items);
	else
		call->done(call, page.code, NULL, STR_NONE);
	return OK;
}

int
calls_on_whois(struct relay *r, struct str body)
{
	struct f_whois f;
	struct asked *a;
	int err = get_whois(body, &f);

	if (err)
		return err;
	a = calls_find(r, f.rid);
	if (!a || !a->who || calls_ask_again(r, a, f.code))
		return OK;
	struct relay_who *call = a->who;
	calls_forget(r, a);
	call->done(call, f.code, &f);
	return OK;
}

int
calls_on_got(struct relay *r, struct str body)
{
	struct f_got f;
	struct asked *a;
	int err = get_got(body, &f);

	if (err)
		return err;
	a = calls_find(r, f.rid);
	if (!a || !a->get || calls_ask_again(r, a, f.code))
		return OK;
	struct relay_get *call = a->get;
	calls_forget(r, a);
	call->done(call, f.code, f.code == 200 ? &f : NULL);
	return OK;
}

int
calls_on_inboxed(struct relay *r, struct str body)
{
	struct f_inboxed f;
	struct str entries;
	struct asked *a;
	int err = get_inboxed(body, &f, &entries);

	if (err)
		return err;
	a = calls_find(r, f.rid);
	if (!a || !a->inbox || calls_ask_again(r, a, f.code))
		return OK;
	struct relay_inbox *call = a->inbox;
	calls_forget(r, a);
	if (f.code == 200)
		call->done(call, 200, &f, entries);
	else
		call->done(call, f.code, NULL, STR_NONE);
	return OK;
}

int
calls_on_stated(struct relay *r, struct str body)
{
	struct f_stated f;
	struct str recs;
	struct asked *a;
	int err = get_stated(body, &f, &recs);

	if (err)
		return err;
	a = calls_find(r, f.rid);
	if (!a || !a->states || calls_ask_again(r, a, f.code))
		return OK;
	struct relay_states *call = a->states;
	calls_forget(r, a);
	if (f.code == 200)
		call->done(call, 200, &f, recs);
	else
		call->done(call, f.code, NULL, STR_NONE);
	return OK;
}

static void
calls_fail(struct relay *r, struct asked *a)
{
	struct relay_read *read = a->read;
	struct relay_who *who = a->who;
	struct relay_get *get = a->get;
	struct relay_inbox *inbox = a->inbox;
	struct relay_states *states = a->states;

	calls_forget(r, a);
	if (read)
		read->done(read, 503, NULL, STR_NONE);
	if (who)
		who->done(who, 503, NULL);
	if (get)
		get->done(get, 503, NULL);
	if (inbox)
		inbox->done(inbox, 503, NULL, STR_NONE);
	if (states)
		states->done(states, 503, NULL, STR_NONE);
}

/* --- both --------------------------------------------------------------- */

void
calls_on_promote(struct relay *r)
{
	struct unacked *u;
	struct asked *a;

	DL_FOREACH (r->unacked, u) {
		u->hold_until_ms = 0;
		u->on_link = false;
	}
	r->unsent = r->unacked;
	calls_push(r);
	DL_FOREACH (r->asked, a)
		calls_unsend(r, a);
	DL_FOREACH (r->asked, a)
		calls_put(r, a);
}

bool
calls_tick(struct relay *r, int64_t now)
{
	struct unacked *u, *un;
	struct asked *a;
	int64_t wait = r->active ? RELAY_ANSWER_MS : RELAY_WAIT_MS;

	/*
	 * done() may append again: what it adds goes to the end with a fresh
	 * time, so walking on is safe as long as we hold the next one.
	 */
	DL_FOREACH_SAFE (r->unacked, u, un) {
		if (now - u->since_ms < RELAY_ANSWER_MS)
			break;
		if (u->call) {
			struct relay_append *call = u->call;

			u->call = NULL;
			call->done(call, 503, 1000, NULL);
		}
	}
	/* oldest first; who is told may ask again, at the end */
	while (r->asked && now - r->asked->since_ms >= wait)
		calls_fail(r, r->asked);
	DL_FOREACH (r->asked, a)
		if (!a->sent && !a->held)
			calls_put(r, a);
	calls_push(r);
	return r->unacked || r->asked;
}

void
calls_free(struct relay *r)
{
	while (r->unacked) {
		struct unacked *u = r->unacked;
		struct relay_append *call = u->call;

		calls_drop(r, u);
		if (call)
			call->done(call, 503, 0, NULL);
	}
	while (r->asked)
		calls_fail(r, r->asked);
	buf_fini(&r->append);
}
