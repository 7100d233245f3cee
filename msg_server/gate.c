/* SPDX-License-Identifier: MIT */
/*
 * Who may connect. Addresses are remembered while they have connections or
 * something held against them; a sweep every 10 s forgets the rest.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "msg_server/door/front.h"
#include "msg_server/gate.h"
#include "msg_server/server.h"
#include "shared/proc/clock.h"

enum {
	GATE_IPS_MAX = 65536,
	GATE_SWEEP_MS = 10000,
	GATE_FAILS = 20, /* bad tokens a minute */
	GATE_BLOCK_S = 15 * 60,
	GATE_ORIGINS_MAX = 2 * TOPOLOGY_SERVERS_MAX + 64,
	GATE_ORIGIN_MAX = 200 /* bytes of one */
};

struct gate_ip {
	UT_hash_handle hh; /* by key */
	uint8_t key[16];
	uint32_t n; /* connections */
	uint32_t fails, fails_since_s, blocked_s, seen_s;
	struct bucket rate;
};

struct gate {
	struct server *srv;
	struct gate_ip *ips; /* owned */
	struct timer sweep;
	char **origins; /* owned; of the topology and the settings */
	size_t n_origins;
	struct buf sources;
};

static uint32_t
gate_now(void)
{
	return (uint32_t)(clock_mono_ms() / 1000) + 1;
}

/* --- origins ------------------------------------------------------------ */

/* appends http(s)://HOST[:PORT] of a ws(s) or http(s) URL; false: none */
static bool
gate_origin_of(struct str url, struct buf *out)
{
	static const struct {
		const char *from, *to, *port;
	} schemes[] = {{"ws://", "http://", ":80"},
	    {"wss://", "https://", ":443"}, {"http://", "http://", ":80"},
	    {"https://", "https://", ":443"}};
	size_t i, n;
	struct str host;
	long slash;

	for (i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_starts(url, str_of(schemes[i].from)))
			break;
	if (i == ARRAY_LEN(schemes))
		return false;
	n = strlen(schemes[i].from);
	host = str_n(url.p + n, url.len - n);
	slash = str_chr(host, '/');
	if (slash >= 0)
		host.len = (size_t)slash;
	/* browsers leave the port of the scheme out */
	n = strlen(schemes[i].port);
	if (host.len > n &&
	    memcmp(host.p + host.len - n, schemes[i].port, n) == 0)
		host.len -= n;
	if (host.len == 0)
		return false;
	buf_puts(out, schemes[i].to);
	buf_putstr(out, host);
	return true;
}

static void
gate_add(struct gate *g, const char *url)
{
	struct buf b;
	size_t i;
	bool known = false;

	buf_init(&b, GATE_ORIGIN_MAX);
	if (gate_origin_of(str_of(url), &b) && buf_ok(&b)) {
		for (i = 0; i < g->n_origins; i++)
			known |= str_eqc(buf_str(&b), g->origins[i]);
		if (!known && g->n_origins < GATE_ORIGINS_MAX)
			g->origins[g->n_origins++] = str_dup(buf_str(&b));
	}
	buf_fini(&b);
}

static void
gate_forget_origins(struct gate *g)
{
	while (g->n_origins > 0)
		free(g->origins[--g->n_origins]);
}

/* what goes into a header must be able to stand there */
static bool
gate_is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s == ';' || *s == ',' || *s > '~')
			return false;
	return true;
}

