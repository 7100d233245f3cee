/* SPDX-License-Identifier: MIT */
/*
 * Inside of uploads: upload.c (life, what others ask of it), upload_who.c (may
 * one come?), upload_job.c (one that comes, whatever the way), upload_post.c and
 * upload_form.c (the two ways), upload_serve.c (what goes out).
 */
#ifndef MSG_SERVER_UPLOAD_UPLOAD_PRIV_H
#define MSG_SERVER_UPLOAD_UPLOAD_PRIV_H

#include "msg_server/upload/hot.h"
#include "msg_server/upload/name.h"
#include "msg_server/upload/near.h"
#include "msg_server/upload/quota.h"
#include "msg_server/upload/store.h"
#include "msg_server/upload/upload.h"
#include "shared/base/digest.h"
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
struct upload_form;

struct uploads {
	struct server *srv;
	struct store *store; /* NULL: they go to another host (upload_url) */
	struct quota *quota;
	struct hot *hot;
	struct syncer *sync;
	struct near *near; /* sessions of pages that bring pictures by forms */
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

enum upload_state { UPLOAD_RECEIVING, UPLOAD_FILE, UPLOAD_FOLDER };

/* how it was asked for: the words of answers */
struct upload_way {
	/* counts nothing */
	void (*refuse)(struct httpd_conn *c, const struct upload *p,
	    enum upload_reason reason, int status, const char *why);
	void (*answer)(struct upload *p, struct httpd_conn *c);
	/* may it be of that kind? NULL: of any; else why not */
	const char *(*not)(const struct kind *k);
};

struct upload {
	struct uploads *u;
	struct upload *prev, *next;
	struct sync_call sync;
	const struct upload_way *way;
	struct upload_form *form; /* owned; upload_form.c, else NULL */
	struct httpd_conn *conn; /* while its body comes; else NULL */
	uint64_t request;
	enum upload_state state;
	bool syncing,
	    over; /* over: nobody waits for it, it ends with its sync */
	int fd;
	struct upload_who who;
	enum kind_said said;
	const struct kind *kind; /* NULL: not known yet */
	uint64_t len; /* reserved: no more will come */
	uint64_t got, unsynced;
	uint64_t max; /* of it, whatever its class; 0: the class says */
	uint32_t ms;	       /* of sound, as its sender says */
	struct digest *digest; /* NULL: ended */
	struct name name;
	uint32_t w, h;
	uint8_t head[KIND_HEAD];
	char temp[STORE_TEMP_MAX];
	char given[NAME_GIVEN_MAX + 1];
	char cors[UPLOAD_CORS_MAX];
};

/* --- upload_who.c --- */
/* by who has come last from his address, of pages that have no key; false: nobody */
bool upload_who_near(struct uploads *u, const struct httpd_conn *c, const struct http_request *rq, struct upload_who *w);
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

/* --- upload_job.c --- */
/* one that was admitted; NULL: refused, counted and given back, to be answered 507 */
struct upload *upload_new(struct uploads *u, struct httpd_conn *c, const struct http_request *rq,
    const struct upload_who *w, const struct upload_way *way);
/* bytes of it; not 0: it failed, was answered, and is gone */
int upload_bytes(struct upload *p, struct httpd_conn *c, const uint8_t *b, size_t n) MUST_CHECK;
/* that was all of it: answered, now or later */
void upload_whole(struct upload *p, struct httpd_conn *c);
/* refused, counted and gone; c NULL: nobody waits for an answer */
void upload_fail(struct upload *p, struct httpd_conn *c, enum upload_reason reason, int status, const char *why);
/* appends the url of one that is whole, for a message */
void upload_put_url(const struct upload *p, struct buf *out);
/* httpd_sink.on_lost */
void upload_on_lost(void *arg);

/* --- upload_form.c --- */
/* its file is in field, which stays; bare: the answer is of 2016 */
void upload_form(struct uploads *u, struct httpd_conn *c, const struct http_request *rq, struct str field, bool bare);

/* --- upload_post.c --- */
/* who may read the answer, as field lines; false: a page that may not ask */
bool upload_cors(struct uploads *u, const struct http_request *rq, char cors[UPLOAD_CORS_MAX]);
void upload_post(struct uploads *u, struct httpd_conn *c, const struct http_request *rq);

/* --- upload_serve.c --- */
void upload_serve(struct uploads *u, struct httpd_conn *c, const struct http_request *rq);

#endif
