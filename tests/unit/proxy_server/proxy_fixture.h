/* SPDX-License-Identifier: MIT */
/*
 * Up to two whole proxies in one data directory on one loop, and msg_servers
 * that link to them over socket pairs: a link that keeps the last frame of
 * each kind and counts them.
 */
#ifndef TESTS_UNIT_PROXY_SERVER_PROXY_FIXTURE_H
#define TESTS_UNIT_PROXY_SERVER_PROXY_FIXTURE_H

#include "tests/unit/shared/net/fixture.h"

#include "proxy_server/proxy.h"
#include "shared/proto/frames_state.h"

struct ms {
	struct linkconn lc;
	int ups, downs, deads;
	int n[256]; /* frames by type */
	char why[200];
	struct f_active active;
	char ep[9];
	struct f_subbed subbed;
	struct f_item item;
	struct item got[16]; /* numbers of items, in order */
	struct f_ack ack;
	struct f_nak nak;
	struct f_page page;
	struct f_room room;
	struct f_whois whois;
	struct f_kick kick;
	struct f_eph eph;
	struct f_state state;
	struct f_got got_state;
	struct f_inboxed inboxed;
	struct f_stated stated;
	char text[4096]; /* of the last EPH, WHOIS, KICK, STATE, GOT */
};

extern struct fx fx;
extern struct proxy px[2];
extern bool px_quit[2];
extern struct ms m[4];
extern char px_dir[64];

/* once, from main: settings and the log level; false: they can't be had */
bool pfix_main(void);
/* loop and directory; then proxies as wanted; the end checks what is left */
void pfix_begin(void);
void pfix_start(unsigned i, const char *name);
void pfix_stop(unsigned i);
void pfix_end(void);

void ms_start(struct ms *s, struct proxy *p, enum link_role role,
    const char *name, uint32_t node, uint32_t inc);
/* a msg_server at px[0], up */
void ms_open(struct ms *s, const char *name, uint32_t node);
void ms_close(struct ms *s);

#endif
