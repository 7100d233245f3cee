/* SPDX-License-Identifier: MIT */
/*
 * Names of things and of channels: grammar only, nothing is looked up here.
 * See id.h.
 */
#include "shared/base/id.h"

static bool
id_is_word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

bool
id_is_word(struct str s)
{
	if (s.len < 1 || s.len > ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!id_is_word_char(s.p[i]))
			return false;
	return true;
}

bool
id_is_cid(struct str s)
{
	if (s.len < 1 || s.len > CID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return true;
}

bool
id_is_group(struct str rid)
{
	if (rid.len < 2 || rid.len > ID_MAX || rid.p[0] != 'g')
		return false;
	for (size_t i = 1; i < rid.len; i++) {
		char c = rid.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static void
chan_put(struct chan_name *c, struct str s)
{
	size_t n = s.len;

	if (n > (size_t)CHAN_MAX - c->len)
		n = (size_t)CHAN_MAX - c->len;
	if (n)
		memcpy(c->s + c->len, s.p, n);
	c->len = (uint8_t)(c->len + n);
	c->s[c->len] = '\0';
}

struct chan_name
chan_room(struct str rid)
{
	struct chan_name c = {0};

	chan_put(&c, STR_LIT("r:"));
	chan_put(&c, rid);
	return c;
}

struct chan_name
chan_user(struct str uid)
{
	struct chan_name c = {0};

	chan_put(&c, STR_LIT("u:"));
	chan_put(&c, uid);
	return c;
}

struct chan_name
chan_pair(struct str a, struct str b)
{
	struct chan_name c = {0};
	bool swap = str_cmp(a, b) > 0;

	chan_put(&c, STR_LIT("p:"));
	chan_put(&c, swap ? b : a);
	chan_put(&c, STR_LIT(":"));
	chan_put(&c, swap ? a : b);
	return c;
}

int
chan_parse(struct str s, struct chan_name *out)
{
	struct str rest, a, b;

	if (s.len < 2 || s.len > CHAN_MAX || s.p[1] != ':')
		return ERR_INVALID;
	rest = str_n(s.p + 2, s.len - 2);
	switch (s.p[0]) {
	case CHAN_ROOM:
	case CHAN_USER:
		if (!id_is_word(rest))
			return ERR_INVALID;
		break;
	case CHAN_PAIR:
		if (!str_next(&rest, ':', &a) || !str_next(&rest, ':', &b) ||
		    str_is_set(rest) || !id_is_word(a) || !id_is_word(b) ||
		    str_cmp(a, b) > 0)
			return ERR_INVALID;
		break;
	case CHAN_CLUSTER:
		if (rest.len)
			return ERR_INVALID;
		break;
	default:
		return ERR_INVALID;
	}
	out->len = 0;
	chan_put(out, s);
	return OK;
}

enum chan_kind
chan_kind(struct str name)
{
	return name.len ? (enum chan_kind)name.p[0] : CHAN_CLUSTER;
}

struct str
chan_id(struct str name)
{
	return name.len > 2 ? str_n(name.p + 2, name.len - 2) : STR_NONE;
}

struct str
chan_peer(struct str name, struct str uid)
{
	struct str rest = chan_id(name), a, b;

	if (!str_next(&rest, ':', &a) || !str_next(&rest, ':', &b))
		return STR_NONE;
	return str_eq(a, uid) ? b : a;
}