void
gate_refresh(struct gate *g)
{
	struct server *srv = g->srv;
	const struct topology_server *all = NULL;
	size_t i, n = 0;

	if (srv->topology != NULL)
		all = topology_servers(srv->topology, &n);
	gate_forget_origins(g);
	gate_add(g, srv->public_url);
	gate_add(g, srv->direct_url);
	for (i = 0; srv->set.origins != NULL && srv->set.origins[i] != NULL;
	     i++)
		gate_add(g, srv->set.origins[i]);
	for (i = 0; i < n; i++)
		if (all[i].role == ROLE_MSG) {
			gate_add(g, all[i].public_url);
			gate_add(g, all[i].direct_url);
		}
	buf_reset(&g->sources);
	for (i = 0; i < g->n_origins; i++) {
		if (!gate_is_plain(g->origins[i]))
			continue;
		/* browsers differ in whether the one is the other, too */
		buf_puts(&g->sources, " ws");
		buf_puts(&g->sources, g->origins[i] + strlen("http"));
		buf_putc(&g->sources, ' ');
		buf_puts(&g->sources, g->origins[i]);
	}
	/* what is uploaded may go elsewhere; its pages may not come in */
	if (srv->set.upload_url != NULL && gate_is_plain(srv->set.upload_url)) {
		n = buf_len(&g->sources);
		buf_putc(&g->sources, ' ');
		if (!gate_origin_of(str_of(srv->set.upload_url), &g->sources))
			buf_truncate(&g->sources, n);
	}
}

struct str
gate_sources(const struct gate *g)
{
	return buf_str(&g->sources);
}

bool
gate_origin_is_ok(const struct gate *g, const struct http_request *rq)
{
	struct str origin = http_field(rq, "origin");
	struct str host = http_field(rq, "host");
	size_t i, n = strlen("http://");

	if (!str_is_set(origin))
		return settings_no_origin_ok(&g->srv->set);
	if (http_field_count(rq, "origin") != 1)
		return false;
	/* we speak plain HTTP: a page of https://host is another origin, and
	 * public_url says so where something in front of us speaks TLS */
	if (str_starts(origin, STR_LIT("http://")) &&
	    str_ieq(str_n(origin.p + n, origin.len - n), host))
		return true;
	if (front_is_origin(g->srv, origin, host))
		return true;
	for (i = 0; i < g->n_origins; i++)
		if (str_ieq(origin, str_of(g->origins[i])))
			return true;
	return false;
}

/* --- addresses ---------------------------------------------------------- */

static bool
gate_is_trusted(const struct gate *g, struct str host)
{
	char **list = g->srv->set.trusted_proxies;
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		if (str_eqc(host, list[i]))
			return true;
	return false;
}

/* an address without a port */
static bool
gate_parse(struct str host, struct addr *out)
{
	struct buf b;
	bool ok, v6 = str_chr(host, ':') >= 0;

	if (host.len == 0 || host.len > 64)
		return false;
	buf_init(&b, 128);
	if (v6 && host.p[0] != '[')
		buf_putc(&b, '[');
	buf_putstr(&b, host);
	if (v6 && host.p[0] != '[')
		buf_putc(&b, ']');
	buf_puts(&b, ":0");
	ok = buf_ok(&b) && addr_parse(buf_str(&b), out) == 0;
	buf_fini(&b);
	return ok;
}

/* whom the nearest proxy we do not trust has seen; else the peer itself */
void
gate_address(const struct gate *g, const struct addr *peer,
    const struct http_request *rq, struct addr *out)
{
	struct str via = http_field(rq, "x-forwarded-for"), host;
	char text[ADDR_TEXT_MAX];
	size_t i;

	*out = *peer;
	if (g->srv->set.trusted_proxies == NULL ||
	    g->srv->set.trusted_proxies[0] == NULL)
		return;
	addr_host(peer, text);
	if (!gate_is_trusted(g, str_of(text)))
		return;
	while (via.len > 0) {
		for (i = via.len; i > 0 && via.p[i - 1] != ','; i--)
			;
		host = str_trim(str_n(via.p + i, via.len - i));
		if (!gate_is_trusted(g, host)) {
			if (!gate_parse(host, out))
				*out = *peer;
			return;
		}
		via.len = i > 0 ? i - 1 : 0;
	}
}

static void
gate_on_sweep(void *arg)
{
	struct gate *g = arg;
	struct gate_ip *ip, *next;
	uint32_t now = gate_now();

	HASH_ITER (hh, g->ips, ip, next) {
		if (ip->n > 0 || ip->blocked_s > now || now - ip->seen_s < 60)
			continue;
		HASH_DEL(g->ips, ip);
		free(ip);
	}
	if (g->ips == NULL)
		timer_stop(&g->sweep);
}

