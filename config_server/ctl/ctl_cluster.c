/* SPDX-License-Identifier: MIT */
/*
 * The loop of the supervisor: signals, lines of children, ends of children,
 * due restarts; before everything is ready also /readyz. One poll(), no libev:
 * it must go on when everything else is broken. How a child is started is
 * ctl_child.c; preparations (keys, ports, programs) are ctl_prepare.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_server/ctl/ctl_cluster_priv.h"
#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_prepare.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/live/as.h"
#include "shared/proc/clock.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"

void
cluster_say(const struct cluster *k, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (k->env.terminal)
		fprintf(stderr, "%s%-*s |%s %s\n",
		    table_color(stderr, TABLE_BOLD), k->env.name_width,
		    "cchatctl", table_color(stderr, TABLE_PLAIN), text);
	else
		log_info("%s", text);
}

/* ---- stopping --------------------------------------------------------- */

static bool
cluster_role_runs(const struct cluster *k, enum link_role role)
{
	for (int i = 0; i < k->n; i++)
		if (k->child[i].role == role && k->child[i].pid > 0)
			return true;
	return false;
}

static void
cluster_kill_role(const struct cluster *k, enum link_role role, int sig)
{
	for (int i = 0; i < k->n; i++)
		if (k->child[i].role == role)
			child_kill(&k->child[i], sig);
}

/*
 * msg, proxy, config: the next role that still runs is told to end. To a
 * msg_server SIGTERM says: drain. When all go there is nowhere to move to.
 */
static void
cluster_stop_next(struct cluster *k)
{
	while (
	    k->stopping <= ROLE_CONFIG && !cluster_role_runs(k, k->stopping)) {
		k->stopping++;
		k->killed = false;
		k->stop_by_ms = clock_mono_ms() + CLUSTER_STOP_MS;
		if (k->stopping <= ROLE_CONFIG)
			cluster_kill_role(k, k->stopping, SIGTERM);
	}
}

static void
cluster_begin_stop(struct cluster *k, int code)
{
	if (k->stopping)
		return;
	k->code = code;
	for (int i = 0; i < k->n; i++)
		k->child[i].restart_ms = 0;
	k->stopping = ROLE_MSG;
	k->killed = false;
	k->stop_by_ms = clock_mono_ms() + CLUSTER_STOP_MS;
	cluster_kill_role(k, ROLE_MSG, SIGINT);
	cluster_stop_next(k);
}

static void
cluster_stop_late(struct cluster *k)
{
	if (!k->stopping || k->stopping > ROLE_CONFIG || k->killed ||
	    clock_mono_ms() < k->stop_by_ms)
		return;
	cluster_say(k, "%s_server does not end, killing it",
	    link_role_text(k->stopping));
	cluster_kill_role(k, k->stopping, SIGKILL);
	k->killed = true;
}

/* ---- starting --------------------------------------------------------- */

static void
cluster_spawn(struct cluster *k, struct child *c)
{
	if (child_start(c, &k->env) == 0)
		return;
	cluster_say(k, "%s can't be started: %s", c->name, strerror(errno));
	c->restart_ms = clock_mono_ms() + CHILD_BACKOFF_MAX_MS;
}

/* config_server is there: everybody else may come */
static void
cluster_spawn_rest(struct cluster *k)
{
	str_copy(k->config, sizeof(k->config), str_of(k->child[0].listen));
	for (int i = 1; i < k->n; i++)
		if (k->child[i].started_ms == 0)
			cluster_spawn(k, &k->child[i]);
}

static bool
cluster_is_ready(const char *admin)
{
	struct buf out;
	int status;

	if (admin[0] == '\0')
		return false;
	buf_init(&out, 65536);
	status = ctl_http("GET", admin, "/readyz", CLUSTER_READY_ASK_MS, &out);
	buf_fini(&out);
	return status == 200;
}

