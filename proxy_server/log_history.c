/* SPDX-License-Identifier: MIT */
/*
 * gen and ep of messages.db: read, judged, drawn, written. What follows from
 * them (news, states) is writer.c's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proxy_server/log_history.h"
#include "shared/base/digest.h"
#include "shared/proc/log.h"

static const char *const sync_name[] = {
    [LOG_SYNC_FULL] = "full",
    [LOG_SYNC_NORMAL] = "normal",
    [LOG_SYNC_OFF] = "off",
};

/*
 * Is the history still the one that clients know? (design.md section 2.) seen:
 * what the last holder wrote into the lock file.
 */
static bool
log_history_is_other(const struct log_history *h,
    const struct lock_holder *seen, uint64_t gen, bool crashed)
{
	struct logdb *db = h->db;
	char sync[16] = "";
	uint64_t made;

	if (strspn(h->self->ep, "0123456789abcdef") != EP_LEN)
		return true;
	if (seen->gen > gen && !strcmp(seen->ep, h->self->ep)) {
		log_warn("%s is an older copy (gen %" PRIu64 ", was %" PRIu64
			 "): new history",
		    db->path, gen, seen->gen);
		return true;
	}
	if (logdb_meta_get_u64(db, "backup", &made) == 0 && made != 0) {
		log_warn("%s is a backup: new history", db->path);
		return true;
	}
	if (crashed && logdb_meta_get(db, "sync", sync, sizeof sync) == 0 &&
	    strcmp(sync, sync_name[LOG_SYNC_FULL])) {
		log_warn("the machine went down with sync %s, its last items "
			 "may be lost: new history",
		    sync);
		return true;
	}
	return false;
}

static int
log_history_write(struct log_history *h, const char *ep)
{
	struct logdb *db = h->db;
	int err = logdb_begin(db);

	if (err == 0)
		err = logdb_meta_set_u64(db, "gen", h->self->gen);
	if (err == 0)
		err = logdb_meta_set(db, "ep", ep);
	if (err == 0)
		err = logdb_meta_set(db, "cluster", h->set->cluster);
	if (err == 0)
		err = logdb_meta_set(db, "boot_id", h->boot);
	if (err == 0)
		err = logdb_meta_set(db, "sync", sync_name[h->set->sync]);
	if (err == 0)
		err = logdb_clocks(db, h->same_boot, &h->jump_ms);
	if (err == 0)
		err = logdb_meta_set_u64(db, "clean", 0);
	if (err == 0)
		err = logdb_meta_set_u64(db, "backup", 0);
	if (err == 0)
		err = logdb_commit(db);
	if (err != 0)
		logdb_rollback(db);
	return err;
}

int
log_history_save(struct log_history *h)
{
	uint8_t raw[EP_LEN / 2];
	char ep[EP_LEN + 1];
	int err;

	memcpy(ep, h->self->ep, sizeof ep);
	if (h->redraw) {
		digest_random(raw, sizeof raw);
		digest_hex(raw, sizeof raw, ep);
	}
	err = log_history_write(h, ep);
	h->unsaved = err != 0;
	if (err != 0)
		return err;
	memcpy(h->self->ep, ep, sizeof ep);
	h->redraw = false;
	return 0;
}

/* what the file says of itself; gen 0 and clean: it is new */
static int
log_history_read(struct log_history *h, uint64_t *gen, bool *crashed)
{
	char cluster[ID_MAX + 1] = "", was_boot[BOOT_ID_LEN + 1] = "";
	struct logdb *db = h->db;
	uint64_t clean = 1;
	int err = logdb_meta_get(db, "cluster", cluster, sizeof cluster);

	if (err == 0 && strcmp(cluster, h->set->cluster)) {
		snprintf(db->why, sizeof db->why,
		    "%.300s belongs to the cluster %s, not to %.40s", db->path,
		    cluster, h->set->cluster);
		return ERR_FOREIGN;
	}
	if (err == 0 || err == ERR_NOTFOUND)
		err = logdb_meta_get(db, "ep", h->self->ep, sizeof h->self->ep);
	if (err == 0 || err == ERR_NOTFOUND)
		err = logdb_meta_get_u64(db, "gen", gen);
	if (err == 0 || err == ERR_NOTFOUND)
		err = logdb_meta_get_u64(db, "clean", &clean);
	if (err == 0 || err == ERR_NOTFOUND)
		err = logdb_meta_get(db, "boot_id", was_boot, sizeof was_boot);
	if (err != 0 && err != ERR_NOTFOUND)
		return err;
	log_dir_boot_id(h->boot);
	h->same_boot = !strcmp(h->boot, was_boot);
	*crashed = clean == 0 && !h->same_boot;
	return 0;
}

int
log_history_take(struct log_history *h, const struct lock_holder *seen)
{
	struct logdb *db = h->db;
	uint64_t gen = 0;
	bool crashed;
	int err = log_history_read(h, &gen, &crashed);

	if (err != 0)
		return err;
	/* only a machine that went down leaves half-written pages */
	if (crashed) {
		log_info("the machine went down: checking %s", db->path);
		err = logdb_check(db);
		if (err != 0)
			return err;
	}
	h->redraw = log_history_is_other(h, seen, gen, crashed);
	h->self->gen = (seen->gen > gen ? seen->gen : gen) + 1;
	return log_history_save(h);
}

int
log_history_check(struct logdb *db, uint64_t gen)
{
	uint64_t now;
	int err = logdb_meta_get_u64(db, "gen", &now);

	if (err == ERR_NOTFOUND) {
		snprintf(db->why, sizeof db->why,
		    "%.300s: the database is corrupt (gen is missing): "
		    "restore it from a backup",
		    db->path);
		return ERR_CORRUPT;
	}
	if (err != 0 || now == gen)
		return err;
	snprintf(db->why, sizeof db->why,
	    "%.300s: another server has taken it over (gen %" PRIu64
	    ", ours is %" PRIu64 ")",
	    db->path, now, gen);
	return ERR_STALE;
}