static struct gate_ip *
gate_ip_of(struct gate *g, const struct addr *a)
{
	struct gate_ip *ip;
	uint8_t key[16];

	addr_key(a, key);
	HASH_FIND(hh, g->ips, key, sizeof key, ip);
	if (ip != NULL)
		return ip;
	if (HASH_COUNT(g->ips) >= GATE_IPS_MAX)
		return NULL;
	ip = xcalloc(1, sizeof *ip);
	memcpy(ip->key, key, sizeof key);
	HASH_ADD(hh, g->ips, key, sizeof ip->key, ip);
	if (!timer_is_set(&g->sweep))
		timer_set(&g->sweep, GATE_SWEEP_MS, GATE_SWEEP_MS);
	return ip;
}

int
gate_enter(struct gate *g, const struct addr *peer,
    const struct http_request *rq, struct gate_ip **out)
{
	const struct settings *set = &g->srv->set;
	struct gate_ip *ip;
	struct addr a;

	*out = NULL;
	gate_address(g, peer, rq, &a);
	if (addr_is_loopback(&a))
		return 0;
	ip = gate_ip_of(g, &a);
	if (ip == NULL)
		return 503;
	ip->seen_s = gate_now();
	if (ip->blocked_s > ip->seen_s || ip->n >= set->conns_per_ip ||
	    !bucket_take(&ip->rate, (uint32_t)set->conn_rate,
		(uint32_t)set->conn_burst, NULL))
		return 429;
	ip->n++;
	*out = ip;
	return 0;
}

bool
gate_find(const struct gate *g, const struct addr *peer,
    const struct http_request *rq, const struct gate_ip **out)
{
	struct gate_ip *ip;
	struct addr a;
	uint8_t key[16];

	*out = NULL;
	gate_address(g, peer, rq, &a);
	if (addr_is_loopback(&a))
		return true;
	addr_key(&a, key);
	HASH_FIND(hh, g->ips, key, sizeof key, ip);
	if (ip == NULL || ip->n == 0)
		return false;
	*out = ip;
	return true;
}

void
gate_leave(struct gate *g, struct gate_ip *ip)
{
	(void)g;
	if (ip == NULL)
		return;
	ip->n--;
	ip->seen_s = gate_now();
}

bool
gate_ip_text(const struct gate_ip *ip, char out[ADDR_TEXT_MAX])
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};

	if (ip == NULL)
		return false;
	if (memcmp(ip->key, v4, sizeof v4) == 0)
		return inet_ntop(AF_INET, ip->key + sizeof v4, out,
			   ADDR_TEXT_MAX) != NULL;
	if (inet_ntop(AF_INET6, ip->key, out, ADDR_TEXT_MAX - 4) == NULL)
		return false;
	strcat(out, "/64");
	return true;
}

bool
gate_token_failed(struct gate *g, struct gate_ip *ip)
{
	uint32_t now = gate_now();

	(void)g;
	if (ip == NULL)
		return false;
	if (now - ip->fails_since_s >= 60) {
		ip->fails_since_s = now;
		ip->fails = 0;
	}
	if (++ip->fails < GATE_FAILS)
		return false;
	ip->blocked_s = now + GATE_BLOCK_S;
	return true;
}

/* --- life --------------------------------------------------------------- */

struct gate *
gate_new(struct server *srv)
{
	struct gate *g = xcalloc(1, sizeof *g);

	g->srv = srv;
	g->origins = xcalloc(GATE_ORIGINS_MAX, sizeof *g->origins);
	buf_init(&g->sources, 2 * (GATE_ORIGINS_MAX + 1) * GATE_ORIGIN_MAX);
	timer_init(&g->sweep, srv->net, gate_on_sweep, g);
	return g;
}

void
gate_free(struct gate *g)
{
	struct gate_ip *ip, *next;

	if (g == NULL)
		return;
	timer_stop(&g->sweep);
	HASH_ITER (hh, g->ips, ip, next) {
		HASH_DEL(g->ips, ip);
		free(ip);
	}
	gate_forget_origins(g);
	free(g->origins);
	buf_fini(&g->sources);
	free(g);
}
