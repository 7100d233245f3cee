/* SPDX-License-Identifier: MIT */
/*
 * Parts of a form. The mark between them is CRLF, two dashes and the boundary,
 * which has no CR in it: so where it breaks off it can only begin anew at the
 * byte it broke off at, and what was seen of it was content.
 */
#include <string.h>

#include "shared/proto/multipart.h"

/* --- the boundary -------------------------------------------------------- */

/* what RFC 2046 allows, and nothing that would need a look at it */
static bool
multipart_is_bchar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("'()+_,-./:=?", c) != NULL);
}

/*
 * The value behind "key=" up to a ';', out of its quotes, and *s behind it.
 * A quote within is written as %22 or \"; the latter is left as it came.
 */
static bool
multipart_value(struct str *s, struct str *out)
{
	size_t i = 0;

	if (s->len == 0 || s->p[0] != '"') {
		while (i < s->len && s->p[i] != ';')
			i++;
		*out = str_trim(str_n(s->p, i));
	} else {
		for (i = 1; i < s->len && s->p[i] != '"'; i++)
			if (s->p[i] == '\\' && i + 1 < s->len)
				i++;
		if (i >= s->len)
			return false;
		*out = str_n(s->p + 1, i - 1);
		i++;
	}
	*s = str_trim(str_n(s->p + i, s->len - i));
	return true;
}

/* the next "; key=value" of s; false: there is none, or s is set absent: bad */
static bool
multipart_param(struct str *s, struct str *key, struct str *value)
{
	long eq;

	if (s->len == 0)
		return false;
	if (s->p[0] == ';') {
		*s = str_trim(str_n(s->p + 1, s->len - 1));
		eq = str_chr(*s, '=');
		if (eq > 0) {
			*key = str_trim(str_n(s->p, (size_t)eq));
			*s = str_n(s->p + eq + 1, s->len - (size_t)eq - 1);
			if (multipart_value(s, value))
				return true;
		}
	}
	*s = STR_NONE;
	return false;
}

/* word, and the rest behind it; false: it begins with another */
static bool
multipart_word(struct str s, struct str word, struct str *rest)
{
	size_t n = 0;

	while (n < s.len && s.p[n] != ';')
		n++;
	*rest = str_n(s.p + n, s.len - n);
	return str_ieq(str_trim(str_n(s.p, n)), word);
}

static bool
multipart_boundary(struct str content_type, struct str *out)
{
	struct str rest, key, value;
	bool found = false;

	if (!str_is_set(content_type) ||
	    !multipart_word(
		content_type, STR_LIT("multipart/form-data"), &rest))
		return false;
	while (multipart_param(&rest, &key, &value)) {
		if (!str_ieq(key, STR_LIT("boundary")))
			continue;
		if (found)
			return false;
		*out = value;
		found = true;
	}
	return found && str_is_set(rest);
}

int
multipart_begin(struct multipart *m, struct str content_type,
    const struct multipart_ops *ops, void *arg)
{
	struct str b = STR_NONE;
	size_t i;

	if (!multipart_boundary(content_type, &b) || b.len == 0 ||
	    b.len > MULTIPART_BOUNDARY_MAX)
		return ERR_INVALID;
	for (i = 0; i < b.len; i++)
		if (!multipart_is_bchar(b.p[i]))
			return ERR_INVALID;
	memset(m, 0, sizeof *m);
	m->ops = ops;
	m->arg = arg;
	memcpy(m->mark, "\r\n--", 4);
	memcpy(m->mark + 4, b.p, b.len);
	m->n_mark = 4 + b.len;
	/* in front of the first one no line ends */
	m->matched = 2;
	return OK;
}

/* --- the head of a part -------------------------------------------------- */

static int
multipart_disposition(struct str value, struct multipart_part *part)
{
	struct str rest, key, v;

	if (str_is_set(part->name) ||
	    !multipart_word(value, STR_LIT("form-data"), &rest))
		return ERR_PROTO;
	while (multipart_param(&rest, &key, &v)) {
		if (str_ieq(key, STR_LIT("name"))) {
			if (str_is_set(part->name))
				return ERR_PROTO;
			part->name = v;
		} else if (str_ieq(key, STR_LIT("filename"))) {
			if (str_is_set(part->file))
				return ERR_PROTO;
			part->file = v;
		}
	}
	return str_is_set(rest) && str_is_set(part->name) ? OK : ERR_PROTO;
}

