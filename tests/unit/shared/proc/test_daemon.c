/* SPDX-License-Identifier: MIT */
/*
 * What a daemon does around its loop. Whatever ends a process is done in a
 * child: its exit code and its one line are what is checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shared/base/err.h"
#include "shared/base/map.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"
#include "tests/unit/shared/proc/child.h"

#define KEY64 "00112233445566778899aabbccddeeff0123456789ABCDEFfedcba9876543210"

static char top[] = "/tmp/cchat-daemon-XXXXXX";

static const char *
in_top(const char *name)
{
	static char path[4][256];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof path[0], "%s/%s", top, name);
	return p;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static unsigned
lines_of(const char *s)
{
	unsigned n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

/* --- init ---------------------------------------------------------------- */

static void
init_in_child(void *arg)
{
	struct rlimit rl;
	struct sigaction sa;
	int fd;

	(void)arg;
	close(0);
	map_seed = 0;
	daemon_init();
	fd = open("/dev/null", O_RDONLY);
	getrlimit(RLIMIT_NOFILE, &rl);
	sigaction(SIGPIPE, NULL, &sa);
	printf("fd>2=%d limit=%d umask=%o pipe=%d seed=%d\n", fd > 2,
	    rl.rlim_cur == rl.rlim_max, (unsigned)umask(0),
	    sa.sa_handler == SIG_IGN, map_seed != 0);
}

static void
test_init(void **state)
{
	(void)state;
	assert_int_equal(child_run(init_in_child, NULL), 99);
	assert_string_equal(
	    child_text, "fd>2=1 limit=1 umask=77 pipe=1 seed=1\n");
}

/* --- signals ------------------------------------------------------------- */

static void
on_stop(void *arg)
{
	printf("stop\n");
	fflush(stdout);
	kill(getpid(), SIGINT); /* the second one: now */
	(void)arg;
}

static void
on_reload(void *arg)
{
	printf("reload %s\n", (const char *)arg);
	fflush(stdout);
	kill(getpid(), SIGTERM);
}

static void
signals_in_child(void *arg)
{
	static const struct daemon_ops ops = {on_stop, on_reload, NULL};
	struct ev_loop *loop;

	(void)arg;
	loop = daemon_loop(&ops, (void *)(uintptr_t) "it");
	printf("%s", ev_backend(loop) == EVBACKEND_EPOLL ? "" : "no epoll\n");
	ev_ref(loop); /* signals alone keep no loop alive */
	kill(getpid(), SIGHUP);
	ev_run(loop, 0);
	printf("came back\n");
}

static void
test_signals(void **state)
{
	(void)state;
	assert_int_equal(child_run(signals_in_child, NULL), EXIT_FAILED);
	assert_string_equal(child_text, "reload it\nstop\n");
}

static void
on_slow_stop(void *arg)
{
	printf("stop\n");
	kill(getpid(), SIGTERM);
	(void)arg;
}

static void
on_hurry(void *arg, bool again)
{
	printf("hurry %d\n", again);
	fflush(stdout);
	kill(getpid(), *(int *)arg);
}

static void
hurry_in_child(void *arg)
{
	static const struct daemon_ops ops = {on_slow_stop, NULL, on_hurry};
	struct ev_loop *loop = daemon_loop(&ops, arg);

	ev_ref(loop);
	kill(getpid(), *(int *)arg);
	ev_run(loop, 0);
}

static void
test_hurry(void **state)
{
	int sig = SIGTERM;

	(void)state;
	assert_int_equal(child_run(hurry_in_child, &sig), EXIT_FAILED);
	assert_string_equal(child_text, "stop\nhurry 1\n");
	sig = SIGINT;
	assert_int_equal(child_run(hurry_in_child, &sig), EXIT_FAILED);
	assert_string_equal(child_text, "hurry 0\nhurry 1\n");
}

