/* SPDX-License-Identifier: MIT */
/*
 * A whole config_server and the daemons' client of it (svc/topology) on one
 * loop: joining, the list pushed to all, who is active, questions passed on,
 * a wrong key, a lost topology.db.
 */
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
	(void)arg;
	beat->conns = 17;
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

static int
ask(struct rig *r, const char *target)
{
	char text[256];
	int fd = fd_connected(r);

	snprintf(text, sizeof text,
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
	    target);
	fx_write(fd, text);
	return fd;
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
answers(struct rig *r, const char *target, const char *status, const char *text)
{
	struct buf out;
	const char *p;
	bool ok;

	answer(r, ask(r, target), &out);
	p = (const char *)buf_p(&out);
	ok = strncmp(p + 9, status, 3) == 0 && strstr(p, text) != NULL;
	buf_fini(&out);
	return ok;
}

/* ---- tests ------------------------------------------------------------ */

static void
test_join_and_push(void **state)
{
	struct rig *r = *state;
	struct client a, b;
	uint64_t gen;

	client_start(r, &a, "ms1", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, a.joined && client_sees(&a, "ms1"));
	assert_true(topology_is_linked(a.t));
	assert_int_equal(a.node, topology_node(a.t));
	assert_true(a.node != 0);
	client_start(r, &b, "px1", ROLE_PROXY, 1, key);
	FX_WAIT(&r->fx, 5000, b.joined && client_sees(&a, "px1"));
	assert_true(b.node != a.node);
	assert_string_equal(client_sees(&a, "px1")->link, "127.0.0.1:9600");
	assert_string_equal(client_sees(&b, "config")->state, "up");
	topology_report(b.t, 3, STR_LIT("9f3a01c2"), true);
	FX_WAIT(&r->fx, 5000, !strcmp(topology_active(a.t, &gen), "px1"));
	assert_int_equal(gen, 3);
	topology_event(b.t, "test-event", "took %d ms", 42);
	FX_WAIT(&r->fx, 5000,
	    (fx_run_for(&r->fx, 20),
		answers(r, "/v1/events", "200", "took 42 ms")));
	FX_WAIT(&r->fx, 5000,
	    answers(r, "/v1/load", "200", "\"id\":\"ms1\",\"conns\":17"));
	assert_true(answers(r, "/v1/check", "200", "\"list\":[]"));
	assert_true(answers(r, "/v1/next?uid=1", "200", "\"id\":\"ms1\""));
	client_stop(r, &a);
	client_stop(r, &b);
}

static void
test_wrong_key(void **state)
{
	static const uint8_t wrong[32] = {0x22};
	struct rig *r = *state;
	struct client a;

	client_start(r, &a, "ms1", ROLE_MSG, 1, wrong);
	FX_WAIT(&r->fx, 5000, r->s.stats[S_REFUSED] > 0);
	assert_int_equal(a.joined, 0);
	assert_true(answers(r, "/v1/events", "200", "\"kind\":\"refused\""));
	assert_null(registry_find(&r->s.registry, STR_LIT("ms1")));
	client_stop(r, &a);
}

static void
test_same_name(void **state)
{
	struct rig *r = *state;
	struct client a, b, c;

	client_start(r, &a, "ms1", ROLE_MSG, 5, key);
	FX_WAIT(&r->fx, 5000, a.joined);
	client_start(r, &b, "ms1", ROLE_MSG, 5, key);
	FX_WAIT(&r->fx, 5000,
	    answers(r, "/v1/events", "200", "another process of this name"));
	assert_false(topology_is_linked(b.t));
	assert_true(topology_is_linked(a.t));
	client_stop(r, &b);
	client_start(r, &c, "ms1", ROLE_MSG, 6, key);
	FX_WAIT(&r->fx, 5000, topology_is_linked(c.t));
	FX_WAIT(&r->fx, 5000, !topology_is_linked(a.t));
	assert_int_equal(c.node, a.node);
	client_stop(r, &a);
	client_stop(r, &c);
}

/* topology.db is gone; with it everything beside it, or not */
static void
lose(struct rig *r, bool list_too)
{
	struct client a, b, c;
	char listen[ADDR_TEXT_MAX], path[160];

	client_start(r, &a, "ms1", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, a.joined);
	client_start(r, &b, "ms2", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, b.joined && client_sees(&a, "ms2"));
	str_copy(listen, sizeof listen, str_of(r->addr));
	rig_stop(r);
	assert_int_equal(topology_node(a.t), a.node); /* goes on without */
	snprintf(path, sizeof path, "%s/topology.db", r->dir);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/config.topology.json", r->dir);
	if (list_too)
		assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof path, "%s/run/config.pid", r->dir);
	unlink(path); /* its lock is this process's */
	rig_start(r, listen);
	FX_WAIT(
	    &r->fx, 8000, topology_is_linked(a.t) && topology_is_linked(b.t));
	client_start(r, &c, "ms3", ROLE_MSG, 1, key);
	FX_WAIT(&r->fx, 5000, c.joined && client_sees(&a, "ms3"));
	assert_int_equal(a.joined, 1);
	assert_int_equal(client_sees(&c, "ms1")->node_no, a.node);
	assert_int_equal(client_sees(&c, "ms2")->node_no, b.node);
	assert_true(c.node != a.node && c.node != b.node);
	client_stop(r, &a);
	client_stop(r, &b);
	client_stop(r, &c);
}

