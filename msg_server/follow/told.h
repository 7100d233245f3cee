/* SPDX-License-Identifier: MIT */
/*
 * What rooms here were told of people's coming and going, the newest of it:
 * so that a proxy_server which has just become the active one can tell the last
 * seconds again, and nobody hears anything twice. An entry is always what was
 * told last; those of the last TOLD_MAX tellings are kept, in 512 KiB at most
 * (of what is older something may be told once more). A room is named by the
 * number of its channel, which is another one when the room was not followed
 * in between.
 */
#ifndef MSG_SERVER_FOLLOW_TOLD_H
#define MSG_SERVER_FOLLOW_TOLD_H

#include <stdint.h>

#include "shared/proto/frames.h"

enum { TOLD_MAX = 32768 }; /* a power of two */

enum told_what { TOLD_NOTHING, TOLD_IN, TOLD_OUT };

struct told;

struct told *told_new(void);
void told_free(struct told *t);
/* what was told last of that user in that room */
enum told_what told_get(struct told *t, uint32_t ch, struct str uid);
void told_set(struct told *t, uint32_t ch, struct str uid, enum told_what what);
/* was version 1 told of that session's coming? */
bool told_session(struct told *t, uint32_t ch, uint64_t cn);
void told_set_session(struct told *t, uint32_t ch, uint64_t cn);
/* these are asked for or set soon: so that nobody waits for memory then */
void told_fetch(const struct told *t, uint32_t ch, struct str uid, uint64_t cn);

#endif