static void
idle_in_child(void *arg)
{
	static const struct daemon_ops ops = {on_stop, NULL, NULL};

	(void)arg;
	kill(getpid(), SIGCONT);
	ev_run(daemon_loop(&ops, NULL), 0);
	printf("nothing to do\n");
}

static void
test_idle(void **state)
{
	(void)state;
	assert_int_equal(child_run(idle_in_child, NULL), 99);
	assert_string_equal(child_text, "nothing to do\n");
}

/* --- directories and locks ------------------------------------------------ */

static void
data_dir_in_child(void *arg)
{
	daemon_data_dir(arg);
}

static void
test_data_dir(void **state)
{
	const char *deep = in_top("a/b/c");
	struct stat st;

	(void)state;
	daemon_data_dir(deep);
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	daemon_data_dir(deep); /* there already */
	put(in_top("file"), "x", 0600);
	assert_int_equal(
	    child_run(data_dir_in_child, (void *)(uintptr_t)in_top("file")),
	    EXIT_DATA);
	assert_int_equal(lines_of(child_text), 1);
	assert_non_null(strstr(child_text, "not a directory"));
	assert_int_equal(
	    child_run(data_dir_in_child, (void *)(uintptr_t)in_top("file/sub")),
	    EXIT_DATA);
	assert_int_equal(
	    child_run(data_dir_in_child, (void *)(uintptr_t) ""), EXIT_DATA);
	assert_int_equal(lines_of(child_text), 1);
}

static void
pid_in_child(void *arg)
{
	daemon_pidfile(top, arg);
}

static void
test_pidfile(void **state)
{
	char text[32] = "", want[32];
	FILE *f;

	(void)state;
	/* a lock goes with its process, and leaves a file that is no obstacle
	 */
	assert_int_equal(
	    child_run(pid_in_child, (void *)(uintptr_t) "ms1"), 99);
	daemon_pidfile(top, "ms1");
	f = fopen(in_top("run/ms1.pid"), "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	fclose(f);
	snprintf(want, sizeof want, "%d\n", (int)getpid());
	assert_string_equal(text, want);
	assert_int_equal(
	    child_run(pid_in_child, (void *)(uintptr_t) "ms1"), EXIT_FAILED);
	assert_non_null(strstr(child_text, "ms1 runs already"));
	assert_int_equal(
	    child_run(pid_in_child, (void *)(uintptr_t) "ms2"), 99);
}

/* --- keys ----------------------------------------------------------------- */

static void
key_in_child(void *arg)
{
	uint8_t key[32];

	daemon_key(arg, "link key", key);
}

static void
test_key(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *say; /* NULL: good */
	} cases[] = {
	    {KEY64, 0600, NULL},
	    {KEY64 "\n", 0600, NULL},
	    {KEY64 "\r\n", 0400, NULL},
	    {KEY64 "\n", 0640, "mode 0600"},
	    {KEY64 "\n", 0604, "mode 0600"},
	    {"", 0600, "not 64 hex digits"},
	    {KEY64 "0", 0600, "not 64 hex digits"},
	    {KEY64 KEY64, 0600, "not 64 hex digits"},
	    {"x" KEY64, 0600, "not 64 hex digits"},
	    {KEY64 " ", 0600, "not 64 hex digits"},
	};
	const char *path = in_top("the.key");
	uint8_t key[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int code;

		unlink(path);
		put(path, cases[i].text, cases[i].mode);
		code = child_run(key_in_child, (void *)(uintptr_t)path);
		assert_int_equal(code, cases[i].say ? EXIT_USAGE : 99);
		if (cases[i].say) {
			assert_non_null(strstr(child_text, cases[i].say));
			assert_non_null(strstr(child_text, "link key"));
			assert_int_equal(lines_of(child_text), 1);
		}
	}
	unlink(path);
	assert_int_equal(
	    child_run(key_in_child, (void *)(uintptr_t)path), EXIT_USAGE);
	assert_int_equal(
	    child_run(key_in_child, (void *)(uintptr_t)top), EXIT_USAGE);
	put(path, KEY64 "\n", 0600);
	daemon_key(path, "link key", key);
	assert_int_equal(key[1], 0x11);
	assert_int_equal(key[31], 0x10);
}

