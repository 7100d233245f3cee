/* SPDX-License-Identifier: MIT */
/*
 * The small grammars that names, tokens and numbers of strangers go through:
 * what is taken comes back as it was, what is refused leaves nothing behind.
 */
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/digest.h"
#include "shared/base/err.h"
#include "shared/base/id.h"
#include "tests/fuzz/fuzz.h"

#define MUST(x) ((x) ? (void)0 : abort())

static void
fuzz_chan(struct str s)
{
	struct chan_name c, again = {0};
	struct str peer;

	if (chan_parse(s, &c) != OK)
		return;
	MUST(str_eq(chan_str(&c), s) && c.s[c.len] == '\0');
	switch (chan_kind(s)) {
	case CHAN_ROOM:
		again = chan_room(chan_id(s));
		break;
	case CHAN_USER:
		again = chan_user(chan_id(s));
		break;
	case CHAN_PAIR:
		peer = chan_peer(s, STR_NONE);
		MUST(id_is_word(peer));
		again = chan_pair(peer, chan_peer(s, peer));
		break;
	case CHAN_CLUSTER:
		again = c;
		break;
	}
	MUST(str_eq(chan_str(&again), s));
}

static void
fuzz_base64url(struct str s)
{
	struct buf raw, text;

	buf_init(&raw, s.len);
	buf_init(&text, 2 * s.len + 4);
	if (digest_base64url_decode(s, &raw) == OK) {
		digest_base64url(buf_p(&raw), buf_len(&raw), &text);
		MUST(str_eq(buf_str(&text), s));
	} else {
		MUST(buf_len(&raw) == 0);
	}
	buf_fini(&raw);
	buf_fini(&text);
}

static void
fuzz_number(struct str s)
{
	char text[24];
	uint64_t v;

	if (str_u64(s, &v) != OK)
		return;
	snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	while (s.len > 1 && s.p[0] == '0') {
		s.p++;
		s.len--;
	}
	MUST(str_eqc(s, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_n(data, size), rest = s, part;
	uint8_t raw[32];
	size_t parts = 0, bytes = 0;

	fuzz_chan(s);
	fuzz_base64url(s);
	fuzz_number(s);
	MUST(!id_is_word(s) || (id_is_cid(s) && s.len <= ID_MAX));
	MUST(!id_is_group(s) || id_is_word(s));
	(void)!digest_unhex(s, raw, sizeof raw);
	while (str_next(&rest, ',', &part)) {
		parts++;
		bytes += part.len;
	}
	MUST(size == 0 || bytes + parts == size + 1);
	MUST(str_trim(s).len <= s.len);
	MUST(
	    digest_crc32c(0, data, size) == digest_crc32c_plain(0, data, size));
	return 0;
}
