/* SPDX-License-Identifier: MIT */
/*
 * The meaning of link frames: one plain struct, one put_ and one get_ function
 * per type. put_x appends the whole frame (head, fields, crc) to a buf; get_x
 * reads the fields of a frame body, checks every limit and grammar
 * (base/id.h, limits.md) and returns 0 or ERR_PROTO / ERR_LIMIT. Strings of a
 * struct that was read point into the body. Lists are arrays with a count,
 * bounded by the *_MAX values here; a put_ over such a bound marks the buf as
 * failed; get_x fills arrays the caller gives room for.
 *
 * Rules of order (wire.md): frames of a link are handled in order; ITEMs of a
 * channel leave in seq order; after a link reset SUBs go before resent
 * APPENDs, resent ones before new ones; frames of a lower gen end the link.
 */
#ifndef SHARED_PROTO_FRAMES_H
#define SHARED_PROTO_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/id.h"

/* kinds of items: lasting changes in a channel */
enum item_kind {
	ITEM_MESSAGE = 1,
	ITEM_EDIT = 2,
	ITEM_RECALL = 3,
	ITEM_REACT = 4,
	ITEM_MEMBER = 5,
	ITEM_MOD = 6,
	ITEM_TITLE = 7,
	ITEM_POINTER = 8
};

enum item_flags {
	ITEM_F_JSON = 1,     /* body is compact JSON, not text */
	ITEM_F_GONE = 2,     /* recalled: no body any more */
	ITEM_F_NUM_RID = 4,  /* the sender gave the rid as a number */
	ITEM_F_AUTO_CID = 8, /* the msg_server made the cid: never shown */
	ITEM_F_LOST = 16, /* the stored row failed its checksum: a tombstone */
	ITEM_F_AUDIO = 32,
	ITEM_F_PIC = 64,
	ITEM_F_FILE = 128, /* message type; none: text */
	ITEM_F_TID_EMPTY = 256, /* to a room with "tid":"": level 1 shows it */
	ITEM_F_UNKEPT = 512, /* keep_days 0: in memory only; set by the log */
	ITEM_F_PUSH = 1024, /* a push object (push.h), beside ITEM_F_JSON */
	ITEM_F_AT = 2048,   /* there is an `at` */
	ITEM_F_OFF = 4096   /* react: taken back */
};

enum {
	BODY_MAX = 65536,
	STATES_MAX = 16,
	TO_MAX = 2,
	STATE_KEY_MAX = 80,
	STATE_VAL_MAX = 1024,
	PAGE_MAX = 1000,
	AT_MAX = 50, /* uids in `at` */
	AT_BYTES = AT_MAX * (ID_MAX + 1) - 1,
	EMO_MAX = 32,	/* bytes of a reaction */
	TITLE_MAX = 128 /* bytes of a room's title */
};

struct state_rec {
	struct str key, val; /* val absent: delete the key */
	int64_t exp;	     /* ms wall clock, 0: never */
	uint64_t rev;	     /* seq that set it (only in answers) */
};

/*
 * What a kind has beside sender, seq and ts:
 *	message	body, ref (answers to), at
 *	edit	ref, body: the words of message ref are these now
 *	recall	ref: message ref and all edits of it lose their words, everywhere
 *	react	ref, body: the emo; ITEM_F_OFF: taken back
 *	title	body: the room's title now, "" none; state t says the same
 */
/* one item of a channel, as stored and as travelling; also the row of a PAGE */
struct item {
	uint64_t seq; /* in its channel */
	int64_t ts;   /* ms */
	uint8_t kind;
	uint16_t flags;
	struct str uid, cid;	 /* sender; uid absent: the system */
	uint64_t cn;		 /* session of the sender */
	struct str name, avatar; /* snapshot of the sender */
	uint64_t ref;		 /* edit, recall, react: seq they mean */
	uint32_t crc;		 /* crc32c of body, from the msg_server */
	struct str body;
	/* only for what lies in a u: channel (private traffic): where the body
	 * lives */
	struct str pchan; /* 'p:a:b' */
	uint64_t useq;	  /* its seq in u:; then seq is the one in pchan */
	struct str rid;	  /* private messages: the rid the sender gave (v1 shows
			     it), or absent */
	struct str at;	  /* message: whom it calls, uids with commas between;
			     read and written with ITEM_F_AT alone */
};

