/* SPDX-License-Identifier: MIT */
/*
 * Sealing, and looking whether it was us. See seal.h.
 */
#include <string.h>

#include "shared/base/digest.h"
#include "shared/base/err.h"
#include "shared/base/seal.h"

enum { SEAL_KEY = 32 };

/* the key for that purpose: most often that of the last time */
static const uint8_t *
seal_key(const struct seal *s)
{
	static uint8_t from[SEAL_KEY], key[HMAC_LEN];
	static char purpose[SEAL_PURPOSE_MAX + 1];

	if (strcmp(purpose, s->purpose) != 0 ||
	    !digest_equal(from, s->link_key, sizeof from)) {
		digest_hmac(s->link_key, SEAL_KEY, s->purpose,
		    strlen(s->purpose) + 1, key);
		memcpy(from, s->link_key, sizeof from);
		str_copy(purpose, sizeof purpose, str_of(s->purpose));
	}
	return key;
}

static void
seal_mac(
    const struct seal *s, const uint8_t *body, size_t n, uint8_t out[HMAC_LEN])
{
	struct buf b;

	buf_init(&b, 1024);
	buf_put(&b, s->cluster, strlen(s->cluster) + 1);
	buf_putstr(&b, s->uid);
	buf_putc(&b, '\0');
	buf_put(&b, body, n);
	digest_hmac(seal_key(s), HMAC_LEN, buf_p(&b), buf_len(&b), out);
	buf_fini(&b);
}

void
seal_put(const struct seal *s, const uint8_t *body, size_t n, struct buf *out)
{
	uint8_t raw[SEAL_BODY_MAX + HMAC_LEN];

	memcpy(raw, body, n);
	seal_mac(s, body, n, raw + n);
	digest_base64url(raw, n + SEAL_MAC, out);
}

int
seal_get(const struct seal *s, struct str text, uint8_t *body, size_t n)
{
	uint8_t raw[SEAL_BODY_MAX + SEAL_MAC], mac[HMAC_LEN];
	struct buf b;
	int err;

	buf_init(&b, 256);
	err = digest_base64url_decode(text, &b);
	if (err == 0 && buf_len(&b) == n + SEAL_MAC)
		memcpy(raw, buf_p(&b), n + SEAL_MAC);
	else
		err = ERR_DENIED;
	buf_fini(&b);
	if (err != 0)
		return ERR_DENIED;
	seal_mac(s, raw, n, mac);
	if (!digest_equal(mac, raw + n, SEAL_MAC))
		return ERR_DENIED;
	memcpy(body, raw, n);
	return OK;
}
