/* SPDX-License-Identifier: MIT */
/*
 * WebSocket, RFC 6455, server side, no sockets. wslay's frame API parses
 * headers and unmasks; fragments, UTF-8, control frames, Close and limits are
 * ours (wslay.md gives the pattern and the traps).
 *
 * In: ws_feed() with whatever bytes came. A connection at rest holds nothing:
 * struct ws is 16 bytes, its parser (ws_rx) exists only inside a message and
 * comes from a pool of the process. Out: frames are built once as blobs, unmasked, equal
 * for all recipients.
 *
 * ws_feed may be re-entered by nobody; callbacks may end the connection (they
 * return false to stop: the rest of the bytes is dropped and ws is then dead).
 */
#ifndef SHARED_PROTO_WS_H
#define SHARED_PROTO_WS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/blob.h"
#include "shared/proto/http.h"

enum ws_close {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_UNSUPPORTED = 1003, /* binary data */
	WS_CLOSE_BAD_TEXT = 1007,
	WS_CLOSE_POLICY = 1008, /* too many fragments */
	WS_CLOSE_TOO_BIG = 1009
};

enum { WS_FRAGMENTS_MAX = 64 };

struct ws_rx;

struct ws {
	struct ws_rx *rx; /* owned; NULL at rest */
	uint32_t msg_max; /* bytes of a whole message; may be raised at any time */
	bool dead;        /* a Close was received or a violation found: feed no more */
};

struct ws_ops {
	/* a whole text message, valid UTF-8, borrowed until return; false: stop */
	bool (*on_text)(void *arg, struct str text);
	/* a ping arrived: send blob (the pong; the callee takes its own reference) */
	bool (*on_ping)(void *arg, struct blob *pong);
	bool (*on_pong)(void *arg);
	/*
	 * The last call: the peer closed (code as received, 1005 for none; answer is the Close to echo) or
	 * broke the protocol (answer carries 1002, 1003, 1007, 1008 or 1009). Send answer, then conn_finish.
	 */
	void (*on_close)(void *arg, unsigned code, bool violation, struct blob *answer);
};

void ws_init(struct ws *ws, uint32_t msg_max);
void ws_fini(struct ws *ws);
/* every frame counts; frames_out (may be NULL) += frames completed, for the inbound rate limit */
void ws_feed(struct ws *ws, const uint8_t *p, size_t n, const struct ws_ops *ops, void *arg, unsigned *frames_out);

/* one unfragmented text frame around p */
struct blob *ws_text(const void *p, size_t n);
/* only the header, for building a frame in place in a buf: appends 2..10 bytes */
void ws_put_header(struct buf *out, size_t payload_len);
struct blob *ws_ping(void);
/* code 0: an empty Close; reason is cut to 123 bytes at a code point */
struct blob *ws_close(unsigned code, const char *reason);

/*
 * The upgrade (RFC 6455 section 4.2): 0 and the 101 response in out, or the HTTP status to refuse with
 * (400, 405, 426) and the reason in *why. Origin is the caller's business.
 */
#define WS_UPGRADE_EXTRA "Sec-WebSocket-Version: 13\r\n" /* field of a 426 */
int ws_upgrade(const struct http_request *rq, struct buf *out, const char **why);
/* parsers held now, for /metrics */
unsigned ws_rx_live(void);

#endif
