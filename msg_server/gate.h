/* SPDX-License-Identifier: MIT */
/*
 * The gate: may this peer open a WebSocket? Origins (design.md section 4:
 * the own host, every public and direct origin of the topology, the setting
 * `origins`; compared exactly), connections and rate per address, tokens that
 * were no good (limits.md). Limits per address do not apply to loopback;
 * behind `trusted_proxies` the forwarded address counts.
 */
#ifndef MSG_SERVER_GATE_H
#define MSG_SERVER_GATE_H

#include "shared/base/buf.h"
#include "shared/net/addr.h"
#include "shared/proto/http.h"

struct server;
struct gate;
struct gate_ip; /* one address; borrowed by its connections */

struct gate *gate_new(struct server *srv);
void gate_free(struct gate *g);
/* the topology has changed: which origins there are */
void gate_refresh(struct gate *g);
/* origins as sources of connect-src, as ws and as http, each with a blank in front */
struct str gate_sources(const struct gate *g);

/* is the Origin of this request, or its absence, allowed? */
bool gate_origin_is_ok(const struct gate *g, const struct http_request *rq);
/* whose address counts: the peer's, or the one that a trusted proxy has forwarded */
void gate_address(const struct gate *g, const struct addr *peer,
    const struct http_request *rq, struct addr *out);
/* 0 and *ip (NULL: not limited), or the HTTP status to refuse with: 429, 503 */
int gate_enter(struct gate *g, const struct addr *peer,
    const struct http_request *rq, struct gate_ip **ip) MUST_CHECK;
void gate_leave(struct gate *g, struct gate_ip *ip); /* NULL is fine */
/* the one of a request that opens nothing, and *ip is only to be compared; false: nobody of that address is connected */
bool gate_find(const struct gate *g, const struct addr *peer,
    const struct http_request *rq, const struct gate_ip **ip);
/* the address it is for, of IPv6 its /64; false: it is not limited (NULL) */
bool gate_ip_text(const struct gate_ip *ip, char out[ADDR_TEXT_MAX]);
/* a bad token came from there; true: too many, keep it out for a while */
bool gate_token_failed(struct gate *g, struct gate_ip *ip);

#endif
