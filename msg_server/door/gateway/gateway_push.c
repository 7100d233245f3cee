/* SPDX-License-Identifier: MIT */
/*
 * A message of a back end on its way to clients. workerman's clients get it as
 * it is, others as their dialect says EVENT_PUSH, most of them not at all. A
 * body with the raw flag is a WebSocket frame already: it must be a whole one
 * of a server, or one bad message would end the connections of all.
 */
#include "msg_server/door/gateway/gateway_priv.h"
#include "msg_server/follow/replay.h"
#include "shared/base/utf8.h"
#include "shared/proto/ws.h"

enum {
	GATEWAY_WS_TEXT = 1,
	GATEWAY_WS_BINARY = 2,
	GATEWAY_WS_CLOSE = 8,
	GATEWAY_WS_PONG = 10,
	GATEWAY_WS_CONTROL_MAX = 125
};

bool
gateway_is_workerman(const struct session *s)
{
	return s->dialect == &dialect_workerman;
}

/* payload of a frame, the shortest head that it can have; SIZE_MAX: no frame */
static size_t
gateway_ws_head(struct str f, uint64_t *len)
{
	const uint8_t *p = (const uint8_t *)f.p;
	size_t i, n;

	if (f.len < 2 || p[1] & 0x80)
		return SIZE_MAX;
	n = p[1] == 127 ? 8 : p[1] == 126 ? 2 : 0;
	*len = p[1];
	if (n == 0)
		return 2;
	if (f.len < 2 + n)
		return SIZE_MAX;
	for (*len = 0, i = 2; i < 2 + n; i++)
		*len = *len << 8 | p[i];
	return *len > (n == 2 ? 125u : 65535u) ? 2 + n : SIZE_MAX;
}

/* one whole unmasked frame without extensions; *text set for one of text */
static bool
gateway_ws_frame(struct str f, struct str *text)
{
	uint8_t first = f.len > 0 ? (uint8_t)f.p[0] : 0;
	unsigned op = first & 0x0f;
	uint64_t len = 0;
	size_t head = gateway_ws_head(f, &len);

	/* the last of its message, nothing reserved */
	if (head == SIZE_MAX || (first & 0xf0) != 0x80 || len != f.len - head)
		return false;
	if (op >= GATEWAY_WS_CLOSE)
		return op <= GATEWAY_WS_PONG && len <= GATEWAY_WS_CONTROL_MAX;
	if (op == GATEWAY_WS_TEXT) {
		*text = str_n(f.p + head, len);
		return utf8_valid(text->p, text->len);
	}
	return op == GATEWAY_WS_BINARY;
}

bool
gateway_push_begin(
    struct gateway_push *p, struct gateway *g, const struct gateway_frame *f)
{
	static char tmp[24];
	struct str body, text = STR_NONE;
	bool good;

	memset(p, 0, sizeof *p);
	p->g = g;
	good = gateway_body(f, tmp, &body) == 0 && str_is_set(body) &&
	       body.len <= QUEUE_LAG;
	if (good && f->flag & GATEWAY_RAW) {
		good = gateway_ws_frame(body, &text);
		if (good)
			p->raw = blob_new(body.p, body.len);
	} else if (good) {
		text = body;
		good = utf8_valid(body.p, body.len);
	}
	if (!good) {
		g->stats[GS_BAD]++;
		return false;
	}
	p->ev.kind = EVENT_PUSH;
	p->ev.text = text;
	fanout_begin(&p->fan, &p->ev);
	return true;
}

void
gateway_push_to(struct gateway_push *p, struct session *s)
{
	bool as_is = p->raw != NULL && gateway_is_workerman(s);
	size_t len = as_is ? p->raw->len : p->ev.text.len;
	uint32_t before = session_queued(s);

	if (!session_is_open(s))
		return;
	/* nothing is sent before the first frame; who lags misses it */
	if (s->dialect == NULL || before + len > QUEUE_LAG) {
		p->g->stats[GS_SKIPPED]++;
		return;
	}
	if (as_is)
		session_send(s, p->raw);
	else if (str_is_set(p->ev.text))
		fanout_send(&p->fan, s, VIEW_OTHER);
	p->g->stats[GS_PUSHED] += session_queued(s) > before;
}

void
gateway_push_end(struct gateway_push *p)
{
	fanout_end(&p->fan);
	blob_unref(p->raw);
}
