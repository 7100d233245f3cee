/* SPDX-License-Identifier: MIT */
/*
 * The relay's links: dialing every proxy_server, knowing which one is active,
 * moving all channels and open questions to it when that changes, and handing
 * frames to channels and callers. What is asked and unanswered is in
 * relay_calls.c, the gap rule in channel.c.
 */
#include "msg_server/follow/relay_priv.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"

static void relay_on_connect(struct dial *d, int fd);

struct buf *
relay_out(struct relay *r)
{
	if (!r->active || !r->active->link)
		return NULL;
	return linkconn_out(&r->active->link->lc);
}

/* --- presence ----------------------------------------------------------- */

static void
relay_put_pres(void *arg, const struct f_pres *pres)
{
	put_pres(arg, pres);
}

static void
relay_snapshot(struct relay *r, struct relay_link *link)
{
	struct buf *out = linkconn_out(&link->lc);

	put_empty(out, F_PRES_BEGIN);
	r->ops->on_snapshot(r->srv, relay_put_pres, out);
	put_empty(out, F_PRES_END);
}

void
relay_pres(struct relay *r, const struct f_pres *pres)
{
	for (size_t i = 0; i < r->n_proxies; i++) {
		struct relay_link *link = r->proxies[i]->link;

		if (link && link->lc.up)
			put_pres(linkconn_out(&link->lc), pres);
	}
}

/* both are at most once: without an active proxy they are lost */
void
relay_set_state(struct relay *r, const struct f_set *set)
{
	struct buf *out = relay_out(r);

	if (out)
		put_set(out, set);
}

bool
relay_raise(struct relay *r, const struct f_raise *raise)
{
	struct buf *out = relay_out(r);
	struct f_raise f = *raise;

	if (!out)
		return false;
	if (!str_is_set(f.ep))
		f.ep = str_of(r->ep);
	put_raise(out, &f);
	return true;
}

void
relay_eph(struct relay *r, const struct f_eph *eph)
{
	struct buf *out = relay_out(r);

	if (out)
		put_eph(out, eph);
}

void
relay_watch(struct relay *r, const struct f_watch *watch)
{
	struct buf *out = relay_out(r);

	if (out)
		put_watch(out, watch);
}

void
relay_kick(struct relay *r, const struct f_kick *kick)
{
	struct buf *out = relay_out(r);

	if (out)
		put_kick(out, kick);
}

/* --- who is active ------------------------------------------------------ */

static void
relay_set_ep(struct relay *r, struct str ep)
{
	if (str_eqc(ep, r->ep))
		return;
	if (r->ep[0]) {
		memmove(r->past + 1, r->past, sizeof r->past - sizeof *r->past);
		memcpy(r->past[0].ep, r->ep, sizeof r->ep);
		r->past[0].gen = r->gen;
	}
	str_copy(r->ep, sizeof r->ep, ep);
}

/*
 * gen counts within one directory's life. A history never heard of may begin
 * to count anew (the old log is gone, with the lock file that remembered); one
 * that was left for another comes back with a higher gen only, as then it was
 * taken over anew: else it is a dead one that woke.
 */
static bool
relay_may_follow(const struct relay *r, const struct proxy *p)
{
	if (!strcmp(p->ep, r->ep))
		return p->gen >= r->gen;
	for (size_t i = 0; i < RELAY_PAST_MAX; i++)
		if (!strcmp(p->ep, r->past[i].ep))
			return p->gen > r->past[i].gen && p->gen >= r->gen;
	return p->ep[0] || p->gen >= r->gen;
}

static void
relay_no_active(struct relay *r)
{
	r->active = NULL;
	r->active_ms = clock_mono_ms();
}

/* to all channels there are */
static void
relay_subscribe(struct relay *r)
{
	struct table_link *e, *next;

	TABLE_EACH(&r->channels, e, next, channel_key)
	channel_subscribe(container_of(e, struct channel, by_ch));
}

