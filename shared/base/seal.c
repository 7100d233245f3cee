/* SPDX-License-Identifier: MIT */
/*
 * Sealing, and looking whether it was us. See seal.h.
 */
#include <string.h>

#include "shared/base/digest.h"
#include "shared/base/seal.h"
#include "shared/base/sip.h"

enum { SEAL_KEY = 32, SEAL_KEYS = 2 /* of purposes there are */ };

struct seal_kept {
	uint8_t from[SEAL_KEY], key[HMAC_LEN];
	char purpose[SEAL_PURPOSE_MAX + 1];
};

/* the key for that purpose: most often it is there */
static const uint8_t *
seal_key(const struct seal *s)
{
	static struct seal_kept kept[SEAL_KEYS];
	static unsigned next;
	struct seal_kept *k;

	for (unsigned i = 0; i < SEAL_KEYS; i++)
		if (strcmp(kept[i].purpose, s->purpose) == 0 &&
		    digest_equal(kept[i].from, s->link_key, SEAL_KEY))
			return kept[i].key;
	k = &kept[next++ % SEAL_KEYS];
	digest_hmac(
	    s->link_key, SEAL_KEY, s->purpose, strlen(s->purpose) + 1, k->key);
	memcpy(k->from, s->link_key, SEAL_KEY);
	str_copy(k->purpose, sizeof k->purpose, str_of(s->purpose));
	return k->key;
}

/* the first SIP_KEY bytes of what was drawn are the key */
static void
seal_mac(
    const struct seal *s, const uint8_t *body, size_t n, uint8_t out[SEAL_MAC])
{
	struct sip sip;

	sip_begin(&sip, seal_key(s));
	sip_add(&sip, s->cluster, strlen(s->cluster) + 1);
	sip_add(&sip, s->uid.p, s->uid.len);
	sip_add(&sip, "", 1);
	sip_add(&sip, body, n);
	sip_end(&sip, out);
}

_Static_assert(
    (int)SEAL_MAC == SIP_LEN && SIP_KEY <= HMAC_LEN, "the MAC is whole");

void
seal_put(const struct seal *s, const uint8_t *body, size_t n, char *out)
{
	uint8_t raw[SEAL_BODY_MAX + SEAL_MAC];

	memcpy(raw, body, n);
	seal_mac(s, body, n, raw + n);
	out[digest_base64url_text(raw, n + SEAL_MAC, out)] = '\0';
}

int
seal_get(const struct seal *s, struct str text, uint8_t *body, size_t n)
{
	uint8_t raw[SEAL_BODY_MAX + SEAL_MAC], mac[SEAL_MAC];
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
