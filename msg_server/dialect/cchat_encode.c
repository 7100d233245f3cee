/* SPDX-License-Identifier: MIT */
/*
 * Events as CChat's JSON. Level 1 says what was documented and recorded, in
 * the recorded order of keys, and nothing else: what it has no words for
 * becomes no bytes. Level 2 is protocol.md sections 2 to 4.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/dialect/cchat_priv.h"

static void
cchat_put_rid(struct jw *w, const struct event *ev)
{
	if (ev->rid_is_num)
		jw_raw(w, "rid", ev->rid); /* canonical digits */
	else
		jw_str(w, "rid", ev->rid);
}

/* --- level 1 ------------------------------------------------------------ */

static void
cchat_v1_item(struct jw *w, const struct event *ev)
{
	const struct item *it = ev->item;

	jw_obj(w, NULL);
	jw_cstr(w, "cmd", "message");
	jw_cstr(w, "type", cchat_type_text(it, 1));
	jw_str(w, "uid", ev->uid);
	jw_str(w, "name", ev->name);
	cchat_v1_msg(w, it);
	jw_str(w, "rid", str_is_set(ev->rid) ? ev->rid : STR_LIT("1"));
	if (str_is_set(ev->tid))
		jw_str(w, "tid", ev->tid);
	else if (it->flags & ITEM_F_TID_EMPTY)
		jw_cstr(w, "tid", "");
	jw_obj_end(w);
}

static void
cchat_v1_user(struct jw *w, const struct event *ev, const char *cmd)
{
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", cmd);
	jw_str(w, "name", ev->name);
	jw_str(w, "uid", ev->uid);
	cchat_put_rid(w, ev);
	jw_obj_end(w);
}

static void
cchat_v1_encode(const struct event *ev, struct jw *w)
{
	if (ev->kind == EVENT_ITEM) {
		if (ev->item->kind == ITEM_MESSAGE &&
		    !(ev->item->flags & (ITEM_F_GONE | ITEM_F_LOST)))
			cchat_v1_item(w, ev);
	} else if (ev->kind == EVENT_LOGIN) {
		cchat_v1_user(w, ev, "login");
	} else if (ev->kind == EVENT_NEW_USER) {
		cchat_v1_user(w, ev, "newUser");
	} else if (ev->kind == EVENT_ERROR && ev->v1_text != NULL) {
		jw_obj(w, NULL);
		jw_cstr(w, "cmd", "error");
		jw_int(w, "errCode", ev->v1_code != 0 ? ev->v1_code : 50);
		jw_cstr(w, "errMsg", ev->v1_text);
		jw_obj_end(w);
	}
}

/* --- level 2 ------------------------------------------------------------ */

void
cchat_begin(struct jw *w, const char *cmd, struct str cid)
{
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", cmd);
	if (str_is_set(cid))
		jw_str(w, "cid", cid);
}

void
cchat_conversation(struct jw *w, const struct event *ev)
{
	if (str_is_set(ev->rid))
		jw_str(w, "rid", ev->rid);
	if (str_is_set(ev->tid))
		jw_str(w, "tid", ev->tid);
}

static void
cchat_positions(struct jw *w, const struct event *ev)
{
	const struct event_pos *p;
	char rid[ID_MAX + 1];
	size_t i;

	jw_obj(w, "pos");
	for (i = 0; i < ev->n_pos; i++) {
		p = &ev->pos[i];
		str_copy(rid, sizeof rid, p->rid);
		jw_obj(w, rid);
		jw_str(w, "ep", p->ep);
		jw_int(w, "seq", (int64_t)p->seq);
		if (p->n > 0)
			jw_int(w, "from", (int64_t)p->from);
		jw_int(w, "n", (int64_t)p->n);
		jw_bool(w, "full", p->full);
		if (str_is_set(p->title))
			jw_str(w, "title", p->title);
		jw_obj_end(w);
	}
	jw_obj_end(w);
}

