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

#include "config_server/ctl/ctl_child.h"
#include "config_server/ctl/ctl_cluster.h"
#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_prepare.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "shared/proc/clock.h"
#include "shared/proc/daemon.h"
#include "shared/proc/log.h"

enum {
	CLUSTER_CHILDREN_MAX = 1 + 16 + 64,
	CLUSTER_READY_TICK_MS = 30,
	CLUSTER_READY_ASK_MS = 500,
	CLUSTER_TICK_MS = 1000
};

struct cluster {
	const struct ctl_args *args;
	struct child_env env;
	struct child child[CLUSTER_CHILDREN_MAX];
	int n, signal_fd;
	char config[ADDR_TEXT_MAX];
	int64_t begun_ms, wall_ms, stop_by_ms;
	enum link_role stopping; /* the role that is to end now; 0: none */
	bool ready, killed;
	int code;      /* to exit with */
	int report_fd; /* detached: who waits for the code; else -1 */
};

static void __attribute__((format(printf, 2, 3)))
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

/* ---- what others may know --------------------------------------------- */

static const char *
cluster_state_text(const struct cluster *k, const struct child *c)
{
	if (c->pid == 0)
		return c->restart_ms > 0 ? "waiting" : "down";
	if (k->stopping)
		return "stopping";
	return c->ready ? "up" : "starting";
}

static void
cluster_put_child(struct jw *w, const struct cluster *k, const struct child *c)
{
	char log[PATH_MAX + ID_MAX + 16];

	snprintf(log, sizeof(log), "%s/log/%s.log", k->env.data, c->name);
	jw_obj(w, NULL);
	jw_cstr(w, "name", c->name);
	jw_cstr(w, "role", link_role_text(c->role));
	jw_int(w, "pid", c->pid);
	jw_cstr(w, "state", cluster_state_text(k, c));
	jw_int(w, "since", c->since_ms);
	jw_int(w, "restarts", c->restarts);
	jw_int(w, "exit", c->exit_code);
	jw_cstr(w, "listen", c->listen);
	jw_cstr(w, "direct", c->direct);
	jw_cstr(w, "admin", child_admin(c));
	jw_cstr(w, "log", log);
	jw_obj_end(w);
}

static const struct child *
cluster_first_msg(const struct cluster *k)
{
	for (int i = 0; i < k->n; i++)
		if (k->child[i].role == ROLE_MSG)
			return &k->child[i];
	return NULL;
}

/* what to type into a browser */
static void
cluster_page(const struct cluster *k, char *out, size_t size)
{
	const struct child *c = cluster_first_msg(k);
	const char *listen = k->args->set.listen;
	struct addr a;

	if (c != NULL && c->listen[0] != '\0')
		listen = c->listen;
	if (addr_parse(str_of(listen), &a) == 0 && a.ss.ss_family != AF_UNIX &&
	    (!strncmp(listen, "0.0.0.0:", 8) || !strncmp(listen, "[::]:", 5)))
		snprintf(out, size, "http://127.0.0.1:%u/", addr_port(&a));
	else
		snprintf(out, size, "http://%s/", listen);
}

