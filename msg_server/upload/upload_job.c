/* SPDX-License-Identifier: MIT */
/*
 * An upload once it may come: written as it comes, judged by its first bytes,
 * put on the disk, given its name.
 *
 *	RECEIVING -> FILE -> FOLDER -> answered
 *	             synced  synced
 *
 * An upload outlives its connection while the disk is busy with it: whoever
 * waits for an answer is found by the number of his request. By what request
 * its bytes come, and how that is answered, is its way's (upload_priv.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msg_server/server.h"
#include "msg_server/upload/upload_priv.h"
#include "shared/base/map.h"
#include "shared/proc/log.h"

static void upload_on_synced(struct sync_call *call, int err);

/* --- its end ------------------------------------------------------------ */

static void
upload_free(struct upload *p)
{
	struct uploads *u = p->u;

	DL_DELETE(u->list, p);
	u->n--;
	if (p->temp[0] != '\0')
		store_drop(u->store, p->temp);
	close(p->fd);
	digest_free(p->digest);
	free(p->form);
	upload_end(u, &p->who, p->len, p->len - p->got);
	free(p);
}

/* nothing more will come of it */
static void
upload_over(struct upload *p)
{
	p->over = true;
	p->conn = NULL;
	if (!p->syncing)
		upload_free(p);
}

void
upload_fail(struct upload *p, struct httpd_conn *c, enum upload_reason reason,
    int status, const char *why)
{
	if (c != NULL) {
		p->u->refused[reason]++;
		p->way->refuse(c, p, reason, status, why);
	}
	upload_over(p);
}

/* --- the disk ----------------------------------------------------------- */

static void
upload_sync(struct upload *p, int fd)
{
	p->syncing = true;
	p->unsynced = 0;
	p->sync.done = upload_on_synced;
	sync_start(p->u->sync, fd, &p->sync);
}

/* the file is on the disk: now it has its name */
static int
upload_publish(struct upload *p)
{
	int err = store_publish(p->u->store, p->temp, &p->name, p->got);

	if (err != OK)
		return err;
	p->temp[0] = '\0';
	p->state = UPLOAD_FOLDER;
	upload_sync(p, store_fd(p->u->store));
	return OK;
}

static void
upload_on_synced(struct sync_call *call, int err)
{
	struct upload *p = container_of(call, struct upload, sync);
	struct uploads *u = p->u;
	struct httpd_conn *c;

	p->syncing = false;
	if (p->over) {
		upload_free(p);
		return;
	}
	c = p->state == UPLOAD_RECEIVING
		? p->conn
		: httpd_find(&u->srv->httpd, p->request);
	if (err != 0) {
		log_warn("uploads: %s", strerror(err));
		upload_fail(p, c, UPLOAD_R_FULL, 507, "not on the disk");
	} else if (p->state == UPLOAD_RECEIVING) {
		if (p->unsynced >= UPLOAD_SYNC)
			upload_sync(p, p->fd);
		httpd_go_on(c);
	} else if (p->state == UPLOAD_FILE) {
		/* the last bytes were behind the one that has ended */
		if (p->unsynced > 0)
			upload_sync(p, p->fd);
		else if (upload_publish(p) != OK)
			upload_fail(p, c, UPLOAD_R_FULL, 507, "not kept");
	} else {
		u->done++;
		u->bytes += p->got;
		if (c != NULL)
			p->way->answer(p, c);
		upload_over(p);
	}
}

static bool
upload_write(struct upload *p, const uint8_t *b, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = write(p->fd, b, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		b += k;
		n -= (size_t)k;
		p->unsynced += (uint64_t)k;
	}
	return true;
}

/* --- the body ----------------------------------------------------------- */

/* not 0: its first bytes say that it may not come, and it is gone */
static int
upload_judge(struct upload *p, struct httpd_conn *c)
{
	size_t n = p->got < KIND_HEAD ? (size_t)p->got : KIND_HEAD;
	const char *why = NULL;

	p->kind = kind_find(p->said, p->head, n);
	if (p->way->not != NULL)
		why = p->way->not(p->kind);
	else if (p->kind == NULL)
		why = "not what its Content-Type says";
	if (why != NULL) {
		upload_fail(p, c, UPLOAD_R_TYPE, 415, why);
		return ERR_DENIED;
	}
	if (p->len > upload_max(p->u, p->kind->class) && p->max == 0) {
		upload_fail(p, c, UPLOAD_R_SIZE, 413, "too long");
		return ERR_LIMIT;
	}
	return OK;
}

