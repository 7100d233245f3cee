/* SPDX-License-Identifier: MIT */
/*
 * Frames of a GatewayClient, of any bytes: the verdict does not depend on how
 * many came, a frame is inside of them, and what is written is read again.
 */
#include <stdlib.h>

#include "shared/base/map.h"
#include "shared/proto/gateway.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_frame(const struct gateway_frame *f)
{
	struct gateway_frame again;
	char tmp[24];
	struct buf out;
	struct str body;

	if (f->len < GATEWAY_HEAD || f->len > GATEWAY_FRAME_MAX ||
	    f->ext.len + f->body.len + GATEWAY_HEAD != f->len)
		abort();
	buf_init(&out, GATEWAY_FRAME_MAX);
	gateway_put(&out, f);
	if (gateway_parse(buf_p(&out), buf_len(&out), &again) != 0 ||
	    again.cmd != f->cmd || again.connection != f->connection ||
	    again.flag != f->flag || !str_eq(again.ext, f->ext) ||
	    !str_eq(again.body, f->body))
		abort();
	if (gateway_body(f, tmp, &body) == 0 && body.len > f->body.len + 24)
		abort();
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gateway_frame f, part;
	size_t n, step = 1 + size / 64;
	int err;

	if (map_seed == 0)
		map_init();
	for (;;) {
		err = gateway_parse(data, size, &f);
		if (err != 0)
			break;
		if (f.len > size)
			abort();
		for (n = 0; n < f.len; n += step)
			if (gateway_parse(data, n, &part) != ERR_AGAIN)
				abort();
		fuzz_frame(&f);
		data += f.len;
		size -= f.len;
	}
	/* it is over once it is said to be */
	if (err != ERR_AGAIN && size > GATEWAY_HEAD &&
	    gateway_parse(data, GATEWAY_HEAD, &part) != err)
		abort();
	return 0;
}
