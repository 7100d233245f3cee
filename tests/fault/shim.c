/* SPDX-License-Identifier: MIT */
/*
 * A bad machine, by LD_PRELOAD: writes and fsyncs of messages.db* that fail,
 * death in the middle of a commit, a wall clock that jumps, and the memory
 * that a power loss needs. tests/fault/shim.mjs is its other end and has the
 * layout of both files.
 *
 * CCHAT_SHIM_CTL   control file (struct shim_ctl), mapped; the test writes it
 * CCHAT_SHIM_UNDO  directory: of each tracked file `INODE.undo` has every
 *                  write since its last fsync, new and old bytes; the test,
 *                  after killing all that use the file, takes them back
 * CCHAT_SHIM_BOOT  stands in for /proc/sys/kernel/random/boot_id
 *
 * Not covered: that a created, renamed or removed name gets lost. -shm is
 * mapped memory and goes with the machine.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SHIM_FDS = 4096, SHIM_MAGIC = 0x6d696873 };
enum shim_die { DIE_NOT, DIE_WRITE, DIE_SYNC, DIE_SYNCED };

struct shim_ctl {
	int64_t clock_ms;  /* added to the wall clock */
	int32_t write_err; /* errno of a failing write, 0: none */
	int32_t write_n;   /* how many more fail, -1: all */
	int32_t sync_err, sync_n;
	int32_t die;   /* enum shim_die: where */
	int32_t die_n; /* at the how manieth from now */
	uint32_t hits; /* counts what was done to the process */
};

/* one write, or a cut (kind 2: off is the new size, len 0) */
struct shim_rec {
	uint32_t magic, kind;
	uint64_t off, size; /* size: of the file before */
	uint32_t len, old_len;
	/* len new bytes, old_len old ones */
};

static struct shim_ctl shim_none, *volatile shim_ctl = &shim_none;
static const char *shim_undo, *shim_boot;
static uint64_t shim_ino[SHIM_FDS]; /* 0: not tracked */
static pthread_mutex_t shim_lock = PTHREAD_MUTEX_INITIALIZER;

