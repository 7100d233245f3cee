/* SPDX-License-Identifier: MIT */
/*
 * The UDP door of the sok framework (setting udp_push, of one address or some,
 * which are as one): a datagram from a back end, JSON with an optional newline
 * behind it,
 *
 *	{"sk":SECRET,"means":"to_uid","data":{"to_uid":..,"type":..,...}}
 *
 * and one datagram back, {"onLine":1} or {"onLine":0}: is the addressee there?
 *
 *	to_uid      data is stored for data.to_uid and given to all his devices
 *	to_uid_all  the same for each of data.uid_all (at most 200); for an empty
 *	            list, for everybody who is there now, on any server
 *	to_fd       for the user whose connection has the number data.to_fd
 *	to_fd_all   for those of data.fd_all (at most 200), empty: for everybody
 *	is_on_line  only the question, about the to_uid beside means
 *
 * The answer comes when the log has the message: then it is durable, as any
 * other. A data.id makes a repeat safe: the same sender, addressee and id
 * within ten minutes is one message. A datagram that gets no answer, or an
 * answer lost, may or may not have been one: UDP promises nothing by itself.
 *
 * 127.0.0.1 needs no secret; anybody else one of udp_push_peers, by address
 * and secret. Who is refused is answered {"onLine":0}, at most 1000 times a
 * second, and what is beyond that is dropped and counted. What can be seen
 * without reading JSON is seen so; how much is taken a turn, dgram.h says.
 */
#ifndef MSG_SERVER_PUSH_UDP_H
#define MSG_SERVER_PUSH_UDP_H

#include "msg_server/server.h"

enum {
	UDP_DOORS = 4,	      /* addresses of udp_push */
	UDP_SIZE_MAX = 20480, /* bytes of a datagram */
	UDP_REFUSALS = 1000,  /* answered a second */
	UDP_UNDER_WAY = 1024  /* messages the log has not answered: more wait in the kernel */
};

struct udp_push;

/* as the settings say: NULL when udp_push is not set; ends the program where
 * it can't be (exit codes 2 and 4). It lives as long as the process */
struct udp_push *udp_push_open(struct server *srv);
/* lines for /metrics; u may be NULL: nothing */
void udp_push_metrics(const struct udp_push *u, struct buf *out);

/* may that address push with that secret? secret absent: none was named */
bool udp_push_may(const struct udp_push *u, const struct addr *from, struct str secret);

#endif
