/* SPDX-License-Identifier: MIT */
/*
 * A whole config_server and the daemons' client of it (svc/topology) on one
 * loop. Defines functions: one test includes it once.
 */
#ifndef TESTS_UNIT_CONFIG_SERVER_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_SERVER_CONFIG_FIXTURE_H

#include "tests/unit/shared/net/fixture.h"

#include <sys/stat.h>

#include "config_server/server.h"
#include "shared/proc/daemon.h"
#include "shared/proto/json.h"

static const uint8_t key[32] = {0x11};
static const char key_text[] =
    "1100000000000000000000000000000000000000000000000000000000000000\n";

struct rig {
	struct fx fx;
	struct server s;
	char dir[64], addr[ADDR_TEXT_MAX];
	bool up;
};

struct client {
	struct topology *t;
	int joined, changed, asked;
	uint32_t node;
	struct linkconn *lc;
	uint32_t rid;
	struct f_beat beat; /* what it says of a drain: state, job, left, moved */
	int jobs, aborts;
	uint64_t job; /* of the last JOB */
	char args[128];
};

/* ---- the server ------------------------------------------------------- */

static void
rig_start(struct rig *r, const char *listen)
{
	char path[128];

	memset(&r->s, 0, sizeof r->s);
	r->s.set.listen = xstrdup(listen);
	r->s.set.name = xstrdup("config");
	r->s.set.cluster = xstrdup("cchat");
	r->s.set.data = xstrdup(r->dir);
	r->s.set.log_level = xstrdup("err");
	snprintf(path, sizeof path, "%s/link.key", r->dir);
	r->s.set.link_key = xstrdup(path);
	server_start(&r->s, r->fx.net);
	addr_text(&r->s.http.listener.addr, r->addr);
	r->up = true;
}

static void
rig_stop(struct rig *r)
{
	struct settings *set = &r->s.set;

	if (!r->up)
		return;
	server_stop(&r->s);
	FX_WAIT(&r->fx, 5000, r->s.nodes == NULL && r->s.http.httpd.conns == 0);
	server_free(&r->s);
	free(set->listen);
	free(set->name);
	free(set->cluster);
	free(set->data);
	free(set->log_level);
	free(set->link_key);
	r->up = false;
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);
	char path[128];
	FILE *f;

	snprintf(r->dir, sizeof r->dir, "/tmp/cchat-config-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(path, sizeof path, "%s/link.key", r->dir);
	f = fopen(path, "w");
	fputs(key_text, f);
	fclose(f);
	chmod(path, 0600);
	fx_init(&r->fx);
	rig_start(r, "127.0.0.1:0");
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;
	char command[128];

	rig_stop(r);
	fx_fini(&r->fx);
	snprintf(command, sizeof command, "rm -rf %s", r->dir);
	free(r);
	return system(command);
}

/* ---- daemons ---------------------------------------------------------- */

static void
on_joined(void *arg, uint32_t node_no)
{
	struct client *c = arg;

	c->joined++;
	c->node = node_no;
}

static void
on_change(void *arg)
{
	((struct client *)arg)->changed++;
}

static void
on_beat(void *arg, struct f_beat *beat)
{
	struct client *c = arg;

	if (c->beat.state != 0)
		*beat = c->beat;
	beat->conns = 17;
}

static void
on_job(void *arg, const struct f_job *job)
{
	struct client *c = arg;

	c->job = job->id;
	str_copy(c->args, sizeof c->args, job->args);
	if (str_eqc(job->kind, "drain"))
		c->jobs++;
	else if (str_eqc(job->kind, "abort"))
		c->aborts++;
	else
		fail_msg("job %.*s", STR_ARG(job->kind));
}

static int
on_frame(void *arg, struct linkconn *lc, uint8_t type, struct str body)
{
	struct client *c = arg;
	struct f_who who;

	assert_int_equal(type, F_WHO);
	assert_int_equal(get_who(body, &who), 0);
	c->asked++;
	c->lc = lc;
	c->rid = who.rid;
	return 0;
}

static const struct topology_ops client_ops = {.on_joined = on_joined,
    .on_change = on_change,
    .on_beat = on_beat,
    .on_job = on_job,
    .on_frame = on_frame};

static void
client_start(struct rig *r, struct client *c, const char *name, int role,
    uint32_t inc, const uint8_t *k)
{
	struct link_id self = {.role = (enum link_role)role, .inc = inc};
	struct f_join join = {
	    .link = STR_LIT("127.0.0.1:9600"), .cap = 100, .weight = 1};

	memset(c, 0, sizeof *c);
	str_copy(self.name, sizeof self.name, str_of(name));
	str_copy(self.cluster, sizeof self.cluster, STR_LIT("cchat"));
	c->t = topology_new(
	    r->fx.net, r->addr, r->dir, &self, &join, k, &client_ops, c);
}

static void
client_stop(struct rig *r, struct client *c)
{
	topology_free(c->t);
	fx_spin(&r->fx);
}

static const struct topology_server *
client_sees(const struct client *c, const char *name)
{
	const struct topology_server *s;
	size_t n, i;

	s = topology_servers(c->t, &n);
	for (i = 0; i < n; i++)
		if (!strcmp(s[i].name, name))
			return &s[i];
	return NULL;
}

static int
fd_connected(const struct rig *r)
{
	struct addr a;
	int fd;

	assert_int_equal(addr_parse(str_of(r->addr), &a), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a.ss, a.len), 0);
	return fd;
}

/* fields: complete lines; body may be "" */
static int
request(struct rig *r, const char *method, const char *target,
    const char *fields, const char *body)
{
	char text[1024];
	int fd = fd_connected(r);

	snprintf(text, sizeof text,
	    "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	    "%sContent-Length: %zu\r\n\r\n%s",
	    method, target, fields, strlen(body), body);
	fx_write(fd, text);
	return fd;
}

static int
ask(struct rig *r, const char *target)
{
	return request(r, "GET", target, "", "");
}

static void
answer(struct rig *r, int fd, struct buf *out)
{
	int eof = -1;

	buf_init(out, 1 << 20);
	FX_WAIT(&r->fx, 4000, (fx_read(fd, out, &eof), eof != -1));
	buf_putc(out, '\0');
	close(fd);
}

static bool
answered(struct rig *r, int fd, const char *status, const char *text)
{
	struct buf out;
	const char *p;
	bool ok;

	answer(r, fd, &out);
	p = (const char *)buf_p(&out);
	ok = strncmp(p + 9, status, 3) == 0 && strstr(p, text) != NULL;
	buf_fini(&out);
	return ok;
}

static bool
answers(struct rig *r, const char *target, const char *status, const char *text)
{
	return answered(r, ask(r, target), status, text);
}

#endif
