/* SPDX-License-Identifier: MIT */
/*
 * The folder of uploads: what is brought, kept, collected; what a crash leaves;
 * two servers in one folder.
 */
#include "tests/unit/shared/net/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "msg_server/upload/store.h"

static struct fx fx;
static struct store *s;
static char dir[64], why[256];

static int
setup(void **state)
{
	(void)state;
	fx_init(&fx);
	strcpy(dir, "test_store-XXXXXX");
	assert_non_null(mkdtemp(dir));
	s = store_open(dir, "ms1", fx.net, why, sizeof why);
	assert_non_null(s);
	return 0;
}

static int
teardown(void **state)
{
	char path[512];
	struct dirent *de;
	DIR *d = opendir(dir);

	(void)state;
	store_close(s);
	while ((de = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(dir);
	fx_fini(&fx);
	return 0;
}

static bool
is_there(const char *file)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, file);
	return access(path, F_OK) == 0;
}

static void
age(const char *file, int64_t seconds)
{
	struct timespec ts[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - seconds}};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	assert_int_equal(utimensat(fd, file, ts, 0), 0);
	close(fd);
}

/* a file of n bytes, all of them c */
static struct name
bring(struct store *st, char c, size_t n)
{
	char temp[STORE_TEMP_MAX], bytes[256];
	uint8_t sum[SHA256_LEN];
	struct name name;
	struct digest *d = digest_sha256_begin();
	int fd = store_temp(st, temp);

	assert_true(fd >= 0);
	assert_true(n <= sizeof bytes);
	memset(bytes, c, n);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	digest_add(d, bytes, n);
	digest_end(d, sum);
	name_make(&name, sum, kind_by_ext(STR_LIT("png")));
	assert_int_equal(store_publish(st, temp, &name, n), OK);
	assert_false(is_there(temp));
	return name;
}

/* a sweep that has begun now has ended */
static void
sweep(struct store *st, int64_t orphans, int64_t keep)
{
	uint64_t n = store_sweeps(st);

	store_set_ages(st, orphans, keep);
	FX_WAIT(&fx, 15000, store_sweeps(st) > n);
}

static bool
keep(struct store *st, const struct name *n)
{
	int fd = store_keep(st, n);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
test_bring(void **state)
{
	char temp[2][STORE_TEMP_MAX];
	struct name n = bring(s, 'a', 100), same;
	struct stat sb;
	int fd;

	(void)state;
	assert_int_equal(store_files(s), 1);
	assert_int_equal(store_bytes(s), 100);
	fd = store_get(s, &n, &sb);
	assert_true(fd >= 0);
	assert_int_equal(sb.st_size, 100);
	assert_int_equal(sb.st_mode & 0777, 0600);
	close(fd);
	/* the same again is the same file, and as new as if it came now */
	age(n.file, 1000);
	same = bring(s, 'a', 100);
	assert_string_equal(same.file, n.file);
	assert_int_equal(store_files(s), 1);
	fd = store_get(s, &n, &sb);
	assert_true(time(NULL) - sb.st_mtime < 500);
	close(fd);
	bring(s, 'b', 50);
	assert_int_equal(store_bytes(s), 150);
	/* given up */
	fd = store_temp(s, temp[0]);
	close(fd);
	fd = store_temp(s, temp[1]);
	close(fd);
	assert_string_not_equal(temp[0], temp[1]);
	assert_true(is_there(temp[0]));
	store_drop(s, temp[0]);
	store_drop(s, temp[1]);
	assert_false(is_there(temp[0]));
	n.file[0] = n.file[0] == '0' ? '1' : '0';
	assert_int_equal(store_get(s, &n, &sb), -1);
	assert_true(store_free_bytes(s) > 0);
}

static void
test_no_link(void **state)
{
	struct name n;
	struct stat sb;
	char path[256];

	(void)state;
	assert_true(name_parse(
	    STR_LIT("00000000000000000000000000000000000000000000000000000000"
		    "00000000.png"),
	    &n));
	snprintf(path, sizeof path, "%s/%s", dir, n.file);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(store_get(s, &n, &sb), -1);
	assert_false(keep(s, &n));
	unlink(path);
	/* nor is a folder a file, or a pipe */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(store_get(s, &n, &sb), -1);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_get(s, &n, &sb), -1);
	rmdir(path);
}

