/* SPDX-License-Identifier: MIT */
/*
 * Inside of uploads: upload.c (life, what others ask of it), upload_post.c (one
 * that comes), upload_who.c (may it?), upload_serve.c (what goes out).
 */
#ifndef MSG_SERVER_UPLOAD_UPLOAD_PRIV_H
#define MSG_SERVER_UPLOAD_UPLOAD_PRIV_H

#include "msg_server/upload/hot.h"
#include "msg_server/upload/name.h"
#include "msg_server/upload/quota.h"
#include "msg_server/upload/store.h"
#include "msg_server/upload/upload.h"
#include "shared/net/sync.h"

#define UPLOAD_PATH "/v1/upload"

/* why one was refused, or did not come to its end */
#define UPLOAD_REASONS(X)                      \
	X(KEY, "key", "no key, or a bad one")   \
	X(ORIGIN, "origin", "pages of elsewhere") \
	X(FORM, "form", "no length, no body, another method") \
	X(TYPE, "type", "not what it was said to be") \
	X(SIZE, "size", "too long")             \
	X(RATE, "rate", "too many at once, or too much for a day") \
	X(FULL, "full", "no space left for it") \
	X(LOST, "lost", "not whole: the peer left or was too slow")

enum upload_reason {
#define X(name, text, help) UPLOAD_R_##name,
	UPLOAD_REASONS(X)
#undef X
	UPLOAD_REASON_COUNT
};

enum { UPLOAD_CORS_MAX = 400 };

struct upload;

struct uploads {
	struct server *srv;
	struct store *store; /* NULL: they go to another host (upload_url) */
	struct quota *quota;
	struct hot *hot;
	struct syncer *sync;
	char prefix[UPLOAD_PREFIX_MAX]; /* of urls; "": this host */
	struct upload *list; /* under way; owned */
	unsigned n, n_serving, n_keeping;
	uint64_t reserved; /* bytes of those under way */
	uint64_t done, bytes, kept, served, served_bytes;
	uint64_t refused[UPLOAD_REASON_COUNT];
};

/* who brings it; "": a back end, which nobody counts */
struct upload_who {
	char uid[ID_MAX + 1];
	char user[QUOTA_KEY_MAX], addr[QUOTA_KEY_MAX]; /* in the table; "": not limited */
};

/* --- upload_who.c --- */
/* by his key; false: it is none */
bool upload_who(struct uploads *u, const struct httpd_conn *c, const struct http_request *rq, struct upload_who *w);
/*
 * May that many bytes come? 0, and they are taken from what he may bring; else
 * the status, *reason, *why in words and *wait_s. Given back by upload_end().
 */
int upload_admit(struct uploads *u, const struct upload_who *w, uint64_t len,
    enum upload_reason *reason, const char **why, uint32_t *wait_s) MUST_CHECK;
void upload_end(struct uploads *u, const struct upload_who *w, uint64_t len, uint64_t back);
/* the most bytes of a class */
uint64_t upload_max(const struct uploads *u, enum kind_class class);

/* --- upload_post.c --- */
void upload_post(struct uploads *u, struct httpd_conn *c, const struct http_request *rq);

/* --- upload_serve.c --- */
void upload_serve(struct uploads *u, struct httpd_conn *c, const struct http_request *rq);

#endif
