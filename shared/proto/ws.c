/* SPDX-License-Identifier: MIT */
/*
 * WebSocket messages over wslay's frame API. wslay parses headers and
 * unmasks; everything a header means is judged here.
 *
 *	ws_feed -> wslay_frame_recv -> on_header, on_payload, on_end
 *
 * These three are the seam: another frame parser would call the same three.
 *
 * wslay keeps up to 4096 bytes it has read ahead in an opaque context. Whether
 * it holds any is counted: `pending` grows by what it was fed and shrinks by
 * header and payload at each frame's end. That is exact because it refuses
 * lengths that are not minimal and we refuse frames without a mask.
 *
 * The frame that comes all the time, a short text in one masked frame that is
 * here as a whole, is not shown to wslay (ws_plain). Whatever is not exactly
 * that, is left to it: nothing is refused or judged there that is not here.
 */
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "shared/base/digest.h"
#include "shared/base/utf8.h"
#include "shared/proto/ws.h"

enum {
	WS_CONTROL_MAX = 125,
	WS_CONTEXTS_KEPT = 8,
	WS_PLAIN_MAX = 4096, /* of a text that is read in place */
	WS_NO_STATUS = 1005,
	WS_STOP = -1 /* a callback asked to stop */
};

/* A message, frame or header that is not complete yet. */
struct ws_rx {
	wslay_frame_context_ptr frame; /* owned; NULL between two fragments */
	uint64_t pending; /* bytes fed and not yet part of an ended frame */
	bool in_frame;	 /* a header was seen and its payload is not all here */
	bool in_message; /* a text message was begun and not ended */
	bool fin;	 /* of the frame under way, as opcode, len and got */
	uint8_t opcode;
	uint64_t len, got;
	unsigned fragments;
	struct utf8 utf8;
	struct buf text; /* the message so far, when it came in pieces */
	struct str view; /* or where it lies, when it came in one */
	uint8_t control_len;
	uint8_t control[WS_CONTROL_MAX];
};

/* What the process keeps for reuse: no malloc in the usual case. */
static struct ws_rx *ws_spare;
static wslay_frame_context_ptr ws_contexts[WS_CONTEXTS_KEPT];
static unsigned ws_n_contexts, ws_n_rx;

/* The bytes being fed; any context may serve any connection. */
static const uint8_t *ws_in, *ws_in_end;

/*
 * Gives all it can: only then WANT_READ proves that the feed is empty.
 */
static ssize_t
ws_recv(uint8_t *p, size_t n, int flags, void *user_data)
{
	size_t rest = (size_t)(ws_in_end - ws_in);

	(void)flags;
	(void)user_data;
	if (n > rest)
		n = rest;
	if (n == 0)
		return -1;
	memcpy(p, ws_in, n);
	ws_in += n;
	return (ssize_t)n;
}

static wslay_frame_context_ptr
ws_context_get(void)
{
	static const struct wslay_frame_callbacks callbacks = {
	    .recv_callback = ws_recv};
	wslay_frame_context_ptr frame;

	if (ws_n_contexts > 0)
		return ws_contexts[--ws_n_contexts];
	if (wslay_frame_context_init(&frame, &callbacks, NULL) != 0)
		abort(); /* out of memory, as xmalloc */
	return frame;
}

/* only from a clean boundary: after an error a context is half advanced */
static void
ws_context_put(wslay_frame_context_ptr frame)
{
	if (ws_n_contexts < WS_CONTEXTS_KEPT)
		ws_contexts[ws_n_contexts++] = frame;
	else
		wslay_frame_context_free(frame);
}

static struct ws_rx *
ws_rx_get(void)
{
	struct ws_rx *rx = ws_spare;

	if (rx != NULL)
		ws_spare = NULL;
	else
		rx = xmalloc(sizeof(*rx));
	memset(rx, 0, offsetof(struct ws_rx, control));
	ws_n_rx++;
	return rx;
}

static void
ws_rx_put(struct ws_rx *rx)
{
	if (rx->frame != NULL)
		wslay_frame_context_free(rx->frame);
	buf_fini(&rx->text);
	ws_n_rx--;
	if (ws_spare == NULL)
		ws_spare = rx;
	else
		free(rx);
}

unsigned
ws_rx_live(void)
{
	return ws_n_rx;
}

void
ws_init(struct ws *ws, uint32_t msg_max)
{
	memset(ws, 0, sizeof(*ws));
	ws->msg_max = msg_max;
}

void
ws_fini(struct ws *ws)
{
	if (ws->rx != NULL)
		ws_rx_put(ws->rx);
	ws->rx = NULL;
	ws->dead = true;
}

