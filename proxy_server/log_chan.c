/* SPDX-License-Identifier: MIT */
/*
 * The writer's memory of channels. The only rule worth knowing: seq, ts and age
 * of a window's entries rise together, so what is too old is always in front,
 * and where a window begins in the file is found by halves.
 */
#include <stddef.h>
#include <stdlib.h>

#include "proxy_server/log_chan.h"
#include "shared/base/map.h"
#include "shared/proc/clock.h"

enum {
	WINDOW_FIRST_CAP = 8,
	CHAN_COLD_TURNS = 1000, /* commits without it */
	CHAN_REST_SLICE = 64,	/* looked at in one go */
	CHAN_JUMP_MS = 1000	/* more is no drift */
};
static const size_t window_cost =
    sizeof(struct window_entry) + sizeof(uint32_t);

static uint32_t
window_bucket(const struct window *w, struct window_key key)
{
	return (uint32_t)key.lo & (w->cap - 1);
}

static void
window_link(struct window *w, uint32_t at)
{
	uint32_t *b = &w->bucket[window_bucket(w, w->ring[at].key)];

	w->ring[at].next = *b;
	*b = at + 1;
}

static void
window_drop_oldest(struct window *w)
{
	uint32_t at = w->from;
	uint32_t *p = &w->bucket[window_bucket(w, w->ring[at].key)];

	while (*p != at + 1)
		p = &w->ring[*p - 1].next;
	*p = w->ring[at].next;
	w->from = (at + 1) & (w->cap - 1);
	w->n--;
}

/* another size; of too many the newest are kept */
static void
window_resize(struct log_chans *cs, struct window *w, uint32_t cap)
{
	struct window old = *w;
	uint32_t skip = old.n > cap ? old.n - cap : 0;

	w->cap = cap;
	w->ring = xmalloc(cap * sizeof *w->ring);
	w->bucket = xcalloc(cap, sizeof *w->bucket);
	w->from = 0;
	w->n = old.n - skip;
	for (uint32_t i = 0; i < w->n; i++) {
		w->ring[i] = old.ring[(old.from + skip + i) & (old.cap - 1)];
		window_link(w, i);
	}
	free(old.ring);
	free(old.bucket);
	cs->window_bytes += cap * window_cost;
	cs->window_bytes -= old.cap * window_cost;
}

static void
window_forget(struct log_chans *cs, struct log_chan *c)
{
	struct window *w = c->window;

	c->has_window = false;
	if (w == NULL)
		return;
	cs->window_bytes -= w->cap * window_cost;
	free(w->ring);
	free(w->bucket);
	slab_put(&cs->slab, w, sizeof *w);
	c->window = NULL;
}

static void
window_expire(struct window *w, int64_t steady)
{
	while (w->n > 0 && w->ring[w->from].since < steady - LOG_WINDOW_MS)
		window_drop_oldest(w);
}

struct window_key
log_chan_key(struct str uid, struct str cid)
{
	char text[ID_MAX + CID_MAX + 2];
	size_t n = uid.len < ID_MAX ? uid.len : ID_MAX;
	size_t m = cid.len < CID_MAX ? cid.len : CID_MAX;
	XXH128_hash_t h;

	if (n > 0)
		memcpy(text, uid.p, n);
	text[n] = '\0'; /* in no uid, so pairs can't run together */
	if (m > 0)
		memcpy(text + n + 1, cid.p, m);
	h = XXH3_128bits_withSeed(text, n + 1 + m, map_seed);
	return (struct window_key){h.low64, h.high64};
}

const struct window_entry *
log_chan_seen(struct log_chan *c, struct window_key key, int64_t steady)
{
	struct window *w = c->window;

	if (w == NULL)
		return NULL;
	window_expire(w, steady);
	if (w->n == 0)
		return NULL;
	for (uint32_t at = w->bucket[window_bucket(w, key)]; at != 0;
	     at = w->ring[at - 1].next)
		if (w->ring[at - 1].key.lo == key.lo &&
		    w->ring[at - 1].key.hi == key.hi)
			return &w->ring[at - 1];
	return NULL;
}

