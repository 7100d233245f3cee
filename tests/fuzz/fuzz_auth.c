/* SPDX-License-Identifier: MIT */
/*
 * Login tokens. First as they come: nothing that was not signed is anybody.
 * Then as the claims of a signed one: who is let in has a uid and a name that
 * the rest of the program can rely on.
 */
#include <stdlib.h>

#include "msg_server/auth.h"
#include "shared/base/digest.h"
#include "shared/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_claims(const struct auth *auth, const uint8_t *data, size_t size)
{
	static const char head[] = "{\"alg\":\"HS256\"}";
	struct auth_claims c;
	uint8_t mac[HMAC_LEN];
	struct buf b;

	buf_init(&b, 65536);
	digest_base64url(head, sizeof head - 1, &b);
	buf_putc(&b, '.');
	digest_base64url(data, size, &b);
	digest_hmac(auth->key[0], 32, buf_p(&b), buf_len(&b), mac);
	buf_putc(&b, '.');
	digest_base64url(mac, sizeof mac, &b);
	if (auth_verify(auth, buf_str(&b), 1763660000123, &c) == 0) {
		check(id_is_word(str_of(c.uid)));
		check(c.dev[0] == '\0' || id_is_word(str_of(c.dev)));
		check(utf8_valid(c.name, strlen(c.name)));
		check(strlen(c.rooms) < sizeof c.rooms);
		check(c.has_rooms || c.rooms[0] == '\0');
	}
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auth auth = {.n_keys = 1, .key = {{1, 2, 3}}};
	struct auth_claims c;

	check(auth_verify(&auth, str_n(data, size), 1763660000123, &c) != 0);
	if (size < 3000)
		fuzz_claims(&auth, data, size);
	return 0;
}
