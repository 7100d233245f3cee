/* SPDX-License-Identifier: MIT */
/* Proxies and msg_servers of a test. See proxy_fixture.h. */
#include "tests/unit/proxy_server/proxy_fixture.h"

#include <ftw.h>

#include "proxy_server/peer.h"

struct fx fx;
struct proxy px[2];
bool px_quit[2];
struct ms m[4];
char px_dir[64];

static struct settings defaults;
static bool running[2];
static char any_port[] = "127.0.0.1:0";

static void
ms_on_up(struct linkconn *lc)
{
	((struct ms *)lc->arg)->ups++;
}

static int
ms_on_frame(struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	struct ms *s = lc->arg;
	struct str rest;
	int err = 0;

	(void)flags;
	switch (type) {
	case F_ACTIVE:
		err = get_active(body, &s->active);
		str_copy(s->ep, sizeof s->ep, s->active.ep);
		break;
	case F_SUBBED:
		err = get_subbed(body, &s->subbed);
		break;
	case F_ITEM:
		err = get_item(body, &s->item);
		if (s->n[F_ITEM] < 16)
			s->got[s->n[F_ITEM]] = s->item.item;
		break;
	case F_ACK:
		err = get_ack(body, &s->ack);
		break;
	case F_NAK:
		err = get_nak(body, &s->nak);
		break;
	case F_PAGE:
		err = get_page(body, &s->page, &rest);
		break;
	case F_ROOM:
		err = get_room(body, &s->room);
		str_copy(s->text, sizeof s->text,
		    s->room.n_in ? s->room.in[0].uid : STR_LIT(""));
		break;
	case F_WHOIS:
		err = get_whois(body, &s->whois);
		str_copy(s->text, sizeof s->text, s->whois.json);
		break;
	case F_KICK:
		err = get_kick(body, &s->kick);
		str_copy(s->text, sizeof s->text, s->kick.text);
		break;
	case F_GOT:
		err = get_got(body, &s->got_state);
		str_copy(s->text, sizeof s->text, s->got_state.val);
		break;
	case F_STATED:
		err = get_stated(body, &s->stated, &body);
		break;
	case F_INBOXED:
		err = get_inboxed(body, &s->inboxed, &body);
		break;
	case F_EPH:
		err = get_eph(body, &s->eph);
		str_copy(s->text, sizeof s->text, s->eph.body);
		break;
	case F_STATE:
		err = get_state(body, &s->state);
		str_copy(s->text, sizeof s->text, s->state.rec.key);
		break;
	default:
		fail_msg("frame %u", type);
	}
	assert_int_equal(err, 0);
	s->n[type]++;
	return 0;
}

static void
ms_on_down(struct linkconn *lc, int err, const char *why)
{
	struct ms *s = lc->arg;

	(void)err;
	s->downs++;
	str_copy(s->why, sizeof s->why, str_of(why));
}

static void
ms_on_dead(struct linkconn *lc)
{
	((struct ms *)lc->arg)->deads++;
}

static const struct linkconn_ops ms_ops = {
    .on_up = ms_on_up,
    .on_frame = ms_on_frame,
    .on_down = ms_on_down,
    .on_dead = ms_on_dead,
};

void
ms_start(struct ms *s, struct proxy *p, enum link_role role, const char *name,
    uint32_t node, uint32_t inc)
{
	struct link_id id = {
	    .role = role, .cluster = "cchat", .node_no = node, .inc = inc};
	int fd[2];

	str_copy(id.name, sizeof id.name, str_of(name));
	memset(s, 0, sizeof *s);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	peer_open(p, fd[0], "test");
	linkconn_open(&s->lc, fx.net, fd[1], true, &id, p->key, &ms_ops, s);
}

void
ms_open(struct ms *s, const char *name, uint32_t node)
{
	ms_start(s, &px[0], ROLE_MSG, name, node, 1);
	FX_WAIT(&fx, 2000, s->n[F_ACTIVE] == 1);
}

void
ms_close(struct ms *s)
{
	if (s->lc.ops == NULL)
		return;
	if (s->downs == 0)
		linkconn_close(&s->lc, 0, "over", 0);
	FX_WAIT(&fx, 5000, s->deads == 1);
	memset(s, 0, sizeof *s);
}

bool
pfix_main(void)
{
	static char name[] = "test", *args[] = {name, NULL};
	char err[200];

	log_init(name, LOG_LEVEL_ERR);
	return settings_read(&defaults, NULL, 1, args, err, sizeof err) == 0;
}

void
pfix_begin(void)
{
	memset(m, 0, sizeof m);
	fx_init(&fx);
	strcpy(px_dir, "/tmp/cchat-proxy-XXXXXX");
	assert_non_null(mkdtemp(px_dir));
}

static void
pfix_on_quit(struct proxy *p)
{
	px_quit[p - px] = true;
}

void
pfix_start(unsigned i, const char *name)
{
	static char names[2][ID_MAX + 1];
	struct proxy *p = &px[i];

	memset(p, 0, sizeof *p);
	str_copy(names[i], sizeof names[i], str_of(name));
	px_quit[i] = false;
	running[i] = true;
	p->set = defaults;
	p->set.name = names[i];
	p->set.data = px_dir;
	p->set.link_listen = p->set.admin = any_port;
	p->set.presence_grace = 0;
	p->set.disk_min = 0;
	p->net = fx.net;
	p->loop = fx.loop;
	p->on_quit = pfix_on_quit;
	proxy_init(p);
	proxy_open(p);
}

void
pfix_stop(unsigned i)
{
	struct proxy *p = &px[i];

	if (!running[i])
		return;
	running[i] = false;
	proxy_stop(p);
	FX_WAIT(&fx, 5000, px_quit[i]);
	FX_WAIT(&fx, 5000, p->n_closing == 0);
	assert_int_equal(p->stats[P_CHANNELS], 0);
	assert_int_equal(p->stats[P_FOLLOWS], 0);
	assert_int_equal(p->stats[P_LINKS], 0);
	proxy_fini(p);
}

static int
pfix_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
pfix_end(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(m); i++)
		ms_close(&m[i]);
	pfix_stop(0);
	pfix_stop(1);
	fx_fini(&fx);
	nftw(px_dir, pfix_remove, 8, FTW_DEPTH | FTW_PHYS);
}
