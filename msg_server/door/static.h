/* SPDX-License-Identifier: MIT */
/*
 * The page: all files of one directory, read into memory at start (and again
 * at SIGHUP, or when statics_changed() says so) as shared blobs under fixed
 * paths. A request is a look-up in that table and never a path on disk.
 * Bounded: STATIC_TOTAL_MAX bytes, STATIC_FILES_MAX files, STATIC_DEPTH
 * folders; what does not fit, has no known type, or begins with a dot is left
 * out and logged. x.gz beside x is sent to those who accept gzip, unless it is
 * older than x: who edits an installed file sees what he wrote. Headers:
 * page.md c.19. A .php in which there is none is HTML, and without an
 * index.html index.php is at /: pages of older systems.
 */
#ifndef MSG_SERVER_DOOR_STATIC_H
#define MSG_SERVER_DOOR_STATIC_H

#include "shared/svc/httpd.h"

enum {
	STATIC_TOTAL_MAX = 8 * 1024 * 1024,
	STATIC_FILES_MAX = 1000,
	STATIC_DEPTH = 8
};

struct statics;

/* never NULL: a directory that can't be read gives an empty table */
struct statics *statics_load(const char *dir);
void statics_free(struct statics *st);
size_t statics_count(const struct statics *st);
/* is there a file of that path? */
bool statics_has(const struct statics *st, struct str path);
/*
 * A request of that path: has something in the folder changed since it was
 * read? Looks for pages alone ("/" and *.html: what a browser asks for first),
 * at most once a second, at names, times and sizes; now: clock_mono_ms(). A
 * folder of too many entries to look at never has.
 */
bool statics_changed(struct statics *st, struct str path, int64_t now);
/*
 * Answers any request: 200, 304, 404, 405; 426 for a plain GET of /ws.
 * sources: more origins for connect-src, each with a blank in front; absent:
 * a page of somebody else's, which says itself what it loads and runs.
 */
void statics_reply(const struct statics *st, struct httpd_conn *c,
    const struct http_request *rq, struct str sources);
/* the MIME type of a file name, or NULL: not served */
const char *statics_type(const char *name);

#endif
