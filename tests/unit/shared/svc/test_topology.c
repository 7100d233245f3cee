/* SPDX-License-Identifier: MIT */
/*
 * The list of servers as JSON, its file, and a daemon that has no
 * config_server: it starts from the file, or stand-alone, or waits. The client
 * against a real config_server is tests/unit/config_server/test_server.c.
 */
#include "tests/unit/shared/net/fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "shared/proto/json.h"
#include "shared/svc/topology.h"

#define HEAD "{\"ver\":7,\"cluster\":\"cchat\",\"servers\":["
#define TAIL "],\"active\":{\"name\":\"p1\",\"gen\":3}}"
#define ONE                                                               \
	"{\"name\":\"ms1\",\"node\":4,\"role\":\"msg\",\"state\":\"up\"," \
	"\"direct\":\"ws://127.0.0.1:1/ws\",\"gate\":\"10.0.0.1:2300\","  \
	"\"inc\":2,\"weight\":5}"
#define TWO "{\"name\":\"p1\",\"node\":2,\"role\":\"proxy\",\"state\":\"late\"}"

static struct topology_server list[TOPOLOGY_SERVERS_MAX];

static int
parse(const char *text, size_t max, size_t *n)
{
	char active[ID_MAX + 1];
	uint64_t ver, gen;

	return topology_parse(str_of(text), list, max, n, &ver, active, &gen);
}

static void
test_parse(void **state)
{
	char active[ID_MAX + 1];
	uint64_t ver, gen;
	size_t n;

	(void)state;
	assert_int_equal(topology_parse(STR_LIT(HEAD ONE "," TWO TAIL), list, 8,
			     &n, &ver, active, &gen),
	    0);
	assert_int_equal(n, 2);
	assert_int_equal(ver, 7);
	assert_int_equal(gen, 3);
	assert_string_equal(active, "p1");
	assert_string_equal(list[0].name, "ms1");
	assert_int_equal(list[0].node_no, 4);
	assert_int_equal(list[0].role, ROLE_MSG);
	assert_int_equal(list[0].inc, 2);
	assert_int_equal(list[0].weight, 5);
	assert_string_equal(list[0].direct_url, "ws://127.0.0.1:1/ws");
	assert_string_equal(list[0].gate, "10.0.0.1:2300");
	assert_string_equal(list[1].gate, "");
	assert_string_equal(list[0].link, "");
	assert_string_equal(list[1].state, "late");
	assert_int_equal(list[1].weight, 1);
	/* nobody active, unknown members, an empty list */
	assert_int_equal(parse("{\"ver\":0,\"servers\":[],\"x\":1}", 8, &n), 0);
	assert_int_equal(n, 0);
}

static void
test_refused(void **state)
{
	static const char *const t[] = {"", "[]", "{}", "{\"ver\":1}",
	    "{\"ver\":-1,\"servers\":[]}", "{\"ver\":\"1\",\"servers\":[]}",
	    "{\"ver\":1,\"servers\":{}}", "{\"ver\":1,\"servers\":[1]}",
	    HEAD ONE "," ONE TAIL,
	    HEAD "{\"name\":\"a b\",\"role\":\"msg\",\"state\":\"up\"}" TAIL,
	    HEAD "{\"name\":\"a\",\"role\":\"ctl\",\"state\":\"up\"}" TAIL,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"on\"}" TAIL,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"up\","
		 "\"node\":4294967296}" TAIL,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"up\","
		 "\"node\":-1}" TAIL,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"up\","
		 "\"link\":\"a b\"}" TAIL,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"up\","
		 "\"link\":5}" TAIL,
	    "{\"ver\":1,\"servers\":[],\"active\":{\"name\":\"a/b\"}}",
	    "{\"ver\":1,\"servers\":[],\"active\":{\"gen\":-3}}",
	    "{\"ver\":1,\"servers\":[],\"active\":7}"};
	char text[512];
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t); i++)
		if (parse(t[i], 8, &n) == 0)
			fail_msg("taken: %s", t[i]);
	assert_int_equal(parse(HEAD ONE "," TWO TAIL, 1, &n), ERR_LIMIT);
	/* an address at the limit, and one beyond */
	snprintf(text, sizeof text,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"up\","
		 "\"link\":\"%0*d\"}" TAIL,
	    ADDR_TEXT_MAX - 1, 1);
	assert_int_equal(parse(text, 8, &n), 0);
	snprintf(text, sizeof text,
	    HEAD "{\"name\":\"a\",\"role\":\"msg\",\"state\":\"up\","
		 "\"link\":\"%0*d\"}" TAIL,
	    ADDR_TEXT_MAX, 1);
	assert_int_equal(parse(text, 8, &n), ERR_PROTO);
}