static void
relay_promote(struct relay *r, struct proxy *p)
{
	r->active = p;
	if (p->gen < r->gen)
		log_warn("proxy %s has a log of its own: gen %llu, known was "
			 "%llu of another history",
		    p->link->lc.link.peer.name, (unsigned long long)p->gen,
		    (unsigned long long)r->gen);
	relay_set_ep(r, str_of(p->ep));
	r->gen = p->gen;
	log_info("proxy %s is active, gen %llu", p->link->lc.link.peer.name,
	    (unsigned long long)r->gen);
	/* the order of wire.md: SUBs, then resent appends, then new ones */
	relay_subscribe(r);
	if (r->ops->on_promoted)
		r->ops->on_promoted(r->srv);
	calls_on_promote(r);
}

/*
 * Of those that say they are active the highest gen, never one below what was
 * seen of its history; of equals (which no honest pair of proxies is) the one
 * we have.
 */
static void
relay_elect(struct relay *r)
{
	struct proxy *best = r->active;

	for (size_t i = 0; i < r->n_proxies; i++) {
		struct proxy *p = r->proxies[i];

		if (p->link && p->active && relay_may_follow(r, p) &&
		    (!best || p->gen > best->gen))
			best = p;
	}
	if (best && best != r->active)
		relay_promote(r, best);
	if (!best)
		relay_wake(r);
}

static int
relay_on_active(struct relay *r, struct proxy *p, struct str body)
{
	struct f_active f;
	int err = get_active(body, &f);
	bool same = r->active == p && f.active && f.gen == p->gen;
	bool other_ep;

	if (err)
		return err;
	other_ep = !str_eqc(f.ep, p->ep);
	p->gen = f.gen;
	p->active = f.active;
	str_copy(p->ep, sizeof p->ep, f.ep);
	if (f.active && (!relay_may_follow(r, p) ||
			    (f.gen <= r->gen && r->active && r->active != p)))
		log_limited(&r->limit, LOG_LEVEL_WARN,
		    "proxy %s says active with gen %llu, known is %llu: "
		    "ignored",
		    p->link->lc.link.peer.name, (unsigned long long)f.gen,
		    (unsigned long long)r->gen);
	if (same) {
		if (!other_ep)
			return OK;
		/* the log has found that it is an older copy: all stand
		   elsewhere in it now */
		relay_set_ep(r, f.ep);
		relay_subscribe(r);
		return OK;
	}
	if (r->active == p)
		relay_no_active(r);
	relay_elect(r);
	return OK;
}

/* --- links' frames ------------------------------------------------------ */

static int
relay_on_frame(
    struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct relay_link *link = container_of(lc, struct relay_link, lc);
	struct proxy *p = link->proxy;

	if (!p)
		return OK;
	switch (type) {
	case F_ACTIVE:
		return relay_on_active(p->relay, p, body);
	case F_KICK: {
		struct f_kick f;
		int err = get_kick(body, &f);

		if (!err)
			p->relay->ops->on_kick(p->relay->srv, &f);
		return err;
	}
	default:
		break;
	}
	if (type < F_APPEND || type > F_KICK)
		return flags & FRAME_OPTIONAL ? OK : ERR_PROTO;
	if (p->relay->active != p)
		return relay_on_late_frame(p->relay, type, body);
	return relay_on_log_frame(p->relay, type, body);
}

/* --- links -------------------------------------------------------------- */

static void
relay_on_up(struct linkconn *lc)
{
	struct relay_link *link = container_of(lc, struct relay_link, lc);
	struct proxy *p = link->proxy;

	if (!p)
		return;
	if (lc->link.peer.role != ROLE_PROXY) {
		linkconn_close(lc, ERR_FOREIGN, "not a proxy_server", 403);
		return;
	}
	dial_ok(&p->dial);
	log_info("linked to proxy %s", lc->link.peer.name);
	relay_snapshot(p->relay, link);
}

