/* SPDX-License-Identifier: MIT */
/*
 * Making and checking the key of uploads. See key.h.
 */
#include <stdio.h>
#include <string.h>

#include "msg_server/upload/key.h"
#include "shared/base/digest.h"

enum { KEY_EXP = 8, KEY_MAC = 16 };

static void
key_mac(const uint8_t link_key[32], const char *cluster, struct str uid,
    const uint8_t exp[KEY_EXP], uint8_t out[HMAC_LEN])
{
	static const char domain[] = "cchat upload 1";
	/* made of which, and what it made: each login wants it */
	static uint8_t from[32], key[HMAC_LEN];
	static bool made;
	struct buf b;

	/* a key of its own: no other MAC under the link key is one of ours */
	if (!made || !digest_equal(from, link_key, sizeof from))
		digest_hmac(link_key, 32, domain, sizeof domain, key);
	memcpy(from, link_key, sizeof from);
	made = true;
	buf_init(&b, 1024);
	buf_put(&b, cluster, strlen(cluster) + 1);
	buf_putstr(&b, uid);
	buf_putc(&b, '\0');
	buf_put(&b, exp, KEY_EXP);
	digest_hmac(key, sizeof key, buf_p(&b), buf_len(&b), out);
	buf_fini(&b);
}

void
upload_key_make(const uint8_t link_key[32], const char *cluster, struct str uid,
    int64_t exp_ms, char out[UPLOAD_KEY_MAX])
{
	uint8_t raw[KEY_EXP + HMAC_LEN];
	struct buf b;
	int i;

	for (i = 0; i < KEY_EXP; i++)
		raw[i] = (uint8_t)((uint64_t)exp_ms >> 8 * (KEY_EXP - 1 - i));
	key_mac(link_key, cluster, uid, raw, raw + KEY_EXP);
	buf_init(&b, 256);
	buf_putstr(&b, uid);
	buf_putc(&b, '.');
	digest_base64url(raw, KEY_EXP + KEY_MAC, &b);
	str_copy(out, UPLOAD_KEY_MAX, buf_str(&b));
	buf_fini(&b);
}

int
upload_key_check(const uint8_t link_key[32], const char *cluster,
    struct str key, int64_t now_ms, char uid[ID_MAX + 1])
{
	uint8_t raw[KEY_EXP + KEY_MAC], mac[HMAC_LEN];
	uint64_t exp = 0;
	struct str who;
	struct buf b;
	int err, i;

	if (key.len >= UPLOAD_KEY_MAX || !str_next(&key, '.', &who) ||
	    !id_is_word(who))
		return ERR_DENIED;
	buf_init(&b, 256);
	err = digest_base64url_decode(key, &b);
	if (err == 0 && buf_len(&b) == sizeof raw)
		memcpy(raw, buf_p(&b), sizeof raw);
	else
		err = ERR_DENIED;
	buf_fini(&b);
	if (err != 0)
		return ERR_DENIED;
	key_mac(link_key, cluster, who, raw, mac);
	if (!digest_equal(mac, raw + KEY_EXP, KEY_MAC))
		return ERR_DENIED;
	for (i = 0; i < KEY_EXP; i++)
		exp = exp << 8 | raw[i];
	str_copy(uid, ID_MAX + 1, who);
	return (uint64_t)now_ms < exp ? OK : ERR_TIMEOUT;
}
