/* SPDX-License-Identifier: MIT */
/*
 * The admin listener: the questions every daemon answers, and the check of
 * Host that keeps a web page from asking them through somebody's browser.
 */
#include <string.h>
#include <unistd.h>

#include "shared/base/utf8.h"
#include "shared/proc/conf_reload.h"
#include "shared/proc/stats.h"
#include "shared/proto/json.h"
#include "shared/svc/admin.h"

enum { ADMIN_CONNS_MAX = 64, ADMIN_ANSWER_MAX = 4 << 20 };

static const char admin_no_store[] = "Cache-Control: no-store\r\n";
static const char admin_json[] = "application/json";
static const char admin_text[] = "text/plain; charset=utf-8";

/* the host without its port; brackets of an IPv6 address stay */
static struct str
admin_host_name(struct str host)
{
	long at;

	if (host.len > 0 && host.p[0] == '[') {
		at = str_chr(host, ']');
		return at < 0 ? host : str_n(host.p, (size_t)at + 1);
	}
	at = str_chr(host, ':');
	return at < 0 ? host : str_n(host.p, (size_t)at);
}

/* "10.1.2.3" or "[fe80::1]": no name that a foreign DNS could point at us */
static bool
admin_is_numeric(struct str name)
{
	struct addr a;
	char text[64];

	if (name.len + 3 > sizeof(text) || str_eqc(name, "localhost"))
		return false;
	memcpy(text, name.p, name.len);
	memcpy(text + name.len, ":0", 3);
	return addr_parse(str_of(text), &a) == 0;
}

static bool
admin_host_ok(const struct admin *a, const struct http_request *rq)
{
	struct str host = http_field(rq, "host"), name;
	char own[ADDR_TEXT_MAX], bracketed[ADDR_TEXT_MAX + 2];
	bool v6 = a->listener.addr.ss.ss_family == AF_INET6;

	/* only HTTP/1.0, and no browser speaks that */
	if (!str_is_set(host))
		return true;
	name = admin_host_name(host);
	if (str_eqc(name, "127.0.0.1") || str_eqc(name, "[::1]") ||
	    str_ieq(name, STR_LIT("localhost")))
		return true;
	addr_host(&a->listener.addr, own);
	if (!strcmp(own, "0.0.0.0") || !strcmp(own, "::"))
		return admin_is_numeric(name);
	if (!v6)
		return str_eqc(name, own);
	bracketed[0] = '[';
	str_copy(bracketed + 1, sizeof(bracketed) - 2, str_of(own));
	strcat(bracketed, "]");
	return str_ieq(name, str_of(bracketed));
}

void
admin_healthz(struct httpd_conn *c)
{
	httpd_reply(c, 200, admin_text, STR_LIT("ok"), admin_no_store);
}

/* --- the process -------------------------------------------------------- */

static uint64_t
admin_requests(const struct admin *a)
{
	return a->on_requests != NULL
		   ? a->on_requests(a->arg)
		   : a->httpd.requests + a->httpd.net->frames;
}

static void
admin_on_second(void *arg)
{
	struct admin *a = arg;
	uint64_t now = admin_requests(a);

	a->qps = now - a->requests;
	a->requests = now;
}

static void
admin_process(struct admin *a, struct buf *out)
{
	struct net *net = a->httpd.net;
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_int(&w, "pid", getpid());
	jw_int(&w, "rss_kb", (int64_t)(stats_resident() / 1024));
	jw_int(&w, "connections", (int64_t)net->n_conns);
	jw_int(&w, "send_failures", (int64_t)net->send_fails);
	jw_int(&w, "timers", net->timers);
	jw_int(&w, "requests", (int64_t)admin_requests(a));
	jw_int(&w, "qps", (int64_t)a->qps);
	jw_obj_end(&w);
}

static void
admin_metrics(const struct admin *a, struct buf *out)
{
	static const struct stat_def defs[] = {
	    {"net_send_failures_total", STAT_COUNTER,
		"writes that the kernel refused for good"},
	    {"settings_reloads_total", STAT_COUNTER,
		"times the settings were read again"},
	    {"settings_mistake", STAT_GAUGE,
		"1: the last time something could not be read"},
	};
	const struct conf_news *news = conf_reload_news();
	const uint64_t values[] = {
	    a->httpd.net->send_fails, news->count, news->error[0] != '\0'};

	stats_render(out, defs, values, ARRAY_LEN(defs));
}

