/* SPDX-License-Identifier: MIT */
/*
 * When the WAL is worked off, and in which halves. See log_wal.h; what SQLite
 * is told is log_sqlite_wal.c's.
 */
#include "proxy_server/log_wal.h"

void
log_wal_init(struct log_wal *w, struct logdb *db, enum log_sync sync)
{
	*w = (struct log_wal){.db = db,
	    .halves = sync == LOG_SYNC_FULL,
	    .bound = sync == LOG_SYNC_OFF ? LOG_WAL_OFF : LOG_WAL_FRAMES};
	w->grown = !w->halves;
}

static void
log_wal_unpin(struct log_wal *w)
{
	if (w->phase == LOG_WAL_PINNED)
		logdb_unpin(&w->pin);
	w->phase = LOG_WAL_CALM;
}

void
log_wal_fini(struct log_wal *w)
{
	log_wal_unpin(w);
	logdb_close(&w->pin);
}

/* without a pin all is done at the bound, in one */
static void
log_wal_pin(struct log_wal *w)
{
	int err = 0;

	w->phase = LOG_WAL_CALM;
	if (w->pin.db == NULL)
		err = logdb_open_beside(&w->pin, w->db);
	if (err == 0)
		err = logdb_pin(&w->pin);
	if (err != 0) {
		logdb_close(&w->pin);
		return;
	}
	w->mark = w->frames;
	w->phase = LOG_WAL_PINNED;
}

static int
log_wal_part(struct log_wal *w, int64_t now)
{
	int err = logdb_checkpoint(w->db);

	log_wal_unpin(w);
	if (err != 0)
		return err;
	logdb_write_out(w->db);
	w->copied = w->mark;
	w->copied_ms = now;
	w->phase = LOG_WAL_COPIED;
	w->rounds++;
	w->parts++;
	return 0;
}

static int
log_wal_whole(struct log_wal *w)
{
	int err;

	log_wal_unpin(w);
	err = logdb_checkpoint(w->db);
	w->copied = w->frames;
	w->finished = w->db->wal_commits;
	w->rounds = 0;
	w->wholes++;
	return err;
}

int
log_wal_step(struct log_wal *w, int64_t now, int64_t idle_ms)
{
	/* it has begun anew */
	if (w->db->wal_frames < w->frames)
		w->copied = 0;
	w->frames = w->db->wal_frames;
	if (idle_ms >= LOG_WAL_IDLE_MS)
		return w->db->wal_commits != w->finished ? log_wal_whole(w) : 0;
	/* over the bound somebody reads what can't be overwritten */
	if (w->frames >= w->bound)
		return w->frames >= w->copied + LOG_WAL_STEP ? log_wal_whole(w)
							     : 0;
	switch (w->phase) {
	case LOG_WAL_CALM:
		if (w->halves && w->frames >= w->copied + LOG_WAL_START)
			log_wal_pin(w);
		break;
	case LOG_WAL_PINNED:
		if (w->frames > w->mark)
			return log_wal_part(w, now);
		break;
	case LOG_WAL_COPIED:
		if (now - w->copied_ms < LOG_WAL_OUT_MS)
			break;
		if (w->frames <= w->copied + LOG_WAL_REST ||
		    w->rounds >= LOG_WAL_ROUNDS)
			return log_wal_whole(w);
		log_wal_pin(w);
		break;
	}
	return 0;
}

int64_t
log_wal_wait_ms(const struct log_wal *w)
{
	if (w->phase == LOG_WAL_COPIED)
		return LOG_WAL_OUT_MS;
	return w->db->wal_commits != w->finished ? LOG_WAL_IDLE_MS : -1;
}

bool
log_wal_may_grow(const struct log_wal *w)
{
	return !w->grown && w->db->wal_commits >= LOG_WAL_USED;
}

void
log_wal_grow(struct log_wal *w)
{
	const int64_t frame = LOG_WAL_FRAME_HEAD + LOG_WAL_PAGE;

	w->grown =
	    !logdb_wal_grow(w->db, LOG_WAL_HEAD + LOG_WAL_FRAMES * frame);
}
