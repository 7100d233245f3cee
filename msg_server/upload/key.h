/* SPDX-License-Identifier: MIT */
/*
 * The key of uploads: what a login answer gives a client to show with each
 * `POST /v1/upload`, "Authorization: Bearer KEY". It names its user and the
 * end of its life, and a MAC over these and the cluster proves it, with a key
 * drawn from the link key, which all servers of the cluster share. Nothing is
 * remembered, so any msg_server checks it.
 *
 *	UID.BASE64URL(expiry in ms, 8 bytes; MAC, 16 bytes)
 *
 * It gives no right but to upload in that user's name.
 */
#ifndef MSG_SERVER_UPLOAD_KEY_H
#define MSG_SERVER_UPLOAD_KEY_H

#include <stdint.h>

#include "shared/base/id.h"
#include "shared/base/str.h"

enum {
	UPLOAD_KEY_MAX = ID_MAX + 34, /* with the NUL */
	UPLOAD_KEY_LIFE_MS = 24 * 3600 * 1000
};

void upload_key_make(const uint8_t link_key[32], const char *cluster, struct str uid,
    int64_t exp_ms, char out[UPLOAD_KEY_MAX]);
/* 0 and whose it is; ERR_DENIED: it is none; ERR_TIMEOUT: it was one */
int upload_key_check(const uint8_t link_key[32], const char *cluster, struct str key,
    int64_t now_ms, char uid[ID_MAX + 1]) MUST_CHECK;

#endif