/* recalled: the words go, the place stays */
static inline void
item_erase(struct item *it)
{
	it->flags = (uint16_t)((it->flags | ITEM_F_GONE) & ~ITEM_F_AT);
	it->body = it->at = STR_NONE;
	it->crc = 0;
}

/* of one that lies packed, as put_page_item() writes it */
static inline uint8_t
item_packed_kind(const void *packed)
{
	return ((const uint8_t *)packed)[16];
}

/* 3 ACTIVE */
struct f_active {
	uint64_t gen;
	struct str ep; /* 8 hex digits */
	bool active;
};
/* 4 PING, 5 PONG */
struct f_ping {
	int64_t t;	     /* sender's monotonic us, echoed */
	uint64_t items_sent; /* ITEM frames sent on this link so far (PING);
				received so far (PONG) */
};
/* 7 ERROR */
struct f_error {
	uint16_t code;
	struct str text;
};
/* 10 APPEND: one item for one channel */
struct f_append {
	uint64_t req; /* rises per link */
	struct str chan;
	struct item item;      /* seq, ts, useq not used */
	struct str need, deny; /* state keys of chan, or absent */
	struct str if_key; /* with if_rev: only if the key's rev is that one */
	uint64_t if_rev;
	struct state_rec states[STATES_MAX];
	uint8_t n_states;
	struct str to[TO_MAX]; /* u: channels that get a pointer item */
	uint8_t n_to;
};
/* 11 ACK */
struct f_ack {
	uint64_t req, seq;
	int64_t ts;
	uint64_t useq; /* of the sender's own u: channel, private only */
	bool dup;
	bool unkept; /* as ITEM_F_UNKEPT: acknowledged, not stored */
};
/* 12 NAK */
struct f_nak {
	uint64_t req;
	uint16_t code;	   /* 403 need/deny, 409 rev, 413, 429, 503; of the item
			      meant: 403, 404, 409 */
	uint32_t retry_ms; /* 0: permanent */
};
/* 20 SUB; 22 UNSUB has only ch */
struct f_sub {
	uint32_t ch; /* number given by the subscriber for this link, > 0 */
	struct str chan;
	uint64_t from_seq; /* last seq it has; the link sends everything after.
			      SUB_HEAD: only live */
	struct str
	    ep; /* the history from_seq belongs to; absent with SUB_HEAD */
	bool want_state; /* the title of a room: state t, with SUBBED */
	bool want_presence;
};
#define SUB_HEAD UINT64_MAX
/* 21 SUBBED: from here on ITEMs with seq > head flow live; the subscriber READs
 * (from_seq, head] itself */
struct f_subbed {
	uint32_t ch;
	struct str ep;
	uint64_t head, first;
	bool reset; /* other ep, or from_seq above head: forget what you had */
	struct state_rec states[64];
	uint16_t n_states;
	bool more; /* more states than fit: ask by WHO/READ later */
};
/* 23 ITEM: live, after commit. For a p: append: ch = 0 and refs name the u:
 * channels */
struct f_item {
	uint64_t gen;
	uint32_t ch;  /* of the receiving link; 0 for private items */
	uint64_t req; /* of the receiving link if it appended this one, else 0:
			 doubles as ACK */
	struct str chan; /* private items: 'p:a:b'; absent otherwise */
	struct {
		uint32_t ch; /* of the receiving link, for u:<uid>; 0: not
				followed here */
		uint64_t useq;
	} refs[TO_MAX];
	uint8_t n_refs;
	struct item item;
	struct state_rec states[STATES_MAX];
	uint8_t n_states;
};
/* 24 READ: history. back: newest first from `from` downwards; else oldest first
 * from `from` upwards. */
