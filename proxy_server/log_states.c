/* SPDX-License-Identifier: MIT */
/*
 * One page of state records. See log_states.h. What damage has made of a
 * record is left out: it would end the link.
 */
#include "proxy_server/log_states.h"
#include "shared/base/utf8.h"
#include "shared/proc/clock.h"
#include "shared/proto/link.h"

struct states {
	const struct f_states *q;
	struct f_stated f;
	struct buf recs;
};

static bool
states_on_rec(void *arg, const struct state_rec *rec)
{
	struct states *s = arg;

	if (rec->key.len == 0 || rec->key.len > STATE_KEY_MAX ||
	    rec->val.len > STATE_VAL_MAX ||
	    !utf8_valid(rec->key.p, rec->key.len))
		return true;
	if (s->f.n == s->q->n || buf_len(&s->recs) >= STATES_PAGE_BYTES) {
		s->f.more = true;
		return false;
	}
	put_stated_rec(&s->recs, rec);
	s->f.n++;
	return true;
}

static struct blob *
states_frame(const struct f_stated *f, const struct buf *recs)
{
	struct blob *frame;
	struct buf b;
	size_t mark;

	buf_init(&b, LINK_FRAME_MAX + LINK_HEAD);
	mark = put_stated_begin(&b, f);
	if (recs != NULL)
		buf_putstr(&b, buf_str(recs));
	put_stated_end(&b, mark);
	frame = blob_take(&b);
	buf_fini(&b);
	return frame;
}

struct blob *
log_states_failed(const struct f_states *q)
{
	struct f_stated f = {.rid = q->rid, .code = 503};

	return states_frame(&f, NULL);
}

/* what is above all that begin with prefix: no text has this byte in it */
static struct str
states_end(struct str prefix, char end[STATE_KEY_MAX + 1])
{
	memcpy(end, prefix.p, prefix.len);
	end[prefix.len] = (char)0xff;
	return str_n(end, prefix.len + 1);
}

static int
states_read(struct logdb *db, struct states *s, char ep[EP_LEN + 1])
{
	const struct f_states *q = s->q;
	char room[STATE_KEY_MAX + 1];
	struct str end = states_end(q->prefix, room);
	int64_t now = clock_wall_ms();
	struct chan_row c;
	uint64_t n = 0;
	int err = logdb_meta_get(db, "ep", ep, EP_LEN + 1);

	if (err != 0)
		return err;
	s->f.ep = str_of(ep);
	err = logdb_chan_get(db, q->chan, &c);
	if (err == ERR_NOTFOUND)
		return 0;
	if (err == 0)
		err = logdb_state_page(db, c.id, q->prefix, end,
		    str_is_set(q->after) ? q->after : STR_LIT(""), now,
		    states_on_rec, s);
	if (err == 0 && q->count)
		err = logdb_state_count(db, c.id, q->prefix, end, now, &n);
	s->f.count = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	return err;
}

int
log_states_page(struct logdb *db, const struct f_states *q, struct blob **frame)
{
	struct states s = {.q = q, .f = {.rid = q->rid, .code = 200}};
	char ep[EP_LEN + 1];
	int err;

	buf_init(&s.recs, LINK_FRAME_MAX);
	err = states_read(db, &s, ep);
	if (err == 0)
		*frame = states_frame(&s.f, &s.recs);
	buf_fini(&s.recs);
	return err;
}