static void
test_key_create(void **state)
{
	const char *path = in_top("new.key");
	uint8_t a[32], b[32];
	struct stat st;

	(void)state;
	assert_int_equal(daemon_key_create(path), OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	daemon_key(path, "key", a);
	assert_int_equal(daemon_key_create(path), OK); /* is kept */
	daemon_key(path, "key", b);
	assert_memory_equal(a, b, 32);
	assert_int_equal(daemon_key_create(in_top("new2.key")), OK);
	daemon_key(in_top("new2.key"), "key", b);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(daemon_key_create(in_top("no/such/dir")), ERR_IO);
}

/* --- incarnation -----------------------------------------------------------
 */

static void
inc_in_child(void *arg)
{
	daemon_incarnation(top, arg);
}

static void
test_incarnation(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 12; i++)
		assert_int_equal(daemon_incarnation(top, "p1"), i);
	assert_int_equal(daemon_incarnation(top, "p2"), 1);
	put(in_top("p3.inc"), "", 0600); /* a crash at its birth */
	assert_int_equal(daemon_incarnation(top, "p3"), 1);
	put(in_top("p3.inc"), "4294967294\n", 0600);
	assert_int_equal(daemon_incarnation(top, "p3"), 4294967295u);
	assert_int_equal(daemon_incarnation(top, "p3"), 1);
	assert_int_equal(daemon_incarnation(top, "p3"), 2);
	put(in_top("p3.inc"), "garbage\n", 0600);
	assert_int_equal(
	    child_run(inc_in_child, (void *)(uintptr_t) "p3"), EXIT_DATA);
	assert_non_null(strstr(child_text, "p3.inc: not a counter\n"));
	put(in_top("p3.inc"), "4294967296\n", 0600);
	assert_int_equal(
	    child_run(inc_in_child, (void *)(uintptr_t) "p3"), EXIT_DATA);
	assert_int_equal(
	    child_run(inc_in_child, (void *)(uintptr_t) "no/such"), EXIT_DATA);
}

/* --- readiness ---------------------------------------------------------------
 */

static void
test_notify(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	ssize_t n;

	(void)state;
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", in_top("notify"));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	unsetenv("NOTIFY_SOCKET");
	daemon_notify("READY=0");
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	daemon_notify("READY=1");
	n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	assert_int_equal(n, 7);
	assert_string_equal(text, "READY=1");
	close(fd);
	daemon_notify("STOPPING=1"); /* nobody listens: no harm */

	/* the abstract kind that systemd uses */
	memset(sun.sun_path, 0, sizeof sun.sun_path);
	n = snprintf(text, sizeof text, "@cchat-test-%d", (int)getpid());
	memcpy(sun.sun_path, text, (size_t)n);
	sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    (size_t)n)),
	    0);
	setenv("NOTIFY_SOCKET", text, 1);
	daemon_notify("STATUS=x");
	assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), 8);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(top) == NULL;
}

static int
teardown(void **state)
{
	static const char *const files[] = {"a/b/c", "a/b", "a", "file",
	    "run/ms1.pid", "run/ms2.pid", "run", "the.key", "new.key",
	    "new2.key", "p1.inc", "p2.inc", "p3.inc", "notify"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		remove(in_top(files[i]));
	return rmdir(top);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_init),
	    cmocka_unit_test(test_signals),
	    cmocka_unit_test(test_hurry),
	    cmocka_unit_test(test_idle),
	    cmocka_unit_test(test_data_dir),
	    cmocka_unit_test(test_pidfile),
	    cmocka_unit_test(test_key),
	    cmocka_unit_test(test_key_create),
	    cmocka_unit_test(test_incarnation),
	    cmocka_unit_test(test_notify),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
