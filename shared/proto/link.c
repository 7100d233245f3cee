/* SPDX-License-Identifier: MIT */
/*
 * Frames and hello of the links between our own daemons. Bytes come in through
 * link_feed, go out through ops->send; deadlines, pings and credit are
 * svc/linkconn's, the meaning of frames is frames.h.
 *
 * Before the peer has proved itself it may make us hold no more than
 * LINK_HELLO_MAX bytes, and only HELLO, PROVE and ERROR are taken.
 */
#include "shared/proto/link.h"

#include "shared/base/digest.h"
#include "shared/proto/frames.h"
#include "shared/proto/wire.h"

enum {
	LINK_HELLO_MAX = 2048, /* longest frame before the proof */
	LINK_LEN = 4,	       /* the length field itself */
	LINK_CRC = 4,
	LINK_LEN_MIN = LINK_HEAD - LINK_LEN + LINK_CRC,
	LINK_KEEP = 16384 /* more memory than this is not kept at rest */
};

const char *
link_role_text(enum link_role role)
{
	switch (role) {
	case ROLE_MSG:
		return "msg";
	case ROLE_PROXY:
		return "proxy";
	case ROLE_CONFIG:
		return "config";
	case ROLE_CTL:
		return "ctl";
	}
	return "?";
}

size_t
link_begin(struct buf *b, uint8_t type, uint8_t flags)
{
	size_t mark = buf_len(b);

	wire_put_u32(b, 0);
	wire_put_u8(b, type);
	wire_put_u8(b, flags);
	wire_put_u16(b, 0);
	return mark;
}

static void
link_patch32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

int
link_end(struct buf *b, size_t mark)
{
	size_t n;
	uint8_t *p;

	if (!buf_ok(b)) {
		buf_truncate(b, mark);
		b->failed = true;
		return ERR_LIMIT;
	}
	n = buf_len(b) - mark - LINK_LEN;
	if (n + LINK_CRC > LINK_FRAME_MAX) {
		buf_truncate(b, mark);
		return ERR_LIMIT;
	}
	p = b->data + b->off + mark;
	link_patch32(p, (uint32_t)(n + LINK_CRC));
	wire_put_u32(b, digest_crc32c(0, p + LINK_LEN, n));
	if (!buf_ok(b)) {
		buf_truncate(b, mark);
		b->failed = true;
		return ERR_LIMIT;
	}
	return 0;
}

/* builds one frame and sends it as a blob of its own */
static void
link_send(struct link *l, uint8_t type, struct str fields)
{
	struct buf b;
	struct blob *blob;
	size_t mark;

	buf_init(&b, LINK_HELLO_MAX);
	mark = link_begin(&b, type, 0);
	buf_putstr(&b, fields);
	if (link_end(&b, mark) == 0) {
		blob = blob_take(&b);
		l->ops->send(l, blob);
		blob_unref(blob);
	}
	buf_fini(&b);
}

static void
link_put_id(struct buf *b, const struct link_id *id)
{
	wire_put_u8(b, (uint8_t)id->role);
	wire_put_str(b, str_of(id->name));
	wire_put_str(b, str_of(id->cluster));
	wire_put_u32(b, id->node_no);
	wire_put_u32(b, id->inc);
}

/*
 * What the side `dialer` proves: that it knows the key, who it is and that it
 * has seen this very peer's nonce. The direction is part of it, so a proof
 * sent back to its maker proves nothing.
 */
static void
link_proof(const struct link *l, bool mine, uint8_t out[HMAC_LEN])
{
	bool dialer = mine ? l->dialed : !l->dialed;
	struct buf b;

	buf_init(&b, LINK_HELLO_MAX);
	buf_puts(&b, "link-v1");
	wire_put_u8(&b, dialer ? 'd' : 'a');
	link_put_id(&b, mine ? &l->self : &l->peer);
	link_put_id(&b, mine ? &l->peer : &l->self);
	buf_put(&b, mine ? l->nonce : l->peer_nonce, LINK_NONCE);
	buf_put(&b, mine ? l->peer_nonce : l->nonce, LINK_NONCE);
	digest_hmac(l->key, sizeof l->key, buf_p(&b), buf_len(&b), out);
	buf_fini(&b);
}