static void
test_collect(void **state)
{
	struct name a = bring(s, 'a', 10), b = bring(s, 'b', 20),
		    c = bring(s, 'c', 40);
	struct stat sb;

	(void)state;
	assert_true(keep(s, &b));
	/* told so lately, it need not be again */
	assert_false(keep(s, &b));
	close(store_get(s, &b, &sb));
	assert_int_equal(sb.st_mode & 0777, 0640);
	age(a.file, 100);
	age(b.file, 100);
	sweep(s, 100, 101);
	assert_false(is_there(a.file));
	assert_true(is_there(b.file) && is_there(c.file));
	assert_int_equal(store_collected(s), 1);
	assert_int_equal(store_files(s), 2);
	assert_int_equal(store_bytes(s), 60);
	/* what is gone can't be kept */
	assert_false(keep(s, &a));
	/* for ever is longer than anything */
	age(b.file, 1000000000);
	age(c.file, 1000000000);
	sweep(s, 0, 0);
	assert_true(is_there(b.file) && is_there(c.file));
	/* sent again, long after */
	assert_true(keep(s, &b));
	sweep(s, 100, 100);
	assert_true(is_there(b.file));
	assert_false(is_there(c.file));
	/* a clock that was ahead makes nothing old */
	age(b.file, -1000000);
	sweep(s, 100, 100);
	assert_true(is_there(b.file));
	age(b.file, 100);
	sweep(s, 100, 100);
	assert_false(is_there(b.file));
	assert_int_equal(store_files(s), 0);
	assert_int_equal(store_bytes(s), 0);
}

static void
test_left(void **state)
{
	char own[STORE_TEMP_MAX], of_other[STORE_TEMP_MAX];
	char alike[STORE_TEMP_MAX], gone[STORE_TEMP_MAX] = ".gone.x";
	char now[STORE_TEMP_MAX];
	struct store *other = store_open(dir, "ms2", fx.net, why, sizeof why),
		     *again = store_open(dir, "ms1", fx.net, why, sizeof why),
		     *ms11 = store_open(dir, "ms11", fx.net, why, sizeof why);
	char path[256];

	(void)state;
	close(store_temp(s, own));
	close(store_temp(other, of_other));
	close(store_temp(ms11, alike));
	snprintf(path, sizeof path, "%s/%s", dir, gone);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	snprintf(path, sizeof path, "%s/README", dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	age("README", 1000000);
	/* s is an earlier life, with the same process number; what comes
	 * while the first sweep is still under way is of this one */
	close(store_temp(again, now));
	sweep(again, 1, 1);
	assert_false(is_there(own));
	assert_true(is_there(now));
	assert_true(is_there(of_other) && is_there(alike) && is_there(gone));
	close(store_temp(s, own));
	sweep(s, 1, 1);
	assert_true(is_there(own));
	/* until it is nobody's any more */
	age(own, STORE_LEFT_S);
	age(of_other, STORE_LEFT_S - 100);
	age(gone, STORE_LEFT_S);
	sweep(s, 1, 1);
	assert_false(is_there(own) || is_there(gone));
	assert_true(is_there(of_other));
	/* and what is not ours is not touched, nor counted */
	assert_true(is_there("README"));
	assert_int_equal(store_files(s), 0);
	store_close(other);
	store_close(again);
	store_close(ms11);
}

static void
test_many(void **state)
{
	struct name n;
	unsigned i;

	(void)state;
	for (i = 0; i < 2 * STORE_STEP; i++) {
		n = bring(s, (char)i, 1 + i / 256);
		if (i % 2 == 0)
			age(n.file, 100);
	}
	store_set_ages(s, 100, 0);
	FX_WAIT(&fx, 15000, store_collected(s) == STORE_STEP);
	/* another server sees the same */
	store_close(s);
	s = store_open(dir, "ms9", fx.net, why, sizeof why);
	store_set_ages(s, 100, 0);
	FX_WAIT(&fx, 15000, store_files(s) == STORE_STEP);
	assert_int_equal(store_collected(s), 0);
}

static void
test_no_folder(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof path, "%s/a/b", dir);
	assert_null(store_open(path, "ms1", fx.net, why, sizeof why));
	assert_non_null(strstr(why, "a/b"));
	store_close(NULL);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {T(test_bring),
	    T(test_no_link), T(test_collect), T(test_left), T(test_many),
	    T(test_no_folder)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
