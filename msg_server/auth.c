/* SPDX-License-Identifier: MIT */
/*
 * Tokens: JSON Web Tokens of one pinned form, {"alg":"HS256"}, made and
 * checked without any state. Whose token a login needs is cmd_login.c's
 * question.
 */
#include <inttypes.h>
#include <stdio.h>

#include "msg_server/auth.h"
#include "shared/base/digest.h"
#include "shared/base/utf8.h"
#include "shared/proto/json.h"

enum { AUTH_SKEW_MS = 60000, AUTH_TOKEN_MAX = 4096 };

#define AUTH_DRAWN_FIRST 1000000000000000ULL /* 10^15 */
#define AUTH_DRAWN_END	 9007199254740992ULL /* 2^53 */

static bool
auth_signature_is_good(
    const struct auth *a, struct str signed_part, struct str sig)
{
	uint8_t mac[HMAC_LEN];
	struct buf got;
	bool good = false;
	unsigned i;

	buf_init(&got, 64);
	if (digest_base64url_decode(sig, &got) == 0 &&
	    buf_len(&got) == HMAC_LEN)
		for (i = 0; i < a->n_keys; i++) {
			digest_hmac(a->key[i], sizeof a->key[i], signed_part.p,
			    signed_part.len, mac);
			good |= digest_equal(mac, buf_p(&got), HMAC_LEN);
		}
	buf_fini(&got);
	return good;
}

/* a part of the token as a JSON object, or NULL */
static json_t *
auth_part(struct str part)
{
	struct buf text;
	json_t *obj = NULL;
	int err;

	buf_init(&text, AUTH_TOKEN_MAX);
	if (digest_base64url_decode(part, &text) == 0)
		obj = json_read(buf_str(&text), &err);
	buf_fini(&text);
	if (obj != NULL && !json_is_object(obj)) {
		json_decref(obj);
		obj = NULL;
	}
	return obj;
}

/* seconds of a claim as ms; 0 when absent; false when it is no time */
static bool
auth_time(const json_t *claims, const char *key, int64_t *ms)
{
	const json_t *v = json_object_get(claims, key);
	double s;

	*ms = 0;
	if (v == NULL)
		return true;
	if (!json_is_number(v))
		return false;
	s = json_number_value(v);
	if (!(s > 0 && s < 9e12))
		return false;
	*ms = (int64_t)(s * 1000);
	return true;
}

/* "rooms": a list that can't be kept or understood is no permission */
static bool
auth_read_rooms(const json_t *claims, struct auth_claims *out)
{
	const json_t *rooms = json_object_get(claims, "rooms"), *v;
	size_t i, len = 0;
	struct str rid;

	if (rooms == NULL)
		return true;
	if (!json_is_array(rooms))
		return false;
	out->has_rooms = true;
	json_array_foreach(rooms, i, v)
	{
		rid = str_n(json_string_value(v), json_string_length(v));
		if (!json_is_string(v) || !id_is_word(rid) ||
		    len + rid.len + 2 > sizeof out->rooms)
			return false;
		memcpy(out->rooms + len, rid.p, rid.len);
		len += rid.len;
		out->rooms[len++] = ' ';
	}
	return true;
}

static int
auth_read_claims(const json_t *claims, int64_t now_ms, struct auth_claims *out)
{
	char tmp[24];
	struct str sub = json_id(claims, "sub", tmp);
	struct str dev = json_str(claims, "dev");
	struct str name = json_str(claims, "name");
	struct buf clean;
	int64_t nbf;

	memset(out, 0, sizeof *out);
	if (!id_is_word(sub) || !auth_read_rooms(claims, out) ||
	    !auth_time(claims, "exp", &out->exp_ms) ||
	    !auth_time(claims, "nbf", &nbf))
		return ERR_DENIED;
	str_copy(out->uid, sizeof out->uid, sub);
	if (id_is_word(dev))
		str_copy(out->dev, sizeof out->dev, dev);
	if (name.len > 0 && name.len <= 4 * NAME_MAX_BYTES) {
		buf_init(&clean, 4 * NAME_MAX_BYTES);
		if (utf8_clean_name(name, &clean) == 0 &&
		    buf_len(&clean) <= NAME_MAX_BYTES)
			str_copy(out->name, sizeof out->name, buf_str(&clean));
		buf_fini(&clean);
	}
	out->adm = json_bool(claims, "adm", false);
	if (nbf > 0 && now_ms < nbf - AUTH_SKEW_MS)
		return ERR_DENIED;
	if (out->exp_ms > 0 && now_ms >= out->exp_ms + AUTH_SKEW_MS)
		return ERR_TIMEOUT;
	return 0;
}

