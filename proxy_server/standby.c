/* SPDX-License-Identifier: MIT */
/*
 * The standby's watch over the active proxy. One timer does everything: looks
 * who holds the lock, pings, counts silence. Knows nothing of items or of the
 * log: whether it has the lock is told from outside.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy_server/log_dir.h"
#include "proxy_server/standby.h"
#include "shared/net/dial.h"
#include "shared/net/timer.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"
#include "shared/svc/linkconn.h"

enum {
	STANDBY_TICK_MS = 250,
	STANDBY_PING_TICKS = 2,
	STANDBY_PAUSED_MS = 1500, /* between two ticks: we stood still */
	STANDBY_ALONE_TICKS = 8 /* no connection for so long: none to be had */
};

struct standby {
	struct net *net;
	char *dir; /* owned */
	struct link_id self;
	uint8_t key[32];
	struct timer tick;
	struct dial dial;
	struct linkconn *lc; /* owned by the net once it is down; NULL: none */
	struct lock_holder holder; /* pid 0: nobody known */
	bool watching, dialing;
	bool told; /* why nothing is done about it, once per holder */
	unsigned n_ticks, n_alone;
	int64_t ticked_ms, heard_ms;
	int64_t lc_heard_ms; /* lc->heard_ms as last seen */
};

/* --- the link --- */

static void
standby_on_up(struct linkconn *lc)
{
	struct standby *s = lc->arg;

	dial_ok(&s->dial);
	if (strcmp(lc->link.peer.name, s->holder.name) != 0)
		linkconn_close(lc, ERR_STALE, "not who holds the lock", 0);
}

static int
standby_on_frame(
    struct linkconn *lc, uint8_t type, uint8_t flags, struct str body)
{
	(void)lc;
	(void)type;
	(void)flags;
	(void)body;
	return 0; /* that it speaks is all we want to know */
}

static void
standby_on_down(struct linkconn *lc, int err, const char *why)
{
	struct standby *s = lc->arg;

	if (s->lc != lc)
		return; /* given up by us */
	s->lc = NULL;
	if (err == ERR_DENIED && !s->told) {
		log_warn("link to %s: %s", s->holder.name, why);
		s->told = true;
	}
	dial_done(&s->dial);
}

static void
standby_on_dead(struct linkconn *lc)
{
	free(lc);
}

static const struct linkconn_ops standby_link_ops = {
    .on_up = standby_on_up,
    .on_frame = standby_on_frame,
    .on_down = standby_on_down,
    .on_dead = standby_on_dead,
};

static void
standby_on_connect(struct dial *d, int fd)
{
	struct standby *s = d->arg;

	s->lc = xcalloc(1, sizeof *s->lc);
	linkconn_open(
	    s->lc, s->net, fd, true, &s->self, s->key, &standby_link_ops, s);
	/* that the kernel took the connection says nothing of the process */
	s->lc_heard_ms = s->lc->heard_ms;
}

static void
standby_unlink(struct standby *s)
{
	struct linkconn *lc = s->lc;

	s->lc = NULL;
	if (s->dialing)
		dial_stop(&s->dial);
	s->dialing = false;
	if (lc != NULL)
		linkconn_close(lc, ERR_EOF, "no longer watching", 0);
}

/* --- the holder --- */

static void
standby_follow(struct standby *s, const struct lock_holder *h)
{
	struct addr to;

	standby_unlink(s);
	s->holder = *h;
	s->told = false;
	s->n_alone = 0;
	s->heard_ms = clock_mono_ms();
	if (h->pid == 0 || h->link[0] == '\0' ||
	    addr_parse(str_of(h->link), &to) != 0)
		return;
	log_info("standby: watching %s (pid %d)", h->name, h->pid);
	dial_start(&s->dial, s->net, &to, standby_on_connect, s);
	s->dialing = true;
}

static void
standby_tell(struct standby *s, const char *why)
{
	if (!s->told)
		log_err("%s (pid %d) is silent, but %s: staying standby",
		    s->holder.name, s->holder.pid, why);
	s->told = true;
}

