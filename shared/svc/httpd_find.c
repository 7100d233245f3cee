/* SPDX-License-Identifier: MIT */
/*
 * What an owner may know of a connection: whose it is, which request of it is
 * under way, and whether anybody still waits for the answer. Nothing is sent
 * from here.
 */
#include <errno.h>
#include <sys/socket.h>

#include "shared/svc/httpd_priv.h"

const struct addr *
httpd_peer(const struct httpd_conn *c)
{
	return &c->peer;
}

void *
httpd_tag(const struct httpd_conn *c)
{
	return c->tag;
}

uint64_t
httpd_id(const struct httpd_conn *c)
{
	return c->id;
}

void
httpd_last(struct httpd_conn *c)
{
	c->keep = false;
}

struct httpd_conn *
httpd_find(struct httpd *h, uint64_t id)
{
	struct httpd_conn *c = h->current;

	/* an answer that is there at once comes from inside on_request */
	if (c == NULL || c->id != id)
		HASH_FIND(hh, h->waiting, &id, sizeof(id), c);
	return c != NULL && c->state == HTTPD_BUSY && !c->conn.closed ? c
								      : NULL;
}

bool
httpd_is_left(const struct httpd_conn *c)
{
	char byte;
	ssize_t n;

	/* a pipelined request: he is there, and what is behind it unknown */
	if (buf_len(&c->in) > 0)
		return false;
	n = recv(c->conn.io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
			     errno != EINTR);
}
