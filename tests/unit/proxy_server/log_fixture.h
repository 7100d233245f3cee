/* SPDX-License-Identifier: MIT */
/*
 * A log in a directory of its own, and what it has answered so far. Waiting is
 * always for a condition, with a deadline that fails the test.
 */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy_server/log.h"

enum { FIX_PAGE_MAX = 1000 };

struct fix_result {
	enum log_kind kind;
	uint64_t peer, req;
	struct chan_name chan;
	uint16_t code;
	uint32_t retry_ms;
	bool dup;
	uint64_t seq, useq[TO_MAX];
	int64_t ts;
	uint64_t head, first;
	uint16_t n_states;
	char key[64], val[64]; /* of the first state */
	unsigned batch;
};

struct fix {
	struct ev_loop *loop;
	struct log *log;
	struct log_settings set;
	char dir[64];
	enum log_state state;
	unsigned n_news;
	uint64_t gen;
	char ep[EP_LEN + 1], why[512];
	int exit_code;
	struct fix_result *res; /* in order of arrival */
	unsigned n_res, cap_res, batch;
	struct blob *page; /* the last one */
	unsigned n_pages;
	uint64_t req, peer;	       /* the next request's */
	struct log_backup_done backup; /* the last one's end */
	unsigned n_backups;
	uint64_t trimmed; /* first, as last told */
};

/* cmocka's: *state is a struct fix; with a log that is active, or none yet */
int fix_setup(void **state);
int fix_setup_open(void **state);
int fix_teardown(void **state);
/* runs SQL on the file, which need not be closed */
void fix_sql(struct fix *f, const char *text);

/* a fresh directory and settings for a small log; nothing opened */
void fix_init(struct fix *f);
void fix_fini(struct fix *f); /* closes, removes the directory */
/* opens and waits for a state other than WAITING */
void fix_open(struct fix *f);
void fix_start(struct fix *f); /* opens, waits for nothing */
void fix_close(struct fix *f);
void fix_path(struct fix *f, const char *name, char out[128]);
/* another one in each run, said on stderr; $CCHAT_SEED gives one back */
unsigned fix_seed(void);
/* a copy of one file of the directory under another name */
void fix_copy(struct fix *f, const char *from, const char *to);

bool fix_wait_state(struct fix *f, enum log_state state);
void fix_wait_results(struct fix *f, unsigned n);
/* turns the loop once, at most 50 ms */
void fix_turn(struct fix *f);

/* an append of "text" by uid with cid into chan; more can be set before
 * fix_send() */
struct f_append fix_append(
    const char *chan, const char *uid, const char *cid, const char *text);
int fix_send(struct fix *f, struct f_append *a); /* what log_submit said */
void fix_touch(struct fix *f, const char *chan, uint64_t from, const char *ep,
    bool states);
int fix_set(struct fix *f, const char *chan, const char *key, const char *val);
/* ep: of the history it is a place in */
struct fix_result *fix_raise(struct fix *f, const char *chan, const char *key,
    uint64_t n, const char *ep);
struct fix_result *fix_raise_as(struct fix *f, const struct f_raise *raise);
struct fix_result *fix_get(struct fix *f, const char *chan, const char *key);
/* entries point into the page, as do the strings of what is returned */
struct f_stated fix_states(
    struct fix *f, const struct f_states *q, struct state_rec *recs);
struct f_inboxed fix_inbox(
    struct fix *f, const struct f_inbox *q, struct inbox_entry *entries);
/* sends and waits for the answer */
struct fix_result *fix_do(struct fix *f, struct f_append *a);
struct fix_result *fix_do_touch(struct fix *f, const char *chan, bool states);
struct fix_result *fix_last(struct fix *f);

/* reads and waits; items point into the page, which lives until the next read
 */
struct f_page fix_read(
    struct fix *f, const struct f_read *q, struct item *items);

#endif
