/* SPDX-License-Identifier: MIT */
/*
 * What the supervisor says of itself and its children: to other verbs in a
 * file, to people when all are ready. When it does is ctl_cluster.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_server/ctl/ctl_cluster_priv.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_table.h"
#include "config_server/ctl/live/as.h"
#include "shared/proc/clock.h"

/* ---- what others may know --------------------------------------------- */

static const char *
cluster_state_text(const struct cluster *k, const struct child *c)
{
	if (c->pid == 0)
		return c->restart_ms > 0 ? "waiting"
		       : c->drained	 ? "drained"
					 : "down";
	if (k->stopping || c->again)
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
	jw_arr(w, "listening");
	for (struct str all = str_of(c->listening), one;
	     str_next(&all, '\n', &one);)
		if (one.len > 0)
			jw_str(w, NULL, one);
	jw_arr_end(w);
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
	char as[ADDR_TEXT_MAX];
	struct addr a;

	if (c != NULL && c->listen[0] != '\0')
		listen = c->listen;
	as_page(k->args->set.as, k->args->set.listen, as, sizeof(as));
	if (as[0] != '\0')
		listen = as;
	if (addr_parse(str_of(listen), &a) == 0 && a.ss.ss_family != AF_UNIX &&
	    (!strncmp(listen, "0.0.0.0:", 8) || !strncmp(listen, "[::]:", 5)))
		snprintf(out, size, "http://127.0.0.1:%u/", addr_port(&a));
	else
		snprintf(out, size, "http://%s/", listen);
}

void
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
	jw_bool(&w, "again", true);  /* knows SIGUSR1 */
	jw_bool(&w, "reload", true); /* knows SIGUSR2 */
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

void
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
