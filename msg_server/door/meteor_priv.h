/* SPDX-License-Identifier: MIT */
/*
 * Inside of ChatMeteor's HTTP door: meteor_api.c (the way in, changes of
 * groups) and meteor_api_ask.c (lists, who is there). A request lives from its
 * call to meteor_finish() or meteor_fail(), which answer and free it.
 */
#ifndef MSG_SERVER_DOOR_METEOR_PRIV_H
#define MSG_SERVER_DOOR_METEOR_PRIV_H

#include "msg_server/dialect/php_text.h"
#include "msg_server/door/meteor_api.h"
#include "msg_server/groups.h"
#include "msg_server/server.h"

enum {
	METEOR_ANSWER_MAX = 8 << 20,
	METEOR_ONLINE_MAX = 10000, /* users in one answer */
	METEOR_LISTS = 64	   /* lists gathered at a time; over it: 503 */
};

/* one request, from its question to its answer */
struct meteor_request {
	struct server *srv;
	uint64_t id; /* of the HTTP connection's request */
	struct groups_call change;
	struct groups_list list;
	struct relay_who who;
	struct relay_task again;
	int64_t since_ms;
	json_t *obj; /* owned; what came */
	const json_t *args;
	char rid[ID_MAX + 1], next[ID_MAX + 1];
	char user[24];	   /* a number, as text */
	struct buf online; /* "since uid\n" of each */
	unsigned n_online;
	bool active;
	bool gathers; /* one of METEOR_LISTS */
};

/* an answer: opened with code and message, closed, sent and freed */
void meteor_head(struct jw *w, struct buf *out, unsigned code, const char *message);
void meteor_finish(struct meteor_request *m, struct jw *w, struct buf *out);
void meteor_fail(struct meteor_request *m, unsigned code, const char *message);
/* arguments; false: it is missing or no good, and that was answered */
bool meteor_has(struct meteor_request *m, const char *key);
bool meteor_rid(struct meteor_request *m);
bool meteor_uid(struct meteor_request *m, struct str *uid);
/* a list is to be gathered; false: too many are, which was answered */
bool meteor_may_gather(struct meteor_request *m);

/* --- meteor_api_ask.c --- */
void meteor_list(struct meteor_request *m);
void meteor_users(struct meteor_request *m);
void meteor_group_of(struct meteor_request *m);
void meteor_online(struct meteor_request *m);
void meteor_online_list(struct meteor_request *m);

#endif
