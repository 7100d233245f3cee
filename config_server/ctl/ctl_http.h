/* SPDX-License-Identifier: MIT */
/*
 * One blocking HTTP question, for cchatctl alone: connect, ask, read the
 * answer, close, within `ms`. For loopback or an operator's network.
 */
#ifndef CONFIG_SERVER_CTL_CTL_HTTP_H
#define CONFIG_SERVER_CTL_CTL_HTTP_H

#include "shared/base/buf.h"

enum { CTL_HTTP_MS = 3000, CTL_HTTP_MAX = 8 << 20 };

/* ctl_http_post: the same as a POST of `json` (application/json) */
/*
 * method "GET" ...; address "127.0.0.1:9700"; the body is appended to out. The status, or ERR_INVALID (address),
 * ERR_IO (nobody there), ERR_TIMEOUT, ERR_PROTO, ERR_LIMIT.
 */
int ctl_http_post(const char *address, const char *target, struct str json, int64_t ms, struct buf *out) MUST_CHECK;
/* a PUT with further fields, each with its CRLF */
int ctl_http_put(const char *address, const char *target, const char *fields, struct str json, int64_t ms, struct buf *out) MUST_CHECK;
int ctl_http(const char *method, const char *address, const char *target, int64_t ms, struct buf *out) MUST_CHECK;

#endif
