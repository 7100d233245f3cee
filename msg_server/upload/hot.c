/* SPDX-License-Identifier: MIT */
/*
 * Uploads that are asked for right now. See hot.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "msg_server/upload/hot.h"
#include "shared/base/map.h"

struct hot_file {
	UT_hash_handle hh; /* by file */
	struct hot_file *prev, *next;
	struct blob *body; /* owned reference */
	char file[NAME_STORED_MAX];
};

struct hot {
	struct hot_file *files; /* owned */
	struct hot_file *list;	/* the longest unasked first */
	uint64_t bytes;
};

struct hot *
hot_new(void)
{
	return xcalloc(1, sizeof(struct hot));
}

static void
hot_drop(struct hot *h, struct hot_file *f)
{
	HASH_DEL(h->files, f);
	DL_DELETE(h->list, f);
	h->bytes -= f->body->len;
	blob_unref(f->body);
	free(f);
}

void
hot_free(struct hot *h)
{
	struct hot_file *f, *next;

	if (h == NULL)
		return;
	DL_FOREACH_SAFE (h->list, f, next)
		hot_drop(h, f);
	free(h);
}

/* those that nobody is being given go until there is room */
static bool
hot_make_room(struct hot *h, uint64_t size)
{
	struct hot_file *f, *next;

	DL_FOREACH_SAFE (h->list, f, next) {
		if (h->bytes + size <= HOT_TOTAL_MAX &&
		    HASH_COUNT(h->files) < HOT_N_MAX)
			return true;
		if (f->body->refs == 1)
			hot_drop(h, f);
	}
	return h->bytes + size <= HOT_TOTAL_MAX &&
	       HASH_COUNT(h->files) < HOT_N_MAX;
}

static struct blob *
hot_read(int fd, size_t size)
{
	struct blob *b = blob_alloc(size);
	struct iovec iov = {b->bytes, size};
	ssize_t n = preadv2(fd, &iov, 1, 0, RWF_NOWAIT);

	/* a file system that can't say what is in memory */
	if (n < 0 && errno == EOPNOTSUPP)
		n = pread(fd, b->bytes, size, 0);
	if (n == (ssize_t)size)
		return b;
	blob_unref(b);
	return NULL;
}

struct blob *
hot_get(struct hot *h, const struct name *n, int fd, uint64_t size)
{
	struct hot_file *f;
	struct blob *b;

	HASH_FIND_STR(h->files, n->file, f);
	if (f != NULL) {
		DL_DELETE(h->list, f);
		DL_APPEND(h->list, f);
		/* its name is its content: it is as long as it was */
		return f->body->len == size ? f->body : NULL;
	}
	if (size == 0 || size > HOT_FILE_MAX || !hot_make_room(h, size) ||
	    (b = hot_read(fd, (size_t)size)) == NULL)
		return NULL;
	f = xcalloc(1, sizeof *f);
	f->body = b;
	str_copy(f->file, sizeof f->file, str_of(n->file));
	HASH_ADD_STR(h->files, file, f);
	DL_APPEND(h->list, f);
	h->bytes += size;
	return b;
}

uint64_t
hot_bytes(const struct hot *h)
{
	return h->bytes;
}
