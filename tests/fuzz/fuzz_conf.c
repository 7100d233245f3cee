/* SPDX-License-Identifier: MIT */
/*
 * A whole cchat.conf, through our scanner and libconfuse. Whatever is in it:
 * one line of error or settings within their ranges.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/proc/conf.h"
#include "tests/fuzz/fuzz.h"

#define MUST(x) ((x) ? (void)0 : abort())
#define S	struct settings

struct settings {
	char *listen;
	int64_t msg_max;
	bool echo;
	int auth;
	char **origins;
};

static const char *const words[] = {"open", "token", NULL};
static const struct conf_opt opts[] = {
    CONF_ADDR(S, listen, "listen", "127.0.0.1:9503", "listener"),
    CONF_INT(S, msg_max, "msg_max", 4096, 1, 65536, "bytes"),
    CONF_BOOL(S, echo, "echo", "no", "echo"),
    CONF_ENUM(S, auth, "auth", "open", words, "who"),
    CONF_LIST(S, origins, "origins", NULL, "origins"),
};
static const struct conf_program prog = {
    "msg_server", "fuzzed", opts, ARRAY_LEN(opts)};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[64];
	struct settings s;
	char err[512];
	int rc;

	if (fd < 0) {
		fd = memfd_create("cchat.conf", MFD_CLOEXEC);
		MUST(fd >= 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0);
	MUST(pwrite(fd, data, size, 0) == (ssize_t)size);
	rc = conf_read(&prog, &s, path, 0, NULL, err, sizeof err);
	MUST(rc == OK || rc == ERR_CONF);
	MUST((rc == OK) == (err[0] == '\0'));
	MUST(s.listen && s.origins);
	MUST(s.msg_max >= 1 && s.msg_max <= 65536);
	MUST(s.auth == 0 || s.auth == 1);
	conf_free(&prog, &s);
	return 0;
}
