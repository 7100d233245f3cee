/* SPDX-License-Identifier: MIT */
/*
 * What the files of the frames family share: frames.c (life of a link),
 * frames_log.c (channels), frames_state.c (what stands beside
 * the items), frames_pres.c (people), frames_topo.c (directory).
 */
#ifndef SHARED_PROTO_FRAMES_PRIV_H
#define SHARED_PROTO_FRAMES_PRIV_H

#include "shared/proto/fields.h"
#include "shared/proto/frames.h"
#include "shared/proto/link.h"

/* link_end; a frame that is too big marks the buf as failed */
void frames_end(struct buf *b, size_t mark);

/* an item as it travels (frames_log.c) */
void frames_put_item(struct buf *b, const struct item *it);
void frames_get_item(struct fields *in, struct item *it);

/* a state record as it travels (frames_log.c) */
void frames_put_state(struct buf *b, const struct state_rec *r);
void frames_get_state(struct fields *in, struct state_rec *r);

enum { TEXT_MAX = 1024 }; /* of ERROR, KICK, EVENT */

#endif
