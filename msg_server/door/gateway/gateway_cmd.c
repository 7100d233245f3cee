/* SPDX-License-Identifier: MIT */
/*
 * Questions of a back end, and their answers in PHP's serialize. Where the
 * original answers with a map by connection, it runs by its number here.
 */
#include "msg_server/door/gateway/gateway_priv.h"
#include "shared/proto/php.h"

static void
gateway_put_ids(const struct gateway_set *set, struct buf *out)
{
	uint32_t i;

	php_put_array(out, set->n);
	for (i = 0; i < set->n; i++) {
		php_put_int(out, i);
		php_put_int(out, (uint32_t)set->s[i]->cn);
	}
	php_put_array_end(out);
}

static void
gateway_ids_of(struct gateway *g, struct str uid, struct buf *out)
{
	struct gateway_set set = {0};

	gateway_set_uid(g, uid, &set);
	gateway_put_ids(&set, out);
	gateway_set_fini(&set);
}

static void
gateway_count_of(struct gateway *g, struct str group, struct buf *out)
{
	struct gateway_set set = {0};

	gateway_set_group(g, group, &set);
	g->counted += set.n;
	php_put_int(out, set.n);
	gateway_set_fini(&set);
}

static void
gateway_count(struct gateway *g, struct str group, struct buf *out)
{
	struct gateway_set set = {0};

	if (group.len > 0) {
		gateway_count_of(g, group, out);
		return;
	}
	gateway_set_all(g, &set);
	php_put_int(out, set.n);
	gateway_set_fini(&set);
}

/* name => what put says of it, for a JSON array of names */
static void
gateway_batch(struct gateway *g, struct str ext,
    void (*put)(struct gateway *, struct str, struct buf *), struct buf *out)
{
	int err;
	json_t *names = json_read(ext, &err);
	struct str name;
	char tmp[24];
	size_t i, n = 0;

	for (i = 0; i < json_array_size(names); i++)
		n += str_is_set(
		    gateway_json_name(json_array_get(names, i), tmp));
	g->counted = 0;
	php_put_array(out, n);
	for (i = 0; i < json_array_size(names) && buf_ok(out); i++) {
		if (g->counted > GATEWAY_SET_MAX)
			out->failed = true;
		name = gateway_json_name(json_array_get(names, i), tmp);
		if (!str_is_set(name))
			continue;
		php_put_key(out, name);
		put(g, name, out);
	}
	php_put_array_end(out);
	json_decref(names);
}

static void
gateway_put_arrays(struct gateway *g, struct gateway_set *set, struct buf *out)
{
	uint32_t i;

	php_put_array(out, set->n);
	for (i = 0; i < set->n; i++) {
		php_put_int(out, (uint32_t)set->s[i]->cn);
		php_put_str(out, gateway_array(g, set->s[i]));
	}
	php_put_array_end(out);
	gateway_set_fini(set);
}

static void
gateway_get_array(struct gateway *g, uint64_t connection, struct buf *out)
{
	struct session *s = gateway_session(g, connection);
	struct str array;

	if (s == NULL) {
		php_put_null(out);
		return;
	}
	array = gateway_array(g, s);
	if (array.len > 0) {
		buf_putstr(out, array);
	} else {
		php_put_array(out, 0);
		php_put_array_end(out);
	}
}

/* --- select ----------------------------------------------------------------
 */

struct gateway_names {
	struct buf out;
	size_t n;
	bool list; /* 0 => name, 1 => name; else name => name */
};

static void
gateway_put_name(void *arg, struct str group)
{
	struct gateway_names *names = arg;

	if (names->list) {
		php_put_int(&names->out, (int64_t)names->n);
		php_put_key(&names->out, group);
	} else {
		php_put_key(&names->out, group);
		php_put_str(&names->out, group);
	}
	names->n++;
}

static void
gateway_end_names(struct gateway_names *names, struct buf *out)
{
	php_put_array(out, names->n);
	buf_putstr(out, buf_str(&names->out));
	if (!buf_ok(&names->out))
		out->failed = true;
	php_put_array_end(out);
	buf_fini(&names->out);
}

static void
gateway_put_groups(struct gateway *g, struct session *s, struct buf *out)
{
	struct gateway_names names = {.out = {.max = GATEWAY_ANSWER_MAX}};

	if (gateway_groups_of(g, s, gateway_put_name, &names)) {
		gateway_end_names(&names, out);
		return;
	}
	buf_fini(&names.out);
	php_put_null(out);
}

static void
gateway_put_field(
    struct gateway *g, struct session *s, struct str field, struct buf *out)
{
	struct person *who = people_find(&g->people, s->cn);

	php_put_key(out, field);
	if (str_eqc(field, "groups"))
		gateway_put_groups(g, s, out);
	else if (str_eqc(field, "session"))
		php_put_str(out, gateway_array(g, s));
	else if (str_eqc(field, "uid") && who != NULL && who->uid != NULL)
		php_put_str(out, people_text(who->uid->name));
	else
		php_put_null(out);
}

