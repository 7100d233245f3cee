/* SPDX-License-Identifier: MIT */
/*
 * One page of a user's conversations: rooms he is in, peers by their newest
 * pointers, then the rest that he has marks of. See log_inbox.h. Nothing here
 * is stored: unread is counted anew each time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proxy_server/log_inbox.h"
#include "shared/proc/clock.h"
#include "shared/proto/link.h"

enum { INBOX_SET = 8192 /* places for ids; over INBOX_WINDOW, a power of 2 */ };

struct inbox {
	struct logdb *db;
	const struct f_inbox *q;
	struct chan_row u; /* the user's; id 0: he has none */
	int64_t now;
	struct f_inbox_at
	    at; /* how far this page has come; key points to key */
	char key[STATE_KEY_MAX + 1];
	struct buf entries;
	unsigned n;
	size_t bytes, looked;
	bool full; /* the next conversation is for the next page */
	int err;   /* from within a callback */
	int64_t seen[INBOX_SET]; /* conversations met; 0: free */
};

/* false: it has been there before */
static bool
inbox_see(struct inbox *in, int64_t id)
{
	size_t at = (uint64_t)id * 0x9e3779b97f4a7c15u >> 51;

	while (in->seen[at] != 0) {
		if (in->seen[at] == id)
			return false;
		at = (at + 1) & (INBOX_SET - 1);
	}
	in->seen[at] = id;
	return true;
}

static void
inbox_set_key(struct inbox *in, struct str key)
{
	str_copy(in->key, sizeof in->key, key);
	in->at.key = str_of(in->key);
}

static bool
inbox_is_full(struct inbox *in)
{
	in->full =
	    in->n > 0 && (in->n >= in->q->n || in->looked >= INBOX_LOOK ||
			     in->bytes >= INBOX_BYTES);
	return in->full;
}

/* --- one conversation --------------------------------------------------- */

struct inbox_last {
	struct inbox *in;
	struct inbox_entry *e;
	int64_t chan;
	bool put;
};

static void
inbox_put(struct inbox *in, const struct inbox_entry *e)
{
	put_inboxed_entry(&in->entries, e);
	in->n++;
	in->bytes += e->has_last ? e->last.body.len : 0;
}

static bool
inbox_on_edit(void *arg, struct item *it, int64_t pchan)
{
	struct inbox_last *last = arg;

	(void)pchan;
	if (it->kind == ITEM_EDIT &&
	    !(it->flags & (ITEM_F_GONE | ITEM_F_LOST))) {
		last->e->last.body = it->body;
		last->e->last.flags &= (uint16_t) ~(ITEM_F_JSON | ITEM_F_PUSH);
		inbox_put(last->in, last->e);
		last->put = true;
	}
	return false;
}

/* a message is told in the words it has now: there is no page around it in
 * which its edit would stand */
static bool
inbox_on_last(void *arg, struct item *it, int64_t pchan)
{
	struct inbox_last *last = arg;
	struct inbox *in = last->in;
	uint64_t edit;
	unsigned n = 0;

	(void)pchan;
	if (it->kind != ITEM_MESSAGE)
		return true;
	last->e->has_last = true;
	last->e->last = *it;
	if (!(it->flags & (ITEM_F_GONE | ITEM_F_LOST)))
		in->err =
		    logdb_edits(in->db, last->chan, it->seq, &edit, 1, &n);
	if (in->err == 0 && n > 0)
		in->err = logdb_item_one(
		    in->db, last->chan, edit, inbox_on_edit, last);
	if (in->err == 0 && !last->put)
		inbox_put(in, last->e);
	last->put = true;
	return false;
}

static int
inbox_add(struct inbox *in, const struct chan_row *c, uint64_t read)
{
	struct inbox_entry e = {
	    .chan = chan_str(&c->name), .head = c->head, .read = read};
	struct inbox_last last = {.in = in, .e = &e, .chan = c->id};
	uint64_t from, unread;
	int err;

	/* he can't have read what is not there */
	if (e.read > c->head)
		e.read = c->head;
	if (c->head == 0) {
		inbox_put(in, &e);
		return 0;
	}
	from = e.read + 1;
	if (c->head >= INBOX_UNREAD && from < c->head - INBOX_UNREAD + 1)
		from = c->head - INBOX_UNREAD + 1;
	in->looked += c->head - from + 1;
	err = logdb_unread(in->db, c->id, from, chan_id(in->q->chan), &unread);
	if (err != 0)
		return err;
	e.unread = (uint32_t)unread;
	from = c->head > INBOX_LAST ? c->head - INBOX_LAST + 1 : 1;
	err = logdb_items(
	    in->db, c->id, c->head, from, true, inbox_on_last, &last);
	if (err == 0)
		err = in->err;
	if (err == 0 && !last.put)
		inbox_put(in, &e);
	return err;
}

