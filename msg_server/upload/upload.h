/* SPDX-License-Identifier: MIT */
/*
 * Uploads: pictures, voice and files that messages speak of (protocol.md
 * sections 2 and 9, limits.md).
 *
 *	POST /v1/upload		a raw body; who: "Authorization: Bearer KEY"
 *	POST of a form		a picture of PHPWebIM's pages; who: by his address
 *	GET, HEAD /u/HASH.EXT	what was brought, for whoever knows its name
 *
 * KEY is what the login answer of version 2 gave (`up`, key.h), a login token,
 * or the API key of a back end. What it is is told by its first bytes, and has
 * to agree with Content-Type for pictures and sound (kind.h). It is kept under
 * the hash of its content in one folder (store.h); the answer's `url` goes into
 * a message of the answer's `type`, and that keeps the file.
 *
 * Who may bring how much: limits.md and quota.h. All that is judged before a
 * byte of the body is read, but for what its first bytes say.
 *
 * What it costs the loop: a read, a hash and a write into the page cache for
 * each piece of at most 64 KiB, about 0.1 ms of its processor time (0.03 ms of
 * it the hash; 0.16 ms without SHA instructions); 2 ms for a MiB. The disk is
 * never waited for: a file is synced by the kernel beside the loop (net/sync.h),
 * each UPLOAD_SYNC bytes, and a body whose last bytes are two such pieces ahead
 * of the disk is not read until it has caught up. The answer comes when file
 * and name are on the disk.
 */
#ifndef MSG_SERVER_UPLOAD_UPLOAD_H
#define MSG_SERVER_UPLOAD_UPLOAD_H

#include <stdbool.h>

#include "msg_server/upload/key.h"
#include "shared/base/buf.h"
#include "shared/svc/httpd.h"

enum {
	UPLOAD_PER_USER = 2,	/* at once */
	UPLOAD_ADDRESS = 4,	/* an address may bring what so many users may; so many share the places */
	UPLOAD_SYNC = 4 << 20,
	UPLOAD_SERVE_MAX = 512, /* files going out at once, but of memory; then the slowest is cut off */
	UPLOAD_KEEP_MAX = 64,	/* told to the disk at once, that they were sent */
	UPLOAD_PREFIX_MAX = 128
};

struct gate_ip;
struct server;
struct uploads;

/* what a login answer says */
struct upload_login {
	char url[UPLOAD_PREFIX_MAX + 16];
	char key[UPLOAD_KEY_MAX];
	uint64_t max[3]; /* bytes, by enum kind_class */
};

/* by the settings; ends the program where it can't (exit code 2) */
void uploads_open(struct server *srv);
/* settings have changed */
void uploads_reload(struct server *srv);

/* of struct httpd_ops: POST /v1/upload is dealt with here */
void uploads_on_head(struct httpd *h, struct httpd_conn *c, const struct http_request *rq);
/*
 * In on_head: a form with a picture in that field (static), of a page that has no key
 * (upload_form.c; setting upload_webim): answered, now or later. bare: as of 2016.
 */
void uploads_form(struct server *srv, struct httpd_conn *c, const struct http_request *rq,
    struct str field, bool bare);
/* a session of such a page (DIALECT_FORMS) at that address is in; it ends */
void uploads_in(struct server *srv, uint64_t cn, const struct gate_ip *ip);
void uploads_out(struct server *srv, uint64_t cn);
/* true: the path is /u/..., and was answered */
bool uploads_request(struct server *srv, struct httpd_conn *c, const struct http_request *rq);
/* a message with that url is about to be stored */
void uploads_keep(struct server *srv, struct str url);
/* false: uploads are off */
bool uploads_login(struct server *srv, struct str uid, struct upload_login *out);
void uploads_metrics(const struct server *srv, struct buf *out);

#endif
