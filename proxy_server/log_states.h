/* SPDX-License-Identifier: MIT */
/*
 * A page of a channel's state records (frames_state.h STATES), read from
 * messages.db on the reader's thread, within a read transaction of the
 * caller's. A page costs its own rows, at most STATES_PAGE_MAX of them and
 * STATES_PAGE_BYTES; to count costs the rows that are counted, and whoever
 * writes them keeps them few (limits.md: groups, members).
 */
#ifndef PROXY_SERVER_LOG_STATES_H
#define PROXY_SERVER_LOG_STATES_H

#include "proxy_server/log_sqlite.h"
#include "shared/proto/frames_state.h"

/* a whole STATED frame, the caller's; or an error of the database */
int log_states_page(struct logdb *db, const struct f_states *q,
    struct blob **frame) MUST_CHECK;
/* the frame that says 503 */
struct blob *log_states_failed(const struct f_states *q);

#endif