static int
inbox_mark_of(struct inbox *in, struct str conv, bool pair, uint64_t *read)
{
	char key[ID_MAX + 4];
	struct buf val;
	int err = ERR_NOTFOUND;

	*read = 0;
	buf_init(&val, STATE_VAL_MAX);
	snprintf(key, sizeof key, "k:%s%.*s", pair ? "@" : "", STR_ARG(conv));
	if (in->u.id != 0)
		err = logdb_state_val(
		    in->db, in->u.id, str_of(key), in->now, &val);
	if (err == 0 && str_u64(buf_str(&val), read) != 0)
		*read = 0;
	buf_fini(&val);
	return err == ERR_NOTFOUND ? 0 : err;
}

/* --- part 1: the rooms he is in ----------------------------------------- */

static int
inbox_rooms(struct inbox *in)
{
	char after[ID_MAX + 1], rid[ID_MAX + 1];
	uint64_t read;

	str_copy(after, sizeof after, in->at.key);
	for (unsigned i = 0; i < in->q->n_rooms; i++) {
		struct chan_row c = {0};
		struct chan_name name = chan_room(in->q->rooms[i]);
		int err;

		str_copy(rid, sizeof rid, in->q->rooms[i]);
		if (strcmp(rid, after) <= 0)
			continue;
		if (inbox_is_full(in))
			return 0;
		err = logdb_chan_get(in->db, chan_str(&name), &c);
		if (err == ERR_NOTFOUND)
			c = (struct chan_row){0};
		else if (err != 0)
			return err;
		c.name = name;
		err = inbox_mark_of(in, in->q->rooms[i], false, &read);
		if (err == 0)
			err = inbox_add(in, &c, read);
		if (err != 0)
			return err;
		inbox_set_key(in, in->q->rooms[i]);
	}
	in->at = (struct f_inbox_at){.part = INBOX_PEERS};
	return 0;
}

/* --- part 2: whom he has talked with, newest first ----------------------- */

static bool
inbox_on_seen(void *arg, uint64_t seq, int64_t pchan, uint64_t ref)
{
	(void)seq;
	(void)ref;
	if (pchan != 0)
		inbox_see(arg, pchan);
	return true;
}

static bool
inbox_on_pointer(void *arg, uint64_t seq, int64_t pchan, uint64_t ref)
{
	struct inbox *in = arg;
	struct chan_row c;
	uint64_t read;

	(void)ref;
	if (inbox_is_full(in))
		return false;
	in->at.lo = seq;
	in->looked++;
	/* an older one of somebody who was here, or on an earlier page */
	if (pchan == 0 || !inbox_see(in, pchan))
		return true;
	in->err = logdb_chan_id(in->db, pchan, &c);
	if (in->err == ERR_NOTFOUND) {
		in->err = 0;
		return true;
	}
	if (in->err == 0)
		in->err = inbox_mark_of(in,
		    chan_peer(chan_str(&c.name), chan_id(in->q->chan)), true,
		    &read);
	if (in->err == 0)
		in->err = inbox_add(in, &c, read);
	return in->err == 0;
}

/* the lowest number of the window */
static uint64_t
inbox_floor(const struct inbox *in)
{
	uint64_t floor = in->u.first;

	if (in->at.hi >= INBOX_WINDOW && floor < in->at.hi - INBOX_WINDOW + 1)
		floor = in->at.hi - INBOX_WINDOW + 1;
	return floor;
}

static int
inbox_peers(struct inbox *in)
{
	uint64_t from;
	int err = 0;

	if (in->at.hi == 0 || in->at.hi > in->u.head) {
		in->at.hi = in->u.head;
		in->at.lo = in->u.head + 1;
	}
	from = in->at.lo > 0 ? in->at.lo - 1 : 0;
	if (in->u.id != 0 && from >= inbox_floor(in)) {
		/* those of the pages before: some have written again since */
		if (from < in->at.hi)
			err = logdb_pointers(in->db, in->u.id, from + 1,
			    in->at.hi, inbox_on_seen, in);
		if (err == 0)
			err = logdb_pointers(in->db, in->u.id, inbox_floor(in),
			    from, inbox_on_pointer, in);
	}
	if (err == 0)
		err = in->err;
	if (err == 0 && !in->full) {
		in->at.part = INBOX_MARKS;
		in->at.lo = inbox_floor(in);
		if (in->at.lo > in->at.hi)
			in->at.lo = in->at.hi;
	}
	return err;
}

/* --- part 3: what else he has marked ------------------------------------- */

