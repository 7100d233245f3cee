/* SPDX-License-Identifier: MIT */
/*
 * Inside of the dialect webim: webim.c reads, webim_encode.c writes. A message
 * with an image is kept as the address of the image, which all dialects can
 * show; the address of its small one, when it has another, is behind it as a
 * fragment, which no server is sent.
 */
#ifndef MSG_SERVER_DIALECT_WEBIM_PRIV_H
#define MSG_SERVER_DIALECT_WEBIM_PRIV_H

#include "msg_server/dialect/dialect.h"

enum { WEBIM_MSG_MAX = 1024, WEBIM_HISTORY = 100, WEBIM_LIST = 100 };

#define WEBIM_THUMB "#thumb="

/* numbers of its error answers; 103 is ours: refused for another reason */
enum { WEBIM_E_BAD = 101, WEBIM_E_NO = 102, WEBIM_E_REFUSED = 103, WEBIM_E_FAST = 104 };

/* http(s), or a path of our own; nothing that ends an attribute of HTML */
bool webim_is_url(struct str s);
/* address and small one of an image; false: not shown as one */
bool webim_image(struct str body, struct str *url, struct str *thumb);
void webim_error(struct buf *out, unsigned code, struct str msg);

void webim_encode_2014(const struct event *ev, unsigned level, enum view view, struct buf *out);
void webim_encode_2016(const struct event *ev, unsigned level, enum view view, struct buf *out);
void webim_encode_2019(const struct event *ev, unsigned level, enum view view, struct buf *out);
/* the line in green that follows newUser */
void webim_also_2014(const struct event *ev, unsigned level, enum view view, struct buf *out);
void webim_also(const struct event *ev, unsigned level, enum view view, struct buf *out);
/* nobody is shown what he has said: his page does that itself */
void webim_own(const struct event *ev, unsigned level, struct str other, struct buf *out);

#endif
