/* SPDX-License-Identifier: MIT */
/*
 * What clients and back ends of the `sok` push framework say: access tokens,
 * and push objects such as
 *
 *	{"to_uid":"7","type":"chat","content":{"type":"text","value":"hello"}}
 *
 * and how such an object lies in the log. One that is exactly this, its text
 * as long as it may be and not empty, is stored as that text, like any other
 * message. Any other is stored as compact JSON with ITEM_F_PUSH and
 * ITEM_F_JSON: sok's clients get all its keys back in their order, and all
 * others the text of push_text().
 *
 * An object is for somebody when its type is "chat" (of a back end: any text)
 * and its content is not what PHP calls empty. Strings in structs are borrowed.
 */
#ifndef SHARED_PROTO_PUSH_H
#define SHARED_PROTO_PUSH_H

#include "shared/base/id.h"
#include "shared/proto/json.h"

enum {
	PUSH_TEXT_MAX = 8192,  /* a message (limits.md) */
	PUSH_BODY_MAX = 16384, /* an object with all that is around it, compact */
	PUSH_TOKEN_MAX = 256,  /* the part of an access token that is secret */
	PUSH_DEVICE_MIN = 10,
	PUSH_DEVICE_MAX = 256
};

/* --- access tokens ------------------------------------------------------- */

/* uid "." token "." source, what is behind a further dot is not looked at */
struct push_token {
	struct str uid, token, source;
};

/*
 * Base64 with - _ , or + / = for the last three, padded or not, blanks around
 * it; the parts point into out. ERR_INVALID: three parts are not there, uid is
 * no word, token is empty or too long.
 */
int push_token_read(struct str text, struct buf *out, struct push_token *t) MUST_CHECK;

/* --- objects ------------------------------------------------------------- */

/* to_uid, uid and others may come as numbers: as json_id(); STR_NONE when it is no word */
struct str push_uid(const json_t *obj, const char *key, char tmp[24]);
/*
 * The body to be stored, appended to out; *json: it is the object, not its
 * text (whole: of a back end, always the object). ERR_INVALID: nothing that a
 * client would be given; ERR_LIMIT: too long.
 */
int push_body(const json_t *obj, bool whole, struct buf *out, bool *json) MUST_CHECK;
/* what others show of a stored object: the value of its content when that is a
 * text, else its content, or all of it, as JSON; appended to out */
void push_text(struct str body, struct buf *out);

/* a message as sok's clients see it */
struct push_item {
	struct str body;
	const char *kind; /* of a text: "text", "audio", "pic", "file" */
	bool json;        /* the body is an object */
	bool whole;       /* said by a back end: its own uid, or none */
	struct str uid, to_uid;
	int64_t ts;       /* ms */
	uint64_t seq;     /* in what the reader gets */
	bool unread;      /* came while he was away */
};

/* one JSON text, appended to out; nothing when the body is no object */
void push_say(const struct push_item *it, struct buf *out);
/* unix seconds and a counter, as the framework's ids are */
int64_t push_id(int64_t ts_ms, uint64_t seq);
/* a string as PHP's json_encode() writes it with JSON_UNESCAPED_UNICODE */
void push_put_string(struct buf *out, struct str s);

#endif
