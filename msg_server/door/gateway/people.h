/* SPDX-License-Identifier: MIT */
/*
 * What back ends have said of sessions: a uid, groups, a session array. Found
 * by the session's number, by uid and by group; a session of which nothing was
 * said has no entry. All of it is memory of this process and goes with the
 * session. Names are bytes, PEOPLE_NAME_MAX at most; a session is in
 * PEOPLE_GROUPS_MAX groups at most; all entries together take PEOPLE_BYTES_MAX:
 * what is beyond is refused with ERR_LIMIT.
 */
#ifndef MSG_SERVER_DOOR_GATEWAY_PEOPLE_H
#define MSG_SERVER_DOOR_GATEWAY_PEOPLE_H

#include "shared/base/id.h"
#include "shared/base/map.h"

enum {
	PEOPLE_NAME_MAX = 255,
	PEOPLE_GROUPS_MAX = 1000,
	PEOPLE_ARRAY_MAX = 65536, /* bytes of a session array */
	PEOPLE_BYTES_MAX = 64 << 20
};

struct person;
struct people_name;

/* one person under one name */
struct people_tie {
	struct people_tie *prev, *next; /* of the name, oldest first */
	struct people_tie *next_of_person;
	struct person *person;
	struct people_name *name;
};

struct people_name { /* a uid or a group; there as long as it has ties */
	UT_hash_handle hh;
	struct people_tie *ties;
	uint32_t n, len;
	char text[];
};

struct person {
	UT_hash_handle hh;
	uint64_t cn;
	struct people_tie *uid;
	struct people_tie *groups; /* oldest first, by next_of_person */
	uint32_t n_groups;
	bool was_in_group;
	char *array; /* owned; PHP's serialize; NULL: none */
	uint32_t array_len;
	char *home; /* owned: serialize of what it was derived from */
};

struct people {
	struct person *by_cn;
	struct people_name *uids, *groups;
	size_t bytes;
};

struct person *people_find(const struct people *p, uint64_t cn);
/* made if need be; NULL over the bound */
struct person *people_get(struct people *p, uint64_t cn);
void people_forget(struct people *p, uint64_t cn);
/* an entry in which nothing is left goes */
void people_trim(struct people *p, struct person *who);

/* one uid a person: another one before is gone */
int people_bind(struct people *p, uint64_t cn, struct str uid) MUST_CHECK;
void people_unbind(struct people *p, uint64_t cn);
/* 0 also when he is in it already */
int people_join(struct people *p, uint64_t cn, struct str group) MUST_CHECK;
/* false: he was not in it */
bool people_leave(struct people *p, uint64_t cn, struct str group);
/* empty: none */
int people_set_array(struct people *p, uint64_t cn, struct str text) MUST_CHECK;

const struct people_name *people_uid(const struct people *p, struct str uid);
const struct people_name *people_group(const struct people *p, struct str group);
static inline struct str
people_text(const struct people_name *n)
{
	return str_n(n->text, n->len);
}

#endif