/* of a detached one: its messages go to a file, which may have been moved */
static void
cluster_open_log(const struct cluster *k)
{
	char path[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/log/cchatctl.log", k->env.data);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
}

/* the terminal is given back */
static void
cluster_detach_done(struct cluster *k, int code)
{
	int null;

	if (k->report_fd < 0)
		return;
	fflush(stdout);
	(void)!write(k->report_fd, &code, sizeof(code));
	close(k->report_fd);
	k->report_fd = -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	cluster_open_log(k);
}

static void
cluster_look_ready(struct cluster *k)
{
	bool all = true, news = false;

	for (int i = 0; i < k->n; i++) {
		struct child *c = &k->child[i];

		if (c->pid > 0 && !c->ready) {
			c->ready = cluster_is_ready(child_admin(c));
			news |= c->ready;
		}
		all &= c->ready;
		if (i == 0 && c->ready)
			cluster_spawn_rest(k);
	}
	if (k->ready && news)
		cluster_save(k);
	if (k->ready || !all)
		return;
	k->ready = true;
	for (int i = 0; i < k->n; i++) /* the last of their addresses */
		(void)child_read(&k->child[i], &k->env);
	cluster_save(k);
	cluster_report(k);
	cluster_detach_done(k, EXIT_OK);
}

/* `wait` seconds have gone: say who is missing, and why */
static void
cluster_give_up(struct cluster *k)
{
	for (int i = 0; i < k->n; i++) {
		struct child *c = &k->child[i];

		if (!c->ready)
			fprintf(stderr,
			    "cchatctl: %s is not ready after "
			    "%lld s: %s\n",
			    c->name, (long long)k->args->set.wait,
			    c->last[0] ? c->last : "it has said nothing");
	}
	cluster_begin_stop(k, EXIT_FAILED);
}

/* ---- ends ------------------------------------------------------------- */

/* an end before all was ready that starting again would not mend */
static bool
cluster_is_fatal(const struct cluster *k, const struct child *c)
{
	return !k->ready && !k->stopping &&
	       (c->exit_code == EXIT_USAGE ||
		   c->exit_code == EXIT_ADDR_IN_USE ||
		   c->exit_code == EXIT_DATA || c->exit_code == 127);
}

/* what the config_server says; to be released, NULL: nothing */
static json_t *
cluster_ask(const struct cluster *k, const char *tail, const char *name)
{
	char target[ID_MAX + 32];
	json_t *v = NULL;
	struct buf out;
	int err;

	snprintf(target, sizeof(target), "/v1/servers/%s%s", name, tail);
	buf_init(&out, 65536);
	if (ctl_http("GET", k->config, target, CLUSTER_READY_ASK_MS, &out) ==
	    200)
		v = json_read(buf_str(&out), &err);
	buf_fini(&out);
	return v;
}

/* a drain job emptied it: it stays down until somebody wants it back */
static bool
cluster_was_drained(const struct cluster *k, const struct child *c)
{
	const char *state;
	json_t *job;
	int64_t t0 = 0;
	bool yes;

	if (c->role != ROLE_MSG || c->exit_code != EXIT_OK)
		return false;
	job = cluster_ask(k, "/drain", c->name);
	state = state_text(job, "state");
	(void)json_int(job, "t0", &t0);
	yes = t0 >= c->since_ms &&
	      (!strcmp(state, "done") || !strcmp(state, "running"));
	json_decref(job);
	return yes;
}

/* it beats and says that it drains: drain_within may be long */
static bool
cluster_is_draining(const struct cluster *k, const struct child *c)
{
	json_t *s = c->role == ROLE_MSG ? cluster_ask(k, "", c->name) : NULL;
	bool yes = !strcmp(state_text(s, "state"), "draining") &&
		   json_bool(s, "linked", false);

	json_decref(s);
	return yes;
}

/* it has ended as it was told to: that is no failure */
static void
cluster_ended_asked(struct cluster *k, struct child *c)
{
	c->restarts--;
	c->backoff_ms = CHILD_BACKOFF_MS;
	c->restart_ms = c->drained ? 0 : clock_mono_ms();
	cluster_say(k, "%s %s", c->name,
	    c->drained ? "is drained and has ended" : "starts again");
	c->again = false;
	cluster_save(k);
}

static void
cluster_ended(struct cluster *k, struct child *c, int status)
{
	char how[64];

	child_ended(c, &k->env, status, k->stopping != 0);
	c->drained = !k->stopping && !c->again && cluster_was_drained(k, c);
	if (!k->stopping && (c->drained || c->again)) {
		cluster_ended_asked(k, c);
		return;
	}
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "code %d", c->exit_code);
	if (cluster_is_fatal(k, c)) {
		fprintf(stderr, "cchatctl: %s: %s\n", c->name,
		    c->last[0] ? c->last : how);
		cluster_begin_stop(
		    k, c->exit_code == 127 ? EXIT_FAILED : c->exit_code);
	} else if (!k->stopping) {
		cluster_say(k, "%s ended (%s), starting it again in %.1f s",
		    c->name, how,
		    (double)(c->restart_ms - clock_mono_ms()) / 1000.);
	}
	cluster_save(k);
}

