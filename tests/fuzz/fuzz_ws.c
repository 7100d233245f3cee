/* SPDX-License-Identifier: MIT */
/*
 * WebSocket input against a second decoder, slow and simple, that sees the
 * whole stream at once: same transcript whatever the pieces, and at rest the
 * connection holds nothing. The first four bytes choose the pieces and the
 * limit.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/base/utf8.h"
#include "shared/proto/ws.h"
#include "tests/fuzz/fuzz.h"

/* ---- the reference ------------------------------------------------------ */

/*
 * Is p..p+n the beginning of valid UTF-8 (RFC 3629 section 4)? *whole: and no
 * code point is cut.
 */
static bool
ref_utf8(const uint8_t *p, size_t n, bool *whole)
{
	size_t i = 0, k, len;
	uint32_t min, max, lo, hi;

	*whole = true;
	while (i < n) {
		if (p[i] < 0x80) {
			i++;
			continue;
		}
		len = p[i] >= 0xf0 ? 4 : p[i] >= 0xe0 ? 3 : 2;
		if (p[i] < 0xc2 || p[i] > 0xf4)
			return false;
		/* the smallest and largest values this beginning may become */
		lo = hi = p[i] & (0x7fu >> len);
		for (k = 1; k < len; k++) {
			bool have = i + k < n;

			if (have && (p[i + k] & 0xc0) != 0x80)
				return false;
			lo = lo << 6 | (have ? p[i + k] & 0x3f : 0);
			hi = hi << 6 | (have ? p[i + k] & 0x3f : 0x3f);
		}
		min = len == 2 ? 0x80 : len == 3 ? 0x800 : 0x10000;
		max = 0x10ffff;
		if (hi < min || lo > max || (lo >= 0xd800 && hi <= 0xdfff))
			return false;
		if (i + len > n) {
			*whole = false;
			return true;
		}
		i += len;
	}
	return true;
}

struct ref {
	uint32_t max;
	struct buf text, out;
	bool in_message, dead, rest;
	unsigned fragments, frames;
};

static void
ref_end(struct ref *r, char what, unsigned code)
{
	buf_printf(&r->out, "%c%u;", what, code);
	r->dead = true;
}

static void
ref_text(struct buf *out, const void *p, size_t n)
{
	buf_putc(out, 'T');
	buf_put(out, p, n);
	buf_putc(out, ';');
}

/* a control frame that is all here */
static void
ref_control(struct ref *r, unsigned op, const uint8_t *p, size_t n)
{
	unsigned code;
	bool whole;

	if (op == 9) {
		buf_putc(&r->out, 'P');
		buf_put(&r->out, p, n);
		buf_putc(&r->out, ';');
	} else if (op == 10) {
		buf_puts(&r->out, "O;");
	} else if (n == 0) {
		ref_end(r, 'C', 1005);
	} else {
		code = n == 1 ? 0 : (unsigned)p[0] << 8 | p[1];
		if (code < 1000 || (code > 1003 && code < 1007) ||
		    (code > 1014 && code < 3000) || code > 4999)
			ref_end(r, 'V', 1002);
		else if (!ref_utf8(p + 2, n - 2, &whole) || !whole)
			ref_end(r, 'V', 1007);
		else
			ref_end(r, 'C', code);
	}
}

/* `have` of the frame's `len` payload bytes are here, unmasked */
static void
ref_payload(struct ref *r, unsigned first, const uint8_t *p, uint64_t len,
    size_t have, bool begun)
{
	unsigned op = first & 15;
	bool fin = first & 0x80, whole;

	if (op >= 8) {
		if (have == len) {
			r->frames++;
			ref_control(r, op, p, have);
		}
		return;
	}
	if (begun) {
		buf_reset(&r->text);
		r->fragments = 0;
		r->in_message = true;
	}
	if (buf_len(&r->text) + len > r->max) {
		ref_end(r, 'V', 1009);
		return;
	}
	if (++r->fragments > WS_FRAGMENTS_MAX) {
		ref_end(r, 'V', 1008);
		return;
	}
	buf_put(&r->text, p, have);
	if (!ref_utf8(buf_p(&r->text), buf_len(&r->text), &whole)) {
		ref_end(r, 'V', 1007);
		return;
	}
	if (have < len)
		return;
	r->frames++;
	if (!fin)
		return;
	if (!whole) {
		ref_end(r, 'V', 1007);
		return;
	}
	r->in_message = false;
	ref_text(&r->out, buf_p(&r->text), buf_len(&r->text));
}

