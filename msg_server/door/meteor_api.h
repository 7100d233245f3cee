/* SPDX-License-Identifier: MIT */
/*
 * The door of ChatMeteor's HTTP API, where `meteor` is the first word of a
 * listener: groups and who is online, for its pages and back ends. Any path
 * and any method: status 200 always, and CORS headers, as it is asked from
 * pages of elsewhere. A file of the page wins over it, and so does /v1.
 *
 * It is as open as the original was: no credentials. With auth=token every
 * call is refused (code 401). What it changes is bounded for all together:
 * 20 changes of groups a second, 200 at once (code 429); 200 users a call;
 * METEOR_LISTS of groups or users gathered at a time (code 503).
 *
 * What is otherwise than in the original: shared/OLD_SYSTEMS.md.
 */
#ifndef MSG_SERVER_DOOR_METEOR_API_H
#define MSG_SERVER_DOOR_METEOR_API_H

#include "msg_server/door/door.h"

extern const struct door door_meteor;

#endif