/* head: lines, each with its CRLF, and an empty one */
static int
multipart_head(struct multipart *m)
{
	static const struct str field = {"content-disposition", 19};
	struct multipart_part part = {STR_NONE, STR_NONE};
	const char *p = m->head, *end = m->head + m->n_head - 2, *cr;
	unsigned lines = 0;
	struct str line;
	long colon;
	int err;

	for (; p < end; p = cr + 2) {
		cr = memmem(p, (size_t)(end - p), "\r\n", 2);
		if (cr == NULL)
			return ERR_PROTO;
		if (++lines > MULTIPART_LINES_MAX)
			return ERR_LIMIT;
		line = str_n(p, (size_t)(cr - p));
		colon = str_chr(line, ':');
		if (colon <= 0 || memchr(line.p, '\0', line.len) != NULL)
			return ERR_PROTO;
		if (!str_ieq(str_n(line.p, (size_t)colon), field))
			continue;
		err = multipart_disposition(str_trim(str_n(line.p + colon + 1,
						line.len - (size_t)colon - 1)),
		    &part);
		if (err != OK)
			return err;
	}
	if (!str_is_set(part.name))
		return ERR_PROTO;
	m->state = MULTIPART_CONTENT;
	m->matched = 0;
	return m->ops->on_part(m->arg, &part);
}

static int
multipart_head_byte(struct multipart *m, char c)
{
	if (m->n_head == sizeof m->head)
		return ERR_LIMIT;
	m->head[m->n_head++] = c;
	/* no line at all, which would name it */
	if (m->n_head == 2 && memcmp(m->head, "\r\n", 2) == 0)
		return ERR_PROTO;
	if (m->n_head < 4 ||
	    memcmp(m->head + m->n_head - 4, "\r\n\r\n", 4) != 0)
		return OK;
	return multipart_head(m);
}

/* --- what comes ---------------------------------------------------------- */

/* the byte is the next one of the first mark, or it is none */
static int
multipart_first_byte(struct multipart *m, char c)
{
	if (c != m->mark[m->matched])
		return ERR_PROTO;
	if (++m->matched == m->n_mark)
		m->state = MULTIPART_BEHIND;
	return OK;
}

static int
multipart_line_byte(struct multipart *m, char c)
{
	switch (m->state) {
	case MULTIPART_BEHIND:
		m->state = c == '-' ? MULTIPART_LAST : MULTIPART_LINE;
		return c == '-' || c == '\r' ? OK : ERR_PROTO;
	case MULTIPART_LAST:
		if (c != '-')
			return ERR_PROTO;
		m->state = MULTIPART_OVER;
		return OK;
	default:
		if (c != '\n')
			return ERR_PROTO;
		if (++m->parts > MULTIPART_PARTS_MAX)
			return ERR_LIMIT;
		m->state = MULTIPART_HEAD;
		m->n_head = 0;
		return OK;
	}
}

/* what was taken for a mark was none */
static int
multipart_give_back(struct multipart *m)
{
	size_t n = m->matched;

	m->matched = 0;
	return m->ops->on_content(m->arg, (const uint8_t *)m->mark, n);
}

/*
 * Bytes of content in front of what may be a mark: where a CR begins none, as
 * far as can be seen, it is content like the rest, so that whoever takes it is
 * not called for each.
 */
static size_t
multipart_run(const struct multipart *m, const uint8_t *p, size_t n)
{
	const uint8_t *cr = p, *end = p + n;
	size_t k;

	for (; (cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL; cr++) {
		k = (size_t)(end - cr);
		if (memcmp(cr, m->mark, k < m->n_mark ? k : m->n_mark) == 0)
			return (size_t)(cr - p);
	}
	return n;
}

/* *used: bytes of p it was */
static int
multipart_content(struct multipart *m, const uint8_t *p, size_t n, size_t *used)
{
	*used = 1;
	if (m->matched > 0) {
		if ((char)p[0] != m->mark[m->matched]) {
			*used = 0;
			return multipart_give_back(m);
		}
		if (++m->matched < m->n_mark)
			return OK;
		m->state = MULTIPART_BEHIND;
		return m->ops->on_part_end(m->arg);
	}
	*used = multipart_run(m, p, n);
	if (*used > 0)
		return m->ops->on_content(m->arg, p, *used);
	*used = m->matched = 1;
	return OK;
}

int
multipart_feed(struct multipart *m, const uint8_t *p, size_t n)
{
	size_t used;
	int err = OK;

	for (; n > 0 && err == OK; p += used, n -= used) {
		used = 1;
		switch (m->state) {
		case MULTIPART_FIRST:
			err = multipart_first_byte(m, (char)*p);
			break;
		case MULTIPART_HEAD:
			err = multipart_head_byte(m, (char)*p);
			break;
		case MULTIPART_CONTENT:
			err = multipart_content(m, p, n, &used);
			break;
		case MULTIPART_OVER:
			used = n;
			break;
		default:
			err = multipart_line_byte(m, (char)*p);
		}
	}
	return err;
}

bool
multipart_is_whole(const struct multipart *m)
{
	return m->state == MULTIPART_OVER;
}
