/* SPDX-License-Identifier: MIT */
/*
 * Access tokens and push objects of the sok framework; see push.h. It knows
 * no sockets, no log and no rights.
 */
#include "shared/proto/push.h"

#include "shared/base/digest.h"

enum { PUSH_DUMP = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) };

/* --- access tokens ------------------------------------------------------ */

static char
push_base64url(char c)
{
	return c == '+' ? '-' : c == '/' ? '_' : c;
}

int
push_token_read(struct str text, struct buf *out, struct push_token *t)
{
	char plain[2 * PUSH_TOKEN_MAX];
	struct str rest;
	size_t i;

	text = str_trim(text);
	while (text.len > 0 &&
	       (text.p[text.len - 1] == ',' || text.p[text.len - 1] == '='))
		text.len--;
	if (text.len > sizeof plain)
		return ERR_INVALID;
	for (i = 0; i < text.len; i++)
		plain[i] = push_base64url(text.p[i]);
	if (digest_base64url_decode(str_n(plain, text.len), out) != 0)
		return ERR_INVALID;
	rest = buf_str(out);
	if (!str_next(&rest, '.', &t->uid) || !str_next(&rest, '.', &t->token))
		return ERR_INVALID;
	/* "u.t." has three parts, too */
	if (t->token.p + t->token.len ==
	    (const char *)buf_p(out) + buf_len(out))
		return ERR_INVALID;
	if (!str_next(&rest, '.', &t->source))
		t->source = STR_LIT("");
	if (!id_is_word(t->uid) || t->token.len == 0 ||
	    t->token.len > PUSH_TOKEN_MAX)
		return ERR_INVALID;
	return 0;
}

/* --- writing ------------------------------------------------------------ */

void
push_put_string(struct buf *out, struct str s)
{
	size_t i, from = 0;

	buf_putc(out, '"');
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char *esc = strchr("\bb\ff\nn\rr\tt", c);

		if (c >= 0x20 && c != '"' && c != '\\' && c != '/')
			continue;
		buf_put(out, s.p + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\' || c == '/')
			buf_printf(out, "\\%c", c);
		else if (c != '\0' && esc != NULL)
			buf_printf(out, "\\%c", esc[1]);
		else
			buf_printf(out, "\\u%04x", c);
	}
	buf_put(out, s.p + from, s.len - from);
	buf_putc(out, '"');
}

static int
push_on_dump(const char *p, size_t n, void *arg)
{
	buf_put(arg, p, n);
	return buf_ok(arg) ? 0 : -1;
}

static void
push_put_json(struct buf *out, const json_t *v, size_t flags)
{
	if (json_dump_callback(v, push_on_dump, out, PUSH_DUMP | flags) != 0)
		out->failed = true;
}

/* --- objects ------------------------------------------------------------ */

struct str
push_uid(const json_t *obj, const char *key, char tmp[24])
{
	struct str uid = json_id(obj, key, tmp);

	return id_is_word(uid) ? uid : STR_NONE;
}

/* PHP's empty() */
static bool
push_is_empty(const json_t *v)
{
	if (v == NULL || json_is_null(v) || json_is_false(v))
		return true;
	if (json_is_string(v))
		return json_string_length(v) == 0 ||
		       strcmp(json_string_value(v), "0") == 0;
	if (json_is_number(v))
		return json_number_value(v) == 0;
	return json_is_array(v)	   ? json_array_size(v) == 0
	       : json_is_object(v) ? json_object_size(v) == 0
				   : false;
}

static bool
push_has_keys(const json_t *obj, const char *const *keys, size_t n)
{
	void *it = json_object_iter((json_t *)(uintptr_t)obj);
	size_t i;

	if (json_object_size(obj) != n)
		return false;
	for (i = 0; i < n; i++) {
		if (strcmp(json_object_iter_key(it), keys[i]) != 0)
			return false;
		it = json_object_iter_next((json_t *)(uintptr_t)obj, it);
	}
	return true;
}

/* the text of an object that has nothing else to say; or absent */
static struct str
push_plain(const json_t *obj)
{
	static const char *const outer[] = {"to_uid", "type", "content"};
	static const char *const inner[] = {"type", "value"};
	const json_t *content = json_object_get(obj, "content");
	struct str value;

	if (!push_has_keys(obj, outer, ARRAY_LEN(outer)) ||
	    !json_is_object(content) ||
	    !push_has_keys(content, inner, ARRAY_LEN(inner)) ||
	    !json_is_string(json_object_get(obj, "to_uid")) ||
	    !str_eqc(json_str(content, "type"), "text"))
		return STR_NONE;
	value = json_str(content, "value");
	return value.len > 0 ? value : STR_NONE;
}

/* clients have "chat" alone; a back end's word is the site's own */
static bool
push_is_routed(struct str type, bool whole)
{
	return whole ? type.len > 0 : str_eqc(type, "chat");
}

