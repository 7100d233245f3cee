/* SPDX-License-Identifier: MIT */
/*
 * The dialects as tables. Each writes the least its server takes and reads
 * just enough to tell an answer from a text; texts are found by their stamps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "shared/base/err.h"
#include "tests/bench/dialect.h"
#include "tests/bench/tally.h"

enum { DIALECT_LINE_MAX = 8192 };

static size_t
dialect_upgrade(
    char *p, const struct target *t, const char *path, uint32_t room)
{
	int n = snprintf(p, DIALECT_LOGIN_MAX,
	    "GET %s%.0u HTTP/1.1\r\nHost: %s:%u\r\nOrigin: http://%s:%u\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    path, room, t->host, t->port, t->host, t->port);

	return (size_t)n;
}

static size_t
dialect_hello(
    char *p, const struct options *o, const struct target *t, uint32_t room)
{
	(void)o;
	(void)room;
	/* 0 prints as nothing */
	return dialect_upgrade(p, t, "/ws", 0);
}

/* a text with words around it */
static size_t
dialect_around(char *p, size_t head, const struct options *o, const char *text,
    const char *tail)
{
	size_t n = strlen(tail);

	memcpy(p + head, text, o->size);
	memcpy(p + head + o->size, tail, n);
	return head + o->size + n;
}

/* a frame of nobody's concern, or a text */
static enum cchat_said
dialect_said_text(const char *p, size_t n)
{
	return memchr(p, TALLY_MARK, n) != NULL ? CCHAT_MESSAGE : CCHAT_OTHER;
}

/* ---- workerman-chat ----------------------------------------------------- */

static size_t
workerman_login(char *p, const struct options *o, uint32_t uid, uint32_t room)
{
	return (size_t)snprintf(p, DIALECT_LOGIN_MAX,
	    "{\"type\":\"login\",\"client_name\":\"u%u\",\"room_id\":%u}", uid,
	    cchat_rid(o, room));
}

static size_t
workerman_message(char *p, const struct options *o, uint32_t room,
    uint32_t to_uid, uint32_t sender, uint32_t n, const char *text)
{
	static const char head[] = "{\"type\":\"say\",\"to_client_id\":\"all\","
				   "\"to_client_name\":\"\",\"content\":\"";

	(void)room;
	(void)to_uid;
	(void)sender;
	(void)n;
	memcpy(p, head, sizeof head - 1);
	return dialect_around(p, sizeof head - 1, o, text, "\"}");
}

static enum cchat_said
workerman_said(const char *p, size_t n)
{
	static const char say[] = "{\"type\":\"say\"",
			  login[] = "{\"type\":\"login\"";

	if (n >= sizeof say && memcmp(p, say, sizeof say - 1) == 0)
		return CCHAT_MESSAGE;
	/* one's own login has the list; that of others has not */
	if (n >= sizeof login && memcmp(p, login, sizeof login - 1) == 0 &&
	    memmem(p, n, "\"client_list\":", 14) != NULL)
		return CCHAT_LOGIN;
	return CCHAT_OTHER;
}

/* ---- nchan -------------------------------------------------------------- */

static size_t
nchan_hello(
    char *p, const struct options *o, const struct target *t, uint32_t room)
{
	return dialect_upgrade(p, t, "/room/", cchat_rid(o, room));
}

static size_t
nchan_message(char *p, const struct options *o, uint32_t room, uint32_t to_uid,
    uint32_t sender, uint32_t n, const char *text)
{
	(void)room;
	(void)to_uid;
	(void)sender;
	(void)n;
	return dialect_around(p, 0, o, text, "");
}

/* ---- nats --------------------------------------------------------------- */

static size_t
nats_hello(
    char *p, const struct options *o, const struct target *t, uint32_t room)
{
	(void)t;
	return (size_t)snprintf(p, DIALECT_LOGIN_MAX,
	    "CONNECT {\"verbose\":false}\r\nSUB r.%u 1\r\nPING\r\n",
	    cchat_rid(o, room));
}

/* the hello was one; its PONG lets us in */
static size_t
nats_login(char *p, const struct options *o, uint32_t uid, uint32_t room)
{
	(void)p;
	(void)o;
	(void)uid;
	(void)room;
	return 0;
}

static size_t
nats_message(char *p, const struct options *o, uint32_t room, uint32_t to_uid,
    uint32_t sender, uint32_t n, const char *text)
{
	int head = sprintf(p, "PUB r.%u %u\r\n", cchat_rid(o, room), o->size);

	(void)to_uid;
	(void)sender;
	(void)n;
	return dialect_around(p, (size_t)head, o, text, "\r\n");
}

static enum cchat_said
nats_said(const char *p, size_t n)
{
	if (n >= 4 && memcmp(p, "MSG ", 4) == 0)
		return CCHAT_MESSAGE;
	if (n >= 4 && memcmp(p, "PONG", 4) == 0)
		return CCHAT_LOGIN;
	if (n >= 4 && memcmp(p, "-ERR", 4) == 0)
		return CCHAT_ERROR;
	return CCHAT_OTHER;
}

static ssize_t
nats_slice(const char *p, size_t n, struct slice *out)
{
	const char *end = memmem(p, n, "\r\n", 2), *len;
	size_t whole;

	if (end == NULL)
		return n > DIALECT_LINE_MAX ? -1 : 0;
	whole = (size_t)(end - p) + 2;
	if (whole > 4 && memcmp(p, "MSG ", 4) == 0) {
		len = memrchr(p, ' ', (size_t)(end - p));
		whole += strtoul(len + 1, NULL, 10) + 2;
		if (whole > DIALECT_LINE_MAX + 65536)
			return -1;
		if (whole > n)
			return 0;
	}
	*out = (struct slice){p, whole};
	return (ssize_t)whole;
}

/* ------------------------------------------------------------------------- */

static const struct dialect dialects[] = {
    {.name = "cchat",
	.hello = dialect_hello,
	.login = cchat_login,
	.message = cchat_message,
	.said = cchat_said},
    {.name = "workerman",
	.rooms_only = true,
	.hello = dialect_hello,
	.login = workerman_login,
	.message = workerman_message,
	.said = workerman_said},
    {.name = "nchan",
	.rooms_only = true,
	.hello = nchan_hello,
	.message = nchan_message,
	.said = dialect_said_text},
    {.name = "nats",
	.rooms_only = true,
	.raw = true,
	.hello = nats_hello,
	.login = nats_login,
	.message = nats_message,
	.said = nats_said,
	.slice = nats_slice},
};

const struct dialect *
dialect_named(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(dialects); i++)
		if (strcmp(dialects[i].name, name) == 0)
			return &dialects[i];
	return NULL;
}