static void
cchat_login_answer(struct jw *w, const struct event *ev)
{
	size_t i;

	jw_obj(w, NULL);
	jw_cstr(w, "cmd", "login");
	jw_str(w, "uid", ev->uid);
	jw_str(w, "name", ev->name);
	jw_str(w, "rid", ev->rid);
	jw_int(w, "v", 2);
	if (str_is_set(ev->cid))
		jw_str(w, "cid", ev->cid);
	jw_str(w, "sid", ev->sid);
	jw_str(w, "srv", ev->srv);
	jw_int(w, "now", ev->now);
	jw_int(w, "ping", ev->ping_s);
	if (str_is_set(ev->token))
		jw_str(w, "token", ev->token);
	if (ev->exp > 0)
		jw_int(w, "exp", ev->exp);
	jw_obj(w, "retry");
	jw_int(w, "base", ev->retry_base);
	jw_int(w, "max", ev->retry_max);
	jw_obj_end(w);
	jw_arr(w, "alt");
	for (i = 0; i < ev->n_alt; i++)
		jw_str(w, NULL, ev->alt[i]);
	jw_arr_end(w);
	jw_obj(w, "limit");
	jw_int(w, "msg", ev->msg_max);
	jw_arr(w, "rate");
	jw_int(w, NULL, ev->rate);
	jw_int(w, NULL, ev->rate_burst);
	jw_arr_end(w);
	jw_int(w, "rooms", ev->rooms_max);
	jw_obj_end(w);
	if (str_is_set(ev->up_url)) {
		jw_obj(w, "up");
		jw_str(w, "url", ev->up_url);
		jw_str(w, "key", ev->up_key);
		jw_int(w, "pic", (int64_t)ev->up_max[0]);
		jw_int(w, "audio", (int64_t)ev->up_max[1]);
		jw_int(w, "file", (int64_t)ev->up_max[2]);
		jw_obj_end(w);
	}
	cchat_positions(w, ev);
	jw_obj_end(w);
}

static void
cchat_ok(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "ok", ev->cid);
	cchat_conversation(w, ev);
	if (ev->seq > 0) {
		jw_int(w, "seq", (int64_t)ev->seq);
		cchat_mid(w, ev->chan, ev->seq);
	}
	if (ev->useq > 0)
		jw_int(w, "useq", (int64_t)ev->useq);
	if (ev->ts > 0)
		jw_int(w, "ts", ev->ts);
	if (ev->n_pos > 0)
		cchat_positions(w, ev);
	if (ev->exp > 0)
		jw_int(w, "exp", ev->exp);
	if (ev->dup)
		jw_bool(w, "dup", true);
	if (ev->unkept)
		jw_bool(w, "kept", false);
	jw_obj_end(w);
}

static void
cchat_error(struct jw *w, const struct event *ev)
{
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", "error");
	jw_int(w, "errCode", ev->code);
	jw_cstr(w, "errMsg", ev->why != NULL ? ev->why : "refused");
	if (str_is_set(ev->cid))
		jw_str(w, "cid", ev->cid);
	cchat_conversation(w, ev);
	if (ev->retry_ms > 0)
		jw_int(w, "retry", ev->retry_ms);
	jw_obj_end(w);
}

static void
cchat_history_item(struct jw *w, const char *key, const struct event *ev,
    const struct item *it)
{
	struct event one = {.kind = EVENT_ITEM,
	    .item = it,
	    .rid = ev->rid,
	    .tid = ev->tid,
	    .chan = ev->chan};

	if (str_is_set(ev->tid))
		one.rid = it->rid;
	cchat_encode_item(w, key, &one, str_eq(it->uid, ev->uid));
}

