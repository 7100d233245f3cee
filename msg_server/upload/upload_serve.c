/* SPDX-License-Identifier: MIT */
/*
 * Uploads that go out: GET and HEAD of /u/HASH.EXT. The name says what is in
 * it, so it never changes; whoever has it may keep it for ever. A browser shows
 * pictures and plays sound; all else is saved, never shown, and whatever it is
 * it runs nothing and loads nothing.
 *
 * What many ask for goes out of memory (hot.h). Of anything else one piece is
 * read for each; what the kernel has not in memory is asked of the disk and
 * read a moment later; a file system that can't say so is read at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "msg_server/server.h"
#include "msg_server/upload/range.h"
#include "msg_server/upload/upload_priv.h"

enum {
	SERVE_TRIES = 250, /* times the disk is given a moment */
	SERVE_AHEAD = 262144
};

/* anybody may show and read what he knows the name of: it is no secret of ours
 * which page he does it from */
#define SERVE_HEADERS                                              \
	"Content-Security-Policy: default-src 'none'; sandbox\r\n" \
	"Cross-Origin-Resource-Policy: cross-origin\r\n"           \
	"Access-Control-Allow-Origin: *\r\n"

struct serve {
	struct uploads *u;
	uint64_t at;
	unsigned tries;
	int fd;
};

/* --- bytes -------------------------------------------------------------- */

static long
serve_read(void *arg, uint8_t *p, size_t n)
{
	struct serve *s = arg;
	struct iovec iov = {p, n};
	ssize_t k = -1;

	errno = EOPNOTSUPP;
	if (s->tries < SERVE_TRIES)
		k = preadv2(s->fd, &iov, 1, (off_t)s->at, RWF_NOWAIT);
	if (k < 0 && errno == EAGAIN) {
		if (s->tries++ == 0)
			posix_fadvise(s->fd, (off_t)s->at, SERVE_AHEAD,
			    POSIX_FADV_WILLNEED);
		return 0;
	}
	if (k < 0 && errno != EINTR)
		k = pread(s->fd, p, n, (off_t)s->at);
	if (k < 0 && errno == EINTR)
		return 0;
	if (k <= 0)
		return -1; /* shorter than it was */
	s->tries = 0;
	s->at += (uint64_t)k;
	s->u->served_bytes += (uint64_t)k;
	return k;
}

static void
serve_close(void *arg)
{
	struct serve *s = arg;

	s->u->n_serving--;
	close(s->fd);
	free(s);
}

static const struct httpd_source serve_source = {serve_read, serve_close};

/* --- answers ------------------------------------------------------------ */

static void
serve_refuse(
    struct httpd_conn *c, int status, const char *why, const char *more)
{
	char extra[512];

	snprintf(extra, sizeof extra,
	    SERVE_HEADERS "Cache-Control: no-store\r\n%s", more);
	httpd_reply(c, status, "text/plain; charset=utf-8", str_of(why), extra);
}

static void
serve_headers(
    const struct name *n, const struct http_request *rq, struct buf *out)
{
	char given[NAME_GIVEN_MAX + 1] = "";
	struct buf raw, esc;

	buf_puts(out, SERVE_HEADERS
	    "Cache-Control: public, max-age=31536000, immutable\r\n"
	    "Accept-Ranges: bytes\r\n");
	buf_printf(out, "ETag: \"%.*s\"\r\n", NAME_HASH_LEN, n->file);
	if (n->kind->class != KIND_FILE) {
		buf_puts(out, "Content-Disposition: inline\r\n");
		return;
	}
	buf_init(&raw, 2048);
	buf_init(&esc, 6144);
	if (http_query(rq->query, "name", &raw) && buf_ok(&raw)) {
		name_escape(buf_str(&raw), &esc);
		if (buf_ok(&esc))
			name_clean(buf_str(&esc), given);
	}
	name_put_attachment(given, n, out);
	buf_fini(&raw);
	buf_fini(&esc);
}