static void
standby_kill(struct standby *s)
{
	struct lock_holder h;
	int fd;

	s->heard_ms = clock_mono_ms(); /* the next try in another 3 s */
	if (log_dir_holder(s->dir, &h) != 0 || h.pid != s->holder.pid ||
	    h.start_time != s->holder.start_time || h.pid == getpid())
		return;
	fd = (int)syscall(SYS_pidfd_open, h.pid, 0);
	if (fd < 0) {
		standby_tell(s, errno == ESRCH ? "not of this machine's sight"
					       : strerror(errno));
		return;
	}
	/* asked now, the answer is about the process that fd stands for */
	if (log_dir_start_time(h.pid) != h.start_time)
		standby_tell(s, "another process has its number now");
	else if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		standby_tell(s, errno == EPERM ? "it may not be killed by us"
					       : strerror(errno));
	else
		log_warn("%s (pid %d) has been silent for %d s: killed", h.name,
		    h.pid, STANDBY_SILENCE_MS / 1000);
	close(fd);
}

/* what was heard since the last tick, and what does not count as silence */
static void
standby_listen(struct standby *s, int64_t now, int64_t since_tick)
{
	if (s->lc != NULL && s->lc->heard_ms > s->lc_heard_ms)
		s->heard_ms = s->lc_heard_ms = s->lc->heard_ms;
	s->n_alone = s->lc != NULL ? 0 : s->n_alone + 1;
	if (since_tick > STANDBY_PAUSED_MS || !s->dialing ||
	    s->n_alone >= STANDBY_ALONE_TICKS)
		s->heard_ms = now;
}

static void
standby_on_tick(void *arg)
{
	struct standby *s = arg;
	int64_t now = clock_mono_ms(), since_tick = now - s->ticked_ms;
	struct lock_holder h;

	s->ticked_ms = now;
	/* on ERR_NOTFOUND h is empty: nobody */
	(void)!log_dir_holder(s->dir, &h);
	if (h.pid != s->holder.pid || h.start_time != s->holder.start_time ||
	    strcmp(h.link, s->holder.link) != 0)
		standby_follow(s, &h);
	standby_listen(s, now, since_tick);
	if (s->lc != NULL && s->lc->up &&
	    ++s->n_ticks % STANDBY_PING_TICKS == 0)
		linkconn_ping(s->lc);
	if (now - s->heard_ms >= STANDBY_SILENCE_MS)
		standby_kill(s);
}

/* --- life --- */

void
standby_set_key(struct standby *s, const uint8_t key[32])
{
	memcpy(s->key, key, sizeof s->key);
}

struct standby *
standby_new(struct net *net, const char *dir, const struct link_id *self,
    const uint8_t key[32])
{
	struct standby *s = xcalloc(1, sizeof *s);

	s->net = net;
	s->dir = xstrdup(dir);
	s->self = *self;
	memcpy(s->key, key, sizeof s->key);
	timer_init(&s->tick, net, standby_on_tick, s);
	return s;
}

void
standby_free(struct standby *s)
{
	if (s == NULL)
		return;
	standby_watch(s, false);
	free(s->dir);
	free(s);
}

void
standby_watch(struct standby *s, bool on)
{
	if (s == NULL || on == s->watching)
		return;
	s->watching = on;
	if (on) {
		s->ticked_ms = s->heard_ms = clock_mono_ms();
		timer_set(&s->tick, 0, STANDBY_TICK_MS);
		return;
	}
	timer_stop(&s->tick);
	standby_unlink(s);
	memset(&s->holder, 0, sizeof s->holder);
}

int64_t
standby_heard_ms(const struct standby *s)
{
	return s != NULL && s->lc != NULL && s->lc->up ? s->lc->heard_ms : 0;
}

bool
standby_is_linked(const struct standby *s)
{
	return s->lc != NULL && s->lc->up;
}
