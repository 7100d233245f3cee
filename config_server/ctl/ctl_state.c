/* SPDX-License-Identifier: MIT */
/*
 * The file by which verbs find the running cluster, and the lock that says it
 * runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "config_server/ctl/ctl_state.h"
#include "shared/proc/clock.h"
#include "shared/svc/topology.h"

enum { STATE_MAX = 1 << 20, STATE_POLL_NS = 20000000 };

pid_t
state_pid(const char *data)
{
	char path[PATH_MAX], text[16] = "";
	uint64_t pid = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/run/cchatctl.pid", data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		n = 0;
	close(fd);
	if (n <= 0 || str_u64(str_n(text, strcspn(text, "\n")), &pid) != 0)
		return 0;
	return (pid_t)pid;
}

bool
state_wait_gone(const char *data, int64_t ms)
{
	const struct timespec nap = {.tv_nsec = STATE_POLL_NS};
	int64_t until = clock_mono_ms() + ms;

	while (state_pid(data) != 0) {
		if (clock_mono_ms() > until)
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}

json_t *
state_read(const char *data)
{
	char path[PATH_MAX];
	uint8_t chunk[4096];
	struct buf in;
	json_t *v;
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), "%s/run/cluster.json", data);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	buf_init(&in, STATE_MAX);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&in, chunk, (size_t)n);
	close(fd);
	v = json_read(buf_str(&in), &err);
	buf_fini(&in);
	return v;
}

int
state_write(const char *data, struct str json)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run/cluster.json", data);
	return topology_save(path, json);
}

const char *
state_text(const json_t *obj, const char *key)
{
	const char *v = json_string_value(json_object_get(obj, key));

	return v != NULL ? v : "";
}