void
log_chan_note(struct log_chans *cs, struct log_chan *c, struct window_key key,
    uint64_t seq, int64_t ts, int64_t steady)
{
	struct window *w = c->window;
	uint32_t at;

	if (w == NULL)
		w = c->window = slab_get(&cs->slab, sizeof *w);
	if (w->n == w->cap) {
		if (w->cap == 0)
			window_resize(cs, w, WINDOW_FIRST_CAP);
		else if (w->cap < cs->window_cap)
			window_resize(cs, w, w->cap * 2);
		else
			window_drop_oldest(w);
	}
	at = (w->from + w->n++) & (w->cap - 1);
	w->ring[at] = (struct window_entry){key, seq, ts, steady, 0};
	window_link(w, at);
}

struct window_load {
	struct log_chans *cs;
	struct log_chan *c;
	int64_t steady;
};

static void
window_load_row(
    void *arg, uint64_t seq, int64_t ts, struct str uid, struct str cid)
{
	struct window_load *load = arg;

	if (str_is_set(cid))
		log_chan_note(load->cs, load->c, log_chan_key(uid, cid), seq,
		    ts, load->steady);
}

int
log_chan_window(struct log_chans *cs, struct logdb *db, struct log_chan *c,
    int64_t oldest, int64_t steady)
{
	struct window_load load = {cs, c, steady};
	uint64_t from = 1; /* rows below `first` may be there still */
	int err = 0;

	if (c->has_window)
		return 0;
	if (c->head >= cs->window_cap && from < c->head - cs->window_cap + 1)
		from = c->head - cs->window_cap + 1;
	if (c->id != 0 && from <= c->head) {
		err = logdb_item_at(
		    db, c->id, from, c->head, oldest - cs->ahead_ms, &from);
		if (err == 0 && from <= c->head)
			err = logdb_window(
			    db, c->id, from, window_load_row, &load);
	}
	if (err != 0) {
		window_forget(cs, c);
		return err;
	}
	c->has_window = true;
	return 0;
}

void
log_chans_init(struct log_chans *cs)
{
	memset(cs, 0, sizeof *cs);
	cs->max = LOG_CHANS_MAX;
	cs->window_max = LOG_WINDOW_BYTES;
	cs->window_cap = LOG_WINDOW_ITEMS;
	cs->offset_ms = clock_wall_ms() - clock_mono_ms();
	cs->now_s = (uint32_t)(clock_mono_ms() / 1000);
}

static struct log_chan *
chan_of(const struct table_link *e)
{
	return container_of(e, struct log_chan, by_name);
}

static struct str
chan_key(const struct table_link *e)
{
	return chan_str(&chan_of(e)->name);
}

static size_t
chan_size(size_t name)
{
	return offsetof(struct log_chan, name.s) + name + 1;
}

void
log_chans_forget(struct log_chans *cs, struct log_chan *c)
{
	window_forget(cs, c);
	table_del(&cs->map, &c->by_name, chan_key);
	DL_DELETE(cs->lru, c);
	cs->n--;
	slab_put(&cs->slab, c, chan_size(c->name.len));
}

void
log_chans_fini(struct log_chans *cs)
{
	while (cs->lru != NULL)
		log_chans_forget(cs, cs->lru);
	slab_fini(&cs->slab);
}

struct log_chan *
log_chans_find(struct log_chans *cs, struct str name)
{
	struct table_link *e = table_find(&cs->map, name, chan_key);

	return e != NULL ? chan_of(e) : NULL;
}

int
log_chans_get(struct log_chans *cs, struct logdb *db, struct str name,
    struct log_chan **out)
{
	struct log_chan *c = log_chans_find(cs, name);
	struct chan_row row = {.first = 1};
	uint64_t top = 0;
	int err;

