/* SPDX-License-Identifier: MIT */
/*
 * Who is talking: the strings of a session and its rate buckets. What it is
 * in (rooms, its user) is room.c's and user.c's business, its bytes client.c's.
 */
#include <stdlib.h>

#include "msg_server/follow/room.h"
#include "msg_server/server.h"
#include "msg_server/session.h"
#include "shared/base/slab.h"
#include "shared/proc/clock.h"

/* the strings of all, most of which are short */
static struct slab session_slab;

/* the n-th of the packed strings */
static struct str
session_string(const struct session *s, unsigned n)
{
	const char *p = s->name;

	if (p == NULL)
		return STR_NONE;
	while (n-- > 0)
		p += strlen(p) + 1;
	return str_of(p);
}

struct str
session_name(const struct session *s)
{
	return session_string(s, 0);
}

struct str
session_avatar(const struct session *s)
{
	struct str a = session_string(s, 1);

	return a.len > 0 ? a : STR_NONE;
}

struct str
session_dev(const struct session *s)
{
	struct str d = session_string(s, 2);

	return d.len > 0 ? d : STR_NONE;
}

struct str
session_uid(const struct session *s)
{
	return s->user != NULL ? str_of(user_uid(s->user)) : STR_NONE;
}

static size_t
session_strings_size(const struct session *s)
{
	const char *p = s->name;
	unsigned i;

	for (i = 0; i < 4; i++)
		p += strlen(p) + 1;
	return (size_t)(p - s->name);
}

void
session_drop_strings(struct session *s)
{
	if (s->name == NULL)
		return;
	slab_put(&session_slab, s->name, session_strings_size(s));
	s->name = NULL;
}

static void
session_pack(struct session *s, const struct str part[4])
{
	char *p, *q;
	unsigned i;

	/* may be called with what session_name() gave: build before freeing */
	p = q = slab_get(&session_slab,
	    part[0].len + part[1].len + part[2].len + part[3].len + 4);
	for (i = 0; i < 4; i++) {
		if (part[i].len > 0)
			memcpy(q, part[i].p, part[i].len);
		q += part[i].len;
		*q++ = '\0';
	}
	session_drop_strings(s);
	s->name = p;
}

void
session_set_strings(
    struct session *s, struct str name, struct str avatar, struct str dev)
{
	struct str part[4] = {name, avatar, dev, session_string(s, 3)};

	session_pack(s, part);
}

/* kept with a '=' in front: "may be in none" is not "may be in any" */
void
session_set_rooms(struct session *s, struct str rooms)
{
	struct str part[4] = {session_string(s, 0), session_string(s, 1),
	    session_string(s, 2), STR_NONE};
	struct buf b;

	buf_init(&b, rooms.len + 1);
	if (str_is_set(rooms)) {
		buf_putc(&b, '=');
		buf_putstr(&b, rooms);
		part[3] = buf_str(&b);
	}
	session_pack(s, part);
	buf_fini(&b);
}

bool
session_may_join(const struct session *s, struct str rid)
{
	struct str rooms = session_string(s, 3), one;

	if (rooms.len == 0)
		return true;
	rooms = str_n(rooms.p + 1, rooms.len - 1);
	while (str_next(&rooms, ' ', &one))
		if (str_eq(one, rid))
			return true;
	return false;
}

struct session *
session_find(struct server *srv, uint64_t cn)
{
	struct table_link *e = table_find(
	    &srv->sessions, str_n((const char *)&cn, sizeof cn), session_key);

	return e != NULL ? container_of(e, struct session, by_cn) : NULL;
}

static void
bucket_leak(struct bucket *b, uint32_t rate)
{
	uint32_t now = (uint32_t)clock_mono_ms();
	uint64_t leaked = (uint64_t)(now - b->t_ms) * rate;

	b->t_ms = now;
	b->milli = leaked < b->milli ? b->milli - (uint32_t)leaked : 0;
}

/*
 * A leaky bucket: `milli` is what is in it and leaks at the rate; one command
 * adds 1000 and must fit. All zero is a fresh one.
 */
bool
bucket_take(struct bucket *b, uint32_t rate, uint32_t burst, int64_t *retry_ms)
{
	uint64_t room = (uint64_t)burst * 1000;

	bucket_leak(b, rate);
	if (b->milli + 1000ULL <= room) {
		b->milli += 1000;
		return true;
	}
	if (retry_ms != NULL)
		*retry_ms = (int64_t)((b->milli + 1000ULL - room) / rate + 1);
	return false;
}

bool
bucket_is_empty(const struct bucket *b, uint32_t rate)
{
	uint32_t ms = (uint32_t)clock_mono_ms() - b->t_ms;

	return b->milli <= (uint64_t)ms * rate;
}

void
bucket_pour(struct bucket *b, uint32_t rate, uint32_t burst)
{
	bucket_leak(b, rate);
	if (b->milli < (uint64_t)burst * 1000)
		b->milli += 1000;
}
