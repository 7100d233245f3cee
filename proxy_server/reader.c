/* SPDX-License-Identifier: MIT */
/*
 * History: READ in, PAGE out (and INBOX and STATES, see log_inbox.h and
 * log_states.h). A page is made
 * inside one read transaction, so that its head, first and rows belong
 * together, and ended at once, so that no checkpoint waits for it. A page that
 * can't be read is answered 503: the writer, not a reader of old rows, decides
 * that a file is unusable.
 */
#include <stdlib.h>

#include "proxy_server/log_backup.h"
#include "proxy_server/log_inbox.h"
#include "proxy_server/log_page.h"
#include "proxy_server/log_priv.h"
#include "proxy_server/log_sqlite.h"
#include "proxy_server/log_states.h"
#include "proxy_server/reader.h"
#include "shared/proc/log.h"

enum { READER_WAKE = 4 /* pages, for which the loop is woken once */ };

struct reader {
	struct log *l;
	struct logdb db; /* db.db NULL: not open */
	struct log_limit limit;
	unsigned pages;
	struct log_backup *backup; /* being made, by copy */
	struct log_copy *copy;
};

/* a page being read */
struct reading {
	struct page page;
	struct reader *r;
	uint64_t next;	      /* the seq that has to come now */
	struct item *pointer; /* whose body is being fetched */
	unsigned damaged;     /* rows that are missing or can't be believed */
	int err;
};

/* the numbers before seq `until` that have no row */
static bool
reader_fill(struct reading *p, uint64_t until)
{
	while (p->next != until) {
		struct item it = {
		    .seq = p->next, .kind = ITEM_MESSAGE, .flags = ITEM_F_LOST};

		if (p->page.in_user)
			it.useq = it.seq;
		if (!log_page_add(&p->page, &it))
			return false;
		p->damaged++;
		p->next += p->page.back ? (uint64_t)-1 : 1;
	}
	return true;
}

static bool
reader_on_body(void *arg, struct item *it, int64_t pchan_id)
{
	struct reading *p = arg;

	(void)pchan_id;
	it->pchan = p->pointer->pchan;
	it->useq = p->pointer->useq;
	p->damaged += (it->flags & ITEM_F_LOST) != 0;
	return log_page_add(&p->page, it);
}

static bool
reader_on_pointer(struct reading *p, struct item *it, int64_t pchan_id)
{
	struct logdb *db = &p->r->db;
	struct chan_name name;
	int err = logdb_chan_name(db, pchan_id, &name);

	it->useq = it->seq;
	it->seq = it->ref;
	it->ref = 0;
	if (err == 0) {
		it->pchan = chan_str(&name);
		p->pointer = it;
		err = logdb_item_one(db, pchan_id, it->seq, reader_on_body, p);
	}
	if (err == 0)
		return !p->page.full;
	if (err != ERR_NOTFOUND) {
		p->err = err;
		return false;
	}
	/* it was trimmed, or is gone */
	it->kind = ITEM_MESSAGE;
	it->flags |= ITEM_F_LOST;
	return log_page_add(&p->page, it);
}

static bool
reader_on_row(void *arg, struct item *it, int64_t pchan_id)
{
	struct reading *p = arg;
	uint64_t seq = it->seq;

	/* in a damaged file rows may stand out of order */
	if (p->page.back ? seq > p->next : seq < p->next)
		return true;
	if (!reader_fill(p, seq))
		return false;
	/* a damaged pointer leads nowhere */
	if (pchan_id != 0 && !(it->flags & ITEM_F_LOST)) {
		if (!reader_on_pointer(p, it, pchan_id))
			return false;
	} else {
		if (p->page.in_user)
			it->useq = it->seq;
		if (!log_page_add(&p->page, it))
			return false;
		p->damaged += (it->flags & ITEM_F_LOST) != 0;
	}
	p->next = p->page.back ? seq - 1 : seq + 1;
	return true;
}

static int
reader_fetch(struct reading *p, const struct f_read *q, char ep[EP_LEN + 1])
{
	struct logdb *db = &p->r->db;
	struct chan_row chan;
	int err = logdb_meta_get(db, "ep", ep, EP_LEN + 1);

	if (err != 0)
		return err;
	p->page.f.ep = str_of(ep);
	err = logdb_chan_get(db, q->chan, &chan);
	if (err == 0) {
		p->page.f.first = chan.first;
		p->page.f.head = chan.head;
	} else if (err != ERR_NOTFOUND)
		return err;
	log_page_begin(&p->page);
	if (err == ERR_NOTFOUND || !log_page_range(&p->page, q))
		return 0;
	p->next = p->page.from;
	err = logdb_items(db, chan.id, p->page.from, p->page.to, p->page.back,
	    reader_on_row, p);
	if (err == 0)
		err = p->err;
	if (err == 0 && !p->page.full)
		reader_fill(p, p->page.back ? p->page.to - 1 : p->page.to + 1);
	return err;
}

