/* SPDX-License-Identifier: MIT */
/*
 * Keys of `move`, as a client shows them: of what was not made with the link
 * key none is good, and one that was made is good as it is and in no other
 * form, nor for another uid.
 */
#include <stdlib.h>
#include <string.h>

#include "msg_server/move_key.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[32] = {1, 2, 3};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct move_claim made = {.cn = size, .exp_ms = 2}, got;
	char text[MOVE_KEY_MAX], bent[MOVE_KEY_MAX];
	struct str uid = str_n(data, size < 32 ? size : 32);

	check(move_key_check(key, "cchat", STR_LIT("1001"), 1,
		  str_n(data, size), &got) != 0);
	move_key_make(key, "cchat", uid, &made, text);
	check(move_key_check(key, "cchat", uid, 1, str_of(text), &got) == 0);
	check(got.cn == made.cn && got.exp_ms == made.exp_ms && !got.away);
	/* the input as a mask over it */
	memcpy(bent, text, sizeof bent);
	for (size_t i = 0; i < size && i < MOVE_KEY_MAX - 1; i++)
		bent[i] ^= (char)data[i];
	check(memcmp(bent, text, sizeof bent) == 0 ||
	      move_key_check(key, "cchat", uid, 1,
		  str_n(bent, MOVE_KEY_MAX - 1), &got) != 0);
	return 0;
}