void
link_start(struct link *l, const struct link_id *self, const uint8_t key[32],
    bool dialed, const struct link_ops *ops, void *arg)
{
	struct buf b;

	memset(l, 0, sizeof *l);
	l->ops = ops;
	l->arg = arg;
	l->state = LINK_HELLO;
	l->self = *self;
	l->dialed = dialed;
	memcpy(l->key, key, sizeof l->key);
	digest_random(l->nonce, sizeof l->nonce);
	buf_init(&l->in, LINK_LEN + LINK_FRAME_MAX);

	buf_init(&b, LINK_HELLO_MAX);
	wire_put_u8(&b, LINK_VERSION);
	wire_put_u8(&b, LINK_VERSION);
	link_put_id(&b, self);
	buf_put(&b, l->nonce, LINK_NONCE);
	link_send(l, F_HELLO, buf_str(&b));
	buf_fini(&b);
}

static int
link_on_hello(struct link *l, struct str body)
{
	struct wire w;
	uint8_t ver_min, ver_max, role;
	struct str name, cluster;
	uint8_t proof[HMAC_LEN];

	wire_read(&w, body.p, body.len);
	ver_min = wire_u8(&w);
	ver_max = wire_u8(&w);
	if (w.bad)
		return ERR_PROTO;
	if (ver_min > LINK_VERSION || ver_max < LINK_VERSION)
		return ERR_VERSION;
	role = wire_u8(&w);
	name = wire_str(&w);
	cluster = wire_str(&w);
	l->peer.node_no = wire_u32(&w);
	l->peer.inc = wire_u32(&w);
	for (unsigned i = 0; i < LINK_NONCE; i++)
		l->peer_nonce[i] = wire_u8(&w);
	if (wire_end(&w) != 0 || role < ROLE_MSG || role > ROLE_CTL ||
	    !id_is_word(name) || !id_is_word(cluster))
		return ERR_PROTO;
	if (!str_eqc(cluster, l->self.cluster))
		return ERR_FOREIGN;
	l->peer.role = role;
	str_copy(l->peer.name, sizeof l->peer.name, name);
	str_copy(l->peer.cluster, sizeof l->peer.cluster, cluster);
	/* somebody hands our own hello back */
	if (digest_equal(l->peer_nonce, l->nonce, LINK_NONCE))
		return ERR_DENIED;

	link_proof(l, true, proof);
	link_send(l, F_PROVE, str_n(proof, sizeof proof));
	l->state = LINK_PROVE;
	return 0;
}

static int
link_on_prove(struct link *l, struct str body)
{
	uint8_t proof[HMAC_LEN];

	if (body.len != HMAC_LEN)
		return ERR_PROTO;
	link_proof(l, false, proof);
	if (!digest_equal(proof, body.p, HMAC_LEN))
		return ERR_DENIED;
	l->state = LINK_UP;
	l->ops->on_up(l);
	return 0;
}

/* a type that this version of the protocol has */
static bool
link_type_known(uint8_t type)
{
	return (type >= F_HELLO && type <= F_ERROR) ||
	       (type >= F_APPEND && type <= F_NAK) ||
	       (type >= F_SUB && type <= F_GET) ||
	       (type >= F_EPH && type <= F_STATED) ||
	       (type >= F_PRES_BEGIN && type <= F_STATUS) || type == F_KICK ||
	       (type >= F_JOIN && type <= F_EVENT);
}