static void
admin_names(struct jw *w, const char *key, const char *const *name, unsigned n)
{
	jw_arr(w, key);
	for (unsigned i = 0; i < n; i++)
		jw_cstr(w, NULL, name[i]);
	jw_arr_end(w);
}

static void
admin_reloads(struct buf *out)
{
	const struct conf_news *news = conf_reload_news();
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_int(&w, "count", (int64_t)news->count);
	jw_int(&w, "t", news->when_ms);
	if (news->error[0] != '\0')
		jw_cstr(&w, "error",
		    utf8_valid(news->error, strlen(news->error))
			? news->error
			: "see the log");
	admin_names(&w, "changed", news->changed, news->n_changed);
	admin_names(&w, "later", news->later, news->n_later);
	jw_obj_end(&w);
}

static void
admin_answer(struct admin *a, struct httpd_conn *c, struct str path)
{
	struct buf out;
	bool ready = true;

	buf_init(&out, ADMIN_ANSWER_MAX);
	if (str_eqc(path, "/readyz")) {
		if (a->on_ready != NULL)
			ready = a->on_ready(a->arg, &out);
		else
			buf_puts(&out, "{\"ready\":true,\"checks\":{}}");
		httpd_reply(c, ready ? 200 : 503, admin_json, buf_str(&out),
		    admin_no_store);
	} else if (str_eqc(path, "/status")) {
		if (a->on_status != NULL)
			a->on_status(a->arg, &out);
		else
			buf_puts(&out, "{}");
		httpd_reply(c, 200, admin_json, buf_str(&out), admin_no_store);
	} else if (str_eqc(path, "/process") || str_eqc(path, "/reloads")) {
		if (str_eqc(path, "/process"))
			admin_process(a, &out);
		else
			admin_reloads(&out);
		httpd_reply(c, 200, admin_json, buf_str(&out), admin_no_store);
	} else {
		if (a->on_metrics != NULL)
			a->on_metrics(a->arg, &out);
		admin_metrics(a, &out);
		stats_render_process(&out);
		httpd_reply(c, 200, "text/plain; version=0.0.4; charset=utf-8",
		    buf_str(&out), admin_no_store);
	}
	buf_fini(&out);
}

static bool
admin_is_question(struct str path)
{
	static const char *const all[] = {"/healthz", "/readyz", "/status",
	    "/metrics", "/process", "/reloads"};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_eqc(path, all[i]))
			return true;
	return false;
}

static void
admin_on_request(struct httpd *h, struct httpd_conn *c,
    const struct http_request *rq, struct str body)
{
	struct admin *a = container_of(h, struct admin, httpd);

	if (!admin_host_ok(a, rq)) {
		httpd_error(c, 421, "this host is not served here");
		return;
	}
	if (admin_is_question(rq->path)) {
		if (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M)
			httpd_error(c, 405, "ask with GET");
		else if (str_eqc(rq->path, "/healthz"))
			admin_healthz(c);
		else
			admin_answer(a, c, rq->path);
		return;
	}
	if (a->on_other == NULL || !a->on_other(a->arg, c, rq, body))
		httpd_error(c, 404, "no such path");
}

static bool
admin_on_upgrade(struct httpd *h, struct httpd_conn *c,
    const struct http_request *rq, struct str rest)
{
	struct admin *a = container_of(h, struct admin, httpd);

	return a->on_upgrade != NULL && admin_host_ok(a, rq) &&
	       a->on_upgrade(a->arg, c, rq, rest);
}

static const struct httpd_ops admin_ops = {
    .on_request = admin_on_request,
    .on_upgrade = admin_on_upgrade,
};

void
admin_start_as(struct admin *a, struct net *net, const char *address,
    const char *what, unsigned conns_max)
{
	httpd_init(&a->httpd, net, &admin_ops, a, conns_max, HTTP_BODY_MAX);
	listener_open_or_die(&a->listener, net, address, false, what,
	    httpd_on_accept, &a->httpd);
	timer_init(&a->second, net, admin_on_second, a);
	timer_set(&a->second, 1000, 1000);
}

void
admin_start(struct admin *a, struct net *net, const char *address)
{
	admin_start_as(a, net, address, "admin", ADMIN_CONNS_MAX);
}

void
admin_stop(struct admin *a)
{
	listener_close(&a->listener);
	timer_stop(&a->second);
	httpd_fini(&a->httpd);
}
