/* SPDX-License-Identifier: MIT */
/*
 * Files to the disk by Linux AIO. See sync.h. The system calls are called by
 * their numbers: libaio would be a dependency for three of them.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared/net/sync.h"
#include "shared/net/timer.h"

struct syncer {
	ev_io io; /* of the eventfd; fd < 0: the kernel has no AIO */
	aio_context_t ctx;
	struct net *net;
	struct timer soon;	/* to tell those of here */
	struct sync_call *here; /* synced without the kernel's help */
	unsigned busy;
	unsigned long waited;
};

static void
sync_done(struct syncer *s, struct sync_call *call, int err)
{
	s->busy--;
	call->done(call, err);
}

static void
sync_on_event(struct ev_loop *loop, ev_io *w, int revents)
{
	struct syncer *s = w->data;
	struct io_event e[16];
	struct timespec now = {0, 0};
	uint64_t n;
	long got, i;

	(void)loop;
	(void)revents;
	while (read(w->fd, &n, sizeof n) < 0 && errno == EINTR)
		;
	do {
		got = syscall(
		    SYS_io_getevents, s->ctx, 0L, (long)ARRAY_LEN(e), e, &now);
		for (i = 0; i < got; i++)
			sync_done(s, (struct sync_call *)(uintptr_t)e[i].data,
			    e[i].res < 0 ? (int)-e[i].res : 0);
	} while (got == (long)ARRAY_LEN(e));
}

static void
sync_on_soon(void *arg)
{
	struct syncer *s = arg;
	struct sync_call *call = s->here, *next;

	s->here = NULL;
	for (; call != NULL; call = next) {
		next = call->next;
		sync_done(s, call, call->err);
	}
}

struct syncer *
syncer_new(struct net *net)
{
	struct syncer *s = xcalloc(1, sizeof *s);
	int fd = -1;

	s->net = net;
	timer_init(&s->soon, net, sync_on_soon, s);
	if (syscall(SYS_io_setup, SYNC_MAX, &s->ctx) == 0)
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	else
		s->ctx = 0;
	ev_io_init(&s->io, sync_on_event, fd, EV_READ);
	s->io.data = s;
	if (fd >= 0)
		ev_io_start(net->loop, &s->io);
	return s;
}

void
syncer_free(struct syncer *s)
{
	if (s == NULL)
		return;
	timer_stop(&s->soon);
	if (s->ctx != 0)
		syscall(SYS_io_destroy, s->ctx);
	if (s->io.fd >= 0) {
		ev_io_stop(s->net->loop, &s->io);
		close(s->io.fd);
	}
	free(s);
}

static bool
sync_submit(struct syncer *s, int fd, struct sync_call *call)
{
	struct iocb cb = {0}, *list = &cb;

	if (s->io.fd < 0)
		return false;
	cb.aio_data = (uintptr_t)call;
	cb.aio_lio_opcode = IOCB_CMD_FSYNC;
	cb.aio_fildes = (uint32_t)fd;
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)s->io.fd;
	return syscall(SYS_io_submit, s->ctx, 1L, &list) == 1;
}

void
sync_start(struct syncer *s, int fd, struct sync_call *call)
{
	s->busy++;
	if (sync_submit(s, fd, call))
		return;
	s->waited++;
	call->err = fsync(fd) == 0 ? 0 : errno;
	call->next = s->here;
	s->here = call;
	timer_set(&s->soon, 0, 0);
}

unsigned
syncer_busy(const struct syncer *s)
{
	return s->busy;
}

unsigned long
syncer_waited(const struct syncer *s)
{
	return s->waited;
}