static void
cluster_save(const struct cluster *k)
{
	char page[ADDR_TEXT_MAX + 16];
	struct buf out;
	struct jw w;

	buf_init(&out, 1 << 20);
	cluster_page(k, page, sizeof(page));
	jw_init(&w, &out);
	jw_obj(&w, NULL);
	jw_int(&w, "pid", getpid());
	jw_cstr(&w, "version", PACKAGE_VERSION);
	jw_int(&w, "since", k->wall_ms);
	jw_bool(&w, "detached", k->args->detach);
	jw_bool(&w, "ready", k->ready);
	jw_cstr(&w, "page", page);
	jw_cstr(&w, "config", k->config);
	jw_cstr(&w, "data", k->env.data);
	jw_arr(&w, "args");
	for (int i = 1; i < k->args->argc; i++)
		jw_cstr(&w, NULL, k->args->argv[i]);
	jw_arr_end(&w);
	jw_arr(&w, "servers");
	for (int i = 0; i < k->n; i++)
		cluster_put_child(&w, k, &k->child[i]);
	jw_arr_end(&w);
	jw_obj_end(&w);
	if (state_write(k->env.data, buf_str(&out)) != 0)
		cluster_say(
		    k, "can't write run/cluster.json: %s", strerror(errno));
	buf_fini(&out);
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

/* msg, proxy, config: the next role that still runs gets its SIGTERM */
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
	cluster_kill_role(k, ROLE_MSG, SIGTERM);
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

static void
cluster_report(struct cluster *k)
{
	static const char *const head[] = {
	    "NAME", "ROLE", ">PID", "ADDRESS", "ADMIN", NULL};
	char page[ADDR_TEXT_MAX + 16], addr[2 * ADDR_TEXT_MAX + 16];
	struct table t;

	cluster_page(k, page, sizeof(page));
	printf("\n%scchat is up%s after %.1f s: %s%s%s\n\n",
	    table_color(stdout, TABLE_BOLD), table_color(stdout, TABLE_PLAIN),
	    (double)(clock_mono_ms() - k->begun_ms) / 1000.,
	    table_color(stdout, TABLE_GREEN), page,
	    table_color(stdout, TABLE_PLAIN));
	table_init(&t, head);
	for (int i = 0; i < k->n; i++) {
		struct child *c = &k->child[i];

		snprintf(addr, sizeof(addr), "%s%s%s", c->listen,
		    c->direct[0] ? ", direct " : "", c->direct);
		table_put(&t, str_of(c->name), TABLE_PLAIN);
		table_putf(&t, TABLE_DIM, "%s_server", link_role_text(c->role));
		table_putf(&t, TABLE_PLAIN, "%d", (int)c->pid);
		table_put(&t, str_of(addr), TABLE_PLAIN);
		table_put(&t, str_of(child_admin(c)), TABLE_DIM);
	}
	table_print(&t, stdout, NULL);
	if (k->args->detach)
		printf("\ndata and logs in %s; stop with: %s stop --data %s\n",
		    k->env.data, k->args->argv[0], k->args->set.data);
	else
		printf(
		    "\ndata and logs in %s; stop with Ctrl-C\n\n", k->env.data);
	fflush(stdout);
}

/* the terminal is given back; from now on messages go to a file */
static void
cluster_detach_done(struct cluster *k, int code)
{
	char path[PATH_MAX + 32];
	int fd, null;

	if (k->report_fd < 0)
		return;
	fflush(stdout);
	(void)!write(k->report_fd, &code, sizeof(code));
	close(k->report_fd);
	k->report_fd = -1;
	snprintf(path, sizeof(path), "%s/log/cchatctl.log", k->env.data);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(fd >= 0 ? fd : null, STDERR_FILENO);
		close(null);
	}
	if (fd >= 0)
		close(fd);
}

static void
cluster_look_ready(struct cluster *k)
{
	bool all = true;

	for (int i = 0; i < k->n; i++) {
		struct child *c = &k->child[i];

		if (c->pid > 0 && !c->ready)
			c->ready = cluster_is_ready(child_admin(c));
		all &= c->ready;
		if (i == 0 && c->ready)
			cluster_spawn_rest(k);
	}
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

static void
cluster_ended(struct cluster *k, struct child *c, int status)
{
	char how[64];

	child_ended(c, &k->env, status, k->stopping != 0);
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

static void
cluster_kill_all(const struct cluster *k, int sig)
{
	for (int i = 0; i < k->n; i++)
		child_kill(&k->child[i], sig);
}

static void
cluster_on_signal(struct cluster *k)
{
	struct signalfd_siginfo si;

	while (read(k->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			cluster_reap(k);
		} else if (si.ssi_signo == SIGHUP && k->args->detach) {
			cluster_kill_all(k, SIGHUP); /* reload */
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
		child_init(&k->child[k->n++], name, role, i == 0);
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
	cluster_add(k, ROLE_MSG, "ms", a->set.msg);
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