struct f_read {
	uint32_t rid; /* echoed */
	struct str chan;
	uint64_t from,
	    to; /* inclusive; to 0: no bound. back with from 0: from the head */
	uint16_t n; /* 1..PAGE_MAX */
	bool back;
	uint32_t max_bytes; /* of bodies; 0: 64 KiB */
};
/* 25 PAGE: items in the order asked for */
struct f_page {
	uint32_t rid;
	uint16_t code; /* 200, or 503 (retry) when the log can't answer now */
	struct str ep;
	uint64_t first, head; /* of the channel when it was read */
	bool more;
	uint16_t n_items; /* then item after item: frames_page_next() */
};
/* 26 SET (mark), 27 STATE */
struct f_set {
	struct str chan;
	struct state_rec rec;
};
struct f_state {
	uint32_t ch;
	struct state_rec rec;
};
/*
 * 30 EPH: to all who follow chan, at most once, stored nowhere; without credit
 * it is dropped. Of kind 1 in a room with more people than typing_max the proxy
 * drops it. Bodies: typing "1 NAME" or "0 NAME", in r: or in the peer's u:;
 * mark "CONVERSATION READ RECV" in u: (msg_server/marks.c).
 */
struct f_eph {
	uint32_t ch; /* p->m; 0 with chan (m->p) */
	struct str chan;
	uint8_t kind; /* 1 typing, 2 mark seen, 3 status, 4 newest (newest.h) */
	struct str uid, body;
};
/* 40..42: PRES_BEGIN and PRES_END have no fields. 41 PRES: one session,
 * snapshot or delta */
enum pres_op {
	PRES_SET = 1,
	PRES_GONE = 2,
	PRES_BYE = 3 /* gone, without grace */
};
struct f_pres {
	uint8_t op;
	uint64_t cn;
	struct str uid, name, avatar, dev;
	uint8_t dialect, level; /* level: 1, 2 */
	bool silent;		/* takeover by `move`: nobody is told */
	bool away;
	bool num_rid; /* level 1 wrote its rid as a number: so is newUser */
	struct str add[32], del[32]; /* rids; of PRES_SET */
	uint8_t n_add, n_del;
};
/* 43 ROOM: changes of a room's people, after grace */
struct f_room {
	uint32_t ch;
	uint32_t count; /* users now */
	bool big; /* over 100 users: presence counts, no newUser/offline for v2
		   */
	bool more; /* big: further people changed, who are not listed for v2 */
	bool rest; /* big: those further people, for v1 alone */
	bool unsure; /* from one that has just become active: some of it may
			have been told before; who told it says nothing */
	struct room_user {
		uint64_t cn;
		struct str uid, name, avatar;
		bool num_rid;
		bool again; /* another device of a user already there: v1's
			       newUser only */
		bool maybe; /* he is where he was before: only for those who
			       told of the change in between */
		uint32_t age; /* unsure: ms since; older than one's following
				 it is no news. Who knows which of the two
				 came first says UINT32_MAX or 0 */
		uint32_t nth; /* not sent: the proxy's, see presence.h */
		int64_t at_ms;
	} in[64], out[64];
	uint8_t n_in, n_out;
};
/* 44 WHO, 45 WHOIS */
enum who_what {
	WHO_ROOM = 1,
	WHO_USER = 2,
	WHO_USERS = 3,
	WHO_ROOMS = 4,
	WHO_TOTALS = 5,
	WHO_ROOM_INFO = 6,
	WHO_PEOPLE = 7, /* of a room, each with the number of a session */
	WHO_SESSION = 8, /* whose session a number is */
	WHO_WHOSE = 10, /* as WHO_SESSION, or whose it was: then "uid" alone */
	WHO_ALL = 9 /* uids of all who are there, by name: an array of strings;
		       arg "since": of {"uid","since"}, since his oldest session came */
};
struct f_who {
	uint32_t rid; /* echoed */
	uint8_t what;
	struct str arg;	 /* rid, or uid, or uids separated by ',' (WHO_USERS, <=
			    200) or server name (WHO_ROOMS) */
	struct str next; /* cursor */
	uint16_t limit;
};
struct f_whois {
	uint32_t rid;
	uint16_t code;	 /* 200, 404, 503 */
	uint32_t count;	 /* of all */
	struct str next; /* absent: no more */
	struct str json; /* the list, a complete JSON array or object in the
			    shape of features.md 5.8 / protocol.md */
};
/* 46 WATCH: whose coming and going this msg_server's clients want to know */
struct f_watch {
	bool again; /* not new: asked of the last active one, which answered. An
		       `off` that may only be a server not yet linked waits */
	struct str add[200], del[200];
	uint8_t n_add, n_del;
};
/* 47 STATUS: of watched users, once at WATCH and then at each change */
enum user_status { STATUS_OFF, STATUS_AWAY, STATUS_ON };
struct f_status {
	struct status_rec {
		struct str uid;
		uint8_t st;   /* enum user_status */
		int64_t last; /* ms: when an absent one left, 0: not known */
	} list[128];
	uint8_t n;
};
/* 50 KICK */
struct f_kick {
	uint64_t cn; /* 0: by uid */
	struct str uid;
	uint16_t code;
	struct str text;
};
/*
 * 60 JOIN: any -> config; 65 JOINED is the answer. gate is written only when
 * there is one, so that a join without is the one that older servers know.
 */