static void
test_db_lost(void **state)
{
	lose(*state, false);
}

static void
test_all_lost(void **state)
{
	lose(*state, true);
}

static void
test_questions(void **state)
{
	struct rig *r = *state;
	struct f_whois f = {.code = 200};
	struct client p;
	struct buf out;
	int fd;

	assert_true(answers(r, "/v1/users/1001", "503", "no active proxy"));
	client_start(r, &p, "px1", ROLE_PROXY, 1, key);
	FX_WAIT(&r->fx, 5000, p.joined);
	topology_report(p.t, 1, STR_LIT("9f3a01c2"), true);
	FX_WAIT(&r->fx, 5000, registry_active(&r->s.registry) != NULL);
	fd = ask(r, "/v1/users/1001");
	FX_WAIT(&r->fx, 5000, p.asked == 1);
	f.rid = p.rid;
	f.json = STR_LIT("{\"uid\":\"1001\",\"online\":true}");
	put_whois(linkconn_out(p.lc), &f);
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out),
	    "\"gen\":1,\"uid\":\"1001\",\"online\":true}"));
	buf_fini(&out);
	fd = ask(r, "/v1/rooms/none");
	FX_WAIT(&r->fx, 5000, p.asked == 2);
	f.rid = p.rid;
	f.code = 404;
	f.json = STR_NONE;
	put_whois(linkconn_out(p.lc), &f);
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), "no such room"));
	buf_fini(&out);
	/* no answer within 2 s */
	fd = ask(r, "/v1/rooms");
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), "does not answer"));
	buf_fini(&out);
	assert_int_equal(r->s.n_asks, 0);
	/* who asked has gone before the answer */
	fd = ask(r, "/v1/rooms");
	FX_WAIT(&r->fx, 5000, p.asked == 4);
	close(fd);
	fx_run_for(&r->fx, 30);
	f.rid = p.rid;
	f.code = 200;
	f.json = STR_LIT("[]");
	put_whois(linkconn_out(p.lc), &f);
	FX_WAIT(&r->fx, 5000, r->s.n_asks == 0);
	/* the proxy goes while it is asked */
	fd = ask(r, "/v1/rooms");
	FX_WAIT(&r->fx, 5000, p.asked == 5);
	client_stop(r, &p);
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), "is gone"));
	buf_fini(&out);
}

static void
test_requests(void **state)
{
	struct rig *r = *state;
	int fd;
	struct buf out;

	assert_true(answers(r, "/v1/servers", "200", "\"id\":\"config\""));
	assert_true(answers(r, "/v1/servers?limit=0", "400", "limit"));
	assert_true(answers(r, "/v1/servers?limit=1001", "400", "limit"));
	assert_true(answers(r, "/v1/servers?limit=x", "400", "limit"));
	assert_true(answers(r, "/v1/servers?role=ctl", "400", "role"));
	assert_true(answers(r, "/v1/events?since=-1", "400", "since"));
	assert_true(answers(r, "/v1/users/a%20b", "400", "not an id"));
	assert_true(answers(r, "/v1/users/", "404", "no such path"));
	assert_true(answers(r, "/v1/nothing", "404", "\"code\":404"));
	assert_true(answers(r, "/v1/next", "503", "no msg_server"));
	assert_true(answers(r, "/v1/next?uid=a%2fb", "400", "uid"));
	assert_true(answers(r, "/readyz", "200", "\"store\":true"));
	assert_true(answers(r, "/status", "200", "\"role\":\"config\""));
	assert_true(answers(r, "/metrics", "200", "cchat_topology_ver"));
	assert_true(answers(r, "/healthz", "200", "ok"));
	/* an upgrade to something else is an ordinary request */
	fd = fd_connected(r);
	fx_write(fd, "GET /link HTTP/1.1\r\nHost: localhost\r\n"
		     "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	FX_WAIT(&r->fx, 3000, r->s.http.httpd.requests > 15);
	fx_run_for(&r->fx, 30);
	close(fd);
	/* a page of a foreign name, asking through somebody's browser */
	fd = fd_connected(r);
	fx_write(fd, "GET /v1/servers HTTP/1.1\r\nHost: evil.example\r\n"
		     "Connection: close\r\n\r\n");
	answer(r, fd, &out);
	assert_non_null(strstr((const char *)buf_p(&out), " 421 "));
	buf_fini(&out);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {T(test_join_and_push),
	    T(test_wrong_key), T(test_same_name), T(test_db_lost),
	    T(test_all_lost), T(test_questions), T(test_requests)};

	log_init("test", LOG_LEVEL_ERR);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
