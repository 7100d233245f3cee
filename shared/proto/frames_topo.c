/* SPDX-License-Identifier: MIT */
/*
 * Frames between a daemon and the config_server: JOIN, JOINED, BEAT, TOPO,
 * REPORT, JOB, EVENT.
 */
#include "shared/proto/frames_priv.h"

enum { JOIN_TEXT_MAX = 256, KIND_MAX = 32, ARGS_MAX = 65536 };

void
put_join(struct buf *b, const struct f_join *f)
{
	size_t mark = link_begin(b, F_JOIN, 0);

	wire_put_str(b, f->name);
	wire_put_str(b, f->version);
	wire_put_u8(b, f->role);
	wire_put_u32(b, f->node_no);
	wire_put_u32(b, f->inc);
	wire_put_u32(b, f->weight);
	wire_put_u32(b, f->cap);
	wire_put_str(b, f->link);
	wire_put_str(b, f->admin);
	wire_put_str(b, f->public_url);
	wire_put_str(b, f->direct_url);
	if (str_is_set(f->gate))
		wire_put_str(b, f->gate);
	frames_end(b, mark);
}

int
get_join(struct str body, struct f_join *f)
{
	struct fields in;

	fields_init(&in, body);
	f->name = fields_word(&in, false);
	f->version = fields_text(&in, KIND_MAX, true);
	f->role = fields_enum(&in, ROLE_MSG, ROLE_CTL);
	f->node_no = wire_u32(&in.w);
	f->inc = wire_u32(&in.w);
	f->weight = wire_u32(&in.w);
	f->cap = wire_u32(&in.w);
	f->link = fields_text(&in, JOIN_TEXT_MAX, true);
	f->admin = fields_text(&in, JOIN_TEXT_MAX, true);
	f->public_url = fields_text(&in, JOIN_TEXT_MAX, true);
	f->direct_url = fields_text(&in, JOIN_TEXT_MAX, true);
	f->gate = STR_NONE;
	if (in.w.p < in.w.end)
		f->gate = fields_text(&in, JOIN_TEXT_MAX, true);
	return fields_end(&in);
}

void
put_joined(struct buf *b, const struct f_joined *f)
{
	size_t mark = link_begin(b, F_JOINED, 0);

	wire_put_u32(b, f->node_no);
	wire_put_u64(b, f->ver);
	frames_end(b, mark);
}

int
get_joined(struct str body, struct f_joined *f)
{
	struct fields in;

	fields_init(&in, body);
	f->node_no = wire_u32(&in.w);
	f->ver = wire_u64(&in.w);
	return fields_end(&in);
}

void
put_beat(struct buf *b, const struct f_beat *f)
{
	size_t mark = link_begin(b, F_BEAT, 0);

	wire_put_u32(b, f->conns);
	wire_put_u32(b, f->users);
	wire_put_u32(b, f->rooms);
	wire_put_u32(b, f->queue_kb);
	wire_put_u32(b, f->lag);
	wire_put_u32(b, f->msgs_s);
	wire_put_u32(b, f->out_kb_s);
	wire_put_u32(b, f->loop_us);
	wire_put_u8(b, f->state);
	if (f->job != 0 || f->left != 0 || f->moved != 0) {
		wire_put_u64(b, f->job);
		wire_put_u32(b, f->left);
		wire_put_u32(b, f->moved);
	}
	frames_end(b, mark);
}

int
get_beat(struct str body, struct f_beat *f)
{
	struct fields in;

	fields_init(&in, body);
	f->conns = wire_u32(&in.w);
	f->users = wire_u32(&in.w);
	f->rooms = wire_u32(&in.w);
	f->queue_kb = wire_u32(&in.w);
	f->lag = wire_u32(&in.w);
	f->msgs_s = wire_u32(&in.w);
	f->out_kb_s = wire_u32(&in.w);
	f->loop_us = wire_u32(&in.w);
	f->state = fields_enum(&in, BEAT_UP, BEAT_DRAINING);
	f->job = 0;
	f->left = f->moved = 0;
	if (in.w.p < in.w.end) {
		f->job = wire_u64(&in.w);
		f->left = wire_u32(&in.w);
		f->moved = wire_u32(&in.w);
	}
	return fields_end(&in);
}

void
put_topo(struct buf *b, const struct f_topo *f)
{
	size_t mark = link_begin(b, F_TOPO, 0);

	wire_put_u64(b, f->ver);
	wire_put_bytes(b, f->json);
	frames_end(b, mark);
}

int
get_topo(struct str body, struct f_topo *f)
{
	struct fields in;

	fields_init(&in, body);
	f->ver = wire_u64(&in.w);
	f->json = fields_bytes(&in, LINK_FRAME_MAX, false);
	return fields_end(&in);
}

void
put_report(struct buf *b, const struct f_report *f)
{
	size_t mark = link_begin(b, F_REPORT, 0);

	wire_put_u64(b, f->gen);
	wire_put_str(b, f->ep);
	wire_put_u8(b, f->active);
	frames_end(b, mark);
}

int
get_report(struct str body, struct f_report *f)
{
	struct fields in;

	fields_init(&in, body);
	f->gen = wire_u64(&in.w);
	f->ep = fields_ep(&in, true);
	f->active = fields_bool(&in);
	return fields_end(&in);
}

void
put_job(struct buf *b, const struct f_job *f)
{
	size_t mark = link_begin(b, F_JOB, 0);

	wire_put_u64(b, f->id);
	wire_put_str(b, f->kind);
	wire_put_bytes(b, f->args);
	frames_end(b, mark);
}

int
get_job(struct str body, struct f_job *f)
{
	struct fields in;

	fields_init(&in, body);
	f->id = wire_u64(&in.w);
	f->kind = fields_text(&in, KIND_MAX, false);
	f->args = fields_bytes(&in, ARGS_MAX, true);
	if (f->id == 0)
		fields_fail(&in, ERR_PROTO);
	return fields_end(&in);
}

void
put_event(struct buf *b, const struct f_event *f)
{
	size_t mark = link_begin(b, F_EVENT, 0);

	wire_put_str(b, f->kind);
	wire_put_str(b, f->detail);
	frames_end(b, mark);
}

int
get_event(struct str body, struct f_event *f)
{
	struct fields in;

	fields_init(&in, body);
	f->kind = fields_text(&in, KIND_MAX, false);
	f->detail = fields_text(&in, TEXT_MAX, true);
	return fields_end(&in);
}
