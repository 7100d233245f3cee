/* SPDX-License-Identifier: MIT */
/*
 * The data directory under the log: lock, reserve, free space, boot. Runs on
 * the writer's thread (log_dir_holder() also on the loop's); everything here
 * is a few system calls on a local disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proxy_server/log_dir.h"

/* statfs(2): these lock on other machines, in other ways, or not at all */
static const struct {
	unsigned long magic;
	const char *name;
} log_dir_remote[] = {
    {0x6969, "NFS"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB"},
    {0x517b, "SMB"},
    {0x01021997, "9p"},
    {0x65735546, "FUSE"},
    {0x00c36400, "Ceph"},
    {0x5346414f, "AFS"},
    {0x73757245, "Coda"},
    {0x0bd00bd0, "Lustre"},
};

const char *
log_dir_refuses(unsigned long fs_magic)
{
	for (size_t i = 0; i < ARRAY_LEN(log_dir_remote); i++)
		if (log_dir_remote[i].magic == (fs_magic & 0xffffffff))
			return log_dir_remote[i].name;
	return NULL;
}

int
log_dir_check(const char *dir, char *why, size_t why_size)
{
	struct statfs fs;
	const char *name;

	if (statfs(dir, &fs) < 0) {
		snprintf(why, why_size, "data directory %s: %m", dir);
		return ERR_IO;
	}
	name = log_dir_refuses((unsigned long)fs.f_type);
	if (name == NULL)
		return 0;
	snprintf(why, why_size,
	    "data directory %s lies on a network file system (%s): "
	    "its locks can't be trusted, use a local disk",
	    dir, name);
	return ERR_FOREIGN;
}

static int
log_dir_open(const char *dir, const char *name, int flags)
{
	char path[4096];

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >=
	    (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* is what we have locked still what others will open? */
static bool
log_dir_is_same(const char *dir, int fd)
{
	struct stat a, b;
	char path[4096];

	snprintf(path, sizeof path, "%s/messages.lock", dir);
	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

int
log_dir_lock(const char *dir, void (*on_wait)(void *arg),
    bool (*stop)(void *arg), void *arg, int *fd, char *why, size_t why_size)
{
	bool waited = false;
	int f;

	for (;;) {
		f = log_dir_open(dir, "messages.lock", O_RDWR | O_CREAT);
		if (f < 0) {
			snprintf(why, why_size, "%s/messages.lock: %m", dir);
			return errno == EACCES || errno == EROFS ||
				       errno == EPERM
				   ? ERR_READONLY
				   : ERR_IO;
		}
		while (flock(f, waited ? LOCK_EX : LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK && errno != EINTR) {
				snprintf(why, why_size,
				    "%s/messages.lock: can't lock: %m", dir);
				close(f);
				return ERR_IO;
			}
			if (!waited)
				on_wait(arg);
			waited = true;
			if (stop(arg)) {
				close(f);
				return ERR_AGAIN;
			}
		}
		if (log_dir_is_same(dir, f))
			break;
		close(f);
	}
	*fd = f;
	return 0;
}

int
log_dir_holder(const char *dir, struct lock_holder *out)
{
	char line[512];
	ssize_t n;
	int fd = log_dir_open(dir, "messages.lock", O_RDONLY);

	memset(out, 0, sizeof *out);
	if (fd < 0)
		return ERR_NOTFOUND;
	n = pread(fd, line, sizeof line - 1, 0);
	close(fd);
	if (n <= 0)
		return ERR_NOTFOUND;
	line[n] = '\0';
	/* a longer, older line may show behind the newline for a moment */
	if (strchr(line, '\n') == NULL)
		return ERR_NOTFOUND;
	*strchr(line, '\n') = '\0';
	if (sscanf(line, "%d %" SCNu64 " %32s %" SCNu64 " %8s %119s", &out->pid,
		&out->start_time, out->name, &out->gen, out->ep,
		out->link) < 3 ||
	    out->pid <= 0) {
		memset(out, 0, sizeof *out);
		return ERR_NOTFOUND;
	}
	if (!strcmp(out->ep, "-"))
		out->ep[0] = '\0';
	if (!strcmp(out->link, "-"))
		out->link[0] = '\0';
	return 0;
}

int
log_dir_sign(int fd, const struct lock_holder *self)
{
	char line[512];
	int n =
	    snprintf(line, sizeof line, "%d %" PRIu64 " %s %" PRIu64 " %s %s\n",
		self->pid, self->start_time, self->name, self->gen,
		self->ep[0] != '\0' ? self->ep : "-",
		self->link[0] != '\0' ? self->link : "-");

	if (n >= (int)sizeof line)
		return ERR_IO;
	if (pwrite(fd, line, (size_t)n, 0) != n || ftruncate(fd, n) < 0)
		return errno == ENOSPC ? ERR_FULL : ERR_IO;
	return 0;
}

uint64_t
log_dir_start_time(int pid)
{
	char path[40], line[1024], *p;
	uint64_t start = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, line, sizeof line - 1);
	close(fd);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	/* field 2 is the name in parentheses and may hold anything */
	p = strrchr(line, ')');
	for (int field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p == NULL || sscanf(p + 1, "%" SCNu64, &start) != 1)
		return 0;
	return start;
}

void
log_dir_boot_id(char out[BOOT_ID_LEN + 1])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, out, BOOT_ID_LEN);
		close(fd);
	}
	out[n == BOOT_ID_LEN ? BOOT_ID_LEN : 0] = '\0';
}

int64_t
log_dir_free(const char *dir)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) < 0)
		return -1;
	return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}

int
log_dir_reserve(const char *dir)
{
	int err, fd = log_dir_open(dir, "messages.reserve", O_RDWR | O_CREAT);

	if (fd < 0)
		return ERR_FULL;
	err = posix_fallocate(fd, 0, LOG_RESERVE);
	close(fd);
	if (err == 0)
		return 0;
	log_dir_release(dir);
	return ERR_FULL;
}

void
log_dir_release(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/messages.reserve", dir);
	unlink(path);
}
