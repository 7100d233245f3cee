/* SPDX-License-Identifier: MIT */
/*
 * Starting one daemon and listening to it. When it is started and stopped is
 * decided in ctl_cluster.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_server/ctl/ctl_child.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/live/as.h"
#include "shared/proc/clock.h"

enum { CHILD_ARGS_MAX = 40 };

void
child_init(struct child *c, const char *name, enum link_role role, unsigned nth)
{
	memset(c, 0, sizeof(*c));
	str_copy(c->name, sizeof(c->name), str_of(name));
	c->role = role;
	c->nth = nth;
	c->first = nth == 0;
	c->err_fd = c->log_fd = -1;
	c->exit_code = -1;
	c->backoff_ms = CHILD_BACKOFF_MS;
}

/* ---- its command line ------------------------------------------------- */

struct child_argv {
	const char *v[CHILD_ARGS_MAX];
	int n;
};

static void
child_arg(struct child_argv *a, const char *flag, const char *value)
{
	a->v[a->n++] = flag;
	a->v[a->n++] = value;
}

/* "10.0.0.1:9510" -> "10.0.0.1:0" */
static void
child_port0(const char *address, char out[ADDR_TEXT_MAX])
{
	const char *colon = strrchr(address, ':');
	size_t n = colon != NULL ? (size_t)(colon - address) : strlen(address);

	snprintf(out, ADDR_TEXT_MAX, "%.*s:0", (int)n, address);
}

/* what it had before, so that those who know it find it again */
static const char *
child_address(const struct child *c, const char *learned, const char *set,
    char tmp[ADDR_TEXT_MAX])
{
	if (learned[0] != '\0')
		return learned;
	if (c->first)
		return set;
	child_port0(set, tmp);
	return tmp;
}

static void
child_args(const struct child *c, const struct child_env *env,
    struct child_argv *a, char tmp[2][ADDR_TEXT_MAX], struct as_flags *as)
{
	const struct ctl_settings *set = &env->args->set;

	a->v[a->n++] = env->programs[c->role - ROLE_MSG];
	if (env->args->file != NULL)
		child_arg(a, "-c", env->args->file);
	child_arg(a, "--name", c->name);
	child_arg(a, "--cluster", set->cluster);
	child_arg(a, "--data", env->data);
	if (c->role == ROLE_CONFIG) {
		child_arg(a, "--listen",
		    child_address(c, c->listen, set->config_server, tmp[0]));
		return;
	}
	child_arg(a, "--config-server", env->config);
	if (c->role == ROLE_PROXY) {
		child_arg(a, "--link-listen",
		    child_address(c, c->listen, set->link_listen, tmp[0]));
		child_arg(a, "--admin",
		    child_address(c, c->admin, set->proxy_admin, tmp[1]));
		return;
	}
	child_arg(a, "--listen", set->listen);
	child_arg(
	    a, "--direct", child_address(c, c->direct, set->direct, tmp[0]));
	child_arg(a, "--admin", child_address(c, c->admin, set->admin, tmp[1]));
	if (set->www[0] != '\0')
		child_arg(a, "--www", set->www);
	for (int i = 0; i < as->n; i++)
		child_arg(a, as->flag[i], as->value[i]);
}

/* ---- starting --------------------------------------------------------- */

