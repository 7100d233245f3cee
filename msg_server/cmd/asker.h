/* SPDX-License-Identifier: MIT */
/*
 * What a command remembers until its answer comes: whose it was (by session
 * number, never by pointer), its cid and its conversation. Embedded in the
 * call struct of each command; and the checks that several commands share.
 */
#ifndef MSG_SERVER_CMD_ASKER_H
#define MSG_SERVER_CMD_ASKER_H

#include "msg_server/reply.h"
#include "msg_server/server.h"

/* texts of level 1 (dialects/cchat.md, limits.md) */
#define V1_T_BUSY     "服务器繁忙，请稍后再试"
#define V1_T_NOT_IN   "您不在该聊天室"
#define V1_T_MUTED    "您已被禁言"
#define V1_T_NO_TOKEN "该用户需要凭证"
#define V1_T_TOO_FAST "您发送消息的频率过快，请稍后再试"
#define V1_T_NO_LOGIN "您已丢失登录信息"
#define V1_T_NAME     "姓名不合法"

/* what a 503 suggests; and how long a rule by the minute lasts */
enum { ASKER_RETRY_MS = 1000, ASKER_MINUTE_MS = 60000 };

struct asker {
	struct server *srv;
	uint64_t cn;
	char cid[CID_MAX + 1], rid[ID_MAX + 1], tid[ID_MAX + 1];
};

void asker_fill(struct asker *a, struct server *srv, const struct session *s,
    const struct command *cmd);
/* NULL: gone meanwhile */
struct session *asker_session(const struct asker *a);
/* the session waits for an answer, which a drain lets it have; asker_session()
 * at its end */
void asker_wait(struct session *s);
struct session *asker_done(const struct asker *a);
/* absent when there was none */
struct str asker_cid(const struct asker *a);
struct str asker_rid(const struct asker *a);
struct str asker_tid(const struct asker *a);
/* cid, rid and tid into an answer */
void asker_event(const struct asker *a, struct event *ev);
/* an error answer to it, if the session is still there */
void asker_refuse(const struct asker *a, unsigned code, int64_t retry_ms);

/* the channel of cmd's conversation; false and answered 403 when s is not in it
 */
bool asker_channel(
    struct session *s, const struct command *cmd, struct chan_name *out);
/* cmd; or own, a copy of it which names the room of the last login, when cmd
 * names nothing */
const struct command *asker_home(struct session *s, const struct command *cmd,
    struct command *own);

#endif
