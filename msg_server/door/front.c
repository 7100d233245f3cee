/* SPDX-License-Identifier: MIT */
/*
 * Listeners and their words. It accepts for httpd and looks into no request
 * beyond its path.
 */
#include <stdlib.h>

#include "msg_server/door/front.h"
#include "msg_server/server.h"
#include "shared/base/err.h"
#include "shared/proc/log.h"

struct front {
	struct listener listener; /* of `listeners` only */
	struct dialect_set speaks;
	const struct door *door;
};

struct fronts {
	struct front common; /* of listen and direct */
	struct front more[FRONTS_MAX];
	unsigned n_more;
};

/* where there are no settings: tests of single parts */
static const struct front front_plain = {
    .speaks = {.list = {&dialect_cchat}, .n = 1}};

static bool
front_add_word(struct front *f, struct str word, bool first)
{
	const struct dialect *d = dialect_by_name(word);
	const struct door *door = door_by_name(word);
	unsigned i;

	if (first)
		f->door = door;
	for (i = 0; i < f->speaks.n; i++)
		if (f->speaks.list[i] == d)
			return true;
	if (d != NULL)
		f->speaks.list[f->speaks.n++] = d;
	return d != NULL || (first && door != NULL);
}

static void
front_bad(const char *setting, struct str what)
{
	fatal(2, "%s: '%.*s' is no dialect", setting, (int)what.len, what.p);
}

/* "ADDR:PORT WORD WORD" */
static void
front_open(struct server *srv, struct front *f, const char *entry)
{
	struct str rest = str_of(entry), address, word;
	char text[ADDR_TEXT_MAX + 64];
	bool first = true;

	if (!str_next(&rest, ' ', &address) || rest.len == 0)
		fatal(2, "listeners: '%s' is not ADDR:PORT WORD [WORD...]",
		    entry);
	while (str_next(&rest, ' ', &word)) {
		if (!front_add_word(f, word, first))
			front_bad("listeners", word);
		first = false;
	}
	str_copy(text, sizeof text, address);
	listener_open_or_die(&f->listener, srv->net, text, true,
	    f->speaks.n > 0 ? f->speaks.list[0]->name : f->door->name,
	    httpd_on_accept, &srv->httpd);
}

void
fronts_open(struct server *srv)
{
	struct fronts *fs = xcalloc(1, sizeof *fs);
	char *const *p;

	for (p = srv->set.dialects; p != NULL && *p != NULL; p++)
		if (!front_add_word(
			&fs->common, str_of(*p), p == srv->set.dialects))
			front_bad("dialects", str_of(*p));
	if (fs->common.speaks.n == 0)
		fs->common = front_plain;
	srv->fronts = fs;
	listener_open_or_die(&srv->public_listener, srv->net, srv->set.listen,
	    true, "public", httpd_on_accept, &srv->httpd);
	listener_open_or_die(&srv->direct_listener, srv->net, srv->set.direct,
	    false, "direct", httpd_on_accept, &srv->httpd);
	for (p = srv->set.listeners; p != NULL && *p != NULL; p++) {
		if (fs->n_more == FRONTS_MAX)
			fatal(2, "listeners: more than %d", FRONTS_MAX);
		front_open(srv, &fs->more[fs->n_more++], *p);
	}
}

void
fronts_finish(struct server *srv)
{
	struct fronts *fs = srv->fronts;
	unsigned i;

	listener_finish(&srv->public_listener);
	listener_finish(&srv->direct_listener);
	for (i = 0; fs != NULL && i < fs->n_more; i++)
		listener_finish(&fs->more[i].listener);
}

static int
front_reopen(struct listener *l, bool shared)
{
	return l->io.cb == NULL ? listener_reopen(l, shared) : 0;
}

int
fronts_reopen(struct server *srv)
{
	struct fronts *fs = srv->fronts;
	int err = front_reopen(&srv->public_listener, true);
	unsigned i;

	if (err == 0)
		err = front_reopen(&srv->direct_listener, false);
	for (i = 0; fs != NULL && i < fs->n_more && err == 0; i++)
		err = front_reopen(&fs->more[i].listener, true);
	return err;
}

void
fronts_free(struct server *srv)
{
	free(srv->fronts);
	srv->fronts = NULL;
}

void
fronts_set_budget(struct server *srv, unsigned budget)
{
	struct fronts *fs = srv->fronts;
	unsigned i;

	srv->public_listener.budget = srv->direct_listener.budget = budget;
	for (i = 0; fs != NULL && i < fs->n_more; i++)
		fs->more[i].listener.budget = budget;
}

static const struct front *
front_of(const struct server *srv, const struct httpd_conn *c)
{
	const struct fronts *fs = srv->fronts;
	unsigned i;

	if (fs == NULL)
		return &front_plain;
	for (i = 0; i < fs->n_more; i++)
		if (httpd_tag(c) == &fs->more[i].listener)
			return &fs->more[i];
	return &fs->common;
}

const struct dialect_set *
front_speaks(const struct server *srv, const struct httpd_conn *c)
{
	return &front_of(srv, c)->speaks;
}

const struct door *
front_door(const struct server *srv, const struct httpd_conn *c)
{
	return front_of(srv, c)->door;
}

bool
front_is_old(const struct server *srv, const struct httpd_conn *c)
{
	const struct front *f = front_of(srv, c);

	return f->speaks.n > 0 && f->speaks.list[0] != &dialect_cchat;
}

bool
front_has_path(
    const struct server *srv, const struct httpd_conn *c, struct str path)
{
	const struct front *f = front_of(srv, c);

	if (f->speaks.n == 0)
		return false;
	return f->speaks.list[0] != &dialect_cchat || str_eqc(path, "/") ||
	       str_eqc(path, "/ws");
}

/* the port behind a host name; 80 when there is none, 0 when it is none */
static uint16_t
front_cut_port(struct str *host)
{
	size_t i = host->len;
	unsigned port = 0, digit = 1;

	while (i > 0 && host->p[i - 1] >= '0' && host->p[i - 1] <= '9' &&
	       host->len - i < 5) {
		port += (unsigned)(host->p[--i] - '0') * digit;
		digit *= 10;
	}
	if (i == 0 || host->p[i - 1] != ':')
		return 80;
	host->len = i - 1;
	return port < 65536 ? (uint16_t)port : 0;
}

bool
front_is_origin(const struct server *srv, struct str origin, struct str host)
{
	static const struct str scheme = {"http://", 7};
	const struct fronts *fs = srv->fronts;
	uint16_t port;
	unsigned i;

	if (fs == NULL || fs->n_more == 0 || !str_starts(origin, scheme))
		return false;
	origin.p += scheme.len;
	origin.len -= scheme.len;
	port = front_cut_port(&origin);
	front_cut_port(&host);
	if (port == 0 || !str_ieq(origin, host))
		return false;
	if (port == addr_port(&srv->public_listener.addr))
		return true;
	for (i = 0; i < fs->n_more; i++)
		if (port == addr_port(&fs->more[i].listener.addr))
			return true;
	return false;
}
