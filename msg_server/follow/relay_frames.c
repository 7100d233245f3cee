/* SPDX-License-Identifier: MIT */
/*
 * What the active proxy says, taken apart and handed to channels, callers and
 * the core. Who is active, and links as such, are relay.c's.
 */
#include "msg_server/follow/relay_priv.h"

static struct channel *
relay_channel(struct relay *r, uint32_t ch)
{
	struct table_link *e = table_find(
	    &r->channels, str_n((const char *)&ch, sizeof ch), channel_key);

	return e ? container_of(e, struct channel, by_ch) : NULL;
}

static int
relay_on_item(struct relay *r, struct str body)
{
	struct f_item f;
	struct channel *c;
	int err = get_item(body, &f);

	if (err)
		return err;
	if (f.gen < r->gen)
		return ERR_STALE;
	if (f.req) {
		struct f_ack ack = {.req = f.req,
		    .seq = f.item.seq,
		    .ts = f.item.ts,
		    .unkept = (f.item.flags & ITEM_F_UNKEPT) != 0};

		for (unsigned i = 0; i < f.n_refs; i++) {
			c = relay_channel(r, f.refs[i].ch);
			if (c && str_eqc(f.item.uid, channel_id(c)))
				ack.useq = f.refs[i].useq;
		}
		calls_on_ack(r, &ack);
	}
	if (f.ch) {
		c = relay_channel(r, f.ch);
		/* not private traffic, but of his channel all the same */
		if (c && channel_is_user(c))
			f.item.useq = f.item.seq;
		if (c)
			channel_on_item(
			    c, &f.item, f.item.seq, f.states, f.n_states);
	}
	for (unsigned i = 0; i < f.n_refs; i++) {
		c = f.refs[i].ch ? relay_channel(r, f.refs[i].ch) : NULL;
		if (!c)
			continue;
		f.item.useq = f.refs[i].useq;
		f.item.pchan = f.chan;
		channel_on_item(c, &f.item, f.item.useq, f.states, f.n_states);
	}
	return OK;
}

int
relay_on_log_frame(struct relay *r, uint8_t type, struct str body)
{
	struct channel *c;
	int err;

	switch (type) {
	case F_ITEM:
		return relay_on_item(r, body);
	case F_ACK: {
		struct f_ack f;

		if (!(err = get_ack(body, &f)))
			calls_on_ack(r, &f);
		return err;
	}
	case F_NAK: {
		struct f_nak f;

		if (!(err = get_nak(body, &f)))
			calls_on_nak(r, &f);
		return err;
	}
	case F_SUBBED: {
		struct f_subbed f;

		if (!(err = get_subbed(body, &f)) &&
		    (c = relay_channel(r, f.ch)))
			channel_on_subbed(c, &f);
		return err;
	}
	case F_PAGE:
		return calls_on_page(r, body);
	case F_WHOIS:
		return calls_on_whois(r, body);
	case F_ROOM: {
		struct f_room f;

		if (!(err = get_room(body, &f)) && (c = relay_channel(r, f.ch)))
			r->ops->on_room(r->srv, c, &f);
		return err;
	}
	case F_STATUS: {
		struct f_status f;

		if (!(err = get_status(body, &f)))
			r->ops->on_status(r->srv, &f);
		return err;
	}
	case F_EPH: {
		struct f_eph f;

		if (!(err = get_eph(body, &f)) && (c = relay_channel(r, f.ch)))
			r->ops->on_eph(r->srv, c, &f);
		return err;
	}
	case F_GOT:
		return calls_on_got(r, body);
	case F_INBOXED:
		return calls_on_inboxed(r, body);
	case F_STATED:
		return calls_on_stated(r, body);
	case F_STATE: {
		struct f_state f;

		if (!(err = get_state(body, &f)) &&
		    (c = relay_channel(r, f.ch)))
			r->ops->on_state(r->srv, c, &f.rec);
		return err;
	}
	default:
		return ERR_PROTO;
	}
}

int
relay_on_late_frame(struct relay *r, uint8_t type, struct str body)
{
	struct f_item f;
	int err = type == F_ITEM ? get_item(body, &f) : OK;

	if (!err && type == F_ITEM && f.gen < r->gen)
		return ERR_STALE;
	return err;
}