struct f_join {
	struct str name, version;
	uint8_t role;
	uint32_t node_no, inc, weight, cap;
	struct str link, admin, public_url,
	    direct_url; /* addresses and ws urls; absent: none */
	struct str gate; /* msg_server: ADDR:PORT for GatewayClients */
};
struct f_joined {
	uint32_t node_no;
	uint64_t ver; /* of the topology */
};
/*
 * 61 BEAT, every second. The last three are written only when one of them is
 * not 0, so that a beat of a server that drains nothing is the one that older
 * servers know; a beat without them reads as 0.
 */
enum beat_state {
	BEAT_UP = 1,
	BEAT_DRAINING = 2 /* takes no clients: by a JOB, or SIGTERM (job 0) */
};
struct f_beat {
	uint32_t conns, users, rooms, queue_kb, lag;
	uint32_t msgs_s, out_kb_s, loop_us;
	uint8_t state;	      /* enum beat_state */
	uint64_t job;	      /* the JOB it is at work on, 0: none */
	uint32_t left, moved; /* clients of this drain: still to go, gone */
};
/* 62 TOPO: the whole list, as JSON in the shape of NAME.topology.json
 * (svc/topology.h) */
struct f_topo {
	uint64_t ver;
	struct str json;
};
/* 63 REPORT */
struct f_report {
	uint64_t gen;
	struct str ep;
	bool active;
};
/*
 * 64 JOB, config -> msg_server. The same one may come again (after a JOIN,
 * while the job is running): then nothing changes.
 *	"drain"	args {"rate":N,"within_ms":N}: clients are asked to go at N a
 *		second, 1..JOB_RATE_MAX, or faster, so that all have gone
 *		within within_ms, 1..JOB_WITHIN_MAX_MS; whoever is left then
 *		goes at once. Then the process ends with exit code 0. A key
 *		that is absent has its default; others are not looked at.
 *	"abort"	args absent; id is the drain it ends. The server takes clients
 *		again: its next BEAT has state 1 and job 0. An id that is not
 *		being worked on means nothing.
 */
enum {
	JOB_RATE_DEF = 200,
	JOB_RATE_MAX = 100000,
	JOB_WITHIN_DEF_MS = 30000,
	JOB_WITHIN_MAX_MS = 86400000
};
struct f_job {
	uint64_t id;	       /* > 0 */
	struct str kind, args; /* JSON object, or absent */
};
/* 66 EVENT: any -> config, for the events table */
struct f_event {
	struct str kind, detail;
};

void put_active(struct buf *b, const struct f_active *f);
int get_active(struct str body, struct f_active *f) MUST_CHECK;
void put_ping(
    struct buf *b, uint8_t type, const struct f_ping *f); /* F_PING or F_PONG */
