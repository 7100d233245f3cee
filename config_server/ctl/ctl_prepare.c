/* SPDX-License-Identifier: MIT */
/*
 * Before the cluster starts: is everything there? The supervisor itself is
 * ctl_cluster.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_server/ctl/ctl_prepare.h"
#include "config_server/ctl/live/as.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"

/* ---- programs --------------------------------------------------------- */

static bool
prepare_is_program(
    char out[PATH_MAX], const char *fmt, const char *dir, const char *name)
{
	int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(out, PATH_MAX, fmt, dir, name, name);
#pragma GCC diagnostic pop
	return n > 0 && n < PATH_MAX && access(out, X_OK) == 0;
}

/* beside us in a build tree, beside us, in sbin, where it was installed */
static void
prepare_program(
    const char *dir, const char *own, const char *name, char out[PATH_MAX])
{
	if (dir[0] != '\0') {
		if (prepare_is_program(out, "%s/%s", dir, name))
			return;
		fatal(EXIT_FAILED, "no program %s in %s (setting programs)",
		    name, dir);
	}
	if (prepare_is_program(out, "%s/../%s/%s", own, name) ||
	    prepare_is_program(out, "%s/%s", own, name) ||
	    prepare_is_program(out, "%s/../sbin/%s", own, name) ||
	    prepare_is_program(out, "%s/%s", SBINDIR, name))
		return;
	fatal(EXIT_FAILED,
	    "program %s not found; say where with --programs DIR", name);
}

void
prepare_find(const struct ctl_args *a, const char *name, char out[PATH_MAX])
{
	char own[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[n > 0 ? n : 0] = '\0';
	slash = strrchr(own, '/');
	if (slash != NULL)
		*slash = '\0';
	prepare_program(a->set.programs, own, name, out);
}

static void
prepare_programs(const struct ctl_args *a, struct child_env *env)
{
	prepare_find(a, "msg_server", env->programs[ROLE_MSG - ROLE_MSG]);
	prepare_find(a, "proxy_server", env->programs[ROLE_PROXY - ROLE_MSG]);
	prepare_find(a, "config_server", env->programs[ROLE_CONFIG - ROLE_MSG]);
}

/* ---- ports ------------------------------------------------------------ */

/* msg_servers share their port: without this look, with a stranger too */
static void
prepare_port(const char *address, const char *setting)
{
	struct addr a;
	int fd, one = 1, err = 0;
	char flag[40];

	snprintf(flag, sizeof(flag), "%s", setting);
	for (size_t i = 0; flag[i] != '\0'; i++)
		if (flag[i] == '_')
			flag[i] = '-';
	if (addr_parse(str_of(address), &a) != 0)
		fatal(EXIT_USAGE, "'%s' is not an address (setting %s)",
		    address, setting);
	if (a.ss.ss_family == AF_UNIX || addr_port(&a) == 0)
		return;
	fd = socket(a.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a.ss, a.len) != 0 ||
	    listen(fd, 1) != 0)
		err = errno;
	close(fd);
	if (err == EADDRINUSE && !strcmp(setting, "as"))
		fatal(EXIT_ADDR_IN_USE,
		    "%s, which --as opens, is in use by another program",
		    address);
	if (err == EADDRINUSE)
		fatal(EXIT_ADDR_IN_USE,
		    "%s is in use by another program; choose another with "
		    "--%s ADDR:PORT (setting %s)",
		    address, flag, setting);
	if (err == EACCES || err == EADDRNOTAVAIL)
		fatal(EXIT_FAILED, "%s: %s (setting %s)", address,
		    strerror(err), setting);
}

/* those of older systems are shared by our msg_servers, too */
static void
prepare_as(const struct ctl_args *a)
{
	char word[32], address[ADDR_TEXT_MAX];

	if (as_unknown(a->set.as, word) != NULL)
		fatal(EXIT_USAGE,
		    "as: '%s' is none of cchat, workerman, webim, meteor, sok",
		    word);
	for (size_t i = 0; as_port(a->set.as, a->set.listen, i, address); i++)
		prepare_port(address, "as");
}

/* ---- data ------------------------------------------------------------- */

static void
prepare_key(const char *data, const char *name)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", data, name);
	if (daemon_key_create(path) != 0)
		fatal(EXIT_DATA, "%s: %s", path, strerror(errno));
}

static void
prepare_data(const struct ctl_args *a, struct child_env *env)
{
	char sub[PATH_MAX + 8];

	daemon_data_dir(a->set.data);
	if (realpath(a->set.data, env->data) == NULL)
		fatal(EXIT_DATA, "data directory %s: %s", a->set.data,
		    strerror(errno));
	snprintf(sub, sizeof(sub), "%s/log", env->data);
	daemon_data_dir(sub);
	snprintf(sub, sizeof(sub), "%s/run", env->data);
	daemon_data_dir(sub);
	prepare_key(env->data, "link.key");
	prepare_key(env->data, "token.key");
}

void
prepare_all(const struct ctl_args *a, struct child_env *env)
{
	prepare_programs(a, env);
	prepare_data(a, env);
	prepare_as(a);
	prepare_port(a->set.listen, "listen");
	prepare_port(a->set.direct, "direct");
	prepare_port(a->set.admin, "admin");
	prepare_port(a->set.link_listen, "link_listen");
	prepare_port(a->set.proxy_admin, "proxy_admin");
	prepare_port(a->set.config_server, "config_server");
	if (a->set.www[0] != '\0' && access(a->set.www, R_OK) != 0)
		fatal(EXIT_USAGE, "www: %s: %s", a->set.www, strerror(errno));
}

bool
prepare_detach(int *report_fd, int *code)
{
	int fd[2];
	pid_t pid;
	ssize_t n;

	if (pipe2(fd, O_CLOEXEC) != 0)
		fatal(EXIT_FAILED, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fatal(EXIT_FAILED, "fork: %s", strerror(errno));
	if (pid == 0) {
		close(fd[0]);
		setsid();
		*report_fd = fd[1];
		return false;
	}
	close(fd[1]);
	do
		n = read(fd[0], code, sizeof(*code));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*code))
		*code = EXIT_FAILED;
	/* what has failed is over, and not found by whoever looks next */
	while (*code != 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}
