/* SPDX-License-Identifier: MIT */
/*
 * Commands of a back end that are not answered: messages, and what changes
 * sessions. One that is about a session that is not here does nothing.
 */
#include <stdlib.h>

#include "msg_server/door/gateway/gateway_priv.h"
#include "shared/base/id.h"

enum { GATEWAY_CLOSED = 4005 };

/* --- messages --------------------------------------------------------------
 */

static void
gateway_push_set(struct gateway *g, const struct gateway_frame *f,
    const struct gateway_set *set)
{
	struct gateway_push p;
	uint32_t i;

	if (!gateway_push_begin(&p, g, f))
		return;
	for (i = 0; i < set->n; i++)
		gateway_push_to(&p, set->s[i]);
	gateway_push_end(&p);
}

static void
gateway_send_one(struct gateway *g, const struct gateway_frame *f)
{
	struct gateway_set set = {0};
	struct session *s = gateway_session(g, f->connection);

	if (s == NULL)
		return;
	gateway_set_add(&set, s);
	gateway_push_set(g, f, &set);
	gateway_set_fini(&set);
}

static bool
gateway_listed(const json_t *ids, uint64_t cn)
{
	char key[24];

	snprintf(key, sizeof key, "%u", (uint32_t)cn);
	return json_object_get(ids, key) != NULL;
}

/* those whose number is a key of ids go */
static void
gateway_except(struct gateway_set *set, const json_t *ids)
{
	uint32_t i, n = 0;

	if (!json_is_object(ids))
		return;
	for (i = 0; i < set->n; i++)
		if (!gateway_listed(ids, set->s[i]->cn))
			set->s[n++] = set->s[i];
	set->n = n;
}

static void
gateway_only(struct gateway *g, struct gateway_set *set, json_t *ids)
{
	struct session *s;
	const char *key;
	json_t *v;

	json_object_foreach(ids, key, v)
	{
		s = json_is_integer(v) && json_integer_value(v) > 0
			? gateway_session(g, (uint64_t)json_integer_value(v))
			: NULL;
		if (s != NULL)
			gateway_set_add(set, s);
	}
}

static bool
gateway_send_all(struct gateway *g, const struct gateway_frame *f, json_t *ext)
{
	json_t *only = json_object_get(ext, "connections");
	struct gateway_set set = {0};

	if (f->ext.len > 0 && !json_is_object(ext))
		return false;
	if (only != NULL) {
		gateway_only(g, &set, only);
	} else {
		gateway_set_all(g, &set);
		gateway_except(&set, json_object_get(ext, "exclude"));
	}
	gateway_push_set(g, f, &set);
	gateway_set_fini(&set);
	return true;
}

/* each of them in turn: who is in two gets it twice */
static bool
gateway_send_names(struct gateway *g, const struct gateway_frame *f,
    const json_t *names, const json_t *except,
    void (*add)(struct gateway *, struct str, struct gateway_set *))
{
	struct gateway_set set = {0};
	struct str name;
	char tmp[24];
	size_t i;
	bool good;

	if (!json_is_array(names))
		return false;
	for (i = 0; i < json_array_size(names) && !set.over; i++) {
		name = gateway_json_name(json_array_get(names, i), tmp);
		if (str_is_set(name))
			add(g, name, &set);
	}
	good = !set.over;
	if (good) {
		gateway_except(&set, except);
		gateway_push_set(g, f, &set);
	}
	gateway_set_fini(&set);
	return good;
}

/* --- the end ---------------------------------------------------------------
 */

static void
gateway_kick(struct gateway *g, const struct gateway_frame *f)
{
	struct session *s = gateway_session(g, f->connection);
	struct gateway_push p;
	struct str body;
	char tmp[24];

	if (s == NULL)
		return;
	if (gateway_body(f, tmp, &body) == 0 && body.len > 0 &&
	    gateway_push_begin(&p, g, f)) {
		gateway_push_to(&p, s);
		gateway_push_end(&p);
	}
	g->stats[GS_CUT]++;
	if (gateway_is_workerman(s))
		session_cut(s, false);
	else
		session_close(s, GATEWAY_CLOSED, "closed by a back end", 0);
}

static void
gateway_destroy(struct gateway *g, const struct gateway_frame *f)
{
	struct session *s = gateway_session(g, f->connection);

	if (s == NULL)
		return;
	g->stats[GS_CUT]++;
	session_cut(s, true);
}

/* --- groups ----------------------------------------------------------------
 */

/* nobody waits for how it ends: who may not come in is in the group alone */
static void
gateway_on_joined(struct follow_call *call, struct session *s,
    const struct follow_result *res)
{
	(void)s;
	if (res->code != 200)
		free(call);
}

static void
gateway_on_synced(struct follow_call *call, struct session *s)
{
	(void)s;
	free(call);
}

