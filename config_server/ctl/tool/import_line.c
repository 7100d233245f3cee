/* SPDX-License-Identifier: MIT */
/*
 * Lines of credentials; see import_line.h. It tells nobody what it read.
 */
#include "config_server/ctl/tool/import_line.h"

#include <stdio.h>
#include <string.h>

#include "shared/base/id.h"
#include "shared/proto/php.h"
#include "shared/proto/push.h"

#define IMPORT_MARK "think_serialize:"

static bool
import_is_good(const struct import_credential *c)
{
	return id_is_word(c->uid) && id_is_word(c->source) &&
	       c->token.len > 0 && c->token.len <= PUSH_TOKEN_MAX &&
	       memchr(c->token.p, '.', c->token.len) == NULL &&
	       memchr(c->token.p, '\0', c->token.len) == NULL &&
	       c->expires >= 0;
}

/* --- words -------------------------------------------------------------- */

static struct str
import_word(struct str *rest)
{
	struct str word = STR_NONE;

	*rest = str_trim(*rest);
	while (word.len < rest->len && rest->p[word.len] != ' ' &&
	       rest->p[word.len] != '\t')
		word.len++;
	word.p = rest->p;
	*rest = str_n(rest->p + word.len, rest->len - word.len);
	return word;
}

static int
import_words(struct str line,
    void (*one)(void *arg, const struct import_credential *), void *arg)
{
	struct import_credential c = {.expires = 0};
	struct str expires;
	uint64_t n = 0;

	c.uid = import_word(&line);
	c.source = import_word(&line);
	c.token = import_word(&line);
	expires = import_word(&line);
	if (expires.len > 0 &&
	    (str_u64(expires, &n) != 0 || n > (uint64_t)INT64_MAX))
		return ERR_INVALID;
	c.expires = (int64_t)n;
	if (str_trim(line).len > 0 || !import_is_good(&c))
		return ERR_INVALID;
	one(arg, &c);
	return 1;
}

/* --- serialize ---------------------------------------------------------- */

/* what redis-cli writes in quotes; appended to out */
static int
import_unquote(struct str s, struct buf *out)
{
	static const char from[] = "nrtab", to[] = "\n\r\t\a\b";
	const char *p;
	size_t i;

	for (i = 0; i < s.len && s.p[i] != '"'; i++) {
		if (s.p[i] != '\\') {
			buf_putc(out, s.p[i]);
			continue;
		}
		if (++i == s.len)
			return ERR_INVALID;
		if (s.p[i] == 'x' && i + 2 < s.len &&
		    str_hex(s.p[i + 1]) >= 0 && str_hex(s.p[i + 2]) >= 0) {
			buf_putc(out, (char)(str_hex(s.p[i + 1]) << 4 |
					     str_hex(s.p[i + 2])));
			i += 2;
			continue;
		}
		p = s.p[i] != '\0' ? strchr(from, s.p[i]) : NULL;
		buf_putc(out, p != NULL ? to[p - from] : s.p[i]);
	}
	return i < s.len && buf_ok(out) ? 0 : ERR_INVALID;
}

static struct str
import_text(const struct php *p, uint32_t node, char tmp[24])
{
	if (node != 0 && p->node[node].kind == PHP_STRING)
		return p->node[node].s;
	if (node == 0 || p->node[node].kind != PHP_INT || p->node[node].i < 0)
		return STR_NONE;
	snprintf(tmp, 24, "%lld", (long long)p->node[node].i);
	return str_of(tmp);
}

static uint32_t
import_member(
    const struct php *p, uint32_t of, const char *name, const char *place)
{
	uint32_t n = php_get(p, of, str_of(name));

	return n != 0 ? n : php_get(p, of, str_of(place));
}

static bool
import_entry(const struct php *p, uint32_t node, char tmp[4][24],
    struct import_credential *c)
{
	const struct php_key *key = &p->node[node].key;
	struct str expires;
	uint64_t n = 0;

	if (p->node[node].kind != PHP_ARRAY || !str_is_set(key->s))
		return false;
	c->source = key->s;
	c->uid = import_text(p, import_member(p, node, "uid", "0"), tmp[0]);
	c->token = import_text(p, import_member(p, node, "token", "1"), tmp[1]);
	expires =
	    import_text(p, import_member(p, node, "expires", "2"), tmp[2]);
	if (str_is_set(expires) &&
	    (str_u64(expires, &n) != 0 || n > (uint64_t)INT64_MAX))
		return false;
	c->expires = (int64_t)n;
	return import_is_good(c);
}

static int
import_serialize(struct str text,
    void (*one)(void *arg, const struct import_credential *), void *arg)
{
	struct import_credential c;
	char tmp[4][24];
	struct php p;
	uint32_t i;
	int n = 0, pass;

	if (php_parse(&p, text) != 0)
		return ERR_INVALID;
	if (p.node[0].kind != PHP_ARRAY)
		n = ERR_INVALID;
	/* all of it is good before any of it is given */
	for (pass = 0; pass < 2 && n >= 0; pass++)
		for (i = p.node[0].first; i != 0 && n >= 0;
		     i = p.node[i].next) {
			if (!import_entry(&p, i, tmp, &c))
				n = ERR_INVALID;
			else if (pass == 1)
				one(arg, &c), n++;
		}
	php_fini(&p);
	return n;
}

/* --- either ------------------------------------------------------------- */

int
import_line(struct str line,
    void (*one)(void *arg, const struct import_credential *), void *arg)
{
	static const struct str mark = {IMPORT_MARK, sizeof IMPORT_MARK - 1};
	const char *at;
	struct str value;
	struct buf plain;
	int n;

	while (line.len > 0 &&
	       (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
		line.len--;
	line = str_trim(line);
	if (line.len == 0 || line.p[0] == '#')
		return 0;
	at = memmem(line.p, line.len, mark.p, mark.len);
	if (at == NULL)
		return import_words(line, one, arg);
	value =
	    str_n(at + mark.len, line.len - (size_t)(at - line.p) - mark.len);
	if (at == line.p || at[-1] != '"')
		return import_serialize(value, one, arg);
	buf_init(&plain, PHP_TEXT_MAX);
	n = import_unquote(value, &plain);
	if (n == 0)
		n = import_serialize(buf_str(&plain), one, arg);
	buf_fini(&plain);
	return n;
}
