/* SPDX-License-Identifier: MIT */
/*
 * Static files from memory. HTML and everything else is "no-cache" with a
 * strong ETag of the content: a reload costs a 304.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "msg_server/door/static.h"
#include "shared/base/digest.h"
#include "shared/base/map.h"
#include "shared/proc/log.h"

enum {
	STATIC_PATH_MAX = 256,
	STATIC_ETAG_LEN = 32,
	STATIC_LOOK_MS = 1000,
	STATIC_LOOK_MAX = 4 * STATIC_FILES_MAX /* entries compared */
};

struct static_file {
	UT_hash_handle hh; /* by path */
	struct blob *body; /* owned reference */
	struct blob *gz;   /* the same, compressed; or NULL */
	const char *type;
	char etag[STATIC_ETAG_LEN + 3]; /* with its quotes */
	char path[STATIC_PATH_MAX];
};

struct statics {
	struct static_file *files; /* owned */
	size_t total, n;
	char *dir;	/* owned */
	uint64_t sum;	/* of all names, sizes and times there */
	int64_t looked; /* when it was compared last */
};

static const struct {
	const char *ext, *type;
} static_types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".gif", "image/gif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".ts", "text/plain; charset=utf-8"},
    {".md", "text/plain; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char static_csp_head[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'";
static const char static_csp_tail[] =
    "; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Permissions-Policy: microphone=(self), camera=(self), "
    "geolocation=()\r\n";

const char *
statics_type(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot != NULL && i < ARRAY_LEN(static_types); i++)
		if (strcmp(dot, static_types[i].ext) == 0)
			return static_types[i].type;
	return NULL;
}

/* --- loading ------------------------------------------------------------ */

static void
static_file_free(struct static_file *f)
{
	blob_unref(f->body);
	blob_unref(f->gz);
	free(f);
}

/* the whole of a regular file with the time of its last change, or NULL */
static struct blob *
static_read(
    struct statics *st, int dirfd, const char *name, struct timespec *changed)
{
	struct blob *b = NULL;
	struct stat sb;
	size_t off = 0;
	ssize_t n;
	int fd;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_size < 0)
		goto out;
	if ((uint64_t)sb.st_size > STATIC_TOTAL_MAX - st->total) {
		log_warn("www: %s left out: over %d bytes in all", name,
		    STATIC_TOTAL_MAX);
		goto out;
	}
	*changed = sb.st_mtim;
	b = blob_alloc((size_t)sb.st_size);
	while (off < b->len) {
		n = read(fd, b->bytes + off, b->len - off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* it shrank or can't be read */
			blob_unref(b);
			b = NULL;
			goto out;
		}
		off += (size_t)n;
	}
	st->total += b->len;
out:
	close(fd);
	return b;
}

/* pages of older systems are named so, whether PHP is in them or not */
static bool
static_is_php(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && strcmp(dot, ".php") == 0;
}

static const char *
static_type_of(const char *name)
{
	return static_is_php(name) ? static_types[0].type : statics_type(name);
}

/*
 * name.gz, unless it is older than the file: then somebody changed that with
 * an editor, and means it.
 */
static struct blob *
static_read_gz(struct statics *st, int dirfd, const char *name,
    const struct timespec *changed)
{
	char gz[STATIC_PATH_MAX + 4];
	struct timespec made;
	struct blob *b;

	snprintf(gz, sizeof gz, "%s.gz", name);
	b = static_read(st, dirfd, gz, &made);
	if (b != NULL && (made.tv_sec < changed->tv_sec ||
			     (made.tv_sec == changed->tv_sec &&
				 made.tv_nsec < changed->tv_nsec))) {
		log_warn("www: %s left out: it is older than %s", gz, name);
		st->total -= b->len;
		blob_unref(b);
		b = NULL;
	}
	return b;
}

static void
static_add(struct statics *st, int dirfd, const char *name, const char *path)
{
	struct static_file *f;
	struct timespec changed;
	uint8_t sum[SHA1_LEN];
	char hex[2 * SHA1_LEN + 1];

	if (static_type_of(name) == NULL || st->n >= STATIC_FILES_MAX)
		return;
	f = xcalloc(1, sizeof *f);
	f->body = static_read(st, dirfd, name, &changed);
	if (f->body == NULL) {
		free(f);
		return;
	}
	/* nobody here runs it, and its source is not for everybody */
	if (static_is_php(name) &&
	    memmem(f->body->bytes, f->body->len, "<?", 2) != NULL) {
		log_warn("www: %s left out: there is PHP in it", name);
		static_file_free(f);
		return;
	}
	snprintf(f->path, sizeof f->path, "%s", path);
	f->gz = static_read_gz(st, dirfd, name, &changed);
	f->type = static_type_of(name);
	digest_sha1(f->body->bytes, f->body->len, sum);
	digest_hex(sum, sizeof sum, hex);
	snprintf(f->etag, sizeof f->etag, "\"%.*s\"", STATIC_ETAG_LEN, hex);
	HASH_ADD_STR(st->files, path, f);
	st->n++;
}