static void
test_write(void **state)
{
	struct topology_server in[2] = {{.name = "ms1",
					    .role = ROLE_MSG,
					    .node_no = 4,
					    .inc = 9,
					    .weight = 2,
					    .state = "draining",
					    .public_url = "ws://a/\"ws",
					    .version = "1"},
	    {.name = "p1", .role = ROLE_PROXY, .state = "down", .weight = 1}};
	char active[ID_MAX + 1];
	uint64_t ver, gen;
	struct buf out;
	size_t n;

	(void)state;
	buf_init(&out, 65536);
	topology_write(&out, "cchat", 12, in, 2, "p1", 5);
	assert_int_equal(
	    topology_parse(buf_str(&out), list, 8, &n, &ver, active, &gen), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ver, 12);
	assert_int_equal(gen, 5);
	assert_string_equal(active, "p1");
	assert_memory_equal(&list[0], &in[0], sizeof in[0]);
	assert_memory_equal(&list[1], &in[1], sizeof in[1]);
	buf_fini(&out);
}

/* ---- a daemon alone --------------------------------------------------- */

struct daemon_view {
	int joined, changed;
	uint32_t node;
};

static void
on_joined(void *arg, uint32_t node_no)
{
	struct daemon_view *v = arg;

	v->joined++;
	v->node = node_no;
}

static void
on_change(void *arg)
{
	((struct daemon_view *)arg)->changed++;
}

static const struct topology_ops view_ops = {
    .on_joined = on_joined, .on_change = on_change};
static const uint8_t key[32] = {1};
static char dir[] = "/tmp/cchat-topo-XXXXXX";

static void
put_file(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s.topology.json", dir, name);
	assert_int_equal(topology_save(path, str_of(text)), 0);
}

static struct topology *
start(struct fx *fx, const char *config, const char *name, uint32_t node,
    struct daemon_view *v)
{
	struct link_id self = {.role = ROLE_MSG, .inc = 1, .node_no = node};
	struct f_join join = {.role = ROLE_MSG};

	memset(v, 0, sizeof *v);
	str_copy(self.name, sizeof self.name, str_of(name));
	str_copy(self.cluster, sizeof self.cluster, STR_LIT("cchat"));
	return topology_new(
	    fx->net, config, dir, &self, &join, key, &view_ops, v);
}

static void
test_alone(void **state)
{
	struct daemon_view v;
	struct topology *t;
	struct fx fx;

	(void)state;
	fx_init(&fx);
	t = start(&fx, "", "ms7", 42, &v);
	assert_int_equal(v.joined, 0); /* never from inside topology_new */
	FX_WAIT(&fx, 2000, v.joined);
	assert_int_equal(v.node, 42);
	assert_int_equal(topology_node(t), 42);
	assert_false(topology_is_linked(t));
	topology_event(t, "x", "%d", 1); /* nobody to tell: nothing happens */
	topology_free(t);
	fx_fini(&fx);
}

