/* SPDX-License-Identifier: MIT */
/*
 * Questions that only the active proxy can answer (where is a user, what rooms are there): WHO goes out
 * on its link, the HTTP request waits for WHOIS at most 2 s. Without an active proxy, or when its link
 * ends, the answer is 503.
 */
#ifndef CONFIG_SERVER_ASK_H
#define CONFIG_SERVER_ASK_H

#include "shared/proto/frames.h"
#include "shared/svc/httpd.h"

enum { ASK_MAX = 256, ASK_MS = 2000 };

struct server;
struct node;

struct ask {
	struct ask *next, *prev;
	uint64_t http; /* httpd_id of who waits */
	struct node *node; /* who was asked; borrowed */
	int64_t until_ms;
	uint32_t rid;
	uint8_t what;
};

/* answers c now (503) or later; who->rid is filled in */
void ask_send(struct server *s, struct httpd_conn *c, struct f_who *who);
/* a WHOIS came: 0, or ERR_PROTO when it is not the JSON it should be */
int ask_answer(struct server *s, struct node *from, const struct f_whois *f);
/* nobody will answer: the node's link is gone */
void ask_node_gone(struct server *s, const struct node *n);
void ask_on_timer(void *arg);
void ask_free_all(struct server *s);

#endif