static void *
shim_real(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

#define REAL(ret, name, ...)             \
	static ret (*real)(__VA_ARGS__); \
	if (real == NULL)                \
	real = (ret(*)(__VA_ARGS__))shim_real(name)

static long
shim_open_raw(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void __attribute__((constructor)) shim_init(void)
{
	const char *path = getenv("CCHAT_SHIM_CTL");
	long fd;
	void *p;

	shim_undo = getenv("CCHAT_SHIM_UNDO");
	shim_boot = getenv("CCHAT_SHIM_BOOT");
	if (path == NULL || (fd = shim_open_raw(path, O_RDWR)) < 0)
		return;
	p = mmap(NULL, sizeof *shim_ctl, PROT_READ | PROT_WRITE, MAP_SHARED,
	    (int)fd, 0);
	syscall(SYS_close, fd);
	if (p != MAP_FAILED)
		shim_ctl = p;
}

/* --- which files --------------------------------------------------------- */

static void
shim_opened(int fd, const char *path)
{
	const char *base = strrchr(path, '/');
	struct stat st;

	if (fd < 0 || fd >= SHIM_FDS)
		return;
	shim_ino[fd] = 0;
	base = base != NULL ? base + 1 : path;
	if ((strncmp(base, "messages.db", 11) == 0 &&
		strstr(base, "-shm") == NULL) ||
	    strcmp(base, "messages.lock") == 0)
		if (fstat(fd, &st) == 0)
			shim_ino[fd] = st.st_ino;
}

static uint64_t
shim_tracked(int fd)
{
	return fd >= 0 && fd < SHIM_FDS ? shim_ino[fd] : 0;
}

static int
shim_open(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	if (shim_boot != NULL &&
	    strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
		path = shim_boot;
	fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	shim_opened(fd, path);
	return fd;
}

#define OPEN_MODE(mode)                      \
	mode_t mode = 0;                     \
	if (flags & (O_CREAT | O_TMPFILE)) { \
		va_list ap;                  \
		va_start(ap, flags);         \
		mode = va_arg(ap, mode_t);   \
		va_end(ap);                  \
	}

#define OPENS(name)                                            \
	int name(const char *path, int flags, ...)             \
	{                                                      \
		OPEN_MODE(mode)                                \
		return shim_open(AT_FDCWD, path, flags, mode); \
	}
#define OPENATS(name)                                       \
	int name(int dir, const char *path, int flags, ...) \
	{                                                   \
		OPEN_MODE(mode)                             \
		return shim_open(dir, path, flags, mode);   \
	}
OPENS(open)
OPENS(open64)
OPENATS(openat)
OPENATS(openat64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

int
__open_2(const char *path, int flags)
{
	return shim_open(AT_FDCWD, path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
	return shim_open(AT_FDCWD, path, flags, 0);
}

int
close(int fd)
{
	if (fd >= 0 && fd < SHIM_FDS)
		shim_ino[fd] = 0;
	return (int)syscall(SYS_close, fd);
}

static void
shim_undo_path(uint64_t ino, char out[PATH_MAX])
{
	snprintf(
	    out, PATH_MAX, "%s/%llu.undo", shim_undo, (unsigned long long)ino);
}

/* its number may be another file's tomorrow */
int
unlink(const char *path)
{
	char undo[PATH_MAX];
	struct stat st;

	if (shim_undo != NULL && stat(path, &st) == 0 && st.st_nlink == 1) {
		shim_undo_path(st.st_ino, undo);
		syscall(SYS_unlinkat, AT_FDCWD, undo, 0);
	}
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* --- failing and dying --------------------------------------------------- */

static int
shim_fails(int32_t *err, int32_t *n)
{
	int e = *err;

	if (e == 0 || *n == 0)
		return 0;
	if (*n > 0)
		(*n)--;
	shim_ctl->hits++;
	return e;
}

static void
shim_dies(enum shim_die where)
{
	struct shim_ctl *c = shim_ctl;

	if (c->die != (int32_t)where || --c->die_n > 0)
		return;
	c->die = DIE_NOT;
	c->hits++;
	kill(getpid(), SIGKILL);
	pause();
}

/* --- what a power loss takes back ---------------------------------------- */

/*
 * Before the write itself, so that there is never a write without its record;
 * a record cut short by death is one whose write never began.
 */
static void
shim_note(int fd, uint64_t ino, uint32_t kind, const void *p, size_t len,
    uint64_t off)
{
	struct shim_rec rec = {SHIM_MAGIC, kind, off, 0, (uint32_t)len, 0};
	char path[PATH_MAX], *all;
	struct stat st;
	size_t old = 0;
	long u;

	if (shim_undo == NULL || fstat(fd, &st) < 0)
		return;
	rec.size = (uint64_t)st.st_size;
	if (off < rec.size)
		old = rec.size - off < len || kind == 2 ? rec.size - off : len;
	all = malloc(sizeof rec + len + old);
	if (all == NULL)
		abort();
	if (old > 0 &&
	    pread(fd, all + sizeof rec + len, old, (off_t)off) != (ssize_t)old)
		old = 0;
	rec.old_len = (uint32_t)old;
	memcpy(all, &rec, sizeof rec);
	if (len > 0)
		memcpy(all + sizeof rec, p, len);
	shim_undo_path(ino, path);
	u = shim_open_raw(path, O_WRONLY | O_CREAT | O_APPEND);
	if (u < 0 || syscall(SYS_write, u, all, sizeof rec + len + old) !=
			 (long)(sizeof rec + len + old))
		abort();
	syscall(SYS_close, u);
	free(all);
}

static void
shim_forget(uint64_t ino)
{
	char path[PATH_MAX];

	if (shim_undo == NULL)
		return;
	shim_undo_path(ino, path);
	syscall(SYS_truncate, path, 0L);
}

static ssize_t
shim_pwrite(int fd, const void *p, size_t len, off_t off)
{
	uint64_t ino = shim_tracked(fd);
	ssize_t r;
	int e;

	if (ino == 0)
		return syscall(SYS_pwrite64, fd, p, len, off);
	e = shim_fails(&shim_ctl->write_err, &shim_ctl->write_n);
	if (e != 0) {
		errno = e;
		return -1;
	}
	pthread_mutex_lock(&shim_lock);
	shim_dies(DIE_WRITE);
	shim_note(fd, ino, 1, p, len, (uint64_t)off);
	r = syscall(SYS_pwrite64, fd, p, len, off);
	pthread_mutex_unlock(&shim_lock);
	return r;
}

ssize_t
pwrite(int fd, const void *p, size_t len, off_t off)
{
	return shim_pwrite(fd, p, len, off);
}

ssize_t
pwrite64(int fd, const void *p, size_t len, off64_t off)
{
	return shim_pwrite(fd, p, len, off);
}

static int
shim_ftruncate(int fd, off_t size)
{
	uint64_t ino = shim_tracked(fd);
	int r;

	if (ino == 0)
		return (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_lock(&shim_lock);
	shim_note(fd, ino, 2, NULL, 0, (uint64_t)size);
	r = (int)syscall(SYS_ftruncate, fd, size);
	pthread_mutex_unlock(&shim_lock);
	return r;
}

int
ftruncate(int fd, off_t size)
{
	return shim_ftruncate(fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
	return shim_ftruncate(fd, size);
}

static int
shim_sync(int fd, long call)
{
	uint64_t ino = shim_tracked(fd);
	int e, r;

	if (ino == 0)
		return (int)syscall(call, fd);
	e = shim_fails(&shim_ctl->sync_err, &shim_ctl->sync_n);
	if (e != 0) {
		errno = e;
		return -1;
	}
	pthread_mutex_lock(&shim_lock);
	shim_dies(DIE_SYNC);
	r = (int)syscall(call, fd);
	if (r == 0)
		shim_forget(ino);
	shim_dies(DIE_SYNCED);
	pthread_mutex_unlock(&shim_lock);
	return r;
}

int
fsync(int fd)
{
	return shim_sync(fd, SYS_fsync);
}

int
fdatasync(int fd)
{
	return shim_sync(fd, SYS_fdatasync);
}

/* --- the wall clock ------------------------------------------------------- */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	REAL(int, "clock_gettime", clockid_t, struct timespec *);
	int64_t ms = shim_ctl->clock_ms;
	int r = real(id, ts);

	if (r == 0 && ms != 0 &&
	    (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += ms / 1000;
	return r;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	REAL(int, "gettimeofday", struct timeval *, void *);
	int r = real(tv, tz);

	if (r == 0)
		tv->tv_sec += shim_ctl->clock_ms / 1000;
	return r;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
