/* SPDX-License-Identifier: MIT */
/*
 * Link frames about what stands beside the items: single state records, pages
 * of them, and a user's conversations. The rules are those of frames.h: put_x writes a whole
 * frame, get_x checks every limit and grammar and gives 0, ERR_PROTO or
 * ERR_LIMIT; strings that were read point into the body.
 */
#ifndef SHARED_PROTO_FRAMES_STATE_H
#define SHARED_PROTO_FRAMES_STATE_H

#include "shared/proto/frames.h"

/*
 * 28 RAISE: a state record that only grows (marks, what was delivered). Judged
 * in the writer, where all servers' meet: a number not above the one that
 * stands, above the head of `of`, or of another history, changes nothing. What has changed goes to the
 * followers of chan as STATE and, with tell, to those of that channel as EPH
 * (kind 2, of the user of chan). No answer.
 */
struct f_raise {
	struct str chan, key;
	uint64_t n;	/* stored in decimal */
	struct str ep;	/* the history it is a place in */
	struct str tell, body; /* u: channel and body of the EPH, or absent */
	struct str of;	/* the channel whose item n is, or absent: not looked at */
};
/* 29 GET, 31 GOT: one state record, in the order of the writer */
struct f_get {
	uint32_t rid; /* echoed */
	struct str chan, key;
};
struct f_got {
	uint32_t rid;
	uint16_t code; /* 200, 503 */
	struct str ep; /* 8 hex digits; absent with 503 */
	uint64_t head, first;
	struct str val; /* absent: none */
};
/*
 * 32 INBOX: the conversations of a user, a page at a time, in three parts: the
 * rooms he is in now (named by the asker), his private peers by their newest
 * pointers, then what else he has read marks (k:) of. 33 INBOXED is answered
 * by the reader's thread; next_part > 0 says where the next page begins. The
 * reader looks at no more than a few thousand rows a page, so a page may be
 * short, or empty, and yet not the last.
 */
enum inbox_part { INBOX_ROOMS = 1, INBOX_PEERS = 2, INBOX_MARKS = 3 };
enum { INBOX_MAX = 100, INBOX_ROOMS_MAX = 128 };
struct f_inbox_at {
	uint8_t part;	 /* enum inbox_part; in INBOXED 0: no more */
	uint64_t lo, hi; /* useqs: looked at, and where looking began; 0, 0: from the head */
	struct str key;	 /* ROOMS: the last room given; MARKS: the last key; or absent */
};
struct f_inbox {
	uint32_t rid; /* echoed */
	struct str chan; /* u:<uid> */
	uint16_t n; /* 1..INBOX_MAX */
	struct f_inbox_at at;
	struct str rooms[INBOX_ROOMS_MAX]; /* rids, ascending by bytes */
	uint8_t n_rooms;
};
struct f_inboxed {
	uint32_t rid;
	uint16_t code; /* 200, 503 */
	struct str ep;
	struct f_inbox_at next;
	uint16_t n; /* then entry after entry: frames_inbox_next() */
};
struct inbox_entry {
	struct str chan; /* r: or p: */
	uint64_t head, read;
	uint32_t unread;
	bool has_last;
	struct item last; /* the newest message */
};
/*
 * 34 STATES: the state records of a channel whose keys begin with prefix, a
 * page at a time, in the order of their bytes. 35 STATED is answered by the
 * reader's thread: what has been acknowledged is in it. A page ends at n
 * records or STATES_PAGE_BYTES; the next one is asked for with the last key.
 */
enum { STATES_PAGE_MAX = 1000, STATES_PAGE_BYTES = 65536 };
struct f_states {
	uint32_t rid; /* echoed */
	struct str chan;
	struct str prefix; /* not empty */
	struct str after;  /* keys above this one; absent: from the first */
	uint16_t n;	   /* 1..STATES_PAGE_MAX */
	bool count;	   /* and how many there are in all */
};
struct f_stated {
	uint32_t rid;
	uint16_t code; /* 200, 503 */
	struct str ep; /* absent with 503 */
	uint32_t count; /* of all that begin so, if that was asked for */
	bool more;
	uint16_t n; /* then record after record: frames_states_next() */
};

void put_raise(struct buf *b, const struct f_raise *f);
int get_raise(struct str body, struct f_raise *f) MUST_CHECK;
void put_get(struct buf *b, const struct f_get *f);
int get_get(struct str body, struct f_get *f) MUST_CHECK;
void put_got(struct buf *b, const struct f_got *f);
int get_got(struct str body, struct f_got *f) MUST_CHECK;
void put_inbox(struct buf *b, const struct f_inbox *f);
int get_inbox(struct str body, struct f_inbox *f) MUST_CHECK;
/* as a PAGE: begin (n: as many as will follow, no more), n entries, end */
size_t put_inboxed_begin(struct buf *b, const struct f_inboxed *f);
void put_inboxed_entry(struct buf *b, const struct inbox_entry *e);
void put_inboxed_end(struct buf *b, size_t mark);
int get_inboxed(struct str body, struct f_inboxed *f, struct str *rest) MUST_CHECK;
int frames_inbox_next(struct str *rest, struct inbox_entry *e) MUST_CHECK;
void put_states(struct buf *b, const struct f_states *f);
int get_states(struct str body, struct f_states *f) MUST_CHECK;
/* as an INBOXED: begin (n: as many as will follow), n records, end */
size_t put_stated_begin(struct buf *b, const struct f_stated *f);
void put_stated_rec(struct buf *b, const struct state_rec *rec);
void put_stated_end(struct buf *b, size_t mark);
int get_stated(struct str body, struct f_stated *f, struct str *rest) MUST_CHECK;
int frames_states_next(struct str *rest, struct state_rec *rec) MUST_CHECK;

#endif