/* the sessions that one member of `where` names */
static void
gateway_where(
    struct gateway *g, struct str key, const json_t *v, struct gateway_set *set)
{
	struct session *s;
	struct str name;
	char tmp[24];

	name = gateway_json_name(v, tmp);
	if (!str_is_set(name))
		return;
	if (str_eqc(key, "groups")) {
		gateway_set_group(g, name, set);
	} else if (str_eqc(key, "uid")) {
		gateway_set_uid(g, name, set);
	} else if (str_eqc(key, "connection_id") && json_is_integer(v) &&
		   json_integer_value(v) > 0) {
		s = gateway_session(g, (uint64_t)json_integer_value(v));
		if (s != NULL)
			gateway_set_add(set, s);
	}
}

static void
gateway_find(struct gateway *g, json_t *where, struct gateway_set *set)
{
	json_t *items, *v;
	const char *key, *k;
	size_t i;

	if (!json_is_object(where) || json_object_size(where) == 0) {
		gateway_set_all(g, set);
		return;
	}
	/* what is over the bound gets no answer */
	json_object_foreach(where, key, items)
	{
		if (set->over)
			break;
		json_array_foreach(items, i, v)
		    gateway_where(g, str_of(key), v, set);
		json_object_foreach(items, k, v)
		    gateway_where(g, str_of(key), v, set);
	}
	gateway_set_sort(set);
}

/* 0: has a uid and a group; 1: a group; 2: none */
static unsigned
gateway_rank(struct gateway *g, const struct session *s)
{
	struct person *who = people_find(&g->people, s->cn);

	if (s->members == NULL && (who == NULL || who->groups == NULL))
		return 2;
	return who == NULL || who->uid == NULL;
}

/*
 * GatewayClient stops reading an answer at the first session that has no uid
 * or no group, so these come last.
 */
static void
gateway_put_rows(struct gateway *g, const struct gateway_set *set,
    const struct str *field, size_t n, unsigned rank, struct buf *out)
{
	uint32_t i;
	size_t k;

	for (i = 0; i < set->n && buf_ok(out); i++) {
		if (gateway_rank(g, set->s[i]) != rank)
			continue;
		php_put_int(out, (uint32_t)set->s[i]->cn);
		php_put_array(out, n);
		for (k = 0; k < n; k++)
			gateway_put_field(g, set->s[i], field[k], out);
		php_put_array_end(out);
	}
}

static void
gateway_select(struct gateway *g, struct str ext, struct buf *out)
{
	enum { FIELDS_MAX = 16 };
	struct gateway_set set = {0};
	struct str field[FIELDS_MAX];
	const json_t *fields, *v;
	json_t *q;
	size_t k, n = 0;
	unsigned rank;
	int err;

	q = json_read(ext, &err);
	fields = json_object_get(q, "fields");
	for (k = 0; k < json_array_size(fields) && n < FIELDS_MAX; k++) {
		v = json_array_get(fields, k);
		if (json_is_string(v))
			field[n++] =
			    str_n(json_string_value(v), json_string_length(v));
	}
	if (q != NULL)
		gateway_find(g, json_object_get(q, "where"), &set);
	if (set.over)
		out->failed = true;
	php_put_array(out, set.n);
	for (rank = 0; rank < 3; rank++)
		gateway_put_rows(g, &set, field, n, rank, out);
	php_put_array_end(out);
	gateway_set_fini(&set);
	json_decref(q);
}

static void
gateway_put_all_groups(struct gateway *g, struct buf *out)
{
	struct gateway_names names = {
	    .out = {.max = GATEWAY_ANSWER_MAX}, .list = true};

	gateway_groups(g, gateway_put_name, &names);
	gateway_end_names(&names, out);
}

/* --- which -----------------------------------------------------------------
 */

bool
gateway_ask(struct gateway *g, const struct gateway_frame *f, struct buf *out)
{
	struct gateway_set set = {0};

	switch (f->cmd) {
	case GATEWAY_IS_ONLINE:
		php_put_int(out, gateway_session(g, f->connection) != NULL);
		return true;
	case GATEWAY_ALL_SESSIONS:
		gateway_set_all(g, &set);
		gateway_put_arrays(g, &set, out);
		return true;
	case GATEWAY_SESSIONS_OF_GROUP:
		gateway_set_group(g, f->ext, &set);
		gateway_put_arrays(g, &set, out);
		return true;
	case GATEWAY_COUNT_OF_GROUP:
		gateway_count(g, f->ext, out);
		return true;
	case GATEWAY_COUNT_OF_GROUPS:
		gateway_batch(g, f->ext, gateway_count_of, out);
		return true;
	case GATEWAY_IDS_OF_UID:
		gateway_ids_of(g, f->ext, out);
		return true;
	case GATEWAY_IDS_OF_UIDS:
		gateway_batch(g, f->ext, gateway_ids_of, out);
		return true;
	case GATEWAY_SELECT:
		gateway_select(g, f->ext, out);
		return true;
	case GATEWAY_GROUPS:
		gateway_put_all_groups(g, out);
		return true;
	case GATEWAY_GET_SESSION:
		gateway_get_array(g, f->connection, out);
		return true;
	default:
		return false;
	}
}
