/* SPDX-License-Identifier: MIT */
/*
 * The folder of uploads: what comes in and what is read. See store.h; what
 * goes is store_sweep.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "msg_server/upload/store_priv.h"
#include "shared/base/err.h"

struct store *
store_open(const char *dir, const char *server, struct net *net, char *why,
    size_t size)
{
	struct timespec now;
	struct store *s;
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		snprintf(why, size, "%s: %s", dir, strerror(errno));
		return NULL;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
		snprintf(why, size, "%s: %s", dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->fd = fd;
	str_copy(s->server, sizeof s->server, str_of(server));
	clock_gettime(CLOCK_REALTIME, &now);
	s->life = (uint64_t)now.tv_sec << 32 | (uint64_t)now.tv_nsec;
	timer_init(&s->timer, net, NULL, s);
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_sweep_stop(s);
	close(s->fd);
	free(s);
}

void
store_set_ages(struct store *s, int64_t orphans, int64_t keep)
{
	s->orphans_s = orphans;
	s->keep_s = keep;
	store_sweep_soon(s);
}

/* every process of a container has the same number: it tells no life */
static int
store_prefix(const struct store *s, char prefix[STORE_TEMP_MAX])
{
	return snprintf(prefix, STORE_TEMP_MAX, "%s%s.%" PRIx64 ".",
	    STORE_TEMP_PREFIX, s->server, s->life);
}

bool
store_is_left(const struct store *s, const char *file)
{
	char prefix[STORE_TEMP_MAX];
	size_t n = strlen(STORE_TEMP_PREFIX) + strlen(s->server) + 1;
	int len = store_prefix(s, prefix);

	return strncmp(file, prefix, n) == 0 &&
	       strncmp(file, prefix, (size_t)len) != 0;
}

int
store_temp(struct store *s, char temp[STORE_TEMP_MAX])
{
	int len = store_prefix(s, temp);

	snprintf(temp + len, STORE_TEMP_MAX - (size_t)len, "%" PRIx64,
	    s->next_temp++);
	return openat(s->fd, temp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, STORE_MODE_NEW);
}

void
store_drop(struct store *s, const char *temp)
{
	unlinkat(s->fd, temp, 0);
}

int
store_publish(
    struct store *s, const char *temp, const struct name *n, uint64_t bytes)
{
	/* it is there: as new as if it had come now */
	if (utimensat(s->fd, n->file, NULL, AT_SYMLINK_NOFOLLOW) == 0) {
		store_drop(s, temp);
		return OK;
	}
	if (renameat(s->fd, temp, s->fd, n->file) != 0)
		return ERR_IO;
	s->files++;
	s->bytes += bytes;
	s->new_files++;
	s->new_bytes += bytes;
	return OK;
}

int
store_get(const struct store *s, const struct name *n, struct stat *sb)
{
	int fd = openat(
	    s->fd, n->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, sb) == 0 && S_ISREG(sb->st_mode))
		return fd;
	close(fd);
	return -1;
}

int
store_keep(struct store *s, const struct name *n)
{
	struct stat sb;
	int fd = store_get(s, n, &sb);
	bool sent;

	if (fd < 0)
		return -1;
	sent = (sb.st_mode & 0777) == STORE_MODE_SENT;
	if (sent && time(NULL) - sb.st_mtime < STORE_FRESH_S) {
		close(fd);
		return -1;
	}
	if (fchmod(fd, STORE_MODE_SENT) != 0 || futimens(fd, NULL) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
store_fd(const struct store *s)
{
	return s->fd;
}

uint64_t
store_free_bytes(const struct store *s)
{
	struct statvfs v;

	return fstatvfs(s->fd, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

uint64_t
store_bytes(const struct store *s)
{
	return s->bytes;
}

uint64_t
store_files(const struct store *s)
{
	return s->files;
}

uint64_t
store_sweeps(const struct store *s)
{
	return s->sweeps;
}

uint64_t
store_collected(const struct store *s)
{
	return s->collected;
}