/* ---- the three of the seam: 0, WS_STOP or the code to close with -------- */

/* a header and the first payload bytes are here; nothing is stored yet */
static int
ws_on_header(struct ws *ws, struct ws_rx *rx, const struct wslay_frame_iocb *f)
{
	uint64_t sum = buf_len(&rx->text);

	if (f->rsv != 0 || !f->mask)
		return WS_CLOSE_PROTOCOL;
	switch (f->opcode) {
	case WSLAY_CONTINUATION_FRAME:
		if (!rx->in_message)
			return WS_CLOSE_PROTOCOL;
		break;
	case WSLAY_TEXT_FRAME:
	case WSLAY_BINARY_FRAME:
		if (rx->in_message)
			return WS_CLOSE_PROTOCOL;
		if (f->opcode == WSLAY_BINARY_FRAME)
			return WS_CLOSE_UNSUPPORTED;
		break;
	case WSLAY_CONNECTION_CLOSE:
	case WSLAY_PING:
	case WSLAY_PONG:
		if (!f->fin || f->payload_length > WS_CONTROL_MAX)
			return WS_CLOSE_PROTOCOL;
		break;
	default:
		return WS_CLOSE_PROTOCOL;
	}
	rx->in_frame = true;
	rx->fin = f->fin;
	rx->opcode = f->opcode;
	rx->len = f->payload_length;
	rx->got = 0;
	if (wslay_is_ctrl_frame(f->opcode)) {
		rx->control_len = 0;
		return 0;
	}
	if (!rx->in_message) {
		rx->in_message = true;
		rx->fragments = 0;
		rx->utf8 = (struct utf8){0};
		rx->view = STR_LIT("");
		buf_init(&rx->text, ws->msg_max);
	}
	if (sum > ws->msg_max || f->payload_length > ws->msg_max - sum)
		return WS_CLOSE_TOO_BIG;
	if (++rx->fragments > WS_FRAGMENTS_MAX)
		return WS_CLOSE_POLICY;
	return 0;
}

static int
ws_on_payload(struct ws *ws, struct ws_rx *rx, const uint8_t *p, size_t n)
{
	rx->got += n;
	if (n == 0)
		return 0;
	if (wslay_is_ctrl_frame(rx->opcode)) {
		memcpy(rx->control + rx->control_len, p, n);
		rx->control_len += (uint8_t)n;
		return 0;
	}
	if (!utf8_feed(&rx->utf8, p, n))
		return WS_CLOSE_BAD_TEXT;
	if (rx->fin && rx->fragments == 1 && n == rx->len) {
		rx->view = str_n(p, n); /* the usual message: no copy */
		return 0;
	}
	/* grows with what has come, never with what was declared */
	rx->text.max = ws->msg_max;
	buf_put(&rx->text, p, n);
	return buf_ok(&rx->text) ? 0 : WS_CLOSE_TOO_BIG;
}

