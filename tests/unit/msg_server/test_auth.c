/* SPDX-License-Identifier: MIT */
/*
 * Tokens (msg_server/auth.h): only what was signed with a live key, in the
 * pinned form, and in its time, is anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "msg_server/auth.h"
#include "shared/base/digest.h"

static struct auth auth = {.mode = AUTH_OPEN, .n_keys = 1};
static const int64_t now = 1763660000123;

/* a token of any head and body, signed with key k */
static struct str
signed_token(struct buf *out, const char *head, const char *body, unsigned k)
{
	uint8_t mac[HMAC_LEN];

	buf_init(out, 65536);
	digest_base64url(head, strlen(head), out);
	buf_putc(out, '.');
	digest_base64url(body, strlen(body), out);
	digest_hmac(auth.key[k], 32, buf_p(out), buf_len(out), mac);
	buf_putc(out, '.');
	digest_base64url(mac, sizeof mac, out);
	return buf_str(out);
}

static int
verdict(const char *head, const char *body, struct auth_claims *c)
{
	struct buf b;
	int err = auth_verify(&auth, signed_token(&b, head, body, 0), now, c);

	buf_fini(&b);
	return err;
}

#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static int
setup(void **state)
{
	(void)state;
	memset(auth.key[0], 7, 32);
	memset(auth.key[1], 9, 32);
	auth.n_keys = 1;
	return 0;
}

static void
test_what_we_mint_is_good(void **state)
{
	struct auth_claims in = {.exp_ms = now + 1000, .adm = true}, out;
	struct buf b;

	(void)state;
	str_copy(in.uid, sizeof in.uid, STR_LIT("1000000000000001"));
	str_copy(in.name, sizeof in.name, STR_LIT("Amy \"☃\""));
	str_copy(in.dev, sizeof in.dev, STR_LIT("web-1"));
	buf_init(&b, 4096);
	auth_mint(&auth, &in, &b);
	assert_int_equal(auth_verify(&auth, buf_str(&b), now, &out), 0);
	assert_string_equal(out.uid, in.uid);
	assert_string_equal(out.name, in.name);
	assert_string_equal(out.dev, "web-1");
	assert_true(out.adm);
	assert_int_equal(out.exp_ms, (now + 1000) / 1000 * 1000);
	buf_fini(&b);
}

static void
test_each_changed_byte_is_refused(void **state)
{
	struct auth_claims in = {.uid = "42"}, out;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 4096);
	auth_mint(&auth, &in, &b);
	/* the last character of a base64url text has spare bits: it is checked
	 * to be canonical by the decoder, or changes the MAC */
	for (i = 0; i + 1 < buf_len(&b); i++) {
		b.data[i] ^= 1;
		assert_int_equal(
		    auth_verify(&auth, buf_str(&b), now, &out), ERR_DENIED);
		b.data[i] ^= 1;
	}
	assert_int_equal(auth_verify(&auth, buf_str(&b), now, &out), 0);
	for (i = 0; i < buf_len(&b); i++)
		assert_int_equal(
		    auth_verify(&auth, str_n(b.data, i), now, &out),
		    ERR_DENIED);
	buf_putc(&b, '.');
	assert_int_equal(
	    auth_verify(&auth, buf_str(&b), now, &out), ERR_DENIED);
	buf_fini(&b);
}

static void
test_the_header_does_not_choose(void **state)
{
	static const char *const heads[] = {"{\"alg\":\"none\"}",
	    "{\"alg\":\"HS512\"}", "{\"alg\":\"EdDSA\"}", "{\"alg\":1}", "{}",
	    "[]", "null", "x", "{\"alg\":\"hs256\"}",
	    "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
	    "{\"alg\":\"HS256\",\"alg\":\"HS256\"}"};
	struct auth_claims c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(heads); i++)
		assert_int_equal(
		    verdict(heads[i], "{\"sub\":\"1\"}", &c), ERR_DENIED);
	assert_int_equal(verdict(HEAD, "{\"sub\":\"1\"}", &c), 0);
	/* "none" with an empty signature */
	assert_int_equal(
	    auth_verify(&auth, STR_LIT("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."),
		now, &c),
	    ERR_DENIED);
}

static void
test_claims(void **state)
{
	static const char *const bad[] = {"{}", "[]", "{\"sub\":null}",
	    "{\"sub\":\"\"}", "{\"sub\":\"a b\"}", "{\"sub\":true}",
	    "{\"sub\":\"123456789012345678901234567890123\"}",
	    "{\"sub\":\"1\",\"exp\":\"9999999999\"}",
	    "{\"sub\":\"1\",\"exp\":-1}", "{\"sub\":\"1\",\"exp\":1e300}",
	    "{\"sub\":\"1\",\"nbf\":1763660061}"};
	struct auth_claims c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(verdict(HEAD, bad[i], &c), ERR_DENIED);
	assert_int_equal(verdict(HEAD, "{\"sub\":17}", &c), 0);
	assert_string_equal(c.uid, "17");
	assert_int_equal(c.exp_ms, 0);
	/* a name nobody could type is none */
	assert_int_equal(
	    verdict(HEAD, "{\"sub\":\"1\",\"name\":\"a\\u0000b\"}", &c), 0);
	assert_string_equal(c.name, "");
}

