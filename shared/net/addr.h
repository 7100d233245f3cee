/* SPDX-License-Identifier: MIT */
/*
 * Socket addresses: "127.0.0.1:9503", "[::1]:9503", "0.0.0.0:0", "unix:/path".
 * Numeric only (no resolver on the loop) but for "localhost".
 */
#ifndef SHARED_NET_ADDR_H
#define SHARED_NET_ADDR_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/str.h"

#define ADDR_TEXT_MAX 120

struct addr {
	socklen_t len;
	struct sockaddr_storage ss;
};

int addr_parse(struct str s, struct addr *out) MUST_CHECK; /* ERR_INVALID */
/* the inverse of addr_parse; NUL-terminated */
void addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* host part only (no port, no brackets) */
void addr_host(const struct addr *a, char out[ADDR_TEXT_MAX]);
uint16_t addr_port(const struct addr *a);
bool addr_is_loopback(const struct addr *a); /* unix counts as loopback */
/* 16 bytes that stand for "one visitor": v4-mapped address, or the v6 /64 */
void addr_key(const struct addr *a, uint8_t out[16]);

#endif
