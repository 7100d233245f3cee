/* SPDX-License-Identifier: MIT */
/*
 * The watch over an active proxy: one that hangs is killed and its log taken
 * over, one that answers is left alone, and neither our own standing still nor
 * a number that another process has now leads to a kill.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy_server/log_dir.h"
#include "proxy_server/standby.h"
#include "shared/base/map.h"
#include "shared/net/listener.h"
#include "shared/proc/clock.h"
#include "shared/svc/linkconn.h"
#include "tests/unit/proxy_server/log_fixture.h"

static const uint8_t key[32] = "a key of thirty-two bytes......";
static const struct link_id self = {
    .role = ROLE_PROXY, .name = "px2", .cluster = "test"};

/* --- the active one: a process of its own --- */

static void
active_on_up(struct linkconn *lc)
{
	(void)lc;
}

static int
active_on_frame(
    struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	(void)lc;
	(void)type;
	(void)flags;
	(void)body;
	return ERR_PROTO;
}

static void
active_on_down(struct linkconn *lc, int err, const char *why)
{
	(void)lc;
	(void)err;
	(void)why;
}

static void
active_on_dead(struct linkconn *lc)
{
	free(lc);
}

static const struct linkconn_ops active_ops = {
    .on_up = active_on_up,
    .on_frame = active_on_frame,
    .on_down = active_on_down,
    .on_dead = active_on_dead,
};

static void
active_on_accept(struct listener *l, int fd, const struct addr *peer)
{
	struct linkconn *lc = calloc(1, sizeof *lc);
	struct link_id id = {
	    .role = ROLE_PROXY, .name = "px1", .cluster = "test"};

	(void)peer;
	linkconn_open(lc, l->net, fd, false, &id, key, &active_ops, NULL);
}

/* listens, holds the log, writes one byte to `ready`, answers pings */
static void
active_run(struct fix *f, int ready)
{
	char link[ADDR_TEXT_MAX];
	struct listener l;
	struct net *net;

	ev_loop_fork(f->loop);
	net = net_new(f->loop);
	if (listener_open(&l, net, STR_LIT("127.0.0.1:0"), false,
		active_on_accept, NULL) != 0)
		_exit(2);
	addr_text(&l.addr, link);
	f->set.link = link;
	fix_open(f);
	if (f->state != LOG_ACTIVE || write(ready, "x", 1) != 1)
		_exit(3);
	for (;;)
		fix_turn(f);
}

struct pair {
	struct fix f;
	struct net *net;
	struct standby *s;
	pid_t active;
};

static pid_t
spawn(struct fix *f)
{
	char c;
	int p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		active_run(f, p[1]);
	close(p[1]);
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	return pid;
}

static int
setup(void **state)
{
	struct pair *t = calloc(1, sizeof *t);

	fix_init(&t->f);
	t->active = spawn(&t->f);
	t->net = net_new(t->f.loop);
	t->s = standby_new(t->net, t->f.dir, &self, key);
	*state = t;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *t = *state;

	if (t->active > 0) {
		kill(t->active, SIGKILL);
		waitpid(t->active, NULL, 0);
	}
	fix_close(&t->f);
	clock_test_set(0, 0);
	standby_free(t->s);
	/* connections may take their 3 s to end politely */
	while (t->net->n_conns > 0)
		fix_turn(&t->f);
	net_free(t->net);
	fix_fini(&t->f);
	free(t);
	return 0;
}

static void
wait_linked(struct pair *t)
{
	int64_t end = clock_mono_ms() + 60000;

	standby_watch(t->s, true);
	while (!standby_is_linked(t->s)) {
		assert_true(clock_mono_ms() < end);
		fix_turn(&t->f);
	}
}

