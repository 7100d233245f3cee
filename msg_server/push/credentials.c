/* SPDX-License-Identifier: MIT */
/*
 * Credentials as they are stored, compared and changed; see credentials.h. It
 * asks no log and knows no session.
 */
#include "msg_server/push/credentials.h"

#include "shared/base/digest.h"
#include "shared/proto/json.h"

static void
credentials_digest(
    struct str uid, struct str token, char out[CREDENTIAL_DIGEST + 1])
{
	uint8_t mac[HMAC_LEN];
	struct buf b;

	digest_hmac(uid.p, uid.len, token.p, token.len, mac);
	buf_init(&b, CREDENTIAL_DIGEST + 1);
	digest_base64url(mac, sizeof mac, &b);
	str_copy(out, CREDENTIAL_DIGEST + 1, buf_str(&b));
	buf_fini(&b);
}

static bool
credentials_read_one(const char *source, const json_t *v, struct credential *c)
{
	const json_t *digest = json_array_get(v, 0);
	const json_t *expires = json_array_get(v, 1);

	if (!id_is_word(str_of(source)) || !json_is_string(digest) ||
	    json_string_length(digest) != CREDENTIAL_DIGEST ||
	    !json_is_integer(expires))
		return false;
	str_copy(c->source, sizeof c->source, str_of(source));
	str_copy(
	    c->digest, sizeof c->digest, str_of(json_string_value(digest)));
	c->expires = json_integer_value(expires);
	return true;
}

int
credentials_read(struct str val, struct credentials *c)
{
	const char *source;
	json_t *obj, *v;
	int err;
	bool ok = true;

	c->n = 0;
	if (!str_is_set(val))
		return 0;
	obj = json_read(val, &err);
	if (!json_is_object(obj) || json_object_size(obj) > CREDENTIALS_MAX)
		ok = false;
	if (ok)
		json_object_foreach(obj, source, v) ok =
		    ok && credentials_read_one(source, v, &c->list[c->n++]);
	json_decref(obj);
	return ok ? 0 : ERR_INVALID;
}

void
credentials_write(const struct credentials *c, struct buf *out)
{
	struct jw w;
	unsigned i;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	for (i = 0; i < c->n; i++) {
		jw_arr(&w, c->list[i].source);
		jw_cstr(&w, NULL, c->list[i].digest);
		jw_int(&w, NULL, c->list[i].expires);
		jw_arr_end(&w);
	}
	jw_obj_end(&w);
}

static struct credential *
credentials_find(struct credentials *c, struct str source)
{
	unsigned i;

	for (i = 0; i < c->n; i++)
		if (str_eqc(source, c->list[i].source))
			return &c->list[i];
	return NULL;
}

int
credentials_set(struct credentials *c, struct str uid, struct str source,
    struct str token, int64_t expires)
{
	struct credential *one = credentials_find(c, source);

	if (one == NULL && c->n == CREDENTIALS_MAX)
		return ERR_LIMIT;
	if (one == NULL)
		one = &c->list[c->n++];
	str_copy(one->source, sizeof one->source, source);
	credentials_digest(uid, token, one->digest);
	one->expires = expires;
	return 0;
}

bool
credentials_drop(struct credentials *c, struct str source)
{
	struct credential *one = credentials_find(c, source);

	if (one == NULL)
		return false;
	*one = c->list[--c->n];
	return true;
}

void
credentials_keep(struct credentials *c, struct str source)
{
	struct credential *one = credentials_find(c, source);

	if (one != NULL)
		c->list[0] = *one;
	c->n = one != NULL;
}

const struct credential *
credentials_match(const struct credentials *c, struct str uid, struct str token)
{
	const struct credential *found = NULL;
	char digest[CREDENTIAL_DIGEST + 1];
	unsigned i;

	credentials_digest(uid, token, digest);
	for (i = 0; i < c->n; i++)
		if (digest_equal(
			c->list[i].digest, digest, CREDENTIAL_DIGEST) &&
		    found == NULL)
			found = &c->list[i];
	return found;
}

bool
credential_is_live(const struct credential *c, int64_t now)
{
	return c->expires == 0 || c->expires >= now;
}
