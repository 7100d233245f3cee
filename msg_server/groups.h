/* SPDX-License-Identifier: MIT */
/*
 * Persistent groups (design.md sections 2 and 4): rooms whose rid is `g` and
 * hex digits, for members only, present or absent. What is known of a group is
 * state in three channels:
 *
 *   r:<rid>   m:<uid>    a member: "ROLE I", I his place in the item that made
 *                        him one, ROLE owner for who made the group and is in
 *                        it from then on, else member; t the title, at first
 *                        the name; n how many there are
 *   u:<uid>   g:<rid>    he is in it
 *   c:        grp:<rid>  the index of all: {"name","created","updated","n"}
 *
 * m: is the truth: judged at sequencing by `need` of whoever speaks. A change
 * is ITEM_MEMBER items, the room's first, then each user's, then the index, so
 * that at each point what stands is true, and a change that was cut short
 * (a crash, 503) is whole after it was asked for once more: who is a member
 * is not made one again, who has g: already is passed over (`deny`), and the
 * index is written from n. n is written with each change of members and only
 * over the n that was read (`if_key`), so two servers that change one group
 * don't count one member twice. A group exists when it is in the index.
 *
 * Bounds (limits.md): 10,000 members, 1000 groups a user, 200 uids a change;
 * a name has 1..GROUP_NAME_MAX bytes. Beyond: 403 (400 by the caller's doors
 * for what is malformed). A user's groups are looked at before he is made a
 * member, not judged at sequencing: two changes at once may give him one more.
 *
 * A group's member who is online comes into it at once, from the very item
 * that made him one: the item in u: has the group as rid and that item's seq
 * as ref. Of dialects with DIALECT_GROUPS all sessions do; others join.
 */
#ifndef MSG_SERVER_GROUPS_H
#define MSG_SERVER_GROUPS_H

#include <stdio.h>

#include "msg_server/follow/relay.h"
#include "msg_server/follow/room.h"

enum {
	GROUP_MEMBERS = 10000,
	GROUPS_OF_USER = 1000,
	GROUP_UIDS = 200,
	GROUP_NAME_MAX = 128,
	GROUPS_LISTED = 10000 /* of all there are, in one answer */
};

/* --- changing (groups.c) --- */

struct groups_change {
	struct str rid;	  /* id_is_group() */
	struct str name;  /* to create it; absent: it must be there */
	struct str by;	  /* uid, or absent: the system */
	const struct str *uids; /* words; one may come twice */
	unsigned n_uids;  /* at most GROUP_UIDS */
};

struct groups_result {
	const bool *fresh; /* by the order of uids: became a member now */
	unsigned n_fresh;
	uint32_t n; /* members now */
};

/* embedded by the caller, whose it is again in done, which comes once and
 * never before the asking function has returned */
struct groups_call {
	/*
	 * 200; 403 a bound; 404 no such group; 409 it exists already; 503: it
	 * may have been done, wholly or in part: ask again. why: for people.
	 * res only with 200.
	 */
	void (*done)(struct groups_call *, unsigned code, const char *why, const struct groups_result *res);
};

void groups_change(struct server *srv, const struct groups_change *q, struct groups_call *call);

/* --- asking (groups_list.c) --- */

/* all records of one kind, gathered page by page */
struct groups_list {
	/* code 200 or 503; then groups_list_end() */
	void (*done)(struct groups_list *, unsigned code);
	struct buf recs; /* n of frames_states_next() */
	unsigned n;
	/* --- its own --- */
	struct server *srv;
	struct relay_states states;
	struct relay_task later;
	struct chan_name chan;
	char prefix[8], after[STATE_KEY_MAX + 1];
	unsigned max;
};

void groups_list_members(struct server *srv, struct str rid, struct groups_list *l);
void groups_list_of(struct server *srv, struct str uid, struct groups_list *l);
void groups_list_all(struct server *srv, struct groups_list *l);
void groups_list_end(struct groups_list *l);

/* one page of them, for callers that page themselves */
void groups_ask_members(struct str rid, struct chan_name *chan, struct f_states *q);
void groups_ask_of(struct str uid, struct chan_name *chan, struct f_states *q);
void groups_ask_all(struct f_states *q);
/* is there such a group? At most one record, which group_info_read() tells */
void groups_ask_one(struct str rid, char key[STATE_KEY_MAX + 1], struct f_states *q);

/* the uid or rid of such a record; not set: it is none */
struct str group_member_uid(const struct state_rec *rec);
struct str group_of_rid(const struct state_rec *rec);

struct group_info {
	struct str rid; /* in the record */
	char name[GROUP_NAME_MAX + 1];
	int64_t created, updated; /* ms */
	uint32_t n;
};
bool group_info_read(const struct state_rec *rec, struct group_info *g);
/* newest members first: sorts n records in place */
void group_sort_members(struct state_rec *recs, size_t n);

/* --- being in (groups_in.c) --- */

/* as room_join(), but into a group only members come: else 403 */
void groups_join(struct server *srv, struct session *s, struct str rid, struct str ep, uint64_t from, bool silent, struct follow_call *call);

/* a session comes into all of its user's groups */
struct groups_follow {
	/* code 200: he is in all that are there; 503. s NULL: gone meanwhile */
	void (*done)(struct groups_follow *, struct session *s, unsigned code);
	/* --- its own --- */
	struct groups_list list;
	uint64_t cn;
	unsigned n_waiting;
	bool ended;
};
void groups_follow(struct server *srv, struct session *s, struct groups_follow *f);
/* the value of his m: says that it is his */
static inline bool
group_is_owner(struct str val)
{
	struct str role;

	return str_next(&val, ' ', &role) && str_eqc(role, "owner");
}

/* a room's title, to be set with the item that says so; "": none */
static inline struct state_rec
title_state(struct str title)
{
	return (struct state_rec){.key = STR_LIT("t"),
	    .val = title.len > 0 ? title : STR_NONE};
}

/* the key that an item of uid's for the group needs */
static inline struct str
group_need(struct str uid, char key[STATE_KEY_MAX + 1])
{
	snprintf(key, STATE_KEY_MAX + 1, "m:%.*s", STR_ARG(uid));
	return str_of(key);
}

#endif