static void
cluster_reap(struct cluster *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < k->n; i++)
			if (k->child[i].pid == pid)
				cluster_ended(k, &k->child[i], status);
	if (k->stopping)
		cluster_stop_next(k);
}

/*
 * SIGUSR1 with a number in it: that child is to run anew. One that is down is
 * started, one that runs gets SIGTERM first.
 */
static void
cluster_again(struct cluster *k, int which)
{
	struct child *c;

	if (which < 0 || which >= k->n || k->stopping || !k->ready)
		return;
	c = &k->child[which];
	if (c->pid > 0) {
		cluster_say(k, "%s is asked to end", c->name);
		c->again = true;
		c->end_by_ms = clock_mono_ms() + CLUSTER_DRAIN_MS;
		child_kill(c, SIGTERM);
	} else {
		c->drained = false;
		c->backoff_ms = CHILD_BACKOFF_MS;
		c->restart_ms = clock_mono_ms();
	}
}

/* who was to run anew and does not end */
static void
cluster_again_late(struct cluster *k)
{
	for (int i = 0; i < k->n; i++) {
		struct child *c = &k->child[i];

		if (!c->again || c->pid == 0 || clock_mono_ms() < c->end_by_ms)
			continue;
		c->end_by_ms = clock_mono_ms() + CLUSTER_STOP_MS;
		if (cluster_is_draining(k, c))
			continue;
		cluster_say(k, "%s does not end, killing it", c->name);
		child_kill(c, SIGKILL);
	}
}

static void
cluster_kill_all(const struct cluster *k, int sig)
{
	for (int i = 0; i < k->n; i++)
		child_kill(&k->child[i], sig);
}

/*
 * Settings, keys and logs anew: of one child, or of all and ours (-1). One that
 * has not said where it listens reads them yet, and would die of the signal.
 */
static void
cluster_reload(struct cluster *k, int which)
{
	if (which >= k->n || k->stopping)
		return;
	for (int i = 0; i < k->n; i++) {
		struct child *c = &k->child[i];

		if (which >= 0 && which != i)
			continue;
		child_reopen_log(c);
		if (child_admin(c)[0] != '\0' && c->listening[0] != '\0')
			child_kill(c, SIGHUP);
	}
	if (which < 0 && k->args->detach && k->report_fd < 0)
		cluster_open_log(k);
}

static void
cluster_on_signal(struct cluster *k)
{
	struct signalfd_siginfo si;

	while (read(k->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			cluster_reap(k);
		} else if (si.ssi_signo == SIGUSR1) {
			cluster_again(k, si.ssi_int);
		} else if (si.ssi_signo == SIGUSR2) {
			cluster_reload(k, si.ssi_int);
		} else if (si.ssi_signo == SIGHUP && k->args->detach) {
			cluster_reload(k, -1);
		} else if (k->stopping) {
			cluster_kill_all(k, SIGKILL);
		} else {
			cluster_say(k, "stopping");
			cluster_begin_stop(k, k->ready ? EXIT_OK : EXIT_FAILED);
		}
	}
}

/* ---- the loop --------------------------------------------------------- */

static int
cluster_timeout(const struct cluster *k)
{
	int64_t now = clock_mono_ms(), t = CLUSTER_TICK_MS;

	for (int i = 0; i < k->n; i++) {
		const struct child *c = &k->child[i];

		if (c->pid > 0 && !c->ready && !k->stopping &&
		    t > CLUSTER_READY_TICK_MS)
			t = CLUSTER_READY_TICK_MS;
		if (c->restart_ms > 0 && c->restart_ms - now < t)
			t = c->restart_ms - now;
	}
	return t > 0 ? (int)t : 0;
}