static void
gateway_on_lost(struct follow_call *call)
{
	free(call);
}

static void
gateway_enter(struct gateway *g, struct session *s, struct str rid)
{
	struct follow_call *call;

	/* a group of ours has members of its own, for ever */
	if (!id_is_word(rid) || id_is_group(rid) || s->user == NULL ||
	    s->logging_in || room_member(s, rid) != NULL)
		return;
	call = xcalloc(1, sizeof *call);
	call->cn = s->cn;
	call->on_joined = gateway_on_joined;
	call->on_synced = gateway_on_synced;
	call->on_lost = gateway_on_lost;
	room_join(g->srv, s, rid, STR_NONE, 0, false, call);
}

static bool
gateway_join(struct gateway *g, struct session *s, struct str group)
{
	if (gateway_is_empty(group))
		return true;
	if (people_join(&g->people, s->cn, group) != 0)
		return false;
	gateway_enter(g, s, group);
	return true;
}

static void
gateway_leave(struct gateway *g, struct session *s, struct str group)
{
	if (gateway_is_empty(group))
		return;
	(void)people_leave(&g->people, s->cn, group);
	if (id_is_word(group) && !id_is_group(group))
		room_leave(g->srv, s, group);
}

/*
 * The group is no more. Whoever is in the room of that name by himself, and
 * speaks another dialect, stays: it was not the back end that put him there.
 */
static void
gateway_ungroup(struct gateway *g, struct str group)
{
	struct gateway_set set = {0};
	uint32_t i;

	if (gateway_is_empty(group))
		return;
	gateway_set_group(g, group, &set);
	for (i = 0; i < set.n; i++)
		if (people_leave(&g->people, set.s[i]->cn, group) ||
		    gateway_is_workerman(set.s[i]))
			gateway_leave(g, set.s[i], group);
	gateway_set_fini(&set);
}

/* --- which -----------------------------------------------------------------
 */

/* about one session; false: refused */
static bool
gateway_do_session(
    struct gateway *g, struct session *s, const struct gateway_frame *f)
{
	switch (f->cmd) {
	case GATEWAY_UPDATE_SESSION:
		return gateway_array_merge(g, s, f->ext);
	case GATEWAY_SET_SESSION:
		return gateway_array_set(g, s, f->ext);
	case GATEWAY_BIND_UID:
		return gateway_is_empty(f->ext) ||
		       people_bind(&g->people, s->cn, f->ext) == 0;
	case GATEWAY_UNBIND_UID:
		people_unbind(&g->people, s->cn);
		return true;
	case GATEWAY_JOIN_GROUP:
		return gateway_join(g, s, f->ext);
	default: /* GATEWAY_LEAVE_GROUP */
		gateway_leave(g, s, f->ext);
		return true;
	}
}

static bool
gateway_do_json(struct gateway *g, const struct gateway_frame *f)
{
	json_t *ext;
	bool good;
	int err;

	ext = f->ext.len > 0 ? json_read(f->ext, &err) : NULL;
	if (f->cmd == GATEWAY_SEND_TO_ALL)
		good = gateway_send_all(g, f, ext);
	else if (f->cmd == GATEWAY_SEND_TO_UID)
		good = gateway_send_names(g, f, ext, NULL, gateway_set_uid);
	else
		good = gateway_send_names(g, f, json_object_get(ext, "group"),
		    json_object_get(ext, "exclude"), gateway_set_group);
	json_decref(ext);
	return good;
}

bool
gateway_do(struct gateway *g, const struct gateway_frame *f)
{
	struct session *s;
	bool good = true;

	switch (f->cmd) {
	case GATEWAY_SEND_TO_ONE:
		gateway_send_one(g, f);
		break;
	case GATEWAY_SEND_TO_ALL:
	case GATEWAY_SEND_TO_UID:
	case GATEWAY_SEND_TO_GROUP:
		good = gateway_do_json(g, f);
		break;
	case GATEWAY_KICK:
		gateway_kick(g, f);
		break;
	case GATEWAY_DESTROY:
		gateway_destroy(g, f);
		break;
	case GATEWAY_UPDATE_SESSION:
	case GATEWAY_SET_SESSION:
	case GATEWAY_BIND_UID:
	case GATEWAY_UNBIND_UID:
	case GATEWAY_JOIN_GROUP:
	case GATEWAY_LEAVE_GROUP:
		s = gateway_session(g, f->connection);
		good = s == NULL || gateway_do_session(g, s, f);
		break;
	case GATEWAY_UNGROUP:
		gateway_ungroup(g, f->ext);
		break;
	case GATEWAY_PING:
		break;
	default:
		return false;
	}
	g->stats[GS_BAD] += !good;
	return true;
}
