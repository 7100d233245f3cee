/* SPDX-License-Identifier: MIT */
/* The admin listener: what is asked for, and under which host name. */
#include "tests/unit/shared/net/fixture.h"

#include "shared/svc/admin.h"

static struct fx fx;
static struct buf got; /* the answer */

#define has(text) (fx_count(&got, text) > 0)

static bool is_ready;

static bool
on_ready(void *arg, struct buf *out)
{
	assert_ptr_equal(arg, &is_ready);
	buf_puts(out, is_ready ? "{\"ready\":true}" : "{\"ready\":false}");
	return is_ready;
}

static void
on_status(void *arg, struct buf *out)
{
	(void)arg;
	buf_puts(out, "{\"who\":\"me\"}");
}

static void
on_metrics(void *arg, struct buf *out)
{
	(void)arg;
	buf_puts(out, "cchat_things 3\n");
}

static bool
on_other(void *arg, struct httpd_conn *c, const struct http_request *rq,
    struct str body)
{
	(void)arg;
	if (!str_eqc(rq->path, "/drain") || rq->method != HTTP_POST_M)
		return false;
	httpd_reply(c, 202, NULL, body, "");
	return true;
}

/* one request to the admin listener, answered in `got` */
static void
ask(const struct admin *a, const char *line, const char *host, const char *rest)
{
	char text[512];
	int client, eof;

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(client, (const struct sockaddr *)&a->listener.addr.ss,
		a->listener.addr.len),
	    0);
	snprintf(text, sizeof(text),
	    "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s", line, host,
	    rest);
	fx_write(client, text);
	buf_reset(&got);
	FX_WAIT(&fx, 2000, (fx_read(client, &got, &eof), eof == 1));
	close(client);
}

static void
test_admin(void **state)
{
	static const char *const good[] = {"127.0.0.1", "127.0.0.1:9510",
	    "localhost", "LOCALHOST:1", "[::1]", "[::1]:9510"};
	static const char *const bad[] = {"evil.example", "evil.example:9510",
	    "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1",
	    "[::2]", "127.0.0.2", "[::1", "0x7f000001"};
	struct admin a = {.on_ready = on_ready,
	    .on_status = on_status,
	    .on_metrics = on_metrics,
	    .on_other = on_other,
	    .arg = &is_ready};
	size_t i;

	(void)state;
	fx_init(&fx);
	buf_init(&got, 1 << 20);
	admin_start(&a, fx.net, "127.0.0.1:0");
	for (i = 0; i < ARRAY_LEN(good); i++) {
		ask(&a, "GET /healthz", good[i], "\r\n");
		assert_true(has("HTTP/1.1 200 OK"));
		assert_true(has("\r\n\r\nok"));
	}
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		ask(&a, "GET /status", bad[i], "\r\n");
		assert_true(has("HTTP/1.1 421 "));
		assert_false(has("who"));
	}
	ask(&a, "GET /readyz", "localhost", "\r\n");
	assert_true(has("HTTP/1.1 503 ") && has("{\"ready\":false}"));
	is_ready = true;
	ask(&a, "GET /readyz?verbose", "localhost", "\r\n");
	assert_true(has("HTTP/1.1 200 ") && has("{\"ready\":true}"));
	assert_true(has("Content-Type: application/json\r\n"));
	assert_true(has("Cache-Control: no-store\r\n"));
	ask(&a, "GET /status", "localhost", "\r\n");
	assert_true(has("{\"who\":\"me\"}"));
	ask(&a, "GET /metrics", "localhost", "\r\n");
	assert_true(has("cchat_things 3\n") && has("cchat_process_"));
	ask(&a, "HEAD /metrics", "localhost", "\r\n");
	assert_true(has("HTTP/1.1 200 ") && !has("cchat_things"));
	ask(&a, "POST /status", "localhost", "Content-Length: 0\r\n\r\n");
	assert_true(has("HTTP/1.1 405 "));
	ask(&a, "GET /drain", "localhost", "\r\n");
	assert_true(has("HTTP/1.1 404 "));
	ask(&a, "POST /drain", "localhost", "Content-Length: 2\r\n\r\nms");
	assert_true(has("HTTP/1.1 202 ") && has("\r\n\r\nms"));
	ask(&a, "GET /../etc/passwd", "localhost", "\r\n");
	assert_true(has("HTTP/1.1 404 "));
	admin_stop(&a);

	/* listening on all addresses: any numeric one, but no name */
	admin_start(&a, fx.net, "0.0.0.0:0");
	ask(&a, "GET /healthz", "10.1.2.3:9510", "\r\n");
	assert_true(has("HTTP/1.1 200 "));
	ask(&a, "GET /healthz", "evil.example", "\r\n");
	assert_true(has("HTTP/1.1 421 "));
	admin_stop(&a);
	buf_fini(&got);
	fx_fini(&fx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_admin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
