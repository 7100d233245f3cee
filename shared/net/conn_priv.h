/* SPDX-License-Identifier: MIT */
/*
 * Inside of a connection, shared by conn.c (events, writing, life) and
 * conn_queue.c (what waits to be written).
 */
#ifndef SHARED_NET_CONN_PRIV_H
#define SHARED_NET_CONN_PRIV_H

#include "shared/net/conn.h"

/* takes a reference; makes the queue where there is none */
void conn_queue_push(struct conn *c, struct blob *b);
/* the kernel took n bytes of it; frees it when that was all */
void conn_queue_taken(struct conn *c, size_t n);
void conn_queue_drop_all(struct conn *c);

#endif
