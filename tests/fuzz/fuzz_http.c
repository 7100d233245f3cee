/* SPDX-License-Identifier: MIT */
/*
 * HTTP heads of any bytes: the verdict does not depend on how the bytes came,
 * and what is taken keeps the promises of http.h.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/proto/ws.h"
#include "tests/fuzz/fuzz.h"

static bool
fuzz_inside(struct str s, const uint8_t *data, size_t n)
{
	const uint8_t *p = (const uint8_t *)s.p;

	return s.len == 0 || (p >= data && p + s.len <= data + n);
}

static void
fuzz_request(const uint8_t *data, const struct http_request *rq)
{
	const char *why = NULL;
	struct buf out;
	size_t i;

	if (rq->head_len < 16 || rq->head_len > HTTP_HEAD_MAX ||
	    rq->n_fields > HTTP_FIELDS_MAX || rq->minor < 0 || rq->minor > 1 ||
	    memcmp(data + rq->head_len - 4, "\r\n\r\n", 4) != 0)
		abort();
	if (!fuzz_inside(rq->target, data, rq->head_len) ||
	    !fuzz_inside(rq->path, data, rq->head_len) ||
	    !fuzz_inside(rq->query, data, rq->head_len))
		abort();
	for (i = 0; i < rq->target.len; i++) {
		if (rq->target.p[i] < 0x21 || rq->target.p[i] > 0x7e)
			abort();
	}
	for (i = 0; i < rq->n_fields; i++) {
		const struct http_field *f = &rq->fields[i];

		if (f->name.len == 0 || str_chr(f->name, ' ') >= 0 ||
		    str_chr(f->value, '\r') >= 0 ||
		    str_chr(f->value, '\n') >= 0 ||
		    str_chr(f->value, '\0') >= 0 ||
		    !fuzz_inside(f->name, data, rq->head_len) ||
		    !fuzz_inside(f->value, data, rq->head_len))
			abort();
	}
	if (http_field_count(rq, "host") > 1 ||
	    (rq->minor == 1 && http_field_count(rq, "host") != 1) ||
	    http_field_count(rq, "content-length") > 1 ||
	    http_field_count(rq, "transfer-encoding") > 0)
		abort();
	buf_init(&out, 1 << 16);
	(void)http_query(rq->query, "cmd", &out);
	buf_reset(&out);
	if (http_unescape(rq->path, &out) == 0 &&
	    str_chr(buf_str(&out), '\0') >= 0)
		abort();
	buf_reset(&out);
	if ((ws_upgrade(rq, &out, &why) == 0) != (buf_len(&out) > 0))
		abort();
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request rq, part;
	struct http_response rs;
	int whole, err = ERR_AGAIN;
	size_t n, step = 1 + size / 64;

	whole = http_parse(data, size, &rq);
	if (whole == 0)
		fuzz_request(data, &rq);
	else if (whole != ERR_AGAIN && rq.status < 400)
		abort();
	for (n = 0; n < size && err == ERR_AGAIN; n += step)
		err = http_parse(data, n, &part);
	if (err == ERR_AGAIN)
		err = http_parse(data, size, &part);
	if (err != whole || part.status != rq.status ||
	    (err == 0 && part.head_len != rq.head_len))
		abort();
	if (http_parse_response(data, size, &rs) == 0 &&
	    (rs.head_len > size || rs.status < 0 || rs.status > 999 ||
		rs.n_fields > HTTP_FIELDS_MAX))
		abort();
	return 0;
}