/* a page of the log, ascending whichever way it was read */
static void
cchat_history(struct jw *w, const struct event *ev)
{
	struct item *items = NULL;
	struct str rest = ev->page;
	size_t i, n = 0;

	if (ev->n_items > 0)
		items = xcalloc(ev->n_items, sizeof *items);
	while (n < ev->n_items && frames_page_next(&rest, &items[n]) == 0)
		n++;
	cchat_begin(w, "getHistory", ev->cid);
	cchat_conversation(w, ev);
	jw_str(w, "ep", ev->ep);
	jw_int(w, "first", (int64_t)ev->first);
	jw_int(w, "last", (int64_t)ev->last);
	jw_bool(w, "more", ev->more);
	jw_arr(w, "list");
	for (i = 0; i < n; i++)
		cchat_history_item(
		    w, NULL, ev, &items[ev->reversed ? n - 1 - i : i]);
	jw_arr_end(w);
	jw_obj_end(w);
	free(items);
}

static void
cchat_inbox_entry(
    struct jw *w, const struct event *ev, const struct inbox_entry *e)
{
	struct event conv = {.chan = e->chan, .uid = ev->uid};

	if (chan_kind(e->chan) == CHAN_PAIR)
		conv.tid = chan_peer(e->chan, ev->uid);
	else
		conv.rid = chan_id(e->chan);
	jw_obj(w, NULL);
	cchat_conversation(w, &conv);
	jw_str(w, "ep", ev->ep);
	jw_int(w, "seq", (int64_t)e->head);
	jw_int(w, "read", (int64_t)e->read);
	jw_int(w, "unread", e->unread);
	if (e->has_last)
		cchat_history_item(w, "last", &conv, &e->last);
	else
		jw_null(w, "last");
	jw_obj_end(w);
}

static void
cchat_inbox(struct jw *w, const struct event *ev)
{
	struct str rest = ev->page;
	struct inbox_entry e;

	cchat_begin(w, "inbox", ev->cid);
	jw_arr(w, "list");
	for (size_t i = 0; i < ev->n_items; i++) {
		if (frames_inbox_next(&rest, &e) != 0)
			break;
		cchat_inbox_entry(w, ev, &e);
	}
	jw_arr_end(w);
	if (str_is_set(ev->next))
		jw_str(w, "next", ev->next);
	jw_obj_end(w);
}

static void
cchat_people(struct jw *w, const char *key, const struct room_user *u, size_t n,
    bool whole)
{
	size_t i;

	jw_arr(w, key);
	for (i = 0; i < n; i++) {
		if (!whole) {
			jw_str(w, NULL, u[i].uid);
			continue;
		}
		jw_obj(w, NULL);
		jw_str(w, "uid", u[i].uid);
		jw_str(w, "name", u[i].name);
		if (u[i].avatar.len > 0)
			jw_str(w, "avatar", u[i].avatar);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void
cchat_user(struct jw *w, const struct event *ev, const char *cmd)
{
	jw_obj(w, NULL);
	jw_cstr(w, "cmd", cmd);
	jw_str(w, "uid", ev->uid);
	jw_str(w, "name", ev->name);
	jw_str(w, "rid", ev->rid);
	if (ev->avatar.len > 0)
		jw_str(w, "avatar", ev->avatar);
	jw_obj_end(w);
}

static void
cchat_online(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "getOnline", ev->cid);
	cchat_conversation(w, ev);
	jw_int(w, "count", ev->count);
	jw_raw(w, "users", ev->list.len > 0 ? ev->list : STR_LIT("[]"));
	if (str_is_set(ev->next))
		jw_str(w, "next", ev->next);
	jw_obj_end(w);
}

static void
cchat_presence(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "presence", STR_NONE);
	cchat_conversation(w, ev);
	jw_int(w, "count", ev->count);
	cchat_people(w, "in", ev->in, ev->n_in, true);
	cchat_people(w, "out", ev->out, ev->n_out, false);
	if (ev->more_people)
		jw_bool(w, "more", true);
	jw_obj_end(w);
}