/* the config_server is gone (port 1 refuses), the file is there */
static void
test_from_disk(void **state)
{
	struct daemon_view v;
	struct topology *t;
	struct fx fx;
	uint64_t gen;
	size_t n;

	(void)state;
	put_file("ms1", HEAD ONE "," TWO TAIL);
	fx_init(&fx);
	t = start(&fx, "127.0.0.1:1", "ms1", 0, &v);
	FX_WAIT(&fx, 2000, v.joined && v.changed);
	assert_int_equal(v.node, 4);
	assert_int_equal(topology_ver(t), 7);
	assert_string_equal(topology_active(t, &gen), "p1");
	assert_int_equal(gen, 3);
	(void)topology_servers(t, &n);
	assert_int_equal(n, 2);
	fx_run_for(&fx, 100);
	assert_int_equal(v.joined, 1);
	topology_free(t);
	fx_fini(&fx);
}

/* no file, a broken one, one of another cluster or of another role: it waits */
static void
test_waits(void **state)
{
	static const char *const text[] = {"{\"ver\":1", "",
	    "{\"ver\":7,\"cluster\":\"other\",\"servers\":[" ONE "]}",
	    "{\"ver\":7,\"cluster\":\"cchat\",\"servers\":["
	    "{\"name\":\"ms2\",\"node\":4,\"role\":\"proxy\","
	    "\"state\":\"up\"}]}"};
	struct daemon_view v;
	struct topology *t;
	struct fx fx;
	size_t i;

	(void)state;
	fx_init(&fx);
	t = start(&fx, "127.0.0.1:1", "nobody", 0, &v);
	fx_run_for(&fx, 60);
	assert_int_equal(v.joined, 0);
	topology_free(t);
	for (i = 0; i < ARRAY_LEN(text); i++) {
		put_file("ms2", text[i]);
		t = start(&fx, "127.0.0.1:1", "ms2", 0, &v);
		fx_run_for(&fx, 60);
		assert_int_equal(v.joined, 0);
		assert_int_equal(topology_node(t), 0);
		topology_free(t);
	}
	fx_fini(&fx);
}

/* whoever listens there is no config_server: asked again, never believed */
static void
test_stranger(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	char addr[64], head[2048];
	struct daemon_view v;
	struct topology *t;
	struct fx fx;
	int lfd, fd, i;
	ssize_t n;

	(void)state;
	lfd = socket(AF_INET, SOCK_STREAM, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(lfd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(listen(lfd, 8), 0);
	assert_int_equal(getsockname(lfd, (struct sockaddr *)&sin, &len), 0);
	snprintf(addr, sizeof addr, "127.0.0.1:%u", ntohs(sin.sin_port));
	fcntl(lfd, F_SETFL, O_NONBLOCK);
	fx_init(&fx);
	t = start(&fx, addr, "nobody", 0, &v);
	for (i = 0; i < 2; i++) {
		FX_WAIT(&fx, 5000, (fd = accept(lfd, NULL, NULL)) >= 0);
		fx_run_for(&fx, 30);
		n = recv(fd, head, sizeof head - 1, 0);
		assert_true(n > 0);
		head[n] = '\0';
		assert_non_null(strstr(head, "GET /link HTTP/1.1\r\n"));
		assert_non_null(strstr(head, "Upgrade: cchat-link\r\n"));
		fx_write(fd, i == 0 ? "HTTP/1.1 200 OK\r\n"
				      "Content-Length: 0\r\n\r\n"
				    : "SSH-2.0-x\r\n\r\n");
		FX_WAIT(&fx, 2000, recv(fd, head, 1, MSG_DONTWAIT) == 0);
		close(fd);
	}
	assert_int_equal(v.joined, 0);
	topology_free(t);
	close(lfd);
	fx_fini(&fx);
}

static void
test_save_fails(void **state)
{
	(void)state;
	assert_int_equal(
	    topology_save("/nonexistent/x", STR_LIT("{}")), ERR_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_alone),
	    cmocka_unit_test(test_from_disk),
	    cmocka_unit_test(test_waits),
	    cmocka_unit_test(test_stranger),
	    cmocka_unit_test(test_save_fails),
	};
	char command[64];
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	json_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) != 0 || failed;
}