int
push_body(const json_t *obj, bool whole, struct buf *out, bool *json)
{
	const json_t *content = json_object_get(obj, "content");
	struct str text;
	struct buf b;
	int err = 0;

	if (!json_is_object(obj) || push_is_empty(content) ||
	    !push_is_routed(json_str(obj, "type"), whole))
		return ERR_INVALID;
	text = json_is_object(content) ? json_str(content, "value")
				       : json_str(obj, "content");
	if (text.len > PUSH_TEXT_MAX)
		return ERR_LIMIT;
	text = whole ? STR_NONE : push_plain(obj);
	*json = !str_is_set(text);
	if (!*json) {
		buf_putstr(out, text);
		return buf_ok(out) ? 0 : ERR_LIMIT;
	}
	buf_init(&b, PUSH_BODY_MAX);
	push_put_json(&b, obj, 0);
	if (buf_ok(&b))
		buf_put(out, buf_p(&b), buf_len(&b));
	else
		err = ERR_LIMIT;
	buf_fini(&b);
	return err != 0 || !buf_ok(out) ? ERR_LIMIT : 0;
}

void
push_text(struct str body, struct buf *out)
{
	int err;
	json_t *obj = json_read(body, &err);
	const json_t *content = json_object_get(obj, "content"), *value;

	value = json_is_object(content) ? json_object_get(content, "value")
					: content;
	if (json_is_string(value))
		buf_put(
		    out, json_string_value(value), json_string_length(value));
	else if (content != NULL)
		push_put_json(out, content, 0);
	else
		buf_putstr(out, body);
	json_decref(obj);
}

/* --- what clients see --------------------------------------------------- */

int64_t
push_id(int64_t ts_ms, uint64_t seq)
{
	return ts_ms / 1000 * 10000 + (int64_t)(seq % 10000);
}

static void
push_key(struct buf *out, const char *key)
{
	if (buf_len(out) > 0 && buf_p(out)[buf_len(out) - 1] != '{')
		buf_putc(out, ',');
	push_put_string(out, str_of(key));
	buf_putc(out, ':');
}

static void
push_put_content(const struct push_item *it, const json_t *obj, struct buf *out)
{
	push_key(out, "content");
	if (obj != NULL) {
		push_put_json(
		    out, json_object_get(obj, "content"), JSON_ESCAPE_SLASH);
		return;
	}
	buf_puts(out, "{\"type\":");
	push_put_string(out, str_of(it->kind));
	buf_puts(out, ",\"value\":");
	push_put_string(out, it->body);
	buf_putc(out, '}');
}

static void
push_put_id(const struct push_item *it, const json_t *obj, struct buf *out)
{
	const json_t *id = obj != NULL ? json_object_get(obj, "id") : NULL;

	push_key(out, "id");
	if (id != NULL)
		push_put_json(out, id, JSON_ESCAPE_SLASH);
	else
		buf_printf(out, "%lld", (long long)push_id(it->ts, it->seq));
}

static void
push_unread(const struct push_item *it, const json_t *obj, struct buf *out)
{
	push_put_id(it, obj, out);
	push_key(out, "to_uid");
	push_put_string(out, it->to_uid);
	push_key(out, "uid");
	push_put_string(out, it->uid);
	push_key(out, "type");
	push_put_string(
	    out, obj != NULL ? json_str(obj, "type") : STR_LIT("chat"));
	push_key(out, "state");
	buf_putc(out, '0');
	push_key(out, "time");
	buf_printf(out, "%lld", (long long)(it->ts / 1000));
	push_put_content(it, obj, out);
}

/* the object's own keys, in their order */
static void
push_own(const struct push_item *it, const json_t *obj, struct buf *out)
{
	json_t *o = (json_t *)(uintptr_t)obj;
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		push_key(out, key);
		if (!it->whole && strcmp(key, "uid") == 0)
			push_put_string(out, it->uid);
		else if (strcmp(key, "state") == 0)
			buf_putc(out, '1');
		else
			push_put_json(out, v, JSON_ESCAPE_SLASH);
	}
}

static void
push_live(const struct push_item *it, const json_t *obj, struct buf *out)
{
	if (obj != NULL) {
		push_own(it, obj, out);
	} else {
		push_key(out, "to_uid");
		push_put_string(out, it->to_uid);
		push_key(out, "type");
		buf_puts(out, "\"chat\"");
		push_put_content(it, NULL, out);
	}
	if (json_object_get(obj, "uid") == NULL &&
	    (obj == NULL || !it->whole)) {
		push_key(out, "uid");
		push_put_string(out, it->uid);
	}
	if (json_object_get(obj, "state") == NULL) {
		push_key(out, "state");
		buf_putc(out, '1');
	}
	if (json_object_get(obj, "id") == NULL)
		push_put_id(it, NULL, out);
}

void
push_say(const struct push_item *it, struct buf *out)
{
	json_t *obj = NULL;
	struct buf b;
	int err;

	if (it->json) {
		obj = json_read(it->body, &err);
		if (!json_is_object(obj)) {
			json_decref(obj);
			return;
		}
	}
	buf_init(&b, 8 * PUSH_BODY_MAX);
	buf_putc(&b, '{');
	if (it->unread)
		push_unread(it, obj, &b);
	else
		push_live(it, obj, &b);
	buf_putc(&b, '}');
	if (buf_ok(&b))
		buf_put(out, buf_p(&b), buf_len(&b));
	buf_fini(&b);
	json_decref(obj);
}
