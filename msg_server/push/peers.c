/* SPDX-License-Identifier: MIT */
/*
 * Addresses and secrets of back ends; see peers.h.
 */
#include "msg_server/push/peers.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/digest.h"
#include "shared/proc/log.h"

struct push_peer {
	uint8_t key[16];
	bool plain; /* the secret stands in JSON as it is */
	size_t len;
	char secret[PUSH_SECRET_MAX + 1];
};

static bool
peers_is_plain(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') &&
		    (s.p[i] < 'A' || s.p[i] > 'Z') &&
		    (s.p[i] < 'a' || s.p[i] > 'z') && s.p[i] != '-' &&
		    s.p[i] != '_')
			return false;
	return true;
}

/* "127.0.0.1", "::1" */
static bool
peers_address(struct str ip, struct addr *out)
{
	char text[ADDR_TEXT_MAX];

	if (ip.len == 0 || ip.len > 60)
		return false;
	snprintf(text, sizeof text,
	    str_chr(ip, ':') < 0 ? "%.*s:1" : "[%.*s]:1", STR_ARG(ip));
	return addr_parse(str_of(text), out) == 0 &&
	       out->ss.ss_family != AF_UNIX;
}

static bool
peers_read_one(struct push_peer *peer, struct str entry)
{
	struct str secret = str_trim(entry), ip;
	struct addr a;

	if (!str_next(&secret, ' ', &ip))
		return false;
	secret = str_trim(secret);
	if (secret.len == 0 || secret.len > PUSH_SECRET_MAX ||
	    !peers_address(ip, &a))
		return false;
	addr_key(&a, peer->key);
	str_copy(peer->secret, sizeof peer->secret, secret);
	peer->len = secret.len;
	peer->plain = peers_is_plain(secret);
	return true;
}

void
push_peers_read(struct push_peers *p, char **entries)
{
	unsigned n = 0;

	while (entries != NULL && entries[n] != NULL)
		n++;
	if (n > PUSH_PEERS_MAX)
		fatal(EXIT_USAGE, "udp_push_peers: at most %d", PUSH_PEERS_MAX);
	p->list = xcalloc(n + 1, sizeof *p->list);
	for (p->n = 0; p->n < n; p->n++)
		if (!peers_read_one(&p->list[p->n], str_of(entries[p->n])))
			fatal(EXIT_USAGE,
			    "udp_push_peers: entry %u is no \"IP SECRET\"",
			    p->n + 1);
}

/* this machine itself, by its one usual address */
static bool
peers_is_home(const struct addr *a)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;

	if (a->ss.ss_family == AF_INET)
		return in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	return a->ss.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/* is one of that address such that `is` says so? This machine needs none */
static bool
peers_any(const struct push_peers *p, const struct addr *from,
    bool (*is)(const struct push_peer *, struct str), struct str what)
{
	uint8_t key[16];
	unsigned i;

	if (peers_is_home(from))
		return true;
	addr_key(from, key);
	for (i = 0; i < p->n; i++)
		if (memcmp(p->list[i].key, key, sizeof key) == 0 &&
		    is(&p->list[i], what))
			return true;
	return false;
}

static bool
peers_is_in(const struct push_peer *peer, struct str bytes)
{
	return !peer->plain ||
	       memmem(bytes.p, bytes.len, peer->secret, peer->len) != NULL;
}

static bool
peers_is_his(const struct push_peer *peer, struct str secret)
{
	return secret.len == peer->len &&
	       digest_equal(secret.p, peer->secret, peer->len);
}

bool
push_peers_look(
    const struct push_peers *p, const struct addr *from, struct str bytes)
{
	return peers_any(p, from, peers_is_in, bytes);
}

bool
push_peers_may(
    const struct push_peers *p, const struct addr *from, struct str secret)
{
	return peers_any(p, from, peers_is_his, secret);
}
