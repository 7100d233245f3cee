/* SPDX-License-Identifier: MIT */
/*
 * Files put on the disk beside the loop: one, many more than the kernel takes
 * at once, and what can't be.
 */
#include "tests/unit/shared/net/fixture.h"

#include <fcntl.h>

#include "shared/net/sync.h"

static struct fx fx;
static struct syncer *s;
static unsigned n_done;
static int last_err;

static int
setup(void **state)
{
	(void)state;
	fx_init(&fx);
	s = syncer_new(fx.net);
	n_done = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	syncer_free(s);
	syncer_free(NULL);
	fx_fini(&fx);
	return 0;
}

static void
on_done(struct sync_call *call, int err)
{
	assert_non_null(call);
	last_err = err;
	n_done++;
}

static int
scratch(void)
{
	char path[] = "test_sync-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void
test_file(void **state)
{
	struct sync_call call[2] = {{.done = on_done}, {.done = on_done}};
	int fd = scratch(), dir = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	sync_start(s, fd, &call[0]);
	sync_start(s, dir, &call[1]);
	/* never from inside */
	assert_int_equal(n_done, 0);
	assert_int_equal(syncer_busy(s), 2);
	FX_WAIT(&fx, 15000, n_done == 2);
	assert_int_equal(syncer_busy(s), 0);
	assert_int_equal(last_err, 0);
	close(fd);
	close(dir);
}

static void
test_many(void **state)
{
	static struct sync_call call[SYNC_MAX + 50];
	int fd = scratch();
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(call); i++) {
		call[i].done = on_done;
		sync_start(s, fd, &call[i]);
	}
	FX_WAIT(&fx, 30000, n_done == ARRAY_LEN(call));
	assert_int_equal(syncer_busy(s), 0);
	close(fd);
}

static void
test_refused(void **state)
{
	struct sync_call call = {.done = on_done};
	int fd[2];

	(void)state;
	/* nothing that can be on a disk: said, and not from inside */
	assert_int_equal(pipe(fd), 0);
	sync_start(s, fd[1], &call);
	assert_int_equal(n_done, 0);
	FX_WAIT(&fx, 15000, n_done == 1);
	assert_true(last_err != 0);
	assert_int_equal(syncer_waited(s), 1);
	close(fd[0]);
	close(fd[1]);
}

static void
test_end(void **state)
{
	static struct sync_call call[8];
	int fd = scratch();
	unsigned i;

	(void)state;
	/* it ends with some under way: they are waited for, and not told */
	for (i = 0; i < ARRAY_LEN(call); i++) {
		call[i].done = on_done;
		sync_start(s, fd, &call[i]);
	}
	syncer_free(s);
	s = NULL;
	fx_spin(&fx);
	assert_int_equal(n_done, 0);
	close(fd);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    T(test_file), T(test_many), T(test_refused), T(test_end)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
