/* SPDX-License-Identifier: MIT */
/*
 * `start --as SYSTEM[,SYSTEM...]`: which flags make a msg_server come in where
 * the clients and back ends of an older system look for it, unchanged.
 *
 *	cchat		nothing: 9503 is its port, too
 *	workerman	7272 chat, 55151 page, 1236 Register, 2300 and on Gateway
 *	webim		9503 chat (and what its page is served for), 8888 page
 *	meteor		8000 chat and HTTP
 *	sok		9501 chat, 9502 and 9601 UDP push, 8880 HTTP push
 *
 * All at the host of `listen`. The msg_servers of a machine share these ports,
 * but for the Gateway's: each has one of its own, counted up.
 */
#ifndef CONFIG_SERVER_CTL_LIVE_AS_H
#define CONFIG_SERVER_CTL_LIVE_AS_H

#include <stddef.h>

#include "shared/net/addr.h"

enum { AS_FLAGS_MAX = 5, AS_VALUE_MAX = 8 * (ADDR_TEXT_MAX + 16) };

struct as_flags {
	int n;
	const char *flag[AS_FLAGS_MAX];
	char value[AS_FLAGS_MAX][AS_VALUE_MAX];
};

/* NULL, or the word of `as` that is none */
const char *as_unknown(const char *as, char word[32]);
/* nth: 0 for the first msg_server of this machine */
void as_flags(const char *as, const char *listen, unsigned nth, struct as_flags *out);
/*
 * how many msg_servers, where nobody said it: two; one with webim, whose long
 * poll finds its session in one process only (door/webim/comet.h)
 */
int as_servers(const char *as);
/* addresses that must be free before, one after the other; false: no more */
bool as_port(const char *as, const char *listen, size_t i, char out[ADDR_TEXT_MAX]);
/* what to type into a browser; "" where that is the page of `listen` */
void as_page(const char *as, const char *listen, char *out, size_t size);

#endif