static bool
ws_code_is_legal(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static int
ws_on_close_frame(struct ws_rx *rx, unsigned *code)
{
	if (rx->control_len == 0) {
		*code = WS_NO_STATUS;
		return 0;
	}
	if (rx->control_len == 1)
		return WS_CLOSE_PROTOCOL;
	*code = (unsigned)rx->control[0] << 8 | rx->control[1];
	if (!ws_code_is_legal(*code))
		return WS_CLOSE_PROTOCOL;
	if (!utf8_valid(rx->control + 2, rx->control_len - 2u))
		return WS_CLOSE_BAD_TEXT;
	return 0;
}

/* all of the frame is here */
static int
ws_on_end(struct ws *ws, struct ws_rx *rx, const struct ws_ops *ops, void *arg)
{
	struct blob *b;
	unsigned code = 0;
	int r = 0;

	rx->in_frame = false;
	rx->pending -= 2 + 4 + rx->len +
		       (rx->len < 126	     ? 0
			   : rx->len < 65536 ? 2
					     : 8);
	switch (rx->opcode) {
	case WSLAY_PING:
		b = blob_alloc(2u + rx->control_len);
		b->bytes[0] = 0x80 | WSLAY_PONG;
		b->bytes[1] = rx->control_len;
		memcpy(b->bytes + 2, rx->control, rx->control_len);
		r = ops->on_ping(arg, b) ? 0 : WS_STOP;
		blob_unref(b);
		return r;
	case WSLAY_PONG:
		return ops->on_pong(arg) ? 0 : WS_STOP;
	case WSLAY_CONNECTION_CLOSE:
		r = ws_on_close_frame(rx, &code);
		if (r != 0)
			return r;
		ws->dead = true;
		b = ws_close(code == WS_NO_STATUS ? WS_CLOSE_NORMAL : code, "");
		ops->on_close(arg, code, false, b);
		blob_unref(b);
		return WS_STOP;
	default:
		break;
	}
	if (!rx->fin)
		return 0;
	if (!utf8_done(&rx->utf8))
		return WS_CLOSE_BAD_TEXT;
	rx->in_message = false;
	r = ops->on_text(
		arg, buf_len(&rx->text) > 0 ? buf_str(&rx->text) : rx->view)
		? 0
		: WS_STOP;
	buf_fini(&rx->text);
	return r;
}

/* ---- feeding ---------------------------------------------------------- */

/* until the feed is empty: 0, WS_STOP or a code */
static int
ws_run(struct ws *ws, struct ws_rx *rx, const struct ws_ops *ops, void *arg,
    unsigned *frames_out)
{
	struct wslay_frame_iocb f;
	ssize_t n;
	int r;

	for (;;) {
		memset(&f, 0, sizeof(f));
		n = wslay_frame_recv(rx->frame, &f);
		if (n == WSLAY_ERR_WANT_READ)
			return 0;
		/* non-minimal length, bit 63, over-long or cut control frame */
		if (n < 0)
			return WS_CLOSE_PROTOCOL;
		/* 0 is not "nothing" but a frame with an empty payload */
		r = rx->in_frame ? 0 : ws_on_header(ws, rx, &f);
		if (r == 0)
			r = ws_on_payload(ws, rx, f.data, f.data_length);
		if (r == 0 && rx->got == rx->len) {
			if (frames_out != NULL)
				++*frames_out;
			r = ws_on_end(ws, rx, ops, arg);
		}
		if (r != 0)
			return r;
	}
}

static void
ws_feed_any(struct ws *ws, const uint8_t *p, size_t n, const struct ws_ops *ops,
    void *arg, unsigned *frames_out)
{
	struct ws_rx *rx = ws->rx;
	struct blob *answer;
	int r;

	if (rx == NULL)
		rx = ws_rx_get();
	if (rx->frame == NULL)
		rx->frame = ws_context_get();
	/* ours while it runs: a callback may call ws_fini */
	ws->rx = NULL;
	rx->pending += n;
	ws_in = p;
	ws_in_end = p + n;
	r = ws_run(ws, rx, ops, arg, frames_out);
	ws_in = ws_in_end = NULL;

	if (r != 0 || ws->dead) {
		ws_rx_put(rx);
		ws->dead = true;
		if (r > 0) {
			answer = ws_close((unsigned)r, "");
			ops->on_close(arg, (unsigned)r, true, answer);
			blob_unref(answer);
		}
		return;
	}
	if (!rx->in_frame && rx->pending == 0) {
		ws_context_put(rx->frame);
		rx->frame = NULL;
	}
	if (rx->frame == NULL && !rx->in_message)
		ws_rx_put(rx);
	else
		ws->rx = rx;
}

static void
ws_unmask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t mask[4])
{
	uint64_t w, m;
	size_t i = 0;

	memcpy(&m, mask, 4);
	memcpy((uint8_t *)&m + 4, mask, 4);
	for (; n - i >= 8; i += 8) {
		memcpy(&w, from + i, 8);
		w ^= m;
		memcpy(to + i, &w, 8);
	}
	for (; i < n; i++)
		to[i] = from[i] ^ mask[i & 3];
}

/* the text of the frame at p, and the bytes it takes; 0: not a plain one */
static size_t
ws_plain(const struct ws *ws, const uint8_t *p, size_t n, struct str *text)
{
	static uint8_t plain[WS_PLAIN_MAX];
	size_t head = 6, len;

	if (n < head || p[0] != (0x80 | WSLAY_TEXT_FRAME) || p[1] < 0x80)
		return 0;
	len = p[1] & 0x7f;
	if (len == 126) {
		len = (size_t)p[2] << 8 | p[3];
		head = 8;
		if (len < 126)
			return 0;
	}
	if (len == 127 || len > sizeof plain || len > ws->msg_max || n < head ||
	    n - head < len)
		return 0;
	ws_unmask(plain, p + head, len, p + head - 4);
	*text = str_n(plain, len);
	return utf8_valid(plain, len) ? head + len : 0;
}