static void
cchat_status(struct jw *w, const struct event *ev)
{
	static const char *const st[] = {
	    [STATUS_OFF] = "off",
	    [STATUS_AWAY] = "away",
	    [STATUS_ON] = "on",
	};

	cchat_begin(w, "status", STR_NONE);
	jw_str(w, "uid", ev->uid);
	jw_cstr(w, "st", st[ev->status]);
	if (ev->ts != 0)
		jw_int(w, "last", ev->ts);
	jw_obj_end(w);
}

static void
cchat_gap(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "gap", STR_NONE);
	cchat_conversation(w, ev);
	jw_str(w, "ep", ev->ep);
	jw_int(w, "from", (int64_t)ev->gap_from);
	jw_int(w, "to", (int64_t)ev->gap_to);
	jw_cstr(w, "why", ev->why != NULL ? ev->why : "lost");
	jw_obj_end(w);
}

static void
cchat_ping(struct jw *w, const struct event *ev, const char *cmd)
{
	cchat_begin(w, cmd, ev->cid);
	if (ev->t != 0)
		jw_int(w, "t", ev->t);
	jw_obj_end(w);
}

static void
cchat_move(struct jw *w, const struct event *ev)
{
	cchat_begin(w, "move", STR_NONE);
	if (str_is_set(ev->url))
		jw_str(w, "url", ev->url);
	jw_int(w, "in", ev->in_ms);
	jw_str(w, "key", ev->key);
	jw_cstr(w, "why", ev->why != NULL ? ev->why : "drain");
	jw_obj_end(w);
}

static void
cchat_v2_encode(const struct event *ev, enum view view, struct jw *w)
{
	switch (ev->kind) {
	case EVENT_ITEM:
		cchat_encode_item(w, NULL, ev, view == VIEW_SELF);
		break;
	case EVENT_NEW_USER:
		cchat_user(w, ev, "newUser");
		break;
	case EVENT_OFFLINE:
		cchat_user(w, ev, "offline");
		break;
	case EVENT_PRESENCE:
		cchat_presence(w, ev);
		break;
	case EVENT_MARK:
	case EVENT_MARKS:
	case EVENT_TYPING:
		cchat_encode_seen(w, ev);
		break;
	case EVENT_LOGIN:
		cchat_login_answer(w, ev);
		break;
	case EVENT_OK:
		cchat_ok(w, ev);
		break;
	case EVENT_ERROR:
		cchat_error(w, ev);
		break;
	case EVENT_HISTORY:
		cchat_history(w, ev);
		break;
	case EVENT_INBOX:
		cchat_inbox(w, ev);
		break;
	case EVENT_ONLINE:
		cchat_online(w, ev);
		break;
	case EVENT_GAP:
		cchat_gap(w, ev);
		break;
	case EVENT_STATUS:
		cchat_status(w, ev);
		break;
	case EVENT_PONG:
		cchat_ping(w, ev, "pong");
		break;
	case EVENT_PING:
		cchat_ping(w, ev, "ping");
		break;
	case EVENT_SYNCED:
		cchat_begin(w, "synced", ev->cid);
		jw_obj_end(w);
		break;
	case EVENT_AUTH:
		cchat_begin(w, "auth", STR_NONE);
		jw_int(w, "exp", ev->exp);
		jw_obj_end(w);
		break;
	case EVENT_MOVE:
		cchat_move(w, ev);
		break;
	case EVENT_NOTICE:
		cchat_begin(w, "notice", STR_NONE);
		jw_cstr(w, "msg", ev->why != NULL ? ev->why : "");
		jw_cstr(w, "level", "info");
		jw_obj_end(w);
		break;
	case EVENT_PUSH:
		cchat_begin(w, "notice", STR_NONE);
		jw_str(w, "msg", ev->text);
		jw_cstr(w, "level", "info");
		jw_obj_end(w);
		break;
	}
}

void
cchat_encode(
    const struct event *ev, unsigned level, enum view view, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	if (level < 2)
		cchat_v1_encode(ev, &w);
	else
		cchat_v2_encode(ev, view, &w);
}
