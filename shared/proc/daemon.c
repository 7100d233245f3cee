/* SPDX-License-Identifier: MIT */
/*
 * What every daemon does around its loop. See daemon.h. Start-up mistakes end
 * the program here with one line; nothing in this file is called per message.
 */
#include "shared/proc/daemon.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/base/digest.h"
#include "shared/base/map.h"
#include "shared/proc/log.h"

enum { PATH_LEN = 4096 };

static const struct daemon_ops *daemon_ops_now;
static void *daemon_arg;
static unsigned daemon_stops;
static ev_signal daemon_term, daemon_int, daemon_hup;

void
daemon_init(void)
{
	struct rlimit rl;
	int fd;

	/* a socket must never get the number of a standard stream */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	map_init();
}

/* --- signals ------------------------------------------------------------ */

static void
daemon_on_stop(struct ev_loop *loop, ev_signal *w, int revents)
{
	unsigned n = daemon_stops++;

	(void)loop;
	(void)revents;
	if (n >= (daemon_ops_now->on_hurry != NULL ? 2u : 1u))
		_exit(EXIT_FAILED);
	if (daemon_ops_now->on_hurry != NULL && (n > 0 || w->signum == SIGINT))
		daemon_ops_now->on_hurry(daemon_arg, n > 0);
	else
		daemon_ops_now->on_stop(daemon_arg);
}

static void
daemon_on_hup(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	if (daemon_ops_now->on_reload)
		daemon_ops_now->on_reload(daemon_arg);
}

static void
daemon_watch(struct ev_loop *loop, ev_signal *w,
    void (*fn)(struct ev_loop *, ev_signal *, int), int sig)
{
	ev_signal_init(w, fn, sig);
	ev_signal_start(loop, w);
	ev_unref(loop); /* waiting for a signal keeps no loop alive */
}

struct ev_loop *
daemon_loop(const struct daemon_ops *ops, void *arg)
{
	struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);

	if (loop == NULL)
		fatal(EXIT_FAILED, "epoll can't be had: %s", strerror(errno));
	daemon_ops_now = ops;
	daemon_arg = arg;
	daemon_watch(loop, &daemon_term, daemon_on_stop, SIGTERM);
	daemon_watch(loop, &daemon_int, daemon_on_stop, SIGINT);
	daemon_watch(loop, &daemon_hup, daemon_on_hup, SIGHUP);
	return loop;
}

/* --- files -----------------------------------------------------------------
 */

static int
daemon_mkdirs(const char *dir)
{
	char path[PATH_LEN];
	int n = snprintf(path, sizeof path, "%s", dir);

	if (n < 1 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -1;
		*p = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

void
daemon_data_dir(const char *dir)
{
	struct stat st;

	if (daemon_mkdirs(dir) < 0)
		fatal(EXIT_DATA, "data directory %s: %s", dir, strerror(errno));
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		fatal(EXIT_DATA, "data directory %s: not a directory", dir);
	if (access(dir, R_OK | W_OK | X_OK) < 0)
		fatal(EXIT_DATA, "data directory %s: %s", dir, strerror(errno));
}

static void
daemon_path(
    char path[PATH_LEN], const char *dir, const char *name, const char *suffix)
{
	int n = snprintf(path, PATH_LEN, "%s/%s%s", dir, name, suffix);

	if (n < 0 || n >= PATH_LEN)
		fatal(EXIT_USAGE, "%s: path too long", dir);
}

void
daemon_pidfile(const char *dir, const char *name)
{
	char run[PATH_LEN], path[PATH_LEN];
	int fd;

	daemon_path(run, dir, "run", "");
	if (daemon_mkdirs(run) < 0)
		fatal(EXIT_DATA, "%s: %s", run, strerror(errno));
	daemon_path(path, run, name, ".pid");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fatal(EXIT_DATA, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		fatal(
		    EXIT_FAILED, "%s runs already (%s is locked)", name, path);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		fatal(EXIT_DATA, "%s: %s", path, strerror(errno));
	/* the descriptor stays open: it is the lock */
}

int
daemon_key_read(
    const char *path, const char *what, uint8_t out[32], char *why, size_t size)
{
	char text[80];
	uint8_t key[32];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = ERR_CONF;

	if (fd < 0) {
		snprintf(why, size, "%s %s: %s", what, path, strerror(errno));
		return ERR_CONF;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, size, "%s %s: not a file", what, path);
	} else if (st.st_mode & 077) {
		snprintf(why, size,
		    "%s %s: others may read it; make it mode 0600", what, path);
	} else {
		n = read(fd, text, sizeof text);
		while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
			n--;
		if (n >= 0 &&
		    digest_unhex(str_n(text, (size_t)n), key, 32) == OK)
			err = OK;
		else
			snprintf(
			    why, size, "%s %s: not 64 hex digits", what, path);
	}
	close(fd);
	if (err == OK)
		memcpy(out, key, sizeof key);
	explicit_bzero(text, sizeof text);
	explicit_bzero(key, sizeof key);
	return err;
}

void
daemon_key(const char *path, const char *what, uint8_t out[32])
{
	char why[PATH_LEN + 128];

	if (daemon_key_read(path, what, out, why, sizeof why) != OK)
		fatal(EXIT_USAGE, "%s", why);
}

int
daemon_key_create(const char *path)
{
	uint8_t key[32];
	char text[66];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good;

	if (fd < 0)
		return errno == EEXIST ? OK : ERR_IO;
	digest_random(key, sizeof key);
	digest_hex(key, sizeof key, text);
	text[64] = '\n';
	good = write(fd, text, 65) == 65 && fsync(fd) == 0;
	close(fd);
	explicit_bzero(key, sizeof key);
	explicit_bzero(text, sizeof text);
	if (!good)
		unlink(path);
	return good ? OK : ERR_IO;
}

/* what the file holds: 0 if it is empty, for that is a crash at its birth */
static uint64_t
daemon_read_counter(int fd, const char *path)
{
	char text[32];
	uint64_t v = 0;
	ssize_t n = pread(fd, text, sizeof text, 0);

	if (n < 0)
		fatal(EXIT_DATA, "%s: %s", path, strerror(errno));
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0 &&
	    (str_u64(str_n(text, (size_t)n), &v) != OK || v > UINT32_MAX))
		fatal(EXIT_DATA, "%s: not a counter", path);
	return v;
}

/* without it a new file may be gone after a power cut */
static void
daemon_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		fatal(EXIT_DATA, "%s: %s", dir, strerror(errno));
	close(fd);
}

uint32_t
daemon_incarnation(const char *dir, const char *name)
{
	char path[PATH_LEN], text[16];
	uint64_t inc;
	int fd, n;

	daemon_path(path, dir, name, ".inc");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fatal(EXIT_DATA, "%s: %s", path, strerror(errno));
	inc = daemon_read_counter(fd, path);
	inc = inc >= UINT32_MAX ? 1 : inc + 1;
	/* of fixed width: written over in place, never longer or shorter */
	n = snprintf(text, sizeof text, "%010llu\n", (unsigned long long)inc);
	if (pwrite(fd, text, (size_t)n, 0) != n || fsync(fd) < 0)
		fatal(EXIT_DATA, "%s: %s", path, strerror(errno));
	close(fd);
	daemon_sync_dir(dir);
	return (uint32_t)inc;
}

void
daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof sun.sun_path)
		return;
	memcpy(sun.sun_path, path, n);
	if (sun.sun_path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		(struct sockaddr *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_debug("sd_notify: %s", strerror(errno));
	close(fd);
}
