/* SPDX-License-Identifier: MIT */
/*
 * The cchat dialect of the load generator. Rooms and users get numbers from
 * the run's tag, so runs beside or after each other do not meet.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shared/base/digest.h"
#include "tests/bench/cchat.h"

enum { CCHAT_TOKEN_S = 7200 };

uint32_t
cchat_uid(const struct options *o, uint32_t index)
{
	return (o->tag % 2000) * 1000000 + 1000000 + index;
}

uint32_t
cchat_rid(const struct options *o, uint32_t room)
{
	return (o->tag % 2000) * 1000000 + 1 + room;
}

/* in place of the brace at the end; bytes written */
static int
cchat_token(char *p, size_t size, const struct options *o, uint32_t uid)
{
	static const char head[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	uint8_t sum[HMAC_LEN];
	struct buf b = {.max = 1024};
	char body[128];
	int n = snprintf(body, sizeof body,
	    "{\"sub\":\"%u\",\"name\":\"u%u\",\"exp\":%lld}", uid, uid,
	    (long long)time(NULL) + CCHAT_TOKEN_S);

	digest_base64url(head, sizeof head - 1, &b);
	buf_putc(&b, '.');
	digest_base64url(body, (size_t)n, &b);
	digest_hmac(o->key, sizeof o->key, buf_p(&b), buf_len(&b), sum);
	buf_putc(&b, '.');
	digest_base64url(sum, sizeof sum, &b);
	n = snprintf(p, size, ",\"token\":\"%.*s\"}", (int)buf_len(&b),
	    (const char *)buf_p(&b));
	buf_fini(&b);
	return n;
}

size_t
cchat_login(char *p, const struct options *o, uint32_t uid, uint32_t room)
{
	int n = snprintf(p, 1024,
	    "{\"cmd\":\"login\",\"uid\":\"%u\",\"name\":\"u%u\","
	    "\"rid\":\"%u\"%s%s}",
	    uid, uid, cchat_rid(o, room),
	    o->level > 1 ? ",\"v\":2,\"cid\":\"l\"" : "",
	    o->level > 1 && o->batch ? ",\"caps\":[\"batch\"]" : "");

	if (o->has_key)
		n += cchat_token(p + n - 1, 1025 - (size_t)n, o, uid) - 1;
	return (size_t)n;
}

size_t
cchat_resume(char *p, const struct options *o, uint32_t uid, uint32_t room,
    const char *ep, uint64_t seq)
{
	size_t n = cchat_login(p, o, uid, room);

	/* in place of the brace at the end */
	return n - 1 +
	       (size_t)snprintf(p + n - 1, 1024 - n,
		   ",\"pos\":{\"%u\":[\"%s\",%" PRIu64 "],\"@\":[\"%s\",0]}}",
		   cchat_rid(o, room), ep, seq, ep);
}

bool
cchat_pos(const char *p, size_t n, const struct options *o, uint32_t room,
    struct cchat_pos *out)
{
	char key[64];
	const char *at, *end;
	int len =
	    snprintf(key, sizeof key, "\"%u\":{\"ep\":\"", cchat_rid(o, room));

	at = memmem(p, n, key, (size_t)len);
	if (at == NULL || p + n - at < len + 8)
		return false;
	at += len;
	memcpy(out->ep, at, 8);
	out->ep[8] = '\0';
	end = memchr(at, '}', (size_t)(p + n - at));
	if (end == NULL)
		return false;
	out->head = cchat_seq(at, (size_t)(end - at));
	out->full = memmem(at, (size_t)(end - at), "\"full\":true", 11) != NULL;
	return true;
}

uint64_t
cchat_seq(const char *p, size_t n)
{
	const char *at = memmem(p, n, "\"seq\":", 6), *end = p + n;
	uint64_t v = 0;

	if (at == NULL)
		return 0;
	for (at += 6; at < end && *at >= '0' && *at <= '9'; at++)
		v = v * 10 + (uint64_t)(*at - '0');
	return v;
}

size_t
cchat_message(char *p, const struct options *o, uint32_t room, uint32_t to_uid,
    uint32_t sender, uint32_t n, const char *text)
{
	char *w = p;

	w += sprintf(w, "{\"cmd\":\"message\",\"type\":\"text\",\"rid\":\"%u\"",
	    cchat_rid(o, room));
	if (to_uid != 0)
		w += sprintf(w, ",\"tid\":\"%u\"", to_uid);
	if (o->level > 1)
		w += sprintf(w, ",\"cid\":\"%x-%x-%x\"", o->tag, sender, n);
	w += sprintf(w, ",\"msg\":\"");
	memcpy(w, text, o->size);
	w += o->size;
	memcpy(w, "\"}", 2);
	return (size_t)(w + 2 - p);
}

/* hex digits up to one that is none; NULL: there are none */
static const char *
cchat_hex(const char *p, const char *end, uint32_t *out)
{
	const char *from = p;
	unsigned c;

	for (*out = 0; p < end; p++) {
		c = (unsigned char)*p;
		if (c - '0' < 10U)
			*out = *out << 4 | (c - '0');
		else if (c - 'a' < 6U)
			*out = *out << 4 | (c - 'a' + 10U);
		else
			break;
	}
	return p > from && p < end ? p : NULL;
}

bool
cchat_answers(const char *p, size_t n, const struct options *o,
    uint32_t *sender, uint32_t *num)
{
	const char *at = memmem(p, n, "\"cid\":\"", 7), *end = p + n;
	uint32_t tag;

	if (at == NULL || (at = cchat_hex(at + 7, end, &tag)) == NULL ||
	    *at++ != '-' || (at = cchat_hex(at, end, sender)) == NULL ||
	    *at++ != '-' || (at = cchat_hex(at, end, num)) == NULL)
		return false;
	return *at == '"' && tag == o->tag;
}

enum cchat_said
cchat_said(const char *p, size_t n)
{
	static const char head[] = "{\"cmd\":\"";
	static const struct {
		const char *word;
		enum cchat_said said;
	} words[] = {{"message\"", CCHAT_MESSAGE}, {"ok\"", CCHAT_OK},
	    {"login\"", CCHAT_LOGIN}, {"error\"", CCHAT_ERROR},
	    {"gap\"", CCHAT_GAP}, {"synced\"", CCHAT_SYNCED}};
	size_t i, len;

	if (n > 0 && p[0] == '[')
		return CCHAT_MESSAGE;
	if (n < sizeof head || memcmp(p, head, sizeof head - 1) != 0)
		return CCHAT_OTHER;
	p += sizeof head - 1;
	n -= sizeof head - 1;
	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		len = strlen(words[i].word);
		if (n >= len && memcmp(p, words[i].word, len) == 0)
			return words[i].said;
	}
	return CCHAT_OTHER;
}
