/* SPDX-License-Identifier: MIT */
/*
 * Making and checking the keys of `move`. See move_key.h; who gets one is
 * drain.c's business, what it is worth cmd_login.c's.
 */
#include <string.h>

#include "msg_server/move_key.h"
#include "shared/base/digest.h"

enum { MOVE_BODY = 17, MOVE_MAC = 16, MOVE_AWAY = 1 };

static void
move_put_u64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t
move_get_u64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void
move_mac(const uint8_t link_key[32], const char *cluster, struct str uid,
    const uint8_t body[MOVE_BODY], uint8_t out[HMAC_LEN])
{
	static const char domain[] = "cchat move 1";
	uint8_t key[HMAC_LEN];
	struct buf b;

	/* a key of its own: no other MAC under the link key can be one of ours
	 */
	digest_hmac(link_key, 32, domain, sizeof domain, key);
	buf_init(&b, 1024);
	buf_put(&b, cluster, strlen(cluster) + 1);
	buf_putstr(&b, uid);
	buf_putc(&b, '\0');
	buf_put(&b, body, MOVE_BODY);
	digest_hmac(key, sizeof key, buf_p(&b), buf_len(&b), out);
	buf_fini(&b);
	explicit_bzero(key, sizeof key);
}

void
move_key_make(const uint8_t link_key[32], const char *cluster, struct str uid,
    const struct move_claim *claim, char out[MOVE_KEY_MAX])
{
	uint8_t raw[MOVE_BODY + HMAC_LEN];
	struct buf b;

	move_put_u64(raw, claim->cn);
	move_put_u64(raw + 8, (uint64_t)claim->exp_ms);
	raw[16] = claim->away ? MOVE_AWAY : 0;
	move_mac(link_key, cluster, uid, raw, raw + MOVE_BODY);
	buf_init(&b, 256);
	digest_base64url(raw, MOVE_BODY + MOVE_MAC, &b);
	str_copy(out, MOVE_KEY_MAX, buf_str(&b));
	buf_fini(&b);
}

int
move_key_check(const uint8_t link_key[32], const char *cluster, struct str uid,
    int64_t now_ms, struct str key, struct move_claim *out)
{
	uint8_t raw[MOVE_BODY + MOVE_MAC], mac[HMAC_LEN];
	struct buf b;
	int err;

	if (key.len != MOVE_KEY_MAX - 1)
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
	move_mac(link_key, cluster, uid, raw, mac);
	if (!digest_equal(mac, raw + MOVE_BODY, MOVE_MAC))
		return ERR_DENIED;
	out->cn = move_get_u64(raw);
	out->exp_ms = (int64_t)move_get_u64(raw + 8);
	out->away = (raw[16] & MOVE_AWAY) != 0;
	return now_ms < out->exp_ms ? OK : ERR_TIMEOUT;
}
