/* SPDX-License-Identifier: MIT */
/*
 * Retention by slices. ts never goes back in a channel, so where its age ends
 * is found by halves; nothing here reads a body or scans a table.
 */
#include "proxy_server/log_trim.h"
#include "proxy_server/log_priv.h"
#include "shared/proc/clock.h"

enum { TRIM_CHANS = 64, TRIM_EVERY_MS = 3600 * 1000, TRIM_AGAIN_MS = 1000 };

static const int64_t day_ms = 24 * 3600 * 1000;

/* the first number that a channel has to keep */
static int
log_trim_keep(struct logdb *db, const struct chan_row *row,
    const struct log_settings *set, uint64_t *first)
{
	int64_t days = row->keep_days >= 0 ? row->keep_days : set->keep_days;
	int64_t items =
	    row->keep_items >= 0 ? row->keep_items : set->keep_items;
	uint64_t by_age = row->first;
	int err = 0;

	*first = row->first;
	if (row->first > row->head)
		return 0;
	if (items > 0 && row->head - row->first + 1 > (uint64_t)items)
		*first = row->head - (uint64_t)items + 1;
	if (days == 0)
		by_age = row->head + 1;
	else
		err = logdb_item_at(db, row->id, row->first, row->head,
		    clock_wall_ms() - days * day_ms, &by_age);
	if (err == 0 && by_age > *first)
		*first = by_age;
	return err;
}

/* up to where rows may go now: what is in the window of repeats stays */
static int
log_trim_below(struct logdb *db, const struct log_chans *chans,
    const struct chan_row *row, const struct log_settings *set, uint64_t first,
    uint64_t *below)
{
	int64_t days = row->keep_days >= 0 ? row->keep_days : set->keep_days;

	*below = first;
	if (days == 0 || first <= 1)
		return 0;
	return logdb_item_at(db, row->id, 1, first - 1,
	    clock_wall_ms() - LOG_WINDOW_MS - chans->ahead_ms, below);
}

static int
log_trim_chan(struct log_trim *t, struct logdb *db, struct log_chans *chans,
    struct log *l)
{
	const struct log_settings *set = &l->set;
	struct chan_row row;
	struct log_chan *c;
	uint64_t first;
	int err = logdb_chan_next(db, t->chan, &row);

	if (err == ERR_NOTFOUND) {
		t->running = false;
		t->due_ms = clock_mono_ms() +
			    (set->trim_ms > 0 ? set->trim_ms : TRIM_EVERY_MS);
		return 0;
	}
	if (err != 0)
		return err;
	t->chan = row.id;
	err = log_trim_keep(db, &row, set, &first);
	if (err == 0 && first > row.first) {
		err = logdb_chan_first(db, row.id, first);
		c = log_chans_find(chans, chan_str(&row.name));
		if (err == 0 && c != NULL)
			c->first = first;
		if (err == 0)
			log_post_trimmed(l, chan_str(&row.name), first);
	}
	if (err == 0)
		err = log_trim_below(db, chans, &row, set, first, &t->below);
	return err;
}

int
log_trim_slice(struct log_trim *t, struct logdb *db, struct log_chans *chans,
    struct log *l)
{
	unsigned dropped = 0;
	int err = 0;

	for (int i = 0; i < TRIM_CHANS && t->running && err == 0; i++) {
		if (t->below == 0) {
			err = log_trim_chan(t, db, chans, l);
			continue;
		}
		err = logdb_item_drop(
		    db, t->chan, t->below, LOG_TRIM_ROWS, &dropped);
		if (dropped > 0)
			return 0;
		t->below = 0;
	}
	if (err != 0) {
		t->running = false;
		t->due_ms = clock_mono_ms() + TRIM_AGAIN_MS;
	}
	return err;
}