static void
cluster_poll(struct cluster *k)
{
	struct pollfd p[CLUSTER_CHILDREN_MAX + 1];
	struct child *at[CLUSTER_CHILDREN_MAX + 1];
	nfds_t n = 1, i;

	p[0] = (struct pollfd){.fd = k->signal_fd, .events = POLLIN};
	for (int c = 0; c < k->n; c++) {
		if (k->child[c].err_fd < 0)
			continue;
		p[n] =
		    (struct pollfd){.fd = k->child[c].err_fd, .events = POLLIN};
		at[n++] = &k->child[c];
	}
	if (poll(p, n, cluster_timeout(k)) <= 0)
		return;
	for (i = 1; i < n; i++)
		if (p[i].revents != 0)
			(void)child_read(at[i], &k->env);
	if (p[0].revents != 0)
		cluster_on_signal(k);
}

static void
cluster_run(struct cluster *k)
{
	int64_t give_up = k->begun_ms + k->args->set.wait * 1000, now;
	int i;

	while (k->stopping <= ROLE_CONFIG) {
		cluster_poll(k);
		cluster_stop_late(k);
		if (k->stopping)
			continue;
		cluster_again_late(k);
		now = clock_mono_ms();
		for (i = 0; i < k->n; i++) {
			struct child *c = &k->child[i];

			if (c->pid > 0 || c->restart_ms == 0 ||
			    c->restart_ms > now)
				continue;
			cluster_spawn(k, c);
			cluster_save(k);
		}
		for (i = 0; i < k->n; i++)
			if (k->child[i].pid > 0 && !k->child[i].ready)
				break;
		if (i < k->n || !k->ready)
			cluster_look_ready(k);
		if (!k->ready && now > give_up)
			cluster_give_up(k);
	}
}

static void
cluster_add(struct cluster *k, enum link_role role, const char *base, int64_t n)
{
	char name[ID_MAX + 1];
	int width;

	for (int64_t i = 0; i < n; i++) {
		if (role == ROLE_CONFIG)
			snprintf(name, sizeof(name), "%s", base);
		else
			snprintf(name, sizeof(name), "%s%lld", base,
			    (long long)i + 1);
		child_init(&k->child[k->n++], name, role, (unsigned)i);
		width = (int)strlen(name);
		if (width > k->env.name_width)
			k->env.name_width = width;
	}
}

static void
cluster_signals(struct cluster *k)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, &k->env.signals);
	k->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (k->signal_fd < 0)
		fatal(EXIT_FAILED, "signalfd: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
}

int
cluster_start(const struct ctl_args *a)
{
	struct cluster *k = xcalloc(1, sizeof(*k));
	int code, report_fd = -1;

	k->args = a;
	k->env.args = a;
	k->env.config = k->config;
	k->env.terminal = !a->detach;
	k->env.name_width = (int)sizeof("cchatctl") - 1;
	if (state_pid(a->set.data) != 0)
		fatal(EXIT_FAILED,
		    "a cluster runs already in %s (pid %d); stop it with: "
		    "%s stop --data %s",
		    a->set.data, (int)state_pid(a->set.data), a->argv[0],
		    a->set.data);
	prepare_all(a, &k->env);
	if (a->detach && prepare_detach(&report_fd, &code)) {
		free(k);
		return code; /* we are the one who waited */
	}
	k->report_fd = report_fd;
	daemon_pidfile(k->env.data, "cchatctl");
	k->begun_ms = clock_mono_ms();
	k->wall_ms = clock_wall_ms();
	cluster_add(k, ROLE_CONFIG, "config", 1);
	cluster_add(k, ROLE_PROXY, "proxy", a->set.proxy);
	cluster_add(k, ROLE_MSG, "ms",
	    a->set.msg != 0 ? a->set.msg : as_servers(a->set.as));
	cluster_signals(k);
	cluster_spawn(k, &k->child[0]);
	cluster_save(k);
	cluster_run(k);
	cluster_save(k);
	if (k->ready)
		cluster_say(k, "stopped");
	cluster_detach_done(k, k->code);
	code = k->code;
	free(k);
	return code;
}
