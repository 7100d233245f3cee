/* SPDX-License-Identifier: MIT */
/*
 * The deadlines of a client: login in time, ping after silence, pong after
 * ping, progress of what is queued, expiry of its token. One entry in the
 * server's wheel, set to the nearest; what is due is found when it fires.
 */
#include "msg_server/client_priv.h"
#include "msg_server/reply.h"
#include "shared/base/digest.h"

static uint32_t
client_left(uint32_t since, uint32_t now, uint32_t span)
{
	return now - since >= span ? 1 : span - (now - since);
}

/* seconds of silence until it is pinged: a dialect's own, or less if `ping` is
 */
static uint32_t
client_silence(const struct client *c)
{
	const struct dialect *d = c->session.dialect;

	if (d == NULL)
		return c->silence_s;
	if (d->ping_s > 0)
		return d->ping_s < c->silence_s ? d->ping_s : c->silence_s;
	return d->silence_s > 0 ? d->silence_s : c->silence_s;
}

/* seconds it has for its login, from the accept */
static uint32_t
client_login_wait(struct client *c)
{
	const struct dialect *d = c->session.dialect;

	/* by its listener, as long as it has said nothing */
	if (d == NULL && client_busy(c)->speaks != NULL &&
	    client_busy(c)->speaks->n > 0)
		d = client_busy(c)->speaks->list[0];
	return dialect_has(d, DIALECT_WAITS)
		   ? CLIENT_WAIT_S
		   : (uint32_t)client_srv(c)->set.login_timeout;
}

void
client_arm(struct client *c)
{
	uint32_t now = client_now(), s;
	int64_t left;

	if (c->detached)
		return;
	if (!c->logged_in)
		s = client_left(c->heard_s, now, client_login_wait(c));
	else if (c->pinged || (conn_queued(&c->conn) > 0 &&
				  client_silence(c) > CLIENT_PONG_S))
		s = CLIENT_PONG_S;
	else
		s = client_left(c->heard_s, now, client_silence(c));
	if (c->flooded)
		s = 1;
	if (c->session.exp_ms > 0) {
		left = (int64_t)c->session.exp_ms - clock_wall_ms();
		if (!c->warned)
			left -= CLIENT_EXPIRY_S * 1000;
		left = left < 0 ? 1 : left / 1000 + 1;
		if (left < s)
			s = (uint32_t)left;
	}
	wheel_set(&client_srv(c)->wheel, &c->timer, s);
}

/* +-20 %, so that those who came together are not pinged together */
void
client_draw_silence(struct client *c)
{
	uint32_t ms = (uint32_t)client_srv(c)->set.ping * 1000;

	ms = ms - ms / 5 + (uint32_t)digest_jitter_below(ms / 5 * 2 + 1);
	c->silence_s = (uint16_t)((ms + 500) / 1000);
	if (c->silence_s == 0)
		c->silence_s = 1;
}

/* true: closed */
static bool
client_token_is_over(struct client *c)
{
	struct session *s = &c->session;
	int64_t left;
	struct event ev = {.kind = EVENT_AUTH};

	if (s->exp_ms == 0)
		return false;
	left = (int64_t)s->exp_ms - clock_wall_ms();
	if (left <= 0) {
		session_close(s, 4101, "token expired", 1000);
		return true;
	}
	if (left <= CLIENT_EXPIRY_S * 1000 && !c->warned) {
		c->warned = 1;
		ev.exp = (int64_t)s->exp_ms;
		if (s->level > 1)
			reply_event(s, &ev);
	}
	return false;
}

static void
client_check_silence(struct client *c)
{
	const struct settings *set = &client_srv(c)->set;
	uint32_t now = client_now();
	struct blob *ping;

	if (conn_queued(&c->conn) > 0) {
		/* a ping would wait behind its data: only a stall counts */
		if (now - conn_progress_s(&c->conn) >=
			(uint32_t)set->stall_max &&
		    c->conn.blocked) {
			conn_drop_queue(&c->conn);
			session_close(
			    &c->session, 4202, "output stalled", 1000);
		}
	} else if (dialect_has(c->session.dialect, DIALECT_NO_KILL)) {
		if (now - c->heard_s >= client_silence(c)) {
			reply_event(
			    &c->session, &(struct event){.kind = EVENT_PING});
			c->heard_s = now;
		}
	} else if (c->session.dialect != NULL &&
		   c->session.dialect->silence_s > 0) {
		if (now - c->heard_s >= client_silence(c))
			session_close(&c->session, 4201, "silence", 0);
	} else if (c->pinged) {
		session_close(&c->session, 4201, "ping timeout", 0);
	} else if (now - c->heard_s >= c->silence_s) {
		ping = ws_ping();
		conn_send(&c->conn, ping);
		blob_unref(ping);
		c->pinged = 1;
		client_draw_silence(c);
		wheel_set(&client_srv(c)->wheel, &c->timer, CLIENT_PONG_S);
	}
}

void
client_on_deadline(struct wheel_entry *e, void *arg)
{
	struct client *c = container_of(e, struct client, timer);

	(void)arg;
	if (c->closing)
		return;
	if (c->flooded) {
		c->flooded = 0;
		client_read_again(c);
	}
	if (!c->logged_in) {
		if (client_now() - c->heard_s >= client_login_wait(c))
			session_close(&c->session, 4103,
			    "login not received in time", 1000);
	} else if (!client_token_is_over(c)) {
		client_check_silence(c);
	}
	client_rest(c);
	if (!c->closing && e->prevp == NULL)
		client_arm(c);
}

void
client_rearm(struct session *s)
{
	struct client *c = client_of(s);

	c->warned = 0;
	client_arm(c);
}
