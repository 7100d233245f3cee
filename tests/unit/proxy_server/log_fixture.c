/* SPDX-License-Identifier: MIT */
/* A log under test. See log_fixture.h. */
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/base/digest.h"
#include "shared/proc/clock.h"
#include "shared/proto/link.h"
#include "tests/unit/proxy_server/log_fixture.h"

enum { FIX_DEADLINE_S = 60 };

static void
fix_on_state(void *arg, enum log_state state, uint64_t gen, const char *ep,
    const char *why, int exit_code)
{
	struct fix *f = arg;

	f->state = state;
	f->gen = gen;
	snprintf(f->ep, sizeof f->ep, "%s", ep);
	snprintf(f->why, sizeof f->why, "%s", why);
	f->exit_code = exit_code;
	f->n_news++;
}

static struct str
fix_chan(const struct log_op *op)
{
	switch (op->kind) {
	case LOG_APPEND:
		return op->append.chan;
	case LOG_TOUCH:
		return op->sub.chan;
	case LOG_SET:
		return op->set.chan;
	case LOG_RAISE:
		return op->raise.chan;
	case LOG_GET:
		return op->get.chan;
	}
	return STR_NONE;
}

static void
fix_on_done(void *arg, struct log_op *op)
{
	struct fix *f = arg;
	struct fix_result *r;
	struct str rest = buf_str(&op->states);
	struct state_rec rec;

	if (f->n_res == f->cap_res) {
		f->cap_res = f->cap_res == 0 ? 64 : f->cap_res * 2;
		f->res = realloc(f->res, f->cap_res * sizeof *f->res);
		assert_non_null(f->res);
	}
	r = &f->res[f->n_res++];
	memset(r, 0, sizeof *r);
	r->kind = op->kind;
	r->peer = op->peer;
	r->req = op->kind == LOG_APPEND ? op->append.req : 0;
	assert_int_equal(chan_parse(fix_chan(op), &r->chan), 0);
	r->code = op->code;
	r->retry_ms = op->retry_ms;
	r->dup = op->dup;
	r->seq = op->seq;
	memcpy(r->useq, op->useq, sizeof r->useq);
	r->ts = op->ts;
	r->head = op->head;
	r->first = op->first;
	r->n_states = op->n_states;
	r->batch = f->batch;
	if (op->n_states > 0) {
		assert_int_equal(log_states_next(&rest, &rec), 0);
		str_copy(r->key, sizeof r->key, rec.key);
		str_copy(r->val, sizeof r->val, rec.val);
		for (unsigned i = 1; i < op->n_states; i++)
			assert_int_equal(log_states_next(&rest, &rec), 0);
		assert_int_equal(log_states_next(&rest, &rec), ERR_EOF);
	}
}

static void
fix_on_batch_end(void *arg)
{
	((struct fix *)arg)->batch++;
}

static void
fix_on_page(void *arg, uint64_t peer, struct blob *frame)
{
	struct fix *f = arg;

	assert_int_equal(peer, f->peer);
	blob_unref(f->page);
	f->page = blob_ref(frame);
	f->n_pages++;
}

static void
fix_on_trimmed(void *arg, struct str chan, uint64_t first)
{
	struct fix *f = arg;

	(void)chan;
	f->trimmed = first;
}

static void
fix_on_backup(void *arg, uint64_t token, const struct log_backup_done *done)
{
	struct fix *f = arg;

	assert_int_equal(token, 99);
	f->backup = *done;
	f->n_backups++;
}

static const struct log_ops fix_ops = {
    .on_state = fix_on_state,
    .on_done = fix_on_done,
    .on_batch_end = fix_on_batch_end,
    .on_page = fix_on_page,
    .on_trimmed = fix_on_trimmed,
    .on_backup = fix_on_backup,
};

