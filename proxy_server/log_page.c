/* SPDX-License-Identifier: MIT */
/* The making of a page, for both who can. See log_page.h. */
#include "proxy_server/log_page.h"
#include "shared/proto/link.h"

enum { LOG_PAGE_FIRST = 16 * 1024 };

void
log_page_init(struct page *p, const struct f_read *q)
{
	*p = (struct page){.f = {.rid = q->rid, .code = 200, .first = 1},
	    .n_max = q->n < PAGE_MAX ? q->n : PAGE_MAX,
	    .bytes_max = q->max_bytes != 0 ? q->max_bytes : LOG_PAGE_BYTES,
	    .back = q->back,
	    .in_user = chan_kind(q->chan) == CHAN_USER};
	buf_init(&p->b, LINK_FRAME_MAX + 4);
	/* most pages fit: it need not grow step by step */
	(void)buf_reserve(&p->b, LOG_PAGE_FIRST);
}

void
log_page_begin(struct page *p)
{
	p->mark = put_page_begin(&p->b, &p->f);
}

bool
log_page_range(struct page *p, const struct f_read *q)
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

/* one always comes, or nobody could go on */
static bool
log_page_fits(const struct page *p, size_t body)
{
	return p->f.n_items < p->n_max &&
	       (p->f.n_items == 0 || p->bytes + body <= p->bytes_max);
}

static bool
log_page_count(struct page *p, size_t body, bool added)
{
	if (!added) {
		p->full = p->f.more = true;
		return false;
	}
	p->f.n_items++;
	p->bytes += (uint32_t)body;
	return true;
}

bool
log_page_add(struct page *p, const struct item *it)
{
	size_t body = it->body.len;

	return log_page_count(
	    p, body, log_page_fits(p, body) && put_page_item(&p->b, it) == 0);
}

bool
log_page_add_packed(struct page *p, struct str packed, size_t body)
{
	/* as put_page_item() has it: the crc must fit behind it */
	bool fits = log_page_fits(p, body) &&
		    buf_len(&p->b) + packed.len + 4 <= LINK_FRAME_MAX;

	if (fits)
		buf_putstr(&p->b, packed);
	return log_page_count(p, body, fits);
}

void
log_page_fail(struct page *p)
{
	p->f = (struct f_page){.rid = p->f.rid, .code = 503, .first = 1};
	buf_reset(&p->b);
	log_page_begin(p);
}

struct blob *
log_page_end(struct page *p)
{
	struct blob *frame;

	put_page_end(&p->b, p->mark, &p->f);
	frame = blob_take(&p->b);
	buf_fini(&p->b);
	return frame;
}

void
log_page_drop(struct page *p)
{
	buf_fini(&p->b);
}
