/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses as text and back. Numeric only: a name that needed a
 * resolver would block the loop, so "localhost" is the one name known.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "shared/net/addr.h"

static const uint8_t addr_v4mapped[12] = {[10] = 0xff, [11] = 0xff};

static int
addr_parse_unix(struct str path, struct addr *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->ss;

	if (path.len == 0 || path.len >= sizeof(un->sun_path) ||
	    memchr(path.p, '\0', path.len) != NULL)
		return ERR_INVALID;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.p, path.len);
	out->len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
	return 0;
}

int
addr_parse(struct str s, struct addr *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->ss;
	struct str host, port;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;
	bool v6;
	const char *colon;

	memset(out, 0, sizeof(*out));
	if (s.p == NULL)
		return ERR_INVALID;
	if (str_starts(s, STR_LIT("unix:")))
		return addr_parse_unix(str_n(s.p + 5, s.len - 5), out);

	colon = memrchr(s.p, ':', s.len);
	if (colon == NULL)
		return ERR_INVALID;
	host = str_n(s.p, (size_t)(colon - s.p));
	port = str_n(colon + 1, s.len - host.len - 1);
	if (port.len > 5 || str_u64(port, &n) != 0 || n > 65535)
		return ERR_INVALID;

	v6 = host.len >= 2 && host.p[0] == '[';
	if (v6) {
		if (host.p[host.len - 1] != ']')
			return ERR_INVALID;
		host = str_n(host.p + 1, host.len - 2);
	} else if (str_eqc(host, "localhost")) {
		host = STR_LIT("127.0.0.1");
	}
	if (host.len >= sizeof(text) || memchr(host.p, '\0', host.len) != NULL)
		return ERR_INVALID;
	str_copy(text, sizeof(text), host);
	if (v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)n);
		out->len = sizeof(*in6);
		return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1
			   ? 0
			   : ERR_INVALID;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)n);
	out->len = sizeof(*in);
	return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? 0 : ERR_INVALID;
}

void
addr_host(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ss;
	size_t off = offsetof(struct sockaddr_un, sun_path), n;

	out[0] = '\0';
	switch (a->ss.ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, out, ADDR_TEXT_MAX);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &in6->sin6_addr, out, ADDR_TEXT_MAX);
		break;
	case AF_UNIX:
		/* the peer of an accepted unix socket has no name at all */
		n = a->len > off ? a->len - off : 0;
		n = strnlen(un->sun_path, n);
		str_copy(out, ADDR_TEXT_MAX, str_n(un->sun_path, n));
		break;
	default:
		break;
	}
}

void
addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX];

	addr_host(a, host);
	switch (a->ss.ss_family) {
	case AF_INET:
		snprintf(out, ADDR_TEXT_MAX, "%.45s:%u", host, addr_port(a));
		break;
	case AF_INET6:
		snprintf(out, ADDR_TEXT_MAX, "[%.45s]:%u", host, addr_port(a));
		break;
	case AF_UNIX:
		snprintf(out, ADDR_TEXT_MAX, "unix:%.108s", host);
		break;
	default:
		str_copy(out, ADDR_TEXT_MAX, STR_LIT("?"));
		break;
	}
}

uint16_t
addr_port(const struct addr *a)
{
	if (a->ss.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&a->ss)->sin_port);
	if (a->ss.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&a->ss)->sin6_port);
	return 0;
}

void
addr_key(const struct addr *a, uint8_t out[16])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;

	memset(out, 0, 16);
	if (a->ss.ss_family == AF_INET) {
		memcpy(out, addr_v4mapped, 12);
		memcpy(out + 12, &in->sin_addr, 4);
	} else if (a->ss.ss_family == AF_INET6) {
		/* one household has a /64; a v4-mapped peer is a v4 peer */
		memcpy(out, &in6->sin6_addr,
		    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) ? 16 : 8);
	}
}

bool
addr_is_loopback(const struct addr *a)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;
	uint8_t key[16];

	if (a->ss.ss_family == AF_UNIX)
		return true;
	if (a->ss.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
		return true;
	addr_key(a, key);
	return !memcmp(key, addr_v4mapped, 12) && key[12] == 127;
}
