/* SPDX-License-Identifier: MIT */
/*
 * Who brings an upload, and how much he may bring. Nothing is read or written
 * here.
 */
#include <stdio.h>

#include "msg_server/gate.h"
#include "msg_server/server.h"
#include "msg_server/upload/upload_priv.h"
#include "shared/proc/clock.h"

enum {
	UPLOAD_WAIT_S = 5, /* until places are free again, somewhere */
	UPLOAD_WAIT_OWN_S = 2
};

static bool
who_is_back_end(const struct server *srv, struct str key)
{
	size_t n = strlen(srv->api_key);

	return n > 0 && key.len == n && digest_equal(key.p, srv->api_key, n);
}

static void
who_address(const struct uploads *u, const struct httpd_conn *c,
    const struct http_request *rq, char addr[QUOTA_KEY_MAX])
{
	struct addr a;
	uint8_t key[16];

	addr[0] = '\0';
	gate_address(u->srv->gate, httpd_peer(c), rq, &a);
	if (addr_is_loopback(&a))
		return;
	addr_key(&a, key);
	addr[0] = 'a';
	digest_hex(key, sizeof key, addr + 1);
}

bool
upload_who(struct uploads *u, const struct httpd_conn *c,
    const struct http_request *rq, struct upload_who *w)
{
	struct server *srv = u->srv;
	struct str auth = http_field(rq, "authorization"), key;
	struct auth_claims claims;

	memset(w, 0, sizeof *w);
	if (auth.len < 7 || !str_ieq(str_n(auth.p, 7), STR_LIT("Bearer ")) ||
	    http_field_count(rq, "authorization") != 1)
		return false;
	key = str_trim(str_n(auth.p + 7, auth.len - 7));
	if (who_is_back_end(srv, key))
		return true;
	if (upload_key_check(srv->link_key, srv->set.cluster, key,
		clock_wall_ms(), w->uid) != 0) {
		if (auth_verify(&srv->auth, key, clock_wall_ms(), &claims) != 0)
			return false;
		str_copy(w->uid, sizeof w->uid, str_of(claims.uid));
	}
	snprintf(w->user, sizeof w->user, "u%s", w->uid);
	who_address(u, c, rq, w->addr);
	return true;
}

bool
upload_who_near(struct uploads *u, const struct httpd_conn *c,
    const struct http_request *rq, struct upload_who *w)
{
	const struct gate_ip *ip;
	struct session *s;

	memset(w, 0, sizeof *w);
	if (!gate_find(u->srv->gate, httpd_peer(c), rq, &ip))
		return false;
	s = session_find(u->srv, near_find(u->near, ip));
	if (s == NULL || s->user == NULL)
		return false;
	str_copy(w->uid, sizeof w->uid, session_uid(s));
	snprintf(w->user, sizeof w->user, "u%s", w->uid);
	who_address(u, c, rq, w->addr);
	return true;
}

uint64_t
upload_max(const struct uploads *u, enum kind_class class)
{
	const struct settings *set = &u->srv->set;

	switch (class) {
	case KIND_PIC:
		return (uint64_t)set->upload_pic << 10;
	case KIND_AUDIO:
		return (uint64_t)set->upload_audio << 10;
	default:
		return (uint64_t)set->upload_file << 10;
	}
}

/* of one address: names cost nothing, so they are not all that is counted */
static unsigned
who_at_once(const struct settings *set)
{
	unsigned n = (unsigned)set->uploads_at_once / UPLOAD_ADDRESS;

	return n > UPLOAD_PER_USER ? n : UPLOAD_PER_USER;
}

/* 0, or the status */
static int
admit_one(struct uploads *u, const char *key, uint64_t len, uint64_t max,
    unsigned at_once, const char **why, uint32_t *wait_s)
{
	uint32_t now_s = (uint32_t)(clock_mono_ms() / 1000);

	if (key[0] == '\0')
		return 0;
	switch (quota_take(
	    u->quota, str_of(key), len, max, at_once, now_s, wait_s)) {
	case OK:
		return 0;
	case ERR_BUSY:
		*why = "too many uploads at once";
		*wait_s = UPLOAD_WAIT_OWN_S;
		return 429;
	case ERR_LIMIT:
		*why = "too much for one day";
		return 429;
	default:
		*why = "too many are uploading";
		*wait_s = UPLOAD_WAIT_S;
		return 503;
	}
}

static void
admit_end(struct uploads *u, const char *key, uint64_t back)
{
	if (key[0] != '\0')
		quota_end(u->quota, str_of(key), back);
}

int
upload_admit(struct uploads *u, const struct upload_who *w, uint64_t len,
    enum upload_reason *reason, const char **why, uint32_t *wait_s)
{
	const struct settings *set = &u->srv->set;
	uint64_t day = (uint64_t)set->upload_day << 20;
	int status;

	*reason = UPLOAD_R_RATE;
	if (u->n >= (uint64_t)set->uploads_at_once) {
		*why = "too many uploads at once";
		*wait_s = UPLOAD_WAIT_S;
		return 503;
	}
	if (store_bytes(u->store) + u->reserved + len >
		(uint64_t)set->upload_total << 20 ||
	    store_free_bytes(u->store) <
		((uint64_t)set->upload_free << 20) + u->reserved + len) {
		*reason = UPLOAD_R_FULL;
		*why = "no space left";
		*wait_s = 0;
		return 507;
	}
	status = admit_one(u, w->user, len, day, UPLOAD_PER_USER, why, wait_s);
	if (status != 0)
		return status;
	status = admit_one(u, w->addr, len, day * UPLOAD_ADDRESS,
	    who_at_once(set), why, wait_s);
	if (status != 0) {
		admit_end(u, w->user, len);
		return status;
	}
	u->reserved += len;
	return 0;
}

void
upload_end(
    struct uploads *u, const struct upload_who *w, uint64_t len, uint64_t back)
{
	u->reserved -= len;
	admit_end(u, w->user, back);
	admit_end(u, w->addr, back);
}
