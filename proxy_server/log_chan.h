/* SPDX-License-Identifier: MIT */
/*
 * What the writer keeps in memory of a channel: its counters and its window of
 * recent (uid, cid) pairs, by which a repeated append is known (10 min and
 * 65,536 items a channel, 64 MiB in all). A cache and no more: everything in it
 * can be read again from messages.db, so an entry may be forgotten at any
 * time between two commits, and is after a commit that failed. So what nobody
 * has used for LOG_REST_MS goes, unless retention has taken rows that its
 * window still knows of: memory follows what is in use, not what once was.
 *
 * Belongs to the writer's thread. Pointers to a channel stay good until
 * log_chans_trim(), log_chans_rest() or log_chans_forget().
 */
#ifndef PROXY_SERVER_LOG_CHAN_H
#define PROXY_SERVER_LOG_CHAN_H

#include "proxy_server/log_sqlite.h"
#include "shared/base/slab.h"
#include "shared/base/table.h"

enum {
	LOG_CHANS_MAX = 65536,
	LOG_WINDOW_ITEMS = 65536,
	LOG_WINDOW_MS = 10 * 60 * 1000,
	LOG_REST_MS = 2 * 60 * 1000,
	LOG_WINDOW_BYTES = 64 * 1024 * 1024
};

/* a keyed 128-bit hash of (uid, cid) stands for the pair */
struct window_key {
	uint64_t lo, hi;
};

struct window_entry {
	struct window_key key;
	uint64_t seq;
	int64_t ts;    /* as stored: what a repeat is answered */
	int64_t since; /* steady clock, ms: when it came into the window */
	uint32_t next; /* in its bucket: index + 1, 0 ends */
};

/* entries in the order of seq in a ring; buckets chain their indexes */
struct window {
	struct window_entry *ring; /* owned, `cap` of them (a power of two) */
	uint32_t *bucket;	   /* owned, `cap` of them */
	uint32_t cap, from, n;
};

struct log_chan {
	struct table_link by_name;
	struct log_chan *prev, *next; /* LRU, most recent at the end */
	struct log_chan *next_dirty;
	int64_t id; /* 0: has no row yet */
	uint64_t head, first;
	int64_t last_ts;
	uint64_t used;		/* turn of its last use */
	struct window *window;	/* owned; NULL: nothing in it */
	uint32_t used_s;	/* steady clock, when it was used last */
	bool dirty;	 /* counters changed in the commit being built */
	bool has_window; /* window is loaded */
	struct chan_name name; /* the last, and as long as it is */
};

struct log_chans {
	struct table map; /* by name */
	struct log_chan *lru;
	struct slab slab;
	unsigned n, max;
	size_t window_bytes, window_max;
	uint32_t window_cap; /* items a channel now: less when all are busy */
	uint32_t now_s;	     /* steady clock, as log_chans_rest() heard */
	int64_t offset_ms;   /* of the wall clock to it */
	int64_t stay_ms;     /* until then (steady) nothing is forgotten */
	int64_t ahead_ms;    /* by which it was put ahead; good until then */
	uint64_t turn;	     /* commits so far */
};

void log_chans_init(struct log_chans *cs);
void log_chans_fini(struct log_chans *cs);
/* loads it on first touch; one that has no row yet comes with id 0, head 0,
 * first 1 */
int log_chans_get(struct log_chans *cs, struct logdb *db, struct str name,
    struct log_chan **out) MUST_CHECK;
/* only if it is in memory */
struct log_chan *log_chans_find(struct log_chans *cs, struct str name);
void log_chans_forget(struct log_chans *cs, struct log_chan *c);
/*
 * Between commits: back under the bounds. What has not been used for a while
 * is forgotten (and read again when needed); if that is not enough, all
 * windows are cut to fewer items: beyond them a repeat is a new item.
 */
void log_chans_trim(struct log_chans *cs);
/*
 * Both clocks, before either is judged by. By how much the wall clock has been
 * put ahead in the last LOG_WINDOW_MS: rows look that much older than they are.
 */
int64_t log_chans_clock(struct log_chans *cs, int64_t steady, int64_t wall);
/* between commits, and when there are none: forgets some of what rests, and
 * more the next time. Nothing for LOG_WINDOW_MS when the wall clock was put
 * ahead: what is read again would seem too old */
void log_chans_rest(struct log_chans *cs, int64_t steady, int64_t wall);

/*
 * Ten minutes are those of the steady clock: the wall clock may jump under a
 * repeat. Only what is read from the file is judged by its ts, and from then on
 * is as young as the reading.
 *
 * Reads the window unless it is loaded; what is younger than `oldest` (wall),
 * or was before log_chans_clock() heard the wall clock put ahead.
 */
int log_chan_window(struct log_chans *cs, struct logdb *db, struct log_chan *c,
    int64_t oldest, int64_t steady) MUST_CHECK;
struct window_key log_chan_key(struct str uid, struct str cid);
/* NULL: not within the window */
const struct window_entry *log_chan_seen(
    struct log_chan *c, struct window_key key, int64_t steady);
void log_chan_note(struct log_chans *cs, struct log_chan *c,
    struct window_key key, uint64_t seq, int64_t ts, int64_t steady);

#endif