int get_ping(struct str body, struct f_ping *f) MUST_CHECK;
void put_credit(struct buf *b, uint32_t bytes);
int get_credit(struct str body, uint32_t *bytes) MUST_CHECK;
void put_error(struct buf *b, const struct f_error *f);
int get_error(struct str body, struct f_error *f) MUST_CHECK;
void put_append(struct buf *b, const struct f_append *f);
int get_append(struct str body, struct f_append *f) MUST_CHECK;
void put_ack(struct buf *b, const struct f_ack *f);
int get_ack(struct str body, struct f_ack *f) MUST_CHECK;
void put_nak(struct buf *b, const struct f_nak *f);
int get_nak(struct str body, struct f_nak *f) MUST_CHECK;
void put_sub(struct buf *b, const struct f_sub *f);
int get_sub(struct str body, struct f_sub *f) MUST_CHECK;
void put_subbed(struct buf *b, const struct f_subbed *f);
int get_subbed(struct str body, struct f_subbed *f) MUST_CHECK;
void put_unsub(struct buf *b, uint32_t ch);
int get_unsub(struct str body, uint32_t *ch) MUST_CHECK;
/*
 * The same ITEM for many links: item_share encodes what is equal for all once
 * (all but ch, req and refs), put_item_shared adds the short rest of one link.
 */
struct item_shared {
	struct buf
	    bytes; /* owned; buf_init it with LINK_FRAME_MAX once, reused */
	uint32_t crc;
};
void item_share(struct item_shared *sh, const struct f_item *f);
void put_item_shared(
    struct buf *b, const struct item_shared *sh, const struct f_item *f);
void put_item(struct buf *b, const struct f_item *f);
int get_item(struct str body, struct f_item *f) MUST_CHECK;
void put_read(struct buf *b, const struct f_read *f);
int get_read(struct str body, struct f_read *f) MUST_CHECK;
/* a page, in a buf of its own: begin, add items while they return 0 (ERR_LIMIT:
 * full, the frame stays good), end */
size_t put_page_begin(struct buf *b, const struct f_page *f);
int put_page_item(struct buf *b, const struct item *it);
void put_page_end(struct buf *b, size_t mark,
    const struct f_page *f); /* patches n_items, more, first, head */
/* the head; then frames_page_next() n_items times over *rest */
int get_page(struct str body, struct f_page *f, struct str *rest) MUST_CHECK;
int frames_page_next(struct str *rest, struct item *it) MUST_CHECK;
void put_set(struct buf *b, const struct f_set *f);
int get_set(struct str body, struct f_set *f) MUST_CHECK;
void put_state(struct buf *b, const struct f_state *f);
int get_state(struct str body, struct f_state *f) MUST_CHECK;
void put_eph(struct buf *b, const struct f_eph *f);
int get_eph(struct str body, struct f_eph *f) MUST_CHECK;
void put_empty(struct buf *b, uint8_t type); /* PRES_BEGIN, PRES_END */
void put_pres(struct buf *b, const struct f_pres *f);
int get_pres(struct str body, struct f_pres *f) MUST_CHECK;
void put_room(struct buf *b, const struct f_room *f);
int get_room(struct str body, struct f_room *f) MUST_CHECK;
void put_who(struct buf *b, const struct f_who *f);
int get_who(struct str body, struct f_who *f) MUST_CHECK;
void put_whois(struct buf *b, const struct f_whois *f);
int get_whois(struct str body, struct f_whois *f) MUST_CHECK;
void put_watch(struct buf *b, const struct f_watch *f);
int get_watch(struct str body, struct f_watch *f) MUST_CHECK;
void put_status(struct buf *b, const struct f_status *f);
int get_status(struct str body, struct f_status *f) MUST_CHECK;
void put_kick(struct buf *b, const struct f_kick *f);
int get_kick(struct str body, struct f_kick *f) MUST_CHECK;
void put_join(struct buf *b, const struct f_join *f);
int get_join(struct str body, struct f_join *f) MUST_CHECK;
void put_joined(struct buf *b, const struct f_joined *f);
int get_joined(struct str body, struct f_joined *f) MUST_CHECK;
void put_beat(struct buf *b, const struct f_beat *f);
int get_beat(struct str body, struct f_beat *f) MUST_CHECK;
void put_topo(struct buf *b, const struct f_topo *f);
int get_topo(struct str body, struct f_topo *f) MUST_CHECK;
void put_report(struct buf *b, const struct f_report *f);
int get_report(struct str body, struct f_report *f) MUST_CHECK;
void put_job(struct buf *b, const struct f_job *f);
int get_job(struct str body, struct f_job *f) MUST_CHECK;
void put_event(struct buf *b, const struct f_event *f);
int get_event(struct str body, struct f_event *f) MUST_CHECK;

#endif
