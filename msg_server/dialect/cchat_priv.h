/* SPDX-License-Identifier: MIT */
/*
 * Inside of the cchat dialect: cchat.c chooses the level of a frame, cchat_v1.c
 * and cchat_v2*.c read its commands (cchat_fast.c the most frequent ones),
 * cchat_encode.c and cchat_item.c write.
 */
#ifndef MSG_SERVER_DIALECT_CCHAT_PRIV_H
#define MSG_SERVER_DIALECT_CCHAT_PRIV_H

#include "msg_server/dialect/dialect.h"

enum { CCHAT_V1_MSG_MAX = 1024, CCHAT_TOKEN_MAX = 4096 };

/* recorded texts of level 1 (dialects/cchat.md) that more than one file says */
#define CCHAT_T_NOT_JSON   "无效的命令[1]"
#define CCHAT_T_UNKNOWN	   "无效的命令[2]"
#define CCHAT_T_NEED_TOKEN "该用户需要凭证"

/* one frame while it is read; what a command borrows lives here or in obj */
struct cchat_frame {
	const json_t *obj;
	unsigned level; /* the frame is read and answered in */
	struct str cid;
	struct command cmd;
	char uid[24], rid[24], tid[24]; /* ids that came as numbers */
	struct buf text;                /* a cleaned name, a non-string msg, at */
	struct pos_arg pos[POS_MAX];
	struct str uids[UIDS_MAX];
	struct buf *err; /* where an answer of our own goes */
};

/* an error answer; always false, so that checks can return it */
bool cchat_refuse(struct cchat_frame *f, unsigned code, const char *why,
    const char *v1_text);

/* fill f->cmd from f->obj; false: refused */
bool cchat_v1_login(struct cchat_frame *f);
bool cchat_v1_message(struct cchat_frame *f);
bool cchat_v2_command(struct cchat_frame *f);
bool cchat_v2_item(struct cchat_frame *f);
/* which conversation: rid or tid; a room: rid */
bool cchat_v2_conversation(struct cchat_frame *f);
bool cchat_v2_room(struct cchat_frame *f);
/* a plain message of level 2, as cchat_v2_command() reads it; false: not one,
 * or not in order: it is to be read there */
bool cchat_fast(struct str text, struct command *cmd);
/* the same for a login of level 2; pos has room for POS_MAX */
bool cchat_fast_login(
    struct str text, struct command *cmd, struct pos_arg *pos);
/* is it in order: "@" or a room, hex digits, a number that JSON can hold? */
bool cchat_pos_is_ok(const struct pos_arg *a);
/* http(s) or a path of our own; anything else is dropped */
struct str cchat_avatar(struct str a);
/* the cid of a frame: false when it has one that is none */
bool cchat_v2_cid(const json_t *obj, struct str *cid);

/* the text of what a sok client or back end said, as msg */
void cchat_put_push(struct jw *w, const struct item *it);
/* msg as level 1 has it: what was no text is none */
void cchat_v1_msg(struct jw *w, const struct item *it);

void cchat_encode(
    const struct event *ev, unsigned level, enum view view, struct buf *out);
/* cchat_encode.c: an object and its cmd, with cid when there is one; rid, tid */
void cchat_begin(struct jw *w, const char *cmd, struct str cid);
void cchat_conversation(struct jw *w, const struct event *ev);
/* cchat_item.c: chan/seq */
void cchat_mid(struct jw *w, struct str chan, uint64_t seq);
const char *cchat_type_text(const struct item *it, unsigned level);
/* an item of level 2, with whatever names its conversation; mine: the reader
 * sent it */
void cchat_encode_item(
    struct jw *w, const char *key, const struct event *ev, bool mine);
/* cchat_seen.c: EVENT_MARK, EVENT_MARKS, EVENT_TYPING */
void cchat_encode_seen(struct jw *w, const struct event *ev);
/* an item of kind ITEM_MEMBER */
void cchat_encode_group(struct jw *w, const char *key, const struct event *ev);
void cchat_own(const struct event *ev, unsigned level, struct str other,
    struct buf *out);

#endif