	if (c != NULL) {
		c->used = cs->turn;
		c->used_s = cs->now_s;
		if (c->next != NULL) {
			DL_DELETE(cs->lru, c);
			DL_APPEND(cs->lru, c);
		}
		*out = c;
		return 0;
	}
	if (name.len > CHAN_MAX)
		return ERR_INVALID;
	err = logdb_chan_get(db, name, &row);
	if (err != 0 && err != ERR_NOTFOUND)
		return err;
	/*
	 * A number that has a row is taken, whatever the counter says; but not
	 * that of a row which damage has moved to the end of the world.
	 */
	if (err == 0 && (err = logdb_item_head(db, row.id, &top)) != 0)
		return err;
	if (top > row.head + LOG_WINDOW_ITEMS)
		top = 0;
	c = slab_get(&cs->slab, chan_size(name.len));
	memcpy(c->name.s, name.p, name.len);
	c->name.len = (uint8_t)name.len;
	c->id = row.id;
	c->head = row.head > top ? row.head : top;
	c->first = row.first;
	c->last_ts = row.last_ts;
	c->used = cs->turn;
	c->used_s = cs->now_s;
	table_add(&cs->map, &c->by_name, chan_key);
	DL_APPEND(cs->lru, c);
	cs->n++;
	*out = c;
	return 0;
}

/* every channel is busy: each one remembers less */
static void
log_chans_cut(struct log_chans *cs)
{
	struct log_chan *c;

	cs->window_cap /= 2;
	DL_FOREACH (cs->lru, c)
		if (c->window != NULL && c->window->cap > cs->window_cap)
			window_resize(cs, c->window, cs->window_cap);
}

void
log_chans_trim(struct log_chans *cs)
{
	struct log_chan *c;

	cs->turn++;
	while (cs->n > cs->max)
		log_chans_forget(cs, cs->lru);
	if (cs->window_bytes <= cs->window_max) {
		if (cs->window_cap < LOG_WINDOW_ITEMS &&
		    cs->window_bytes < cs->window_max / 4)
			cs->window_cap *= 2;
		return;
	}
	for (c = cs->lru; c != NULL && cs->window_bytes > cs->window_max &&
			  c->used + CHAN_COLD_TURNS < cs->turn;
	     c = c->next)
		window_forget(cs, c);
	while (cs->window_bytes > cs->window_max &&
	       cs->window_cap > WINDOW_FIRST_CAP)
		log_chans_cut(cs);
}

/* does the file have all that it knows? */
static bool
chan_is_kept(const struct log_chan *c)
{
	const struct window *w = c->window;

	return w == NULL || w->n == 0 || c->first <= w->ring[w->from].seq;
}

int64_t
log_chans_clock(struct log_chans *cs, int64_t steady, int64_t wall)
{
	int64_t ahead = wall - steady - cs->offset_ms;

	cs->now_s = (uint32_t)(steady / 1000);
	cs->offset_ms = wall - steady;
	if (steady >= cs->stay_ms)
		cs->ahead_ms = 0;
	if (ahead > CHAN_JUMP_MS) {
		cs->ahead_ms += ahead;
		cs->stay_ms = steady + LOG_WINDOW_MS;
	}
	return cs->ahead_ms;
}

void
log_chans_rest(struct log_chans *cs, int64_t steady, int64_t wall)
{
	struct log_chan *c;

	/* what is read again is judged by a clock that was just put ahead */
	if (log_chans_clock(cs, steady, wall) > 0)
		return;
	for (unsigned i = 0; i < CHAN_REST_SLICE && cs->lru != NULL; i++) {
		c = cs->lru;
		if (cs->now_s - c->used_s < LOG_REST_MS / 1000)
			return;
		if (c->window != NULL)
			window_expire(c->window, steady);
		if (chan_is_kept(c)) {
			log_chans_forget(cs, c);
			continue;
		}
		/* rests on until it has expired */
		c->used_s = cs->now_s;
		DL_DELETE(cs->lru, c);
		DL_APPEND(cs->lru, c);
	}
}