static void
child_exec(
    const struct child_env *env, char *const *argv, int err_fd, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(err_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	sigprocmask(SIG_SETMASK, &env->signals, NULL);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void
child_open_log(struct child *c, const struct child_env *env)
{
	char path[PATH_MAX + ID_MAX + 16], old[PATH_MAX + ID_MAX + 24];
	struct stat sb;

	snprintf(path, sizeof(path), "%s/log/%s.log", env->data, c->name);
	if (c->log_fd >= 0 && c->log_len > CHILD_LOG_MAX) {
		snprintf(old, sizeof(old), "%s.1", path);
		close(c->log_fd);
		c->log_fd = -1;
		(void)rename(path, old);
	}
	if (c->log_fd >= 0)
		return;
	c->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	c->log_len = c->log_fd >= 0 && fstat(c->log_fd, &sb) == 0
			 ? (size_t)sb.st_size
			 : 0;
}

void
child_reopen_log(struct child *c)
{
	if (c->log_fd >= 0)
		close(c->log_fd);
	c->log_fd = -1;
}

int
child_start(struct child *c, const struct child_env *env)
{
	char tmp[2][ADDR_TEXT_MAX];
	struct child_argv a = {.n = 0};
	struct as_flags as = {.n = 0};
	pid_t pid, parent = getpid();
	int fd[2];

	child_open_log(c, env);
	if (c->role == ROLE_MSG && env->args->set.as[0] != '\0')
		as_flags(env->args->set.as, env->args->set.listen, c->nth, &as);
	child_args(c, env, &a, tmp, &as);
	a.v[a.n] = NULL;
	if (pipe2(fd, O_CLOEXEC) != 0)
		return ERR_IO;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_exec(env, (char *const *)(uintptr_t)a.v, fd[1], parent);
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		return ERR_IO;
	}
	(void)fcntl(fd[0], F_SETFL, O_NONBLOCK);
	c->err_fd = fd[0];
	c->pid = pid;
	c->line_len = 0;
	c->last[0] = c->listening[0] = '\0';
	c->started_ms = clock_mono_ms();
	c->since_ms = clock_wall_ms();
	c->restart_ms = 0;
	c->ready = false;
	return 0;
}

/* ---- its lines -------------------------------------------------------- */

static void
child_learn(struct child *c, const char *line)
{
	static const char mark[] = "listening on ";
	const char *at = strstr(line, mark), *open, *to;
	struct str addr;
	size_t n;

	if (at == NULL)
		return;
	at += sizeof(mark) - 1;
	open = strstr(at, " (");
	if (open == NULL)
		return;
	addr = str_n(at, (size_t)(open - at));
	to = open + 2;
	n = strlen(c->listening);
	snprintf(c->listening + n, sizeof(c->listening) - n, "%s\n", at);
	if (!strncmp(to, "admin", 5))
		str_copy(c->admin, sizeof(c->admin), addr);
	else if (!strncmp(to, "direct", 6))
		str_copy(c->direct, sizeof(c->direct), addr);
	else if (!strncmp(to, "public)", 7) || !strncmp(to, "link", 4) ||
		 !strncmp(to, "http", 4))
		str_copy(c->listen, sizeof(c->listen), addr);
}

/* what people should read of a line: without its time and who says it */
static const char *
child_text(const char *line)
{
	static const char *const who[] = {
	    "config_server", "proxy_server", "msg_server"};
	const char *colon = strstr(line, ": ");

	if (colon == NULL)
		return line;
	for (size_t i = 0; i < ARRAY_LEN(who); i++)
		if (!strncmp(line, who[i], strlen(who[i])))
			return colon + 2;
	return line[0] >= '0' && line[0] <= '9' ? colon + 2 : line;
}

static void
child_line(struct child *c, const struct child_env *env)
{
	static const enum table_color colors[] = {
	    TABLE_GREEN, TABLE_YELLOW, TABLE_DIM};

	c->line[c->line_len] = '\0';
	child_learn(c, c->line);
	str_copy(c->last, sizeof(c->last), str_of(child_text(c->line)));
	c->line[c->line_len++] = '\n';
	child_open_log(c, env);
	if (c->log_fd >= 0 && write(c->log_fd, c->line, c->line_len) > 0)
		c->log_len += c->line_len;
	if (env->terminal)
		fprintf(stderr, "%s%-*s |%s %.*s",
		    table_color(stderr, colors[c->role - ROLE_MSG]),
		    env->name_width, c->name, table_color(stderr, TABLE_PLAIN),
		    (int)c->line_len, c->line);
	c->line_len = 0;
}

bool
child_read(struct child *c, const struct child_env *env)
{
	char chunk[4096];
	ssize_t n, i;

	while ((n = read(c->err_fd, chunk, sizeof(chunk))) > 0) {
		for (i = 0; i < n; i++) {
			if (chunk[i] == '\n' ||
			    c->line_len == CHILD_LINE_MAX - 2)
				child_line(c, env);
			if (chunk[i] != '\n')
				c->line[c->line_len++] = chunk[i];
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* ---- its end ---------------------------------------------------------- */

void
child_ended(
    struct child *c, const struct child_env *env, int status, bool stopping)
{
	int64_t now = clock_mono_ms();

	(void)child_read(c, env);
	if (c->line_len > 0)
		child_line(c, env);
	close(c->err_fd);
	c->err_fd = -1;
	c->pid = 0;
	c->ready = false;
	c->exit_code =
	    WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (stopping)
		return;
	/* somebody else has its port now: any other will do */
	if (c->exit_code == EXIT_ADDR_IN_USE && c->restarts > 0 &&
	    c->role != ROLE_CONFIG)
		c->direct[0] = c->admin[0] = c->listen[0] = '\0';
	if (now - c->started_ms >= CHILD_GOOD_MS)
		c->backoff_ms = CHILD_BACKOFF_MS;
	c->restart_ms = now + c->backoff_ms;
	c->backoff_ms *= 2;
	if (c->backoff_ms > CHILD_BACKOFF_MAX_MS)
		c->backoff_ms = CHILD_BACKOFF_MAX_MS;
	c->restarts++;
}

void
child_kill(const struct child *c, int sig)
{
	if (c->pid > 0)
		kill(c->pid, sig);
}

const char *
child_admin(const struct child *c)
{
	return c->role == ROLE_CONFIG ? c->listen : c->admin;
}
