/* SPDX-License-Identifier: MIT */
/*
 * What ChatMeteor's dialect and its HTTP door (door/meteor_api.h) share: how
 * its PHP read what came.
 */
#ifndef MSG_SERVER_DIALECT_METEOR_H
#define MSG_SERVER_DIALECT_METEOR_H

#include "msg_server/dialect/dialect.h"

/* what PHP's empty() says of it: "", "0", 0, null, false, [], {} and NULL */
bool meteor_is_empty(const json_t *v);
/* is that the class? Its first letter alone may be a small one */
bool meteor_is_class(struct str given, const char *class);

#endif