static bool
inbox_is_in(const struct inbox *in, struct str rid)
{
	for (unsigned i = 0; i < in->q->n_rooms; i++)
		if (str_eq(in->q->rooms[i], rid))
			return true;
	return false;
}

static bool
inbox_on_mark(void *arg, struct str key, struct str val)
{
	struct inbox *in = arg;
	struct str conv = str_n(key.p + 2, key.len - 2);
	struct chan_name name;
	struct chan_row c;
	uint64_t read;
	bool pair = conv.len > 0 && conv.p[0] == '@';

	if (inbox_is_full(in) || in->looked >= INBOX_LOOK) {
		in->full = true;
		return false;
	}
	in->looked++;
	/* before the key moves on: the strings are the statement's */
	if (pair)
		conv = str_n(conv.p + 1, conv.len - 1);
	if (id_is_word(conv) && (pair || !inbox_is_in(in, conv))) {
		name = pair ? chan_pair(chan_id(in->q->chan), conv)
			    : chan_room(conv);
		if (str_u64(val, &read) != 0)
			read = 0;
		in->err = logdb_chan_get(in->db, chan_str(&name), &c);
		c.name = name;
		if (in->err == 0 && (!pair || inbox_see(in, c.id)))
			in->err = inbox_add(in, &c, read);
		if (in->err == ERR_NOTFOUND)
			in->err = 0;
	}
	inbox_set_key(in, key);
	return in->err == 0;
}

static int
inbox_marks(struct inbox *in)
{
	char after[STATE_KEY_MAX + 1] = "k:";
	int err = 0;

	if (in->at.hi > in->u.head)
		in->at.hi = in->u.head;
	if (str_is_set(in->at.key))
		str_copy(after, sizeof after, in->at.key);
	if (in->u.id == 0)
		in->at.part = 0;
	if (in->at.part == 0)
		return 0;
	/* those of part 2, whichever page they were on */
	if (in->at.hi > 0)
		err = logdb_pointers(in->db, in->u.id, inbox_floor(in),
		    in->at.hi, inbox_on_seen, in);
	if (err == 0)
		err = logdb_state_range(in->db, in->u.id, str_of(after),
		    STR_LIT("k;"), in->now, inbox_on_mark, in);
	if (err == 0)
		err = in->err;
	if (err == 0 && !in->full)
		in->at = (struct f_inbox_at){.part = 0};
	return err;
}

/* --- the page ------------------------------------------------------------ */

static struct blob *
inbox_frame(const struct f_inboxed *f, const struct buf *entries)
{
	struct blob *frame;
	struct buf b;
	size_t mark;

	buf_init(&b, LINK_FRAME_MAX + LINK_HEAD);
	mark = put_inboxed_begin(&b, f);
	if (entries != NULL)
		buf_putstr(&b, buf_str(entries));
	put_inboxed_end(&b, mark);
	frame = blob_take(&b);
	buf_fini(&b);
	return frame;
}

struct blob *
log_inbox_failed(const struct f_inbox *q)
{
	struct f_inboxed f = {.rid = q->rid, .code = 503};

	return inbox_frame(&f, NULL);
}

static int
inbox_begin(struct inbox *in, struct f_inboxed *f, char ep[EP_LEN + 1])
{
	int err = logdb_meta_get(in->db, "ep", ep, EP_LEN + 1);

	if (err != 0)
		return err;
	f->ep = str_of(ep);
	err = logdb_chan_get(in->db, in->q->chan, &in->u);
	if (err == ERR_NOTFOUND)
		in->u = (struct chan_row){.first = 1};
	return err == ERR_NOTFOUND ? 0 : err;
}

int
log_inbox_page(struct logdb *db, const struct f_inbox *q, struct blob **frame)
{
	struct f_inboxed f = {.rid = q->rid, .code = 200};
	struct inbox *in = xcalloc(1, sizeof *in);
	char ep[EP_LEN + 1];
	int err;

	in->db = db;
	in->q = q;
	in->now = clock_wall_ms();
	in->at = q->at;
	if (str_is_set(q->at.key))
		inbox_set_key(in, q->at.key);
	buf_init(&in->entries, LINK_FRAME_MAX);
	err = inbox_begin(in, &f, ep);
	if (err == 0 && in->at.part == INBOX_ROOMS)
		err = inbox_rooms(in);
	if (err == 0 && in->at.part == INBOX_PEERS && !in->full)
		err = inbox_peers(in);
	if (err == 0 && in->at.part == INBOX_MARKS && !in->full)
		err = inbox_marks(in);
	if (err == 0) {
		f.next = in->at;
		f.n = (uint16_t)in->n;
		*frame = inbox_frame(&f, &in->entries);
	}
	buf_fini(&in->entries);
	free(in);
	return err;
}