int
upload_bytes(struct upload *p, struct httpd_conn *c, const uint8_t *b, size_t n)
{
	size_t k = KIND_HEAD;
	int err;

	if (p->got < KIND_HEAD) {
		k = KIND_HEAD - (size_t)p->got;
		memcpy(p->head + p->got, b, n < k ? n : k);
	}
	p->got += n;
	if (p->max != 0 && p->got > p->max) {
		upload_fail(p, c, UPLOAD_R_SIZE, 413, "too long");
		return ERR_LIMIT;
	}
	if (p->kind == NULL && p->got >= KIND_HEAD) {
		err = upload_judge(p, c);
		if (err != OK)
			return err;
	}
	digest_add(p->digest, b, n);
	if (!upload_write(p, b, n)) {
		upload_fail(p, c, UPLOAD_R_FULL, 507, "no space left");
		return ERR_FULL;
	}
	if (p->unsynced < UPLOAD_SYNC)
		return OK;
	if (p->syncing)
		httpd_hold(c);
	else
		upload_sync(p, p->fd);
	return OK;
}

/* what its head says, the file being whole; false: a picture without a size */
static bool
upload_measure(struct upload *p)
{
	void *map;
	bool ok = true;

	if (p->kind->class == KIND_FILE)
		return true;
	map = mmap(NULL, p->got, PROT_READ, MAP_PRIVATE, p->fd, 0);
	if (map == MAP_FAILED)
		return p->kind->class != KIND_PIC;
	if (p->kind->class == KIND_PIC)
		ok = kind_size(p->kind, map, p->got, &p->w, &p->h);
	else if (p->ms == 0)
		p->ms = kind_ms(p->kind, map, p->got);
	munmap(map, p->got);
	return ok;
}

void
upload_whole(struct upload *p, struct httpd_conn *c)
{
	uint8_t sum[SHA256_LEN];

	if (p->kind == NULL && upload_judge(p, c) != OK)
		return;

	p->conn = NULL;
	p->request = httpd_id(c);
	digest_end(p->digest, sum);
	p->digest = NULL;
	if (!upload_measure(p)) {
		upload_fail(p, c, UPLOAD_R_TYPE, 415, "no such picture");
		return;
	}
	name_make(&p->name, sum, p->kind);
	p->state = UPLOAD_FILE;
	if (!p->syncing)
		upload_sync(p, p->fd);
}

void
upload_put_url(const struct upload *p, struct buf *out)
{
	buf_printf(out, "%s/u/%s", p->u->prefix, p->name.file);
	if (p->w > 0)
		buf_printf(out, "?w=%u&h=%u", p->w, p->h);
	else if (p->ms > 0 && p->kind->class == KIND_AUDIO)
		buf_printf(out, "?ms=%u", p->ms);
	if (p->given[0] != '\0' && p->kind->class == KIND_FILE) {
		buf_puts(out, "?name=");
		name_escape(str_of(p->given), out);
	}
}

void
upload_on_lost(void *arg)
{
	struct upload *p = arg;

	p->u->refused[UPLOAD_R_LOST]++;
	upload_over(p);
}

struct upload *
upload_new(struct uploads *u, struct httpd_conn *c,
    const struct http_request *rq, const struct upload_who *w,
    const struct upload_way *way)
{
	struct upload *p = xcalloc(1, sizeof *p);

	p->fd = store_temp(u->store, p->temp);
	if (p->fd < 0) {
		log_warn("uploads: %s", strerror(errno));
		upload_end(u, w, rq->body_len, rq->body_len);
		u->refused[UPLOAD_R_FULL]++;
		free(p);
		return NULL;
	}
	p->u = u;
	p->way = way;
	p->conn = c;
	p->who = *w;
	p->said = KIND_SAID_NOTHING;
	p->len = rq->body_len;
	p->digest = digest_sha256_begin();
	DL_APPEND(u->list, p);
	u->n++;
	return p;
}
