/* SPDX-License-Identifier: MIT */
/*
 * Inside of the relay, shared by relay.c (links, who is active, tasks),
 * relay_frames.c (what the active one says), relay_tasks.c (later, ticks),
 * relay_calls.c (appends, reads, whos and their deadlines) and channel.c.
 */
#ifndef MSG_SERVER_FOLLOW_RELAY_PRIV_H
#define MSG_SERVER_FOLLOW_RELAY_PRIV_H

#include "msg_server/follow/channel.h"
#include "msg_server/follow/relay.h"
#include "shared/base/map.h"
#include "shared/net/dial.h"
#include "shared/proc/log.h"
#include "shared/svc/linkconn.h"

enum {
	RELAY_PROXIES_MAX = 16,
	RELAY_PAST_MAX = 8,
	RELAY_UNACKED_MAX = 4096,
	RELAY_UNACKED_BYTES = 4 * 1024 * 1024,
	RELAY_CALLS_MAX = 4096,
	/* of answers under way: a link takes 64 MiB, and then it is reset */
	RELAY_ANSWERS_BYTES = 16 * 1024 * 1024,
	RELAY_ANSWER_BYTES = 64 * 1024, /* one whose size nobody has set */
	RELAY_ANSWER_MS = 10000, /* an append unanswered: 503, but it stays */
	RELAY_WAIT_MS =
	    3000, /* reads, whos, first subscriptions without an active proxy */
	RELAY_TICK_MS = 200,
	/* a refusal that asks for no more patience than this means "not now":
	   the append is held and sent again, its caller hears nothing */
	RELAY_HOLD_MS = 1000,
	CHANNEL_IDLE_S = 30,
	CHANNEL_HELD_MAX = 256 * 1024,	  /* live items of one channel */
	RELAY_HELD_MAX = 32 * 1024 * 1024 /* of all together */
};

struct relay_link;

/* one proxy_server we keep a link to */
struct proxy {
	struct relay *relay;
	struct dial dial;
	struct addr addr;
	struct relay_link *link; /* the live connection, or NULL; borrowed:
				    frees itself in on_dead */
	uint64_t gen;		 /* as it said last, with ep and active */
	char ep[EP_LEN + 1];
	bool active;
	bool unlisted; /* the topology has it no more: kept while it is linked */
};

struct relay_link {
	struct linkconn lc;
	struct proxy *proxy; /* NULL: given up, waits for its end */
};

/* an append on its way; in order of req */
struct unacked {
	struct unacked *prev, *next;
	UT_hash_handle hh; /* by req */
	uint64_t req;
	struct blob *frame;
	struct relay_append
	    *call; /* NULL: answered 503, but still to be stored */
	int64_t since_ms;
	int64_t hold_until_ms; /* the proxy was busy: again then */
	bool on_link; /* the present active link has it, unanswered */
};

/* a read or who; the request is kept to be asked again of the next active */
struct asked {
	struct asked *prev, *next;
	UT_hash_handle hh; /* by rid */
	uint32_t rid;
	struct blob *frame;
	struct relay_read *read; /* one */
	struct relay_who *who;	 /* of these */
	struct relay_get *get;
	struct relay_inbox *inbox;
	struct relay_states *states;
	int64_t since_ms;
	uint32_t cost; /* bytes of the answer, about */
	bool sent; /* on the present active link */
	bool held; /* for want of room for its answer */
};

struct relay {
	struct server *srv;
	struct net *net;
	const struct relay_ops *ops;
	struct link_id self;
	uint8_t key[32];
	struct proxy *proxies[RELAY_PROXIES_MAX];
	size_t n_proxies;
	struct proxy *active;
	int64_t active_ms; /* when the last one was lost */
	uint64_t gen;
	char ep[EP_LEN + 1];
	/* histories that were followed before, newest first */
	struct relay_past {
		char ep[EP_LEN + 1];
		uint64_t gen; /* the last one seen of it */
	} past[RELAY_PAST_MAX];
	/* what channel.ep_no - 1 names, shared by all that are in one history;
	 * mostly there is one, and while that changes two */
	struct relay_ep {
		char ep[EP_LEN + 1];
		uint32_t refs; /* 0: may be another's */
	} *eps; /* owned */
	uint32_t n_eps;
	struct table channels; /* by ch */
	const struct channel_ops *channel_ops[2]; /* of rooms, of users */
	struct channel_busy *waiting; /* channels somebody waits for */
	uint32_t next_ch, next_rid;
	uint64_t next_req;
	struct unacked *unacked, *unacked_by_req;
	/* the first that is not on the present active link, nor are those
	   behind it */
	struct unacked *unsent;
	size_t n_unacked, unacked_bytes;
	struct buf append; /* one being written */
	struct asked *asked, *asked_by_rid;
	size_t n_asked, n_held;
	size_t answers; /* bytes that those sent will cost */
	struct relay_task *later, **later_end, *retry, **retry_end;
	struct net_turn turn;
	struct timer tick, soon;
	size_t held;	    /* bytes in all channels' held */
	struct wheel wheel; /* channels about to be unsubscribed */
	struct log_limit limit;
	uint64_t repairs;
	bool closing;
};

/* the buffer of frames to the active proxy, or NULL when there is none */
struct buf *relay_out(struct relay *r);
/* something has a deadline now: keep ticking */
void relay_wake(struct relay *r);

/* --- relay_tasks.c --- */
void tasks_init(struct relay *r);
void tasks_run_all(struct relay *r); /* the last ones */
void tasks_fini(struct relay *r);

/* --- relay_frames.c --- */
int relay_on_log_frame(struct relay *r, uint8_t type, struct str body);
/* words of one that is not active any more; of a lower gen they end the link */
int relay_on_late_frame(struct relay *r, uint8_t type, struct str body);

/* --- relay_calls.c --- */
void calls_on_promote(struct relay *r); /* resend all, in order */
void calls_push(
    struct relay *r); /* send what is unsent while there is credit */
void calls_on_ack(struct relay *r, const struct f_ack *ack);
void calls_on_nak(struct relay *r, const struct f_nak *nak);
int calls_on_page(struct relay *r, struct str body);
int calls_on_whois(struct relay *r, struct str body);
int calls_on_got(struct relay *r, struct str body);
int calls_on_inboxed(struct relay *r, struct str body);
int calls_on_stated(struct relay *r, struct str body);
/* deadlines; true while anything waits */
bool calls_tick(struct relay *r, int64_t now);
void calls_free(struct relay *r);

#endif