static void
relay_on_credit(struct linkconn *lc)
{
	struct relay_link *link = container_of(lc, struct relay_link, lc);

	if (link->proxy && link->proxy->relay->active == link->proxy)
		calls_push(link->proxy->relay);
}

/* its link was all that kept it */
static void
relay_unlist(struct relay *r, struct proxy *p)
{
	for (size_t i = 0; i < r->n_proxies; i++)
		if (r->proxies[i] == p) {
			memmove(r->proxies + i, r->proxies + i + 1,
			    (r->n_proxies - i - 1) * sizeof(struct proxy *));
			r->n_proxies--;
			break;
		}
	dial_stop(&p->dial);
	free(p);
}

static void
relay_on_down(struct linkconn *lc, int err, const char *why)
{
	struct relay_link *link = container_of(lc, struct relay_link, lc);
	struct proxy *p = link->proxy;

	if (!p)
		return;
	link->proxy = NULL;
	p->link = NULL;
	p->active = false;
	char text[ADDR_TEXT_MAX];
	addr_text(&p->addr, text);
	log_limited(&p->relay->limit, LOG_LEVEL_WARN,
	    "link to proxy %s at %s lost: %s",
	    lc->link.peer.name[0] ? lc->link.peer.name : "?", text,
	    why ? why : err_text(err));
	if (p->relay->active == p) {
		relay_no_active(p->relay);
		relay_elect(p->relay);
	}
	if (p->unlisted)
		relay_unlist(p->relay, p);
	else
		dial_done(&p->dial);
}

static void
relay_on_dead(struct linkconn *lc)
{
	free(container_of(lc, struct relay_link, lc));
}

static const struct linkconn_ops relay_link_ops = {
    .on_up = relay_on_up,
    .on_frame = relay_on_frame,
    .on_credit = relay_on_credit,
    .on_down = relay_on_down,
    .on_dead = relay_on_dead,
};

static void
relay_on_connect(struct dial *d, int fd)
{
	struct proxy *p = container_of(d, struct proxy, dial);
	struct relay *r = p->relay;
	struct relay_link *link = xcalloc(1, sizeof *link);

	link->proxy = p;
	p->link = link;
	linkconn_open(&link->lc, r->net, fd, true, &r->self, r->key,
	    &relay_link_ops, link);
}

static void
relay_drop_proxy(struct relay *r, struct proxy *p)
{
	dial_stop(&p->dial);
	if (p->link) {
		p->link->proxy = NULL;
		linkconn_close(
		    &p->link->lc, OK, "no longer in the topology", 0);
	}
	if (r->active == p)
		relay_no_active(r);
	free(p);
}

static bool
relay_addr_equal(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && !memcmp(&a->ss, &b->ss, a->len);
}

void
relay_set_proxies(struct relay *r, const struct addr *addrs, size_t n)
{
	struct proxy *kept[RELAY_PROXIES_MAX];
	size_t n_kept = 0;

	if (n > RELAY_PROXIES_MAX)
		log_warn(
		    "%zu proxies, only %d are linked", n, RELAY_PROXIES_MAX);
	for (size_t i = 0; i < n && n_kept < RELAY_PROXIES_MAX; i++) {
		struct proxy *p = NULL;

		for (size_t j = 0; j < n_kept && !p; j++)
			if (relay_addr_equal(&kept[j]->addr, &addrs[i]))
				p = kept[j];
		if (p)
			continue; /* named twice */
		for (size_t j = 0; j < r->n_proxies; j++)
			if (r->proxies[j] &&
			    relay_addr_equal(&r->proxies[j]->addr, &addrs[i])) {
				p = r->proxies[j];
				r->proxies[j] = NULL;
			}
		if (!p) {
			p = xcalloc(1, sizeof *p);
			p->relay = r;
			p->addr = addrs[i];
			if (r->self.node_no)
				dial_start(&p->dial, r->net, &p->addr,
				    relay_on_connect, p);
		} else {
			/* the news may be that it is back */
			dial_now(&p->dial);
		}
		p->unlisted = false;
		kept[n_kept++] = p;
	}
	for (size_t j = 0; j < r->n_proxies; j++) {
		struct proxy *p = r->proxies[j];

		if (!p)
			continue;
		/* a directory that has lost its memory ends no conversation */
		p->unlisted = p->link && p->link->lc.up && !r->closing &&
			      n_kept < RELAY_PROXIES_MAX;
		if (p->unlisted)
			kept[n_kept++] = p;
		else
			relay_drop_proxy(r, p);
	}
	memcpy(r->proxies, kept, n_kept * sizeof kept[0]);
	r->n_proxies = n_kept;
	if (!r->active)
		relay_elect(r);
}

