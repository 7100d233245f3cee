/* SPDX-License-Identifier: MIT */
/*
 * Making and checking the key of uploads. See key.h.
 */
#include <endian.h>

#include "msg_server/upload/key.h"
#include "shared/base/seal.h"

static struct seal
key_seal(const uint8_t link_key[32], const char *cluster, struct str uid)
{
	return (struct seal){link_key, "cchat upload 2", cluster, uid};
}

void
upload_key_make(const uint8_t link_key[32], const char *cluster, struct str uid,
    int64_t exp_ms, char out[UPLOAD_KEY_MAX])
{
	struct seal seal = key_seal(link_key, cluster, uid);
	uint64_t exp = htobe64((uint64_t)exp_ms);

	str_copy(out, ID_MAX + 1, uid);
	out[uid.len] = '.';
	seal_put(&seal, (const uint8_t *)&exp, sizeof exp, out + uid.len + 1);
}

_Static_assert(UPLOAD_KEY_MAX == ID_MAX + 1 + SEAL_TEXT(sizeof(uint64_t)),
    "room for the longest");

int
upload_key_check(const uint8_t link_key[32], const char *cluster,
    struct str key, int64_t now_ms, char uid[ID_MAX + 1])
{
	struct seal seal;
	struct str who;
	uint64_t exp;

	if (key.len >= UPLOAD_KEY_MAX || !str_next(&key, '.', &who) ||
	    !id_is_word(who))
		return ERR_DENIED;
	seal = key_seal(link_key, cluster, who);
	if (seal_get(&seal, key, (uint8_t *)&exp, sizeof exp) != 0)
		return ERR_DENIED;
	str_copy(uid, ID_MAX + 1, who);
	return (uint64_t)now_ms < be64toh(exp) ? OK : ERR_TIMEOUT;
}