/* weak ones never come from us; a list is seldom longer than one */
static bool
serve_is_tag(struct str field, const struct name *n)
{
	struct str tag;

	if (str_eqc(str_trim(field), "*"))
		return true;
	while (str_next(&field, ',', &tag)) {
		tag = str_trim(tag);
		if (str_starts(tag, STR_LIT("W/")))
			tag = str_n(tag.p + 2, tag.len - 2);
		if (tag.len == NAME_HASH_LEN + 2 && tag.p[0] == '"' &&
		    memcmp(tag.p + 1, n->file, NAME_HASH_LEN) == 0)
			return true;
	}
	return false;
}

static void
serve_file(struct uploads *u, struct httpd_conn *c,
    const struct http_request *rq, const struct name *n, int fd, uint64_t size)
{
	struct str if_range = http_field(rq, "if-range");
	enum range r = RANGE_ALL;
	uint64_t from = 0, len = size;
	struct blob *blob;
	struct serve *s;
	struct buf extra;

	if (rq->method == HTTP_GET_M && http_field_count(rq, "range") == 1 &&
	    (!str_is_set(if_range) || serve_is_tag(if_range, n)))
		r = range_parse(http_field(rq, "range"), size, &from, &len);
	buf_init(&extra, 8192);
	serve_headers(n, rq, &extra);
	if (r == RANGE_NONE) {
		buf_printf(
		    &extra, "Content-Range: bytes */%" PRIu64 "\r\n", size);
		buf_putc(&extra, '\0');
		close(fd);
		httpd_reply(
		    c, 416, NULL, STR_LIT(""), (const char *)buf_p(&extra));
		buf_fini(&extra);
		return;
	}
	if (r == RANGE_PART)
		buf_printf(&extra,
		    "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
		    "\r\n",
		    from, from + len - 1, size);
	buf_putc(&extra, '\0');
	blob = r == RANGE_ALL ? hot_get(u->hot, n, fd, size) : NULL;
	if (blob != NULL) {
		close(fd);
		u->served++;
		u->served_bytes += size;
		httpd_reply_blob(
		    c, 200, n->kind->mime, blob, (const char *)buf_p(&extra));
		buf_fini(&extra);
		return;
	}
	/* who only holds a place has it no longer */
	if (u->n_serving >= UPLOAD_SERVE_MAX &&
	    !httpd_cut_slow(&u->srv->httpd)) {
		close(fd);
		buf_fini(&extra);
		serve_refuse(
		    c, 503, "too many at once\n", "Retry-After: 2\r\n");
		return;
	}
	s = xcalloc(1, sizeof *s);
	s->u = u;
	s->fd = fd;
	s->at = from;
	u->n_serving++;
	u->served++;
	httpd_reply_source(c, r == RANGE_PART ? 206 : 200, n->kind->mime, len,
	    &serve_source, s, (const char *)buf_p(&extra));
	buf_fini(&extra);
}

void
upload_serve(
    struct uploads *u, struct httpd_conn *c, const struct http_request *rq)
{
	struct buf extra;
	struct name n;
	struct stat sb;
	int fd;

	if (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M) {
		serve_refuse(
		    c, 405, "only GET and HEAD\n", "Allow: GET, HEAD\r\n");
		return;
	}
	if (!name_parse(str_n(rq->path.p + 3, rq->path.len - 3), &n) ||
	    (fd = store_get(u->store, &n, &sb)) < 0) {
		serve_refuse(c, 404, "no such file\n", "");
		return;
	}
	if (serve_is_tag(http_field(rq, "if-none-match"), &n)) {
		close(fd);
		buf_init(&extra, 8192);
		serve_headers(&n, rq, &extra);
		buf_putc(&extra, '\0');
		httpd_reply(
		    c, 304, NULL, STR_LIT(""), (const char *)buf_p(&extra));
		buf_fini(&extra);
	} else {
		serve_file(u, c, rq, &n, fd, (uint64_t)sb.st_size);
	}
}
