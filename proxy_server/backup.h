/* SPDX-License-Identifier: MIT */
/*
 * POST /backup on the admin listener: {"path":"/absolute/FILE"} makes an online
 * copy of the log (proxy_server/log_backup.h) and answers when it is whole:
 * 200 {"bytes":,"channels":,"items":}. Only from loopback, only as
 * application/json and without an Origin, so that no web page can ask for it.
 *
 * 400 path; 403 not from here; 409 not the active one, or one is being made,
 * or FILE is there; 415; 507 no room; 500 it failed.
 */
#ifndef PROXY_SERVER_BACKUP_H
#define PROXY_SERVER_BACKUP_H

#include "proxy_server/log.h"
#include "shared/svc/httpd.h"

/* admin.on_other: arg is struct proxy */
bool backup_on_request(void *arg, struct httpd_conn *c,
    const struct http_request *rq, struct str body);
/* log_ops.on_backup: the answer to whoever still waits for it */
void backup_on_done(
    void *arg, uint64_t token, const struct log_backup_done *done);

#endif