void
relay_set_self(struct relay *r, const struct link_id *self)
{
	bool first = !r->self.node_no && self->node_no;

	r->self = *self;
	for (size_t i = 0; first && i < r->n_proxies; i++)
		dial_start(&r->proxies[i]->dial, r->net, &r->proxies[i]->addr,
		    relay_on_connect, r->proxies[i]);
}

/* --- life --------------------------------------------------------------- */

void
relay_set_key(struct relay *r, const uint8_t key[32])
{
	memcpy(r->key, key, sizeof r->key);
}

struct relay *
relay_new(struct server *srv, struct net *net, const struct link_id *self,
    const uint8_t key[32], const struct relay_ops *ops)
{
	struct relay *r = xcalloc(1, sizeof *r);

	r->srv = srv;
	r->net = net;
	r->self = *self;
	memcpy(r->key, key, sizeof r->key);
	r->ops = ops;
	buf_init(&r->append, LINK_FRAME_MAX + LINK_HEAD);
	tasks_init(r);
	return r;
}

void
relay_free(struct relay *r)
{
	struct table_link *e, *next;

	if (!r)
		return;
	r->closing = true;
	relay_set_proxies(r, NULL, 0);
	calls_free(r);
	tasks_run_all(r);
	TABLE_EACH(&r->channels, e, next, channel_key)
	channel_drop(container_of(e, struct channel, by_ch));
	tasks_fini(r);
	free(r->eps);
	free(r);
}

bool
relay_has_active(const struct relay *r)
{
	return r->active != NULL;
}

int64_t
relay_active_ms(const struct relay *r)
{
	return r->active ? clock_mono_ms() : r->active_ms;
}

uint64_t
relay_gen(const struct relay *r)
{
	return r->gen;
}

const char *
relay_ep(const struct relay *r)
{
	return r->ep;
}

size_t
relay_unacked(const struct relay *r)
{
	return r->n_unacked;
}

void
relay_status(const struct relay *r, struct buf *json)
{
	buf_printf(json,
	    "\"gen\":%llu,\"ep\":\"%s\",\"active\":\"%s\",\"unacked\":%zu,"
	    "\"waiting\":%zu,\"channels\":%u,\"links\":[",
	    (unsigned long long)r->gen, r->ep,
	    r->active ? r->active->link->lc.link.peer.name : "", r->n_unacked,
	    r->n_asked, r->channels.n);
	for (size_t i = 0; i < r->n_proxies; i++) {
		const struct proxy *p = r->proxies[i];
		char text[ADDR_TEXT_MAX];

		addr_text(&p->addr, text);
		buf_printf(json,
		    "%s{\"addr\":\"%s\",\"name\":\"%s\",\"up\":%s,"
		    "\"active\":%s,\"rtt_us\":%lld}",
		    i ? "," : "", text,
		    p->link ? p->link->lc.link.peer.name : "",
		    p->link && p->link->lc.up ? "true" : "false",
		    p == r->active ? "true" : "false",
		    p->link ? (long long)p->link->lc.rtt_us : 0LL);
	}
	buf_puts(json, "]");
}

struct server *
relay_server(const struct relay *r)
{
	return r->srv;
}