int
auth_verify(const struct auth *a, struct str token, int64_t now_ms,
    struct auth_claims *out)
{
	struct str rest = token, head, body, sig, signed_part;
	json_t *obj;
	int err;

	if (token.len == 0 || token.len > AUTH_TOKEN_MAX || a->n_keys == 0)
		return ERR_DENIED;
	if (!str_next(&rest, '.', &head) || !str_next(&rest, '.', &body) ||
	    !str_next(&rest, '.', &sig) || head.len == 0 || body.len == 0 ||
	    sig.len == 0 || sig.p + sig.len != token.p + token.len)
		return ERR_DENIED;
	signed_part = str_n(token.p, (size_t)(sig.p - token.p) - 1);
	if (!auth_signature_is_good(a, signed_part, sig))
		return ERR_DENIED;
	/* the header does not choose: it must say what we have pinned */
	obj = auth_part(head);
	if (obj == NULL || !str_eqc(json_str(obj, "alg"), "HS256") ||
	    json_object_get(obj, "crit") != NULL) {
		json_decref(obj);
		return ERR_DENIED;
	}
	json_decref(obj);
	obj = auth_part(body);
	if (obj == NULL)
		return ERR_DENIED;
	err = auth_read_claims(obj, now_ms, out);
	json_decref(obj);
	/* a token of the site that never ends could never be taken back */
	if (err == 0 && a->mode == AUTH_TOKEN && out->exp_ms == 0)
		err = ERR_DENIED;
	return err;
}

void
auth_mint(
    const struct auth *a, const struct auth_claims *claims, struct buf *out)
{
	static const char head[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	uint8_t mac[HMAC_LEN];
	size_t start = buf_len(out);
	struct buf body;
	struct jw w;

	buf_init(&body, AUTH_TOKEN_MAX);
	jw_init(&w, &body);
	jw_obj(&w, NULL);
	jw_cstr(&w, "sub", claims->uid);
	if (claims->name[0] != '\0')
		jw_cstr(&w, "name", claims->name);
	if (claims->dev[0] != '\0')
		jw_cstr(&w, "dev", claims->dev);
	if (claims->exp_ms > 0)
		jw_int(&w, "exp", claims->exp_ms / 1000);
	if (claims->adm)
		jw_bool(&w, "adm", true);
	jw_obj_end(&w);
	digest_base64url(head, sizeof head - 1, out);
	buf_putc(out, '.');
	digest_base64url(buf_p(&body), buf_len(&body), out);
	digest_hmac(a->key[0], sizeof a->key[0], buf_p(out) + start,
	    buf_len(out) - start, mac);
	buf_putc(out, '.');
	digest_base64url(mac, sizeof mac, out);
	buf_fini(&body);
}

void
auth_draw_uid(unsigned level, char out[ID_MAX + 1])
{
	uint64_t uid;

	if (level < 2)
		uid = 1000000 + digest_random_below(9000000);
	else
		uid = AUTH_DRAWN_FIRST +
		      digest_random_below(AUTH_DRAWN_END - AUTH_DRAWN_FIRST);
	snprintf(out, ID_MAX + 1, "%" PRIu64, uid);
}

bool
auth_uid_is_drawn(struct str uid)
{
	uint64_t n;

	/* the number of somebody's session: see dialect/number.h */
	if (str_starts(uid, STR_LIT("fd-")))
		return true;

	/* with leading zeros it is another name, which is never drawn */
	return uid.len == 16 && str_u64(uid, &n) == 0 &&
	       n >= AUTH_DRAWN_FIRST && n < AUTH_DRAWN_END;
}