/* did the active one die of us? */
static bool
was_killed(struct pair *t)
{
	int status;

	if (waitpid(t->active, &status, WNOHANG) != t->active)
		return false;
	t->active = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void
test_hang(void **state)
{
	struct pair *t = *state;
	int64_t t0, took;

	fix_start(&t->f);
	assert_true(fix_wait_state(&t->f, LOG_WAITING));
	wait_linked(t);
	t0 = clock_mono_ms();
	assert_int_equal(kill(t->active, SIGSTOP), 0);
	assert_true(fix_wait_state(&t->f, LOG_ACTIVE));
	took = clock_mono_ms() - t0;
	standby_watch(t->s, false);
	assert_true(was_killed(t));
	assert_int_equal(t->f.gen, 2);
	assert_true(took >= STANDBY_SILENCE_MS - 500);
	assert_true(took < 40000);
	fprintf(stderr, "# taken over %d ms after the hang\n", (int)took);
}

/* it hangs before the standby ever spoke to it */
static void
test_hang_before(void **state)
{
	struct pair *t = *state;

	assert_int_equal(kill(t->active, SIGSTOP), 0);
	fix_start(&t->f);
	assert_true(fix_wait_state(&t->f, LOG_WAITING));
	standby_watch(t->s, true);
	assert_true(fix_wait_state(&t->f, LOG_ACTIVE));
	assert_true(was_killed(t));
}

static void
test_answers(void **state)
{
	struct pair *t = *state;
	int64_t end;

	wait_linked(t);
	end = clock_mono_ms() + STANDBY_SILENCE_MS + 1500;
	while (clock_mono_ms() < end)
		fix_turn(&t->f);
	assert_false(was_killed(t));
	assert_true(standby_is_linked(t->s));
	/* off means off */
	standby_watch(t->s, false);
	assert_false(standby_is_linked(t->s));
	assert_int_equal(kill(t->active, SIGSTOP), 0);
	end = clock_mono_ms() + STANDBY_SILENCE_MS + 500;
	while (clock_mono_ms() < end)
		fix_turn(&t->f);
	assert_false(was_killed(t));
}

/*
 * Our clock leaps ten seconds again and again, as if we had been stopped: no
 * silence of the other one, though it does not say a word.
 */
static void
test_own_pause(void **state)
{
	struct pair *t = *state;
	int64_t now = clock_mono_ms();

	wait_linked(t);
	assert_int_equal(kill(t->active, SIGSTOP), 0);
	for (int i = 0; i < 12; i++) {
		now += 10000;
		clock_test_set(0, now);
		fix_turn(&t->f);
		fix_turn(&t->f);
		fix_turn(&t->f);
		fix_turn(&t->f);
		fix_turn(&t->f);
	}
	assert_false(was_killed(t));
}

/* the file names a number that somebody else has */
static void
test_other_process(void **state)
{
	struct pair *t = *state;
	struct lock_holder h;
	char path[128];
	int64_t end;
	int fd;

	assert_int_equal(log_dir_holder(t->f.dir, &h), 0);
	assert_int_equal(h.pid, t->active);
	h.start_time++;
	fix_path(&t->f, "messages.lock", path);
	fd = open(path, O_RDWR);
	assert_int_equal(log_dir_sign(fd, &h), 0);
	close(fd);
	assert_int_equal(kill(t->active, SIGSTOP), 0);
	standby_watch(t->s, true);
	end = clock_mono_ms() + STANDBY_SILENCE_MS + 1500;
	while (clock_mono_ms() < end)
		fix_turn(&t->f);
	assert_false(was_killed(t));
}

/* who dies by himself needs no kill; the next holder is watched then */
static void
test_follows(void **state)
{
	struct pair *t = *state;
	pid_t first = t->active;
	int64_t end;

	wait_linked(t);
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(waitpid(first, NULL, 0), first);
	t->active = spawn(&t->f);
	end = clock_mono_ms() + 60000;
	while (standby_is_linked(t->s)) {
		assert_true(clock_mono_ms() < end);
		fix_turn(&t->f);
	}
	wait_linked(t);
	assert_false(was_killed(t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	    T(test_hang),
	    T(test_hang_before),
	    T(test_answers),
	    T(test_own_pause),
	    T(test_other_process),
	    T(test_follows),
#undef T
	};

	signal(SIGPIPE, SIG_IGN);
	map_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
