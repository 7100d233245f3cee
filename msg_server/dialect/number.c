/* SPDX-License-Identifier: MIT */
/*
 * Names of connections in older systems, and the table of gateway addresses.
 * Pure arithmetic otherwise; who is connected is not known here.
 */
#include <inttypes.h>
#include <stdio.h>

#include "msg_server/dialect/number.h"

enum { NUMBER_PORT = 2300 };

static const uint32_t number_loopback = 0x7f000001, number_class_e = 0xf0000000;

static struct number_gate {
	uint32_t node, ip;
	uint16_t port;
} number_gates[NUMBER_GATES];
static unsigned number_n;

/* n lower-case hex digits */
static bool
number_hex(const char *p, size_t n, uint64_t *out)
{
	const char *digits = "0123456789abcdef", *at;

	for (*out = 0; n > 0; n--, p++) {
		at = *p != '\0' ? strchr(digits, *p) : NULL;
		if (at == NULL)
			return false;
		*out = *out << 4 | (uint64_t)(at - digits);
	}
	return true;
}

void
number_uid(uint64_t cn, char out[NUMBER_UID_SIZE])
{
	snprintf(out, NUMBER_UID_SIZE, "fd-%" PRIx64, cn);
}

bool
number_of_uid(struct str uid, uint64_t *cn)
{
	return uid.len > 3 && uid.len < NUMBER_UID_SIZE && uid.p[3] != '0' &&
	       str_starts(uid, STR_LIT("fd-")) &&
	       number_hex(uid.p + 3, uid.len - 3, cn);
}

bool
number_of_sid(struct str sid, uint64_t *cn)
{
	return sid.len > 2 && sid.len <= 18 && sid.p[2] != '0' &&
	       str_starts(sid, STR_LIT("s-")) &&
	       number_hex(sid.p + 2, sid.len - 2, cn);
}

/* --- gateways ------------------------------------------------------------ */

static struct number_gate *
number_at(uint32_t ip, uint16_t port)
{
	unsigned i;

	for (i = 0; i < number_n; i++)
		if (number_gates[i].ip == ip && number_gates[i].port == port)
			return &number_gates[i];
	return NULL;
}

static struct number_gate *
number_by_node(uint32_t node)
{
	unsigned i;

	for (i = 0; i < number_n; i++)
		if (number_gates[i].node == node)
			return &number_gates[i];
	return NULL;
}

static void
number_forget(struct number_gate *g)
{
	if (g != NULL)
		*g = number_gates[--number_n];
}

void
number_set_gate(uint32_t node, uint32_t ip, uint16_t port)
{
	number_forget(number_by_node(node));
	number_forget(number_at(ip, port));
	if (port != 0 && ip < number_class_e && number_n < NUMBER_GATES)
		number_gates[number_n++] = (struct number_gate){node, ip, port};
}

void
number_gate(uint32_t node, uint32_t *ip, uint16_t *port)
{
	const struct number_gate *g = number_by_node(node);

	*ip = g != NULL ? g->ip : number_loopback;
	*port = g != NULL ? g->port : (uint16_t)(NUMBER_PORT + node);
	if (g != NULL ||
	    (node <= UINT16_MAX - NUMBER_PORT && number_at(*ip, *port) == NULL))
		return;
	*ip = number_class_e | node >> 16;
	*port = (uint16_t)node;
}

bool
number_of_gate(uint32_t ip, uint16_t port, uint32_t *node)
{
	const struct number_gate *g = number_at(ip, port);

	if (g != NULL)
		*node = g->node;
	else if (ip == number_loopback && port >= NUMBER_PORT)
		*node = (uint32_t)port - NUMBER_PORT;
	else if (ip >> 16 == number_class_e >> 16)
		*node = ip << 16 | port;
	else
		return false;
	return true;
}

void
number_client_id(uint64_t cn, char out[NUMBER_CLIENT_ID + 1])
{
	uint32_t ip;
	uint16_t port;

	number_gate((uint32_t)(cn >> 32), &ip, &port);
	snprintf(out, NUMBER_CLIENT_ID + 1, "%08" PRIx32 "%04x%08" PRIx32, ip,
	    (unsigned)port, (uint32_t)cn);
}

bool
number_of_client_id(struct str id, uint64_t *cn)
{
	uint64_t ip, port, low;
	uint32_t node;

	if (id.len != NUMBER_CLIENT_ID || !number_hex(id.p, 8, &ip) ||
	    !number_hex(id.p + 8, 4, &port) || !number_hex(id.p + 12, 8, &low))
		return false;
	if (!number_of_gate((uint32_t)ip, (uint16_t)port, &node))
		return false;
	*cn = (uint64_t)node << 32 | low;
	return true;
}