static void
static_walk(struct statics *st, int dirfd, const char *prefix, unsigned depth)
{
	char path[STATIC_PATH_MAX];
	struct dirent *de;
	struct stat sb;
	DIR *dir = fdopendir(dirfd);
	int fd;

	if (dir == NULL) {
		close(dirfd);
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.' ||
		    fstatat(dirfd, de->d_name, &sb, 0) != 0)
			continue;
		if (snprintf(path, sizeof path, "%s/%s", prefix, de->d_name) >=
		    (int)sizeof path)
			continue;
		if (S_ISREG(sb.st_mode)) {
			static_add(st, dirfd, de->d_name, path);
		} else if (S_ISDIR(sb.st_mode) && depth < STATIC_DEPTH) {
			fd = openat(dirfd, de->d_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (fd >= 0)
				static_walk(st, fd, path, depth + 1);
		}
	}
	closedir(dir);
}

/*
 * Adds up what is in a folder, in whatever order it comes: names, sizes and
 * times, of `left` entries at most.
 */
static uint64_t
static_sum(int dirfd, unsigned depth, unsigned *left)
{
	char text[STATIC_PATH_MAX + 128];
	uint8_t digest[SHA1_LEN];
	struct dirent *de;
	struct stat sb;
	DIR *dir = fdopendir(dirfd);
	uint64_t sum = 0, one = 0;
	int fd;

	if (dir == NULL) {
		close(dirfd);
		return 0;
	}
	while (*left > 0 && (de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.' ||
		    fstatat(dirfd, de->d_name, &sb, 0) != 0)
			continue;
		--*left;
		one = 0;
		if (S_ISDIR(sb.st_mode)) {
			sb.st_mtim = (struct timespec){0};
			fd = depth == STATIC_DEPTH
				 ? -1
				 : openat(dirfd, de->d_name,
				       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (fd >= 0)
				one = static_sum(fd, depth + 1, left);
		}
		snprintf(text, sizeof text, "%jx %jx.%lx %jx %.*s",
		    (uintmax_t)sb.st_size, (uintmax_t)sb.st_mtim.tv_sec,
		    sb.st_mtim.tv_nsec, (uintmax_t)one, STATIC_PATH_MAX,
		    de->d_name);
		digest_sha1(text, strlen(text), digest);
		memcpy(&one, digest, sizeof one);
		sum += one;
	}
	closedir(dir);
	return sum;
}

/* of all folders; 0: it can't be read, or is too much to look at */
static uint64_t
static_sum_of(const char *dir)
{
	unsigned left = STATIC_LOOK_MAX;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t sum = fd < 0 ? 0 : static_sum(fd, 1, &left);

	return left > 0 ? sum : 0;
}

bool
statics_changed(struct statics *st, struct str path, int64_t now)
{
	struct str html = STR_LIT(".html");
	uint64_t sum;

	if (!str_eqc(path, "/") &&
	    (path.len < html.len ||
		memcmp(path.p + path.len - html.len, html.p, html.len) != 0))
		return false;
	if (st->sum == 0 || now - st->looked < STATIC_LOOK_MS)
		return false;
	st->looked = now;
	sum = static_sum_of(st->dir);
	return sum != 0 && sum != st->sum;
}

struct statics *
statics_load(const char *dir)
{
	struct statics *st = xcalloc(1, sizeof *st);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	st->dir = xstrdup(dir);
	/* before the files: what changes while they are read is seen later */
	st->sum = static_sum_of(dir);
	if (fd < 0)
		log_warn(
		    "www: %s: %s: no page is served", dir, strerror(errno));
	else
		static_walk(st, fd, "", 1);
	return st;
}

void
statics_free(struct statics *st)
{
	struct static_file *f, *next;

	if (st == NULL)
		return;
	HASH_ITER (hh, st->files, f, next) {
		HASH_DEL(st->files, f);
		static_file_free(f);
	}
	free(st->dir);
	free(st);
}

size_t
statics_count(const struct statics *st)
{
	return st->n;
}

/* --- answering ---------------------------------------------------------- */

static const struct static_file *
static_find(const struct statics *st, struct str path)
{
	struct static_file *f;

	if (!str_eqc(path, "/")) {
		HASH_FIND(hh, st->files, path.p, path.len, f);
		return f;
	}
	HASH_FIND_STR(st->files, "/index.html", f);
	if (f == NULL)
		HASH_FIND_STR(st->files, "/index.php", f);
	return f;
}

bool
statics_has(const struct statics *st, struct str path)
{
	return static_find(st, path) != NULL;
}

/* If-None-Match: "*", or a list in which weak and strong compare alike */
static bool
static_matches(struct str field, const char *etag)
{
	struct str tag;

	if (!str_is_set(field))
		return false;
	if (str_eqc(str_trim(field), "*"))
		return true;
	while (str_next(&field, ',', &tag)) {
		tag = str_trim(tag);
		if (str_starts(tag, STR_LIT("W/")))
			tag.p += 2, tag.len -= 2;
		if (str_eqc(tag, etag))
			return true;
	}
	return false;
}

/* "gzip", with or without parameters, but not with q=0 */
static bool
static_takes_gzip(const struct http_request *rq)
{
	struct str field = http_field(rq, "accept-encoding"), one, coding, q;

	while (str_next(&field, ',', &one)) {
		one = str_trim(one);
		if (!str_next(&one, ';', &coding) ||
		    !str_ieq(str_trim(coding), STR_LIT("gzip")))
			continue;
		while (str_next(&one, ';', &q)) {
			q = str_trim(q);
			if (str_starts(q, STR_LIT("q=0")) &&
			    strspn(q.p + 3, ".0") >= q.len - 3)
				return false;
		}
		return true;
	}
	return false;
}

static void
static_headers(struct buf *out, struct str sources)
{
	if (!str_is_set(sources))
		return;
	buf_puts(out, static_csp_head);
	buf_putstr(out, sources);
	buf_puts(out, static_csp_tail);
}

static void
static_send(const struct static_file *f, struct httpd_conn *c,
    const struct http_request *rq, struct str sources)
{
	struct blob *body = f->body;
	struct buf extra;
	bool gz = f->gz != NULL && static_takes_gzip(rq);

	buf_init(&extra, 1024 * 1024);
	static_headers(&extra, sources);
	/* strong: the two codings are different bytes */
	buf_printf(&extra, "Cache-Control: no-cache\r\nETag: %.*s%s\"\r\n",
	    (int)strlen(f->etag) - 1, f->etag, gz ? "-gz" : "");
	if (f->gz != NULL)
		buf_puts(&extra, "Vary: Accept-Encoding\r\n");
	if (gz) {
		buf_puts(&extra, "Content-Encoding: gzip\r\n");
		body = f->gz;
	}
	buf_putc(&extra, '\0');
	if (!buf_ok(&extra))
		httpd_error(c, 500, "too many origins");
	else
		httpd_reply_blob(
		    c, 200, f->type, body, (const char *)buf_p(&extra));
	buf_fini(&extra);
}

/* true: the client has it already */
static bool
static_not_modified(const struct static_file *f, struct httpd_conn *c,
    const struct http_request *rq, struct str sources)
{
	struct str field = http_field(rq, "if-none-match");
	char tag[sizeof f->etag + 4];
	struct buf extra;

	snprintf(tag, sizeof tag, "%.*s%s\"", (int)strlen(f->etag) - 1, f->etag,
	    f->gz != NULL && static_takes_gzip(rq) ? "-gz" : "");
	if (!static_matches(field, tag))
		return false;
	buf_init(&extra, 1024 * 1024);
	static_headers(&extra, sources);
	buf_printf(&extra, "Cache-Control: no-cache\r\nETag: %s\r\n", tag);
	buf_putc(&extra, '\0');
	httpd_reply(c, 304, f->type, STR_LIT(""),
	    buf_ok(&extra) ? (const char *)buf_p(&extra) : "");
	buf_fini(&extra);
	return true;
}

static void
static_refuse(struct httpd_conn *c, int status, const char *why,
    const char *more, struct str sources)
{
	struct buf extra;

	buf_init(&extra, 1024 * 1024);
	static_headers(&extra, sources);
	buf_puts(&extra, more);
	buf_putc(&extra, '\0');
	httpd_reply(c, status, "text/plain; charset=utf-8", str_of(why),
	    buf_ok(&extra) ? (const char *)buf_p(&extra) : more);
	buf_fini(&extra);
}

void
statics_reply(const struct statics *st, struct httpd_conn *c,
    const struct http_request *rq, struct str sources)
{
	const struct static_file *f = static_find(st, rq->path);

	if (rq->method != HTTP_GET_M && rq->method != HTTP_HEAD_M)
		static_refuse(c, 405, "only GET and HEAD\n",
		    "Allow: GET, HEAD\r\n", sources);
	else if (str_eqc(rq->path, "/ws"))
		static_refuse(c, 426, "this is a WebSocket\n",
		    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
		    sources);
	else if (f == NULL)
		static_refuse(c, 404, "no such page\n", "", sources);
	else if (!static_not_modified(f, c, rq, sources))
		static_send(f, c, rq, sources);
}
