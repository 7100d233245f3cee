/* SPDX-License-Identifier: MIT */
/*
 * Pushes to those whose names must be asked for: everybody who is there, a
 * page of uids at a time, and the users of connections. What is given to one
 * is udp.c's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/push/udp_priv.h"

enum { UDP_PAGE = 200 };

/* --- everybody ---------------------------------------------------------- */

struct udp_all {
	struct relay_who who;
	struct udp_ask *ask;
	json_t *data; /* owned */
	char next[ID_MAX + 1];
	unsigned under_way; /* messages, + 1 while a page is read */
};

static void
udp_all_free(struct udp_all *all)
{
	struct udp_ask *ask = all->ask;

	json_decref(all->data);
	free(all);
	udp_end(ask);
}

static void udp_all_on_page(
    struct relay_who *rw, unsigned code, const struct f_whois *a);

static void
udp_all_ask(struct udp_all *all)
{
	struct f_who who = {.what = WHO_ALL, .limit = UDP_PAGE};

	if (all->next[0] != '\0')
		who.next = str_of(all->next);
	all->who.done = udp_all_on_page;
	if (relay_who(all->ask->u->srv->relay, &who, &all->who) != 0)
		udp_all_free(all);
}

void
udp_all_on_end(struct udp_all *all)
{
	if (--all->under_way > 0)
		return;
	if (all->next[0] == '\0')
		udp_all_free(all);
	else
		udp_all_ask(all);
}

static void
udp_all_on_page(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct udp_all *all = container_of(rw, struct udp_all, who);
	json_t *list = NULL, *v;
	size_t i;
	int err;

	all->next[0] = '\0';
	if (code == 200 && a->code == 200) {
		list = json_read(a->json, &err);
		str_copy(all->next, sizeof all->next, a->next);
	}
	all->under_way = 1;
	json_array_foreach(list, i, v)
	{
		struct str uid = str_of(json_string_value(v));

		all->under_way++;
		if (!id_is_word(uid) ||
		    !udp_give(all->ask, all->data, uid, all))
			all->under_way--;
	}
	json_decref(list);
	udp_all_on_end(all);
}

void
udp_everybody(struct udp_ask *ask, json_t *data)
{
	struct udp_all *all = xcalloc(1, sizeof *all);

	all->ask = ask;
	all->data = json_incref(data);
	udp_begin(ask);
	udp_all_ask(all);
}

/* --- connections -------------------------------------------------------- */

struct udp_fd {
	struct relay_who who;
	struct udp_ask *ask;
	json_t *data; /* owned */
};

static void
udp_fd_free(struct udp_fd *fd)
{
	struct udp_ask *ask = fd->ask;

	json_decref(fd->data);
	free(fd);
	udp_end(ask);
}

static void
udp_fd_on_who(struct relay_who *rw, unsigned code, const struct f_whois *a)
{
	struct udp_fd *fd = container_of(rw, struct udp_fd, who);
	json_t *obj = NULL;
	int err;

	if (code == 200 && a->code == 200)
		obj = json_read(a->json, &err);
	if (id_is_word(json_str(obj, "uid")))
		udp_give(fd->ask, fd->data, json_str(obj, "uid"), NULL);
	json_decref(obj);
	udp_fd_free(fd);
}

void
udp_to_session(struct udp_ask *ask, json_t *data, uint64_t cn)
{
	struct f_who who = {.what = WHO_SESSION, .limit = 1};
	struct udp_fd *fd = xcalloc(1, sizeof *fd);
	char number[24];

	snprintf(number, sizeof number, "%" PRIu64, cn);
	who.arg = str_of(number);
	fd->ask = ask;
	fd->data = json_incref(data);
	fd->who.done = udp_fd_on_who;
	udp_begin(ask);
	if (relay_who(ask->u->srv->relay, &who, &fd->who) != 0)
		udp_fd_free(fd);
}