void
ws_feed(struct ws *ws, const uint8_t *p, size_t n, const struct ws_ops *ops,
    void *arg, unsigned *frames_out)
{
	struct str text;
	size_t frame;

	while (!ws->dead && ws->rx == NULL &&
	       (frame = ws_plain(ws, p, n, &text)) > 0) {
		if (frames_out != NULL)
			++*frames_out;
		if (!ops->on_text(arg, text))
			ws->dead = true;
		p += frame;
		n -= frame;
	}
	if (!ws->dead && n > 0)
		ws_feed_any(ws, p, n, ops, arg, frames_out);
}

/* ---- frames out ------------------------------------------------------- */

static size_t
ws_header(uint8_t out[10], unsigned opcode, size_t len)
{
	unsigned i;

	out[0] = (uint8_t)(0x80 | opcode);
	if (len < 126) {
		out[1] = (uint8_t)len;
		return 2;
	}
	if (len < 65536) {
		out[1] = 126;
		out[2] = (uint8_t)(len >> 8);
		out[3] = (uint8_t)len;
		return 4;
	}
	out[1] = 127;
	for (i = 0; i < 8; i++)
		out[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	return 10;
}

struct blob *
ws_text(const void *p, size_t n)
{
	uint8_t head[10];
	size_t h = ws_header(head, WSLAY_TEXT_FRAME, n);
	struct blob *b = blob_alloc(h + n);

	memcpy(b->bytes, head, h);
	if (n > 0)
		memcpy(b->bytes + h, p, n);
	return b;
}

void
ws_put_header(struct buf *out, size_t payload_len)
{
	uint8_t head[10];
	size_t h = ws_header(head, WSLAY_TEXT_FRAME, payload_len);

	buf_put(out, head, h);
}

struct blob *
ws_ping(void)
{
	static const uint8_t ping[2] = {0x80 | WSLAY_PING, 0};

	return blob_new(ping, sizeof(ping));
}

struct blob *
ws_close(unsigned code, const char *reason)
{
	struct str why = str_of(reason);
	uint8_t p[2 + WS_CONTROL_MAX];
	size_t n = 0;

	if (code != 0) {
		p[2] = (uint8_t)(code >> 8);
		p[3] = (uint8_t)code;
		n = utf8_cut(why, WS_CONTROL_MAX - 2);
		if (n > 0)
			memcpy(p + 4, why.p, n);
		n += 2;
	}
	ws_header(p, WSLAY_CONNECTION_CLOSE, n);
	return blob_new(p, 2 + n);
}

/* ---- the upgrade ------------------------------------------------------ */

/* the base64 of 16 bytes */
static bool
ws_key_is_valid(struct str key)
{
	size_t i;

	if (key.len != 24 || memcmp(key.p + 22, "==", 2) != 0)
		return false;
	for (i = 0; i < 22; i++) {
		char c = key.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '+' || c == '/'))
			return false;
	}
	return true;
}

static bool
ws_asks_websocket(const struct http_request *rq)
{
	size_t i;

	for (i = 0; i < rq->n_fields; i++) {
		if (str_ieq(rq->fields[i].name, STR_LIT("upgrade")) &&
		    http_has_token(rq->fields[i].value, "websocket"))
			return true;
	}
	return false;
}

int
ws_upgrade(const struct http_request *rq, struct buf *out, const char **why)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	struct str key = http_field(rq, "sec-websocket-key");
	char accept[32], text[24 + sizeof(guid)];
	uint8_t sha[SHA1_LEN];

	if (rq->method != HTTP_GET_M) {
		*why = "a WebSocket begins with GET";
		return 405;
	}
	if (rq->minor != 1 || !rq->upgrade || !ws_asks_websocket(rq)) {
		*why = "not a WebSocket handshake";
		return 400;
	}
	if (rq->body_len > 0) {
		*why = "a handshake has no body";
		return 400;
	}
	if (http_field_count(rq, "sec-websocket-version") != 1 ||
	    !str_eqc(http_field(rq, "sec-websocket-version"), "13")) {
		*why = "WebSocket version 13 is spoken here";
		return 426;
	}
	if (http_field_count(rq, "sec-websocket-key") != 1 ||
	    !ws_key_is_valid(key)) {
		*why = "bad Sec-WebSocket-Key";
		return 400;
	}
	memcpy(text, key.p, key.len);
	memcpy(text + key.len, guid, sizeof(guid) - 1);
	digest_sha1(text, key.len + sizeof(guid) - 1, sha);
	digest_base64(sha, sizeof(sha), accept);
	buf_puts(out, "HTTP/1.1 101 Switching Protocols\r\n"
		      "Upgrade: websocket\r\n"
		      "Connection: Upgrade\r\n"
		      "Sec-WebSocket-Accept: ");
	buf_puts(out, accept);
	buf_puts(out, "\r\n\r\n");
	*why = NULL;
	return 0;
}