static int
reader_open(struct reader *r)
{
	return r->db.db != NULL ? 0 : logdb_open_reader(&r->db, r->l->set.dir);
}

static struct blob *
reader_page(struct reader *r, const struct f_read *q, bool readable)
{
	struct reading p = {.r = r};
	char ep[EP_LEN + 1] = "";
	int err = readable ? reader_open(r) : ERR_AGAIN;
	uint16_t n;

	log_page_init(&p.page, q);
	if (err == 0)
		err = logdb_begin_read(&r->db);
	if (err == 0) {
		err = reader_fetch(&p, q, ep);
		logdb_rollback(&r->db);
	}
	if (err != 0) {
		if (err != ERR_AGAIN) {
			log_limited(
			    &r->limit, LOG_LEVEL_ERR, "history: %s", r->db.why);
			logdb_close(&r->db);
		}
		log_page_fail(&p.page);
	}
	n = p.page.f.n_items;
	if (err == 0 && p.damaged > 0)
		log_limited(&r->limit, LOG_LEVEL_ERR,
		    "history: %s: %u items of %.*s are damaged or missing, "
		    "shown as lost",
		    r->db.path, p.damaged, STR_ARG(q->chan));
	log_count_read(r->l, n, p.damaged);
	return log_page_end(&p.page);
}

static struct blob *
reader_inbox(struct reader *r, const struct f_inbox *q, bool readable)
{
	int err = readable ? reader_open(r) : ERR_AGAIN;
	struct blob *frame = NULL;

	if (err == 0)
		err = logdb_begin_read(&r->db);
	if (err == 0) {
		err = log_inbox_page(&r->db, q, &frame);
		logdb_rollback(&r->db);
	}
	if (err != 0) {
		if (err != ERR_AGAIN) {
			log_limited(
			    &r->limit, LOG_LEVEL_ERR, "inbox: %s", r->db.why);
			logdb_close(&r->db);
		}
		frame = log_inbox_failed(q);
	}
	return frame;
}

static struct blob *
reader_states(struct reader *r, const struct f_states *q, bool readable)
{
	int err = readable ? reader_open(r) : ERR_AGAIN;
	struct blob *frame = NULL;

	if (err == 0)
		err = logdb_begin_read(&r->db);
	if (err == 0) {
		err = log_states_page(&r->db, q, &frame);
		logdb_rollback(&r->db);
	}
	if (err != 0) {
		if (err != ERR_AGAIN) {
			log_limited(
			    &r->limit, LOG_LEVEL_ERR, "states: %s", r->db.why);
			logdb_close(&r->db);
		}
		frame = log_states_failed(q);
	}
	return frame;
}

static struct blob *
reader_answer(struct reader *r, const struct log_reading *q, bool readable)
{
	if (q->inbox != NULL)
		return reader_inbox(r, &q->inbox->f, readable);
	if (q->states != NULL)
		return reader_states(r, &q->states->f, readable);
	return reader_page(r, &q->read, readable);
}

static void
reader_backup_done(struct reader *r)
{
	log_copy_end(r->copy);
	r->copy = NULL;
	log_post_backup(r->l, r->backup);
	r->backup = NULL;
}

static void
reader_backup(struct reader *r, struct log_backup *asked, bool readable)
{
	struct log_backup_done *done;
	int err;

	if (asked != NULL) {
		r->backup = asked;
		done = &asked->done;
		done->err = ERR_AGAIN;
		str_copy(done->why, sizeof done->why,
		    STR_LIT("this server is not the active one"));
		err = readable ? log_copy_begin(&r->copy, r->l->set.dir,
				     asked->path, log_disk_min(r->l), done)
			       : ERR_AGAIN;
		if (err != 0)
			reader_backup_done(r);
	}
	if (r->backup == NULL)
		return;
	done = &r->backup->done;
	err = log_copy_step(r->copy, done);
	if (err == ERR_AGAIN)
		return;
	done->err = err;
	reader_backup_done(r);
}

void *
reader_main(void *arg)
{
	struct reader r = {.l = arg};
	struct log_reading *list, *q;
	struct log_backup *asked;
	bool readable;

	while (
	    log_take_reads(r.l, r.backup == NULL, &list, &asked, &readable)) {
		while ((q = list) != NULL) {
			list = q->next;
			log_post_page(r.l, q->peer,
			    reader_answer(&r, q, readable),
			    list == NULL || ++r.pages % READER_WAKE == 0);
			free(q->inbox);
			free(q->states);
			free(q);
		}
		reader_backup(&r, asked, readable);
	}
	log_copy_end(r.copy);
	free(r.backup);
	logdb_close(&r.db);
	return NULL;
}