static int
link_on_frame(struct link *l, uint8_t type, uint8_t flags, struct str body)
{
	if (type == F_ERROR)
		return l->ops->on_frame(l, type, flags, body);
	switch (l->state) {
	case LINK_HELLO:
		return type == F_HELLO ? link_on_hello(l, body) : ERR_PROTO;
	case LINK_PROVE:
		return type == F_PROVE ? link_on_prove(l, body) : ERR_PROTO;
	case LINK_UP:
		if (type == F_HELLO || type == F_PROVE)
			return ERR_PROTO;
		if (!link_type_known(type))
			return flags & FRAME_OPTIONAL ? 0 : ERR_PROTO;
		return l->ops->on_frame(l, type, flags, body);
	case LINK_DEAD:
		break;
	}
	return 0;
}

/* length of the whole frame that begins at p (4 bytes are there), or an error
 */
static long
link_frame_len(const struct link *l, const uint8_t *p)
{
	uint32_t n = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		     (uint32_t)p[3] << 24;

	if (n > (l->state == LINK_UP ? LINK_FRAME_MAX : LINK_HELLO_MAX))
		return ERR_LIMIT;
	if (n < LINK_LEN_MIN)
		return ERR_PROTO;
	return (long)n + LINK_LEN;
}

/* one whole frame of n bytes, length field included */
static int
link_frame(struct link *l, const uint8_t *p, size_t n)
{
	size_t sum = n - LINK_CRC;
	struct wire w;

	wire_read(&w, p + sum, LINK_CRC);
	if (digest_crc32c(0, p + LINK_LEN, sum - LINK_LEN) != wire_u32(&w))
		return ERR_CORRUPT;
	if (p[6] != 0 || p[7] != 0) /* stream */
		return ERR_PROTO;
	return link_on_frame(
	    l, p[4], p[5], str_n(p + LINK_HEAD, sum - LINK_HEAD));
}

/* moves up to `want` bytes in all into l->in; true when they are there */
static bool
link_gather(struct link *l, const uint8_t **p, size_t *n, size_t want)
{
	size_t miss = want - buf_len(&l->in);

	if (buf_len(&l->in) >= want)
		return true;
	if (miss > *n)
		miss = *n;
	buf_put(&l->in, *p, miss);
	*p += miss;
	*n -= miss;
	return buf_ok(&l->in) && buf_len(&l->in) == want;
}

static void
link_in_reset(struct link *l)
{
	if (l->in.cap > LINK_KEEP)
		buf_fini(&l->in);
	else
		buf_reset(&l->in);
}

static int
link_feed_some(struct link *l, const uint8_t **p, size_t *n)
{
	long len;
	int err;

	if (buf_len(&l->in) == 0 && *n >= LINK_LEN) {
		len = link_frame_len(l, *p);
		if (len < 0)
			return (int)len;
		if ((size_t)len <= *n) {
			err = link_frame(l, *p, (size_t)len);
			*p += len;
			*n -= (size_t)len;
			return err;
		}
	}
	/* a frame that comes in pieces */
	if (!link_gather(l, p, n, LINK_LEN))
		return buf_ok(&l->in) ? 0 : ERR_MEMORY;
	len = link_frame_len(l, buf_p(&l->in));
	if (len < 0)
		return (int)len;
	if (!link_gather(l, p, n, (size_t)len))
		return buf_ok(&l->in) ? 0 : ERR_MEMORY;
	err = link_frame(l, buf_p(&l->in), (size_t)len);
	link_in_reset(l);
	return err;
}

int
link_feed(struct link *l, const uint8_t *p, size_t n)
{
	int err;

	while (n > 0 && l->state != LINK_DEAD) {
		err = link_feed_some(l, &p, &n);
		if (err != 0) {
			l->state = LINK_DEAD;
			return err;
		}
	}
	return 0;
}

void
link_fini(struct link *l)
{
	l->state = LINK_DEAD;
	buf_fini(&l->in);
	explicit_bzero(l->key, sizeof l->key);
}