void
fix_init(struct fix *f)
{
	const char *tmp = getenv("TMPDIR");

	memset(f, 0, sizeof *f);
	snprintf(f->dir, sizeof f->dir, "%s/cchat-log-XXXXXX",
	    tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->loop = ev_loop_new(EVBACKEND_EPOLL);
	assert_non_null(f->loop);
	f->peer = 7;
	f->set = (struct log_settings){.dir = f->dir,
	    .name = "px1",
	    .cluster = "test",
	    .sync = LOG_SYNC_FULL,
	    .keep_days = 90};
}

void
fix_close(struct fix *f)
{
	log_close(f->log);
	f->log = NULL;
}

void
fix_fini(struct fix *f)
{
	struct dirent *e;
	char path[400];
	DIR *d;

	fix_close(f);
	blob_unref(f->page);
	free(f->res);
	ev_loop_destroy(f->loop);
	d = opendir(f->dir);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	assert_int_equal(rmdir(f->dir), 0);
}

unsigned
fix_seed(void)
{
	const char *given = getenv("CCHAT_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10)
			      : (unsigned)digest_random_u64();

	fprintf(stderr, "# seed %u\n", seed);
	return seed;
}

void
fix_path(struct fix *f, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", f->dir, name);
}

void
fix_copy(struct fix *f, const char *from, const char *to)
{
	char a[128], b[128], chunk[65536];
	FILE *in, *out;
	size_t n;

	fix_path(f, from, a);
	fix_path(f, to, b);
	in = fopen(a, "rb");
	out = fopen(b, "wb");
	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(chunk, 1, sizeof chunk, in)) > 0)
		assert_int_equal(fwrite(chunk, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

static void
fix_on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

void
fix_turn(struct fix *f)
{
	ev_timer t;

	ev_timer_init(&t, fix_on_timer, 0.05, 0);
	ev_now_update(f->loop);
	ev_timer_start(f->loop, &t);
	ev_run(f->loop, EVRUN_ONCE);
	ev_timer_stop(f->loop, &t);
}

bool
fix_wait_state(struct fix *f, enum log_state state)
{
	int64_t end = clock_mono_ms() + FIX_DEADLINE_S * 1000;

	while (f->state != state || f->n_news == 0) {
		if (clock_mono_ms() > end)
			return false;
		fix_turn(f);
	}
	return true;
}

void
fix_wait_results(struct fix *f, unsigned n)
{
	int64_t end = clock_mono_ms() + FIX_DEADLINE_S * 1000;

	while (f->n_res < n) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
}

void
fix_start(struct fix *f)
{
	f->state = LOG_WAITING;
	f->n_news = 0;
	f->n_res = 0;
	f->batch = 0;
	f->log = log_open(f->loop, &f->set, &fix_ops, f);
}

void
fix_open(struct fix *f)
{
	int64_t end = clock_mono_ms() + FIX_DEADLINE_S * 1000;

	fix_start(f);
	while (f->state == LOG_WAITING) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
}

struct f_append
fix_append(const char *chan, const char *uid, const char *cid, const char *text)
{
	return (struct f_append){.chan = str_of(chan),
	    .item = {.kind = ITEM_MESSAGE,
		.uid = str_of(uid),
		.cid = str_of(cid),
		.cn = 4294967297,
		.name = STR_LIT("Ann"),
		.crc = digest_crc32c(0, text, text ? strlen(text) : 0),
		.body = str_of(text)}};
}

/* the frame's body, as a link hands it over */
static int
fix_submit(struct fix *f, enum log_kind kind, struct buf *b)
{
	struct str body;
	struct log_op *op;
	int err;

	assert_true(buf_ok(b));
	body = str_n(buf_p(b) + LINK_HEAD, buf_len(b) - LINK_HEAD - 4);
	assert_int_equal(log_op_new(kind, f->peer, body, &op), 0);
	buf_fini(b);
	err = log_submit(f->log, op);
	if (err != 0)
		log_op_free(op);
	return err;
}

int
fix_send(struct fix *f, struct f_append *a)
{
	struct buf b;

	a->req = ++f->req;
	buf_init(&b, LINK_FRAME_MAX + 4);
	put_append(&b, a);
	return fix_submit(f, LOG_APPEND, &b);
}

void
fix_touch(
    struct fix *f, const char *chan, uint64_t from, const char *ep, bool states)
{
	struct f_sub sub = {.ch = 1,
	    .chan = str_of(chan),
	    .from_seq = from,
	    .ep = str_of(ep),
	    .want_state = states};
	struct buf b;

	buf_init(&b, LINK_FRAME_MAX);
	put_sub(&b, &sub);
	assert_int_equal(fix_submit(f, LOG_TOUCH, &b), 0);
}

int
fix_set(struct fix *f, const char *chan, const char *key, const char *val)
{
	struct f_set set = {.chan = str_of(chan),
	    .rec = {.key = str_of(key), .val = str_of(val)}};
	struct buf b;

	buf_init(&b, LINK_FRAME_MAX);
	put_set(&b, &set);
	return fix_submit(f, LOG_SET, &b);
}

struct fix_result *
fix_raise(struct fix *f, const char *chan, const char *key, uint64_t n,
    const char *ep)
{
	struct f_raise raise = {
	    .chan = str_of(chan), .key = str_of(key), .n = n, .ep = str_of(ep)};

	return fix_raise_as(f, &raise);
}

struct fix_result *
fix_raise_as(struct fix *f, const struct f_raise *raise)
{
	unsigned had = f->n_res;
	struct buf b;

	buf_init(&b, LINK_FRAME_MAX);
	put_raise(&b, raise);
	assert_int_equal(fix_submit(f, LOG_RAISE, &b), 0);
	fix_wait_results(f, had + 1);
	return fix_last(f);
}

struct fix_result *
fix_get(struct fix *f, const char *chan, const char *key)
{
	struct f_get get = {.chan = str_of(chan), .key = str_of(key)};
	unsigned had = f->n_res;
	struct buf b;

	buf_init(&b, LINK_FRAME_MAX);
	put_get(&b, &get);
	assert_int_equal(fix_submit(f, LOG_GET, &b), 0);
	fix_wait_results(f, had + 1);
	return fix_last(f);
}

/* the next page: its body */
static struct str
fix_answer(struct fix *f, unsigned had)
{
	int64_t end = clock_mono_ms() + FIX_DEADLINE_S * 1000;

	while (f->n_pages == had) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	return str_n(f->page->bytes + LINK_HEAD, f->page->len - LINK_HEAD - 4);
}

struct f_stated
fix_states(struct fix *f, const struct f_states *q, struct state_rec *recs)
{
	unsigned n = f->n_pages;
	struct f_stated st;
	struct str rest;
	struct buf b;

	buf_init(&b, LINK_FRAME_MAX);
	put_states(&b, q);
	assert_int_equal(
	    log_states(f->log, f->peer,
		str_n(buf_p(&b) + LINK_HEAD, buf_len(&b) - LINK_HEAD - 4)),
	    0);
	buf_fini(&b);
	rest = fix_answer(f, n);
	assert_int_equal(get_stated(rest, &st, &rest), 0);
	assert_int_equal(st.rid, q->rid);
	for (unsigned i = 0; i < st.n; i++)
		assert_int_equal(frames_states_next(&rest, &recs[i]), 0);
	assert_int_equal(rest.len, 0);
	return st;
}

struct f_inboxed
fix_inbox(struct fix *f, const struct f_inbox *q, struct inbox_entry *entries)
{
	unsigned n = f->n_pages;
	struct f_inboxed in;
	struct str rest;
	struct buf b;

	buf_init(&b, LINK_FRAME_MAX);
	put_inbox(&b, q);
	assert_int_equal(
	    log_inbox(f->log, f->peer,
		str_n(buf_p(&b) + LINK_HEAD, buf_len(&b) - LINK_HEAD - 4)),
	    0);
	buf_fini(&b);
	rest = fix_answer(f, n);
	assert_int_equal(get_inboxed(rest, &in, &rest), 0);
	assert_int_equal(in.rid, q->rid);
	for (unsigned i = 0; i < in.n; i++)
		assert_int_equal(frames_inbox_next(&rest, &entries[i]), 0);
	assert_int_equal(rest.len, 0);
	return in;
}

struct fix_result *
fix_last(struct fix *f)
{
	assert_true(f->n_res > 0);
	return &f->res[f->n_res - 1];
}

struct fix_result *
fix_do(struct fix *f, struct f_append *a)
{
	unsigned n = f->n_res;

	assert_int_equal(fix_send(f, a), 0);
	fix_wait_results(f, n + 1);
	return fix_last(f);
}

struct fix_result *
fix_do_touch(struct fix *f, const char *chan, bool states)
{
	unsigned n = f->n_res;

	fix_touch(f, chan, SUB_HEAD, NULL, states);
	fix_wait_results(f, n + 1);
	return fix_last(f);
}

struct f_page
fix_read(struct fix *f, const struct f_read *q, struct item *items)
{
	int64_t end = clock_mono_ms() + FIX_DEADLINE_S * 1000;
	unsigned n = f->n_pages;
	struct f_page page;
	struct str rest;

	assert_int_equal(log_read(f->log, f->peer, q), 0);
	while (f->n_pages == n) {
		assert_true(clock_mono_ms() < end);
		fix_turn(f);
	}
	rest = str_n(f->page->bytes + LINK_HEAD, f->page->len - LINK_HEAD - 4);
	assert_int_equal(get_page(rest, &page, &rest), 0);
	assert_int_equal(page.rid, q->rid);
	for (unsigned i = 0; i < page.n_items; i++)
		assert_int_equal(frames_page_next(&rest, &items[i]), 0);
	assert_int_equal(rest.len, 0);
	return page;
}

/* --- what tests begin and end with --------------------------------------- */

int
fix_setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	fix_init(f);
	*state = f;
	return 0;
}

int
fix_setup_open(void **state)
{
	struct fix *f;

	fix_setup(state);
	f = *state;
	fix_open(f);
	assert_int_equal(f->state, LOG_ACTIVE);
	return 0;
}

int
fix_teardown(void **state)
{
	fix_fini(*state);
	free(*state);
	return 0;
}

void
fix_sql(struct fix *f, const char *text)
{
	char path[128];
	sqlite3 *db;

	fix_path(f, "messages.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