/* where the site mints the tokens, each must end some day */
static void
test_site_tokens_expire(void **state)
{
	struct auth_claims c;

	(void)state;
	auth.mode = AUTH_TOKEN;
	assert_int_equal(verdict(HEAD, "{\"sub\":\"1\"}", &c), ERR_DENIED);
	assert_int_equal(
	    verdict(HEAD, "{\"sub\":\"1\",\"exp\":9999999999}", &c), 0);
	auth.mode = AUTH_OPEN;
}

/* a list we can't keep or understand gives no permission at all */
static void
test_rooms(void **state)
{
	static const char *const bad[] = {"{\"sub\":\"1\",\"rooms\":\"12\"}",
	    "{\"sub\":\"1\",\"rooms\":null}", "{\"sub\":\"1\",\"rooms\":[12]}",
	    "{\"sub\":\"1\",\"rooms\":[\"a b\"]}"};
	struct auth_claims c;
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(verdict(HEAD, bad[i], &c), ERR_DENIED);
	assert_int_equal(verdict(HEAD, "{\"sub\":\"1\"}", &c), 0);
	assert_false(c.has_rooms);
	assert_int_equal(verdict(HEAD, "{\"sub\":\"1\",\"rooms\":[]}", &c), 0);
	assert_true(c.has_rooms);
	assert_string_equal(c.rooms, "");
	assert_int_equal(
	    verdict(HEAD, "{\"sub\":\"1\",\"rooms\":[\"12\",\"lobby\"]}", &c),
	    0);
	assert_string_equal(c.rooms, "12 lobby ");
	buf_init(&b, 65536);
	buf_puts(&b, "{\"sub\":\"1\",\"rooms\":[\"a\"");
	for (i = 0; i < 600; i++)
		buf_puts(&b, ",\"a\"");
	buf_put(&b, "]}", 3);
	assert_int_equal(
	    verdict(HEAD, (const char *)buf_p(&b), &c), ERR_DENIED);
	buf_fini(&b);
}

/* 60 s of skew, to the second and one beyond; nbf likewise */
static void
test_time(void **state)
{
	struct auth_claims c;

	(void)state;
	assert_int_equal(
	    verdict(HEAD, "{\"sub\":\"1\",\"exp\":1763659941}", &c), 0);
	assert_int_equal(
	    verdict(HEAD, "{\"sub\":\"1\",\"exp\":1763659940}", &c),
	    ERR_TIMEOUT);
	assert_int_equal(
	    verdict(HEAD, "{\"sub\":\"1\",\"nbf\":1763660060}", &c), 0);
}

static void
test_two_keys_may_be_live(void **state)
{
	struct auth_claims c;
	struct buf b;
	struct str t = signed_token(&b, HEAD, "{\"sub\":\"1\"}", 1);

	(void)state;
	assert_int_equal(auth_verify(&auth, t, now, &c), ERR_DENIED);
	auth.n_keys = 2;
	assert_int_equal(auth_verify(&auth, t, now, &c), 0);
	auth.n_keys = 0;
	assert_int_equal(auth_verify(&auth, t, now, &c), ERR_DENIED);
	buf_fini(&b);
}

static void
test_drawn_uids(void **state)
{
	char uid[ID_MAX + 1];
	uint64_t n;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		auth_draw_uid(2, uid);
		assert_true(auth_uid_is_drawn(str_of(uid)));
		auth_draw_uid(1, uid);
		assert_int_equal(str_u64(str_of(uid), &n), 0);
		assert_in_range(n, 1000000, 9999999);
		assert_false(auth_uid_is_drawn(str_of(uid)));
	}
	assert_true(auth_uid_is_drawn(STR_LIT("1000000000000000")));
	assert_true(auth_uid_is_drawn(STR_LIT("9007199254740991")));
	assert_false(auth_uid_is_drawn(STR_LIT("999999999999999")));
	assert_false(auth_uid_is_drawn(STR_LIT("9007199254740992")));
	assert_false(auth_uid_is_drawn(STR_LIT("01000000000000000")));
	assert_false(auth_uid_is_drawn(STR_LIT("100000000000000a")));
	assert_false(auth_uid_is_drawn(STR_LIT("amy")));
	assert_false(auth_uid_is_drawn(STR_NONE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_what_we_mint_is_good, setup),
	    cmocka_unit_test_setup(test_each_changed_byte_is_refused, setup),
	    cmocka_unit_test_setup(test_the_header_does_not_choose, setup),
	    cmocka_unit_test_setup(test_claims, setup),
	    cmocka_unit_test_setup(test_rooms, setup),
	    cmocka_unit_test_setup(test_site_tokens_expire, setup),
	    cmocka_unit_test_setup(test_time, setup),
	    cmocka_unit_test_setup(test_two_keys_may_be_live, setup),
	    cmocka_unit_test_setup(test_drawn_uids, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
