/* SPDX-License-Identifier: MIT */
/*
 * The UDP door without a socket and without a log: what it was given, what it
 * answered, and answers of the log when the test wants them.
 */
#ifndef TESTS_UNIT_MSG_SERVER_UDP_FIXTURE_H
#define TESTS_UNIT_MSG_SERVER_UDP_FIXTURE_H

#include <stdlib.h>

#include "msg_server/push/udp_priv.h"
#include "shared/proto/push.h"

enum { UDP_SENT_MAX = 512 };

static struct server srv;
static struct udp_push *udp;
static void (*udp_on)(struct dgram *, struct str, const struct addr *);
static struct dgram *udp_dgram;
static unsigned n_answers, n_online; /* of them {"onLine":1} */

/* what is under way */
static struct push_send *sent[UDP_SENT_MAX];
static struct relay_who *asked[UDP_SENT_MAX];
static struct f_who asked_who[UDP_SENT_MAX];
static unsigned n_sent, n_asked;
/* of the last message */
static char last_from[64], last_to[64], last_id[64], last_body[32768];

void
dgram_open_or_die(struct dgram *d, struct net *net, const char *address,
    const char *what, size_t size_max,
    void (*on_datagram)(struct dgram *, struct str, const struct addr *))
{
	(void)net;
	(void)address;
	(void)what;
	if (size_max != UDP_SIZE_MAX)
		abort();
	udp_dgram = d;
	udp_on = on_datagram;
}

bool
dgram_send(struct dgram *d, struct str bytes, const struct addr *to)
{
	(void)to;
	d->sent++;
	n_answers++;
	n_online += str_eqc(bytes, "{\"onLine\":1}");
	if (bytes.len != 12)
		abort();
	return true;
}

void
dgram_pause(struct dgram *d)
{
	d->paused = true;
}

void
dgram_resume(struct dgram *d)
{
	d->paused = false;
}

uint64_t
dgram_dropped(const struct dgram *d)
{
	(void)d;
	return 0;
}

void
push_send(
    struct server *s, const struct push_message *m, struct push_send *call)
{
	(void)s;
	if (n_sent == UDP_SENT_MAX || !id_is_word(m->from) ||
	    !id_is_word(m->to) || !m->json || m->body.len > PUSH_BODY_MAX)
		abort();
	str_copy(last_from, sizeof last_from, m->from);
	str_copy(last_to, sizeof last_to, m->to);
	str_copy(last_id, sizeof last_id, m->id);
	str_copy(last_body, sizeof last_body, m->body);
	sent[n_sent++] = call;
}

void
push_ask(struct server *s, struct str uid, struct push_send *call)
{
	(void)s;
	if (n_sent == UDP_SENT_MAX || !id_is_word(uid))
		abort();
	str_copy(last_to, sizeof last_to, uid);
	sent[n_sent++] = call;
}

int
relay_who(struct relay *r, const struct f_who *who, struct relay_who *call)
{
	(void)r;
	if (n_asked == UDP_SENT_MAX)
		return ERR_BUSY;
	asked_who[n_asked] = *who;
	asked[n_asked++] = call;
	return 0;
}

static void
udp_open_it(void)
{
	static char at[] = "127.0.0.1:0", one[] = "127.0.0.2 123456",
		    two[] = "127.0.0.3 s/e\"c";
	static char *peers[] = {one, two, NULL};

	srv.set.udp_push = at;
	srv.set.udp_push_peers = peers;
	udp = udp_push_open(&srv);
}

static struct addr
udp_addr(const char *ip)
{
	char text[64];
	struct addr a;

	snprintf(text, sizeof text, "%s:4000", ip);
	if (addr_parse(str_of(text), &a) != 0)
		abort();
	return a;
}

static void
udp_give_it(struct str text, const struct addr *from)
{
	/* bytes of its own, so that no one behind them is looked at */
	char *copy = malloc(text.len > 0 ? text.len : 1);

	if (copy == NULL)
		abort();
	if (text.len > 0)
		memcpy(copy, text.p, text.len);
	udp_on(udp_dgram, str_n(copy, text.len), from);
	free(copy);
}

/* the log answers all that is under way; pages and sessions are empty */
static void
udp_finish(unsigned code, bool online)
{
	struct f_whois none = {.code = 200, .json = STR_LIT("[]")};

	while (n_sent + n_asked > 0) {
		while (n_asked > 0) {
			n_asked--;
			asked[n_asked]->done(asked[n_asked], 200, &none);
		}
		while (n_sent > 0) {
			n_sent--;
			sent[n_sent]->done(sent[n_sent], code, online);
		}
	}
}

#endif
