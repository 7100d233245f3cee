/* SPDX-License-Identifier: MIT */
/*
 * Frames of a GatewayClient: where they end and what is in them. What they
 * ask for is msg_server/door/gateway.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/proto/gateway.h"
#include "shared/proto/php.h"

enum {
	GATEWAY_AT_CMD = 4,
	GATEWAY_AT_CONNECTION = 17,
	GATEWAY_AT_FLAG = 21,
	GATEWAY_AT_EXT = 24
};

static uint32_t
gateway_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return be32toh(v);
}

static void
gateway_put_u32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof v);
}

int
gateway_parse(const uint8_t *p, size_t n, struct gateway_frame *f)
{
	uint32_t ext;

	memset(f, 0, sizeof *f);
	if (n < 4)
		return ERR_AGAIN;
	f->len = gateway_u32(p);
	if (f->len < GATEWAY_HEAD)
		return ERR_PROTO;
	if (f->len > GATEWAY_FRAME_MAX)
		return ERR_LIMIT;
	if (n < GATEWAY_HEAD)
		return ERR_AGAIN;
	ext = gateway_u32(p + GATEWAY_AT_EXT);
	if (ext > f->len - GATEWAY_HEAD)
		return ERR_PROTO;
	if (n < f->len)
		return ERR_AGAIN;
	f->cmd = p[GATEWAY_AT_CMD];
	f->flag = p[GATEWAY_AT_FLAG];
	f->connection = gateway_u32(p + GATEWAY_AT_CONNECTION);
	f->ext = str_n(p + GATEWAY_HEAD, ext);
	f->body = str_n(p + GATEWAY_HEAD + ext, f->len - GATEWAY_HEAD - ext);
	return 0;
}

void
gateway_put(struct buf *out, const struct gateway_frame *f)
{
	uint8_t head[GATEWAY_HEAD] = {0};

	gateway_put_u32(
	    head, (uint32_t)(GATEWAY_HEAD + f->ext.len + f->body.len));
	head[GATEWAY_AT_CMD] = f->cmd;
	head[GATEWAY_AT_FLAG] = f->flag;
	gateway_put_u32(head + GATEWAY_AT_CONNECTION, f->connection);
	gateway_put_u32(head + GATEWAY_AT_EXT, (uint32_t)f->ext.len);
	buf_put(out, head, sizeof head);
	buf_putstr(out, f->ext);
	buf_putstr(out, f->body);
}

int
gateway_body(const struct gateway_frame *f, char tmp[24], struct str *out)
{
	struct php p;
	int err = 0;

	*out = f->body;
	if (f->flag & GATEWAY_SCALAR)
		return 0;
	*out = STR_NONE;
	if (php_parse(&p, f->body) != 0)
		return ERR_PROTO;
	switch (p.node[0].kind) {
	case PHP_NULL:
		break;
	case PHP_STRING:
	case PHP_DOUBLE:
		*out = p.node[0].s;
		break;
	case PHP_BOOL:
		*out = p.node[0].i != 0 ? STR_LIT("1") : STR_LIT("");
		break;
	case PHP_INT:
		snprintf(tmp, 24, "%" PRId64, p.node[0].i);
		*out = str_of(tmp);
		break;
	case PHP_ARRAY:
		err = ERR_PROTO;
		break;
	}
	php_fini(&p);
	return err;
}
