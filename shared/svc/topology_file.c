/* SPDX-License-Identifier: MIT */
/*
 * The cache file of the topology, whole or not at all: written beside, synced,
 * renamed. Reading it back is topology.c's and the config_server's business.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/svc/topology.h"

static int
topology_write_file(const char *path, struct str text)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t off = 0;
	ssize_t n;

	if (fd < 0)
		return ERR_IO;
	while (off < text.len) {
		n = write(fd, text.p + off, text.len - off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		off += (size_t)n;
	}
	if (off < text.len || fsync(fd) != 0) {
		close(fd);
		return ERR_IO;
	}
	return close(fd) == 0 ? 0 : ERR_IO;
}

int
topology_save(const char *path, struct str json)
{
	char tmp[PATH_MAX], *slash;
	int n, fd;

	n = snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	if (n < 0 || (size_t)n >= sizeof(tmp))
		return ERR_INVALID;
	if (topology_write_file(tmp, json) != 0 || rename(tmp, path) != 0) {
		n = errno;
		unlink(tmp);
		errno = n;
		return ERR_IO;
	}
	/* the rename itself lasts only with its directory */
	slash = strrchr(tmp, '/');
	if (slash != NULL)
		slash[slash == tmp ? 1 : 0] = '\0';
	fd =
	    open(slash != NULL ? tmp : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	return 0;
}
