/* SPDX-License-Identifier: MIT */
/*
 * One PAGE being made, whoever has the items: reader.c from the file,
 * log_ring.c from memory. What a page may hold, what of a READ's range exists
 * and how it ends is decided here alone, so both answer with the same bytes.
 *
 *   log_page_init, log_page_begin, log_page_range, log_page_add ...,
 *   log_page_end
 */
#ifndef PROXY_SERVER_LOG_PAGE_H
#define PROXY_SERVER_LOG_PAGE_H

#include "shared/base/blob.h"
#include "shared/proto/frames.h"

enum { LOG_PAGE_BYTES = 65536 };

struct page {
	struct f_page f; /* first and head: to be set before log_page_begin() */
	struct buf b;
	size_t mark;
	uint16_t n_max;
	uint32_t bytes, bytes_max; /* of bodies */
	bool back, in_user;
	uint64_t from, to; /* clamped by log_page_range() */
	bool full;	   /* an item had no room: there is more */
};

void log_page_init(struct page *p, const struct f_read *q);
/* p->f is complete but for n_items and more */
void log_page_begin(struct page *p);
/* what of the question's range exists goes into from and to; false: nothing */
bool log_page_range(struct page *p, const struct f_read *q);
/* false: no room for it */
bool log_page_add(struct page *p, const struct item *it);
/* the same, of one as put_page_item() has made it; body: length of its body */
bool log_page_add_packed(struct page *p, struct str packed, size_t body);
/* instead of all that was put in: 503 */
void log_page_fail(struct page *p);
/* the frame, the caller's; p is done with */
struct blob *log_page_end(struct page *p);
/* done with it, without a frame */
void log_page_drop(struct page *p);

#endif