/* one frame off p: bytes used, 0 when it is not whole or was the last */
static size_t
ref_frame(struct ref *r, const uint8_t *p, size_t n)
{
	unsigned first, op, i, form, ext;
	uint64_t len;
	size_t head, have, k;
	uint8_t *plain;
	bool mask;

	if (n < 2)
		return 0;
	first = p[0];
	op = first & 15;
	mask = p[1] & 0x80;
	form = p[1] & 0x7f;
	ext = form == 126 ? 2 : form == 127 ? 8 : 0;
	if (op >= 8 && (form > 125 || !(first & 0x80))) {
		ref_end(r, 'V', 1002);
		return 0;
	}
	if (n < 2 + ext)
		return 0;
	for (len = ext ? 0 : form, i = 0; i < ext; i++)
		len = len << 8 | p[2 + i];
	if ((ext == 2 && len < 126) || (ext == 8 && len < 65536) || len >> 63) {
		ref_end(r, 'V', 1002);
		return 0;
	}
	/* wslay shows a header with the first byte of its payload */
	head = 2 + ext + (mask ? 4 : 0);
	if (n < head + (len > 0))
		return 0;
	if (first & 0x70 || !mask || (op > 2 && op < 8) || op > 10 ||
	    (op == 0 && !r->in_message) ||
	    (op > 0 && op < 8 && r->in_message)) {
		ref_end(r, 'V', 1002);
		return 0;
	}
	if (op == 2) {
		ref_end(r, 'V', 1003);
		return 0;
	}
	have = len < n - head ? (size_t)len : n - head;
	plain = malloc(have + 1);
	for (k = 0; k < have; k++)
		plain[k] = p[head + k] ^ p[head - 4 + k % 4];
	ref_payload(r, first, plain, len, have, op == 1);
	free(plain);
	return r->dead || have < len ? 0 : head + have;
}

static void
ref_run(struct ref *r, const uint8_t *p, size_t n)
{
	size_t off = 0, k;

	while (off < n && (k = ref_frame(r, p + off, n - off)) > 0)
		off += k;
	r->rest = !r->dead && off == n && !r->in_message;
}

/* ---- the one under test ------------------------------------------------- */

static bool
fuzz_on_text(void *arg, struct str text)
{
	ref_text(arg, text.p, text.len);
	return true;
}

static bool
fuzz_on_ping(void *arg, struct blob *pong)
{
	if (pong->len < 2 || pong->bytes[1] != pong->len - 2)
		abort();
	buf_putc(arg, 'P');
	buf_put(arg, pong->bytes + 2, pong->len - 2);
	buf_putc(arg, ';');
	return true;
}

static bool
fuzz_on_pong(void *arg)
{
	buf_puts(arg, "O;");
	return true;
}

static void
fuzz_on_close(void *arg, unsigned code, bool violation, struct blob *answer)
{
	if (answer->len != 4)
		abort();
	buf_printf(arg, "%c%u;", violation ? 'V' : 'C', code);
}

static const struct ws_ops fuzz_ops = {
    .on_text = fuzz_on_text,
    .on_ping = fuzz_on_ping,
    .on_pong = fuzz_on_pong,
    .on_close = fuzz_on_close,
};

static void
fuzz_feed(const uint8_t *p, size_t n, unsigned seed, size_t piece,
    const struct ref *r)
{
	struct buf out;
	struct ws ws;
	unsigned frames = 0;
	size_t k, off;

	buf_init(&out, 1 << 24);
	ws_init(&ws, r->max);
	for (off = 0; off < n; off += k) {
		k = seed == 0 ? piece : 1 + (size_t)rand_r(&seed) % piece;
		k = k < n - off ? k : n - off;
		ws_feed(&ws, p + off, k, &fuzz_ops, &out, &frames);
	}
	if (!str_eq(buf_str(&out), buf_str(&r->out)) || ws.dead != r->dead ||
	    (!r->dead && frames != r->frames) ||
	    (ws.rx == NULL) != (r->rest || r->dead))
		abort();
	ws_fini(&ws);
	if (ws_rx_live() != 0)
		abort();
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ref r = {0};

	if (size < 4)
		return 0;
	r.max = data[2] < 128 ? 65536 : data[3];
	buf_init(&r.text, 1 << 24);
	buf_init(&r.out, 1 << 24);
	ref_run(&r, data + 4, size - 4);
	fuzz_feed(data + 4, size - 4, 0, size, &r);
	fuzz_feed(data + 4, size - 4, 0, 1, &r);
	fuzz_feed(data + 4, size - 4, 1 + data[0],
	    1 + (size_t)data[1] * data[1] / 8, &r);
	buf_fini(&r.text);
	buf_fini(&r.out);
	return 0;
}
