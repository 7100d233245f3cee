/* SPDX-License-Identifier: MIT */
/* Items that mean another one: may they, and what a recall takes. log_ref.h. */
#include "proxy_server/log_ref.h"

struct ref_asked {
	const struct item *by;
	uint16_t code;
};

uint16_t
log_ref_code(const struct item *by, const struct item *meant)
{
	if (meant->kind != ITEM_MESSAGE || (meant->flags & ITEM_F_LOST))
		return 404;
	if (by->kind != ITEM_REACT &&
	    (!str_is_set(by->uid) || !str_eq(by->uid, meant->uid)))
		return 403;
	if (by->kind != ITEM_RECALL && (meant->flags & ITEM_F_GONE))
		return 409;
	return 200;
}

static bool
log_ref_on_item(void *arg, struct item *it, int64_t pchan_id)
{
	struct ref_asked *a = arg;

	(void)pchan_id;
	a->code = log_ref_code(a->by, it);
	return false;
}

int
log_ref_judge(struct logdb *db, int64_t chan, uint64_t first,
    const struct item *by, uint16_t *code)
{
	struct ref_asked a = {.by = by, .code = 404};
	uint64_t edits[LOG_EDITS_MAX];
	unsigned n;
	int err = ERR_NOTFOUND;

	if (chan != 0 && by->ref >= first && by->ref <= INT64_MAX)
		err = logdb_item_one(db, chan, by->ref, log_ref_on_item, &a);
	*code = a.code;
	if (err == ERR_NOTFOUND)
		return 0;
	if (err != 0 || a.code != 200 || by->kind != ITEM_EDIT)
		return err;
	err = logdb_edits(db, chan, by->ref, edits, LOG_EDITS_MAX, &n);
	if (err == 0 && n == LOG_EDITS_MAX)
		*code = 409;
	return err;
}

int
log_ref_erase(struct logdb *db, int64_t chan, uint64_t ref, bool *again)
{
	uint64_t edits[LOG_EDITS_MAX];
	unsigned n;
	int err = logdb_item_erase(db, chan, ref);

	/* its edits went with it */
	*again = err == 1;
	if (err != 0)
		return err == 1 || err == ERR_NOTFOUND ? 0 : err;
	err = logdb_edits(db, chan, ref, edits, LOG_EDITS_MAX, &n);
	for (unsigned i = 0; err >= 0 && i < n; i++)
		err = logdb_item_erase(db, chan, edits[i]);
	return err < 0 ? err : 0;
}
