/* SPDX-License-Identifier: MIT */
/*
 * Fields of link frames: the first byte is the type, the rest the body. What
 * is taken must be written again, and then be taken again.
 */
#include <stdlib.h>

#include "shared/proto/frames_state.h"
#include "shared/proto/link.h"
#include "tests/fuzz/fuzz.h"

static struct buf fuzz_out;

#define AGAIN(GET)                                                            \
	do {                                                                  \
		if (!buf_ok(&fuzz_out) || buf_len(&fuzz_out) < LINK_HEAD + 4) \
			abort();                                              \
		body = str_n(buf_p(&fuzz_out) + LINK_HEAD,                    \
		    buf_len(&fuzz_out) - LINK_HEAD - 4);                      \
		if ((GET) != 0)                                               \
			abort();                                              \
	} while (0)

#define FRAME(TYPE, NAME)                            \
	case TYPE: {                                 \
		static struct f_##NAME f;            \
                                                     \
		if (get_##NAME(body, &f) == 0) {     \
			put_##NAME(&fuzz_out, &f);   \
			AGAIN(get_##NAME(body, &f)); \
		}                                    \
		break;                               \
	}

static void
fuzz_page(struct str body)
{
	struct f_page f;
	struct str rest;
	struct item it;
	size_t mark;
	unsigned n;

	if (get_page(body, &f, &rest) != 0)
		return;
	mark = put_page_begin(&fuzz_out, &f);
	for (n = 0; n < f.n_items; n++)
		if (frames_page_next(&rest, &it) != 0 ||
		    put_page_item(&fuzz_out, &it) != 0)
			break;
	f.n_items = (uint16_t)n;
	put_page_end(&fuzz_out, mark, &f);
	AGAIN(get_page(body, &f, &rest));
	while (n-- > 0)
		if (frames_page_next(&rest, &it) != 0)
			abort();
	if (rest.len > 0)
		abort();
}

static void
fuzz_inboxed(struct str body)
{
	static struct inbox_entry e[INBOX_MAX];
	struct f_inboxed f;
	struct str rest;
	size_t mark;
	unsigned n;

	if (get_inboxed(body, &f, &rest) != 0)
		return;
	for (n = 0; n < f.n; n++)
		if (frames_inbox_next(&rest, &e[n]) != 0)
			break;
	f.n = (uint16_t)n;
	mark = put_inboxed_begin(&fuzz_out, &f);
	for (unsigned i = 0; i < n; i++)
		put_inboxed_entry(&fuzz_out, &e[i]);
	put_inboxed_end(&fuzz_out, mark);
	/* every entry was in one frame, so all of them fit into one */
	AGAIN(get_inboxed(body, &f, &rest));
	while (n-- > 0)
		if (frames_inbox_next(&rest, &e[0]) != 0)
			abort();
	if (rest.len > 0)
		abort();
}

static void
fuzz_stated(struct str body)
{
	static struct state_rec rec[STATES_PAGE_MAX];
	struct f_stated f;
	struct str rest;
	size_t mark;
	unsigned n;

	if (get_stated(body, &f, &rest) != 0)
		return;
	for (n = 0; n < f.n; n++)
		if (frames_states_next(&rest, &rec[n]) != 0)
			break;
	f.n = (uint16_t)n;
	mark = put_stated_begin(&fuzz_out, &f);
	for (unsigned i = 0; i < n; i++)
		put_stated_rec(&fuzz_out, &rec[i]);
	put_stated_end(&fuzz_out, mark);
	AGAIN(get_stated(body, &f, &rest));
	while (n-- > 0)
		if (frames_states_next(&rest, &rec[0]) != 0)
			abort();
	if (rest.len > 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str body;
	uint32_t n;

	if (size < 1)
		return 0;
	body = str_n(data + 1, size - 1);
	buf_init(&fuzz_out, LINK_FRAME_MAX + 64);
	switch (data[0]) {
		FRAME(F_ACTIVE, active)
		FRAME(F_ERROR, error)
		FRAME(F_APPEND, append)
		FRAME(F_ACK, ack)
		FRAME(F_NAK, nak)
		FRAME(F_SUB, sub)
		FRAME(F_SUBBED, subbed)
		FRAME(F_ITEM, item)
		FRAME(F_READ, read)
		FRAME(F_SET, set)
		FRAME(F_STATE, state)
		FRAME(F_EPH, eph)
		FRAME(F_RAISE, raise)
		FRAME(F_GET, get)
		FRAME(F_GOT, got)
		FRAME(F_INBOX, inbox)
		FRAME(F_STATES, states)
		FRAME(F_PRES, pres)
		FRAME(F_ROOM, room)
		FRAME(F_WHO, who)
		FRAME(F_WHOIS, whois)
		FRAME(F_WATCH, watch)
		FRAME(F_STATUS, status)
		FRAME(F_KICK, kick)
		FRAME(F_JOIN, join)
		FRAME(F_JOINED, joined)
		FRAME(F_BEAT, beat)
		FRAME(F_TOPO, topo)
		FRAME(F_REPORT, report)
		FRAME(F_JOB, job)
		FRAME(F_EVENT, event)
	case F_PING: {
		struct f_ping f;

		if (get_ping(body, &f) == 0) {
			put_ping(&fuzz_out, F_PING, &f);
			AGAIN(get_ping(body, &f));
		}
		break;
	}
	case F_CREDIT:
		if (get_credit(body, &n) == 0) {
			put_credit(&fuzz_out, n);
			AGAIN(get_credit(body, &n));
		}
		break;
	case F_UNSUB:
		if (get_unsub(body, &n) == 0) {
			put_unsub(&fuzz_out, n);
			AGAIN(get_unsub(body, &n));
		}
		break;
	case F_PAGE:
		fuzz_page(body);
		break;
	case F_INBOXED:
		fuzz_inboxed(body);
		break;
	case F_STATED:
		fuzz_stated(body);
		break;
	default:
		break;
	}
	buf_fini(&fuzz_out);
	return 0;
}
