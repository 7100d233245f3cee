/* SPDX-License-Identifier: MIT */
/*
 * History: READ in, PAGE out. A page is made inside one read transaction, so
 * that its head, first and rows belong together, and ended at once, so that no
 * checkpoint waits for it. A page that can't be read is answered 503: the
 * writer, not a reader of old rows, decides that a file is unusable.
 */
#include <stdlib.h>

#include "proxy_server/log_backup.h"
#include "proxy_server/log_priv.h"
#include "proxy_server/log_sqlite.h"
#include "proxy_server/reader.h"
#include "shared/proc/log.h"
#include "shared/proto/link.h"

enum { PAGE_BYTES = 65536 };

struct reader {
	struct log *l;
	struct logdb db; /* db.db NULL: not open */
	struct log_limit limit;
	struct log_backup *backup; /* being made, by copy */
	struct log_copy *copy;
};

/* a page being made */
struct page {
	struct reader *r;
	struct f_page f;
	struct buf b;
	uint16_t n_max;
	uint32_t bytes, bytes_max;
	bool back, in_user;
	uint64_t next; /* the seq that has to come now */
	uint64_t from,
	    to; /* clamped; from > to upwards (from < to back): nothing */
	struct item *pointer; /* whose body is being fetched */
	bool full;
	int err;
};

/* false: no room for it */
static bool
reader_add(struct page *p, const struct item *it)
{
	bool fits =
	    p->f.n_items < p->n_max &&
	    (p->f.n_items == 0 || p->bytes + it->body.len <= p->bytes_max);

	if (!fits || put_page_item(&p->b, it) != 0) {
		p->full = p->f.more = true;
		return false;
	}
	p->f.n_items++;
	p->bytes += (uint32_t)it->body.len;
	return true;
}

/* the numbers before seq `until` that have no row */
static bool
reader_fill(struct page *p, uint64_t until)
{
	while (p->next != until) {
		struct item it = {
		    .seq = p->next, .kind = ITEM_MESSAGE, .flags = ITEM_F_LOST};

		if (p->in_user)
			it.useq = it.seq;
		if (!reader_add(p, &it))
			return false;
		p->next += p->back ? (uint64_t)-1 : 1;
	}
	return true;
}

static bool
reader_on_body(void *arg, struct item *it, int64_t pchan_id)
{
	struct page *p = arg;

	(void)pchan_id;
	it->pchan = p->pointer->pchan;
	it->useq = p->pointer->useq;
	return reader_add(p, it);
}

static bool
reader_on_pointer(struct page *p, struct item *it, int64_t pchan_id)
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
		return !p->full;
	if (err != ERR_NOTFOUND) {
		p->err = err;
		return false;
	}
	/* it was trimmed, or is gone */
	it->kind = ITEM_MESSAGE;
	it->flags |= ITEM_F_LOST;
	return reader_add(p, it);
}

static bool
reader_on_row(void *arg, struct item *it, int64_t pchan_id)
{
	struct page *p = arg;
	uint64_t seq = it->seq;

	/* in a damaged file rows may stand out of order */
	if (p->back ? seq > p->next : seq < p->next)
		return true;
	if (!reader_fill(p, seq))
		return false;
	/* a damaged pointer leads nowhere */
	if (pchan_id != 0 && !(it->flags & ITEM_F_LOST)) {
		if (!reader_on_pointer(p, it, pchan_id))
			return false;
	} else {
		if (p->in_user)
			it->useq = it->seq;
		if (!reader_add(p, it))
			return false;
	}
	p->next = p->back ? seq - 1 : seq + 1;
	return true;
}

/* what of from..to exists; false: nothing */
static bool
reader_range(struct page *p, const struct f_read *q)
{
	uint64_t first = p->f.first > 0 ? p->f.first : 1, head = p->f.head;

	p->from = q->from;
	p->to = q->to;
	if (q->back) {
		if (p->from == 0 || p->from > head)
			p->from = head;
		if (p->to < first)
			p->to = first;
		return p->from >= p->to;
	}
	if (p->from < first)
		p->from = first;
	if (p->to == 0 || p->to > head)
		p->to = head;
	return p->from <= p->to;
}

static int
reader_fetch(
    struct page *p, const struct f_read *q, char ep[EP_LEN + 1], size_t *mark)
{
	struct logdb *db = &p->r->db;
	struct chan_row chan;
	int err = logdb_meta_get(db, "ep", ep, EP_LEN + 1);

	if (err != 0)
		return err;
	p->f.ep = str_of(ep);
	err = logdb_chan_get(db, q->chan, &chan);
	if (err == 0) {
		p->f.first = chan.first;
		p->f.head = chan.head;
	} else if (err != ERR_NOTFOUND)
		return err;
	*mark = put_page_begin(&p->b, &p->f);
	if (err == ERR_NOTFOUND || !reader_range(p, q))
		return 0;
	p->next = p->from;
	err =
	    logdb_items(db, chan.id, p->from, p->to, p->back, reader_on_row, p);
	if (err == 0)
		err = p->err;
	if (err == 0 && !p->full)
		reader_fill(p, p->back ? p->to - 1 : p->to + 1);
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
	struct page p = {.r = r,
	    .f = {.rid = q->rid, .code = 200, .first = 1},
	    .n_max = q->n < PAGE_MAX ? q->n : PAGE_MAX,
	    .bytes_max = q->max_bytes != 0 ? q->max_bytes : PAGE_BYTES,
	    .back = q->back,
	    .in_user = chan_kind(q->chan) == CHAN_USER};
	char ep[EP_LEN + 1] = "";
	size_t mark = 0;
	int err = readable ? reader_open(r) : ERR_AGAIN;
	struct blob *frame;

	buf_init(&p.b, LINK_FRAME_MAX + 4);
	if (err == 0)
		err = logdb_begin_read(&r->db);
	if (err == 0) {
		err = reader_fetch(&p, q, ep, &mark);
		logdb_rollback(&r->db);
	}
	if (err != 0) {
		if (err != ERR_AGAIN) {
			log_limited(
			    &r->limit, LOG_LEVEL_ERR, "history: %s", r->db.why);
			logdb_close(&r->db);
		}
		p.f = (struct f_page){.rid = q->rid, .code = 503, .first = 1};
		buf_reset(&p.b);
		mark = put_page_begin(&p.b, &p.f);
	}
	put_page_end(&p.b, mark, &p.f);
	frame = blob_take(&p.b);
	buf_fini(&p.b);
	log_count_reads(r->l, 1, p.f.n_items);
	return frame;
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
				     asked->path, r->l->set.disk_min, done)
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
			log_post_page(
			    r.l, q->peer, reader_page(&r, &q->read, readable));
			free(q);
		}
		reader_backup(&r, asked, readable);
	}
	log_copy_end(r.copy);
	free(r.backup);
	logdb_close(&r.db);
	return NULL;
}
