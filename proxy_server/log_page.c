/* SPDX-License-Identifier: MIT */
/* The making of a page, for both who can. See log_page.h. */
#include "proxy_server/log_page.h"
#include "shared/proto/link.h"

void
log_page_init(struct page *p, const struct f_read *q)
{
	*p = (struct page){.f = {.rid = q->rid, .code = 200, .first = 1},
	    .n_max = q->n < PAGE_MAX ? q->n : PAGE_MAX,
	    .bytes_max = q->max_bytes != 0 ? q->max_bytes : LOG_PAGE_BYTES,
	    .back = q->back,
	    .in_user = chan_kind(q->chan) == CHAN_USER};
	buf_init(&p->b, LINK_FRAME_MAX + 4);
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

bool
log_page_add(struct page *p, const struct item *it)
{
	/* one always comes, or nobody could go on */
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
