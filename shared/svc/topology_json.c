/* SPDX-License-Identifier: MIT */
/*
 * The cluster's list as JSON: on the wire (TOPO), on disk
 * (NAME.topology.json) and in cchatctl. Plain text in, plain structs out; who
 * keeps the list and where it travels is topology.c's business.
 */
#include <string.h>

#include "shared/proto/json.h"
#include "shared/svc/topology.h"

static const char *const topology_states[] = {"up", "late", "draining", "down"};

static bool
topology_is_state(struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(topology_states); i++)
		if (str_eqc(s, topology_states[i]))
			return true;
	return false;
}

static int
topology_role(struct str s, enum link_role *out)
{
	enum link_role role;

	for (role = ROLE_MSG; role <= ROLE_CONFIG; role++) {
		if (str_eqc(s, link_role_text(role))) {
			*out = role;
			return 0;
		}
	}
	return ERR_PROTO;
}

/* absent is empty; too long, or with bytes no address has, is an error */
static int
topology_text(const json_t *obj, const char *key, char *out, size_t size)
{
	struct str s = json_str(obj, key);

	out[0] = '\0';
	if (!str_is_set(s))
		return json_object_get(obj, key) == NULL ? 0 : ERR_PROTO;
	if (s.len >= size)
		return ERR_PROTO;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return ERR_PROTO;
	str_copy(out, size, s);
	return 0;
}

static int
topology_u32(const json_t *obj, const char *key, uint32_t def, uint32_t *out)
{
	int64_t v = def;

	if (!json_int(obj, key, &v) && json_object_get(obj, key) != NULL)
		return ERR_PROTO;
	if (v < 0 || v > UINT32_MAX)
		return ERR_PROTO;
	*out = (uint32_t)v;
	return 0;
}

static int
topology_parse_server(const json_t *obj, struct topology_server *s)
{
	struct str name = json_str(obj, "name"), state = json_str(obj, "state");

	memset(s, 0, sizeof(*s));
	if (!id_is_word(name) || !topology_is_state(state) ||
	    topology_role(json_str(obj, "role"), &s->role) != 0)
		return ERR_PROTO;
	str_copy(s->name, sizeof(s->name), name);
	str_copy(s->state, sizeof(s->state), state);
	if (topology_u32(obj, "node", 0, &s->node_no) != 0 ||
	    topology_u32(obj, "inc", 0, &s->inc) != 0 ||
	    topology_u32(obj, "weight", 1, &s->weight) != 0 ||
	    topology_text(obj, "link", s->link, sizeof(s->link)) != 0 ||
	    topology_text(obj, "admin", s->admin, sizeof(s->admin)) != 0 ||
	    topology_text(
		obj, "public", s->public_url, sizeof(s->public_url)) != 0 ||
	    topology_text(
		obj, "direct", s->direct_url, sizeof(s->direct_url)) != 0 ||
	    topology_text(obj, "gate", s->gate, sizeof(s->gate)) != 0 ||
	    topology_text(obj, "version", s->version, sizeof(s->version)) != 0)
		return ERR_PROTO;
	return 0;
}

static int
topology_parse_active(
    const json_t *root, char active[ID_MAX + 1], uint64_t *gen)
{
	const json_t *obj = json_object_get(root, "active");
	struct str name;
	int64_t v = 0;

	active[0] = '\0';
	*gen = 0;
	if (obj == NULL || json_is_null(obj))
		return 0;
	if (!json_is_object(obj))
		return ERR_PROTO;
	name = json_str(obj, "name");
	if (name.len > 0 && !id_is_word(name))
		return ERR_PROTO;
	if (json_int(obj, "gen", &v) && v < 0)
		return ERR_PROTO;
	str_copy(active, ID_MAX + 1, name);
	*gen = (uint64_t)v;
	return 0;
}

static int
topology_parse_list(
    const json_t *list, struct topology_server *out, size_t max, size_t *n)
{
	size_t i, k;

	if (!json_is_array(list))
		return ERR_PROTO;
	if (json_array_size(list) > max)
		return ERR_LIMIT;
	for (i = 0; i < json_array_size(list); i++) {
		if (topology_parse_server(json_array_get(list, i), &out[i]))
			return ERR_PROTO;
		for (k = 0; k < i; k++)
			if (!strcmp(out[k].name, out[i].name))
				return ERR_PROTO;
	}
	*n = i;
	return 0;
}

int
topology_parse(struct str json, struct topology_server *out, size_t max,
    size_t *n, uint64_t *ver, char active[ID_MAX + 1], uint64_t *gen)
{
	int64_t v = -1;
	json_t *root;
	int err;

	*n = 0;
	root = json_read(json, &err);
	if (root == NULL)
		return err;
	if (!json_is_object(root) || !json_int(root, "ver", &v) || v < 0)
		err = ERR_PROTO;
	else
		err = topology_parse_active(root, active, gen);
	if (err == 0)
		err = topology_parse_list(
		    json_object_get(root, "servers"), out, max, n);
	*ver = (uint64_t)v;
	json_decref(root);
	return err;
}

/* a member that is left out when there is nothing to say */
static void
topology_put_text(struct jw *w, const char *key, const char *v)
{
	if (v[0] != '\0')
		jw_cstr(w, key, v);
}

void
topology_write(struct buf *out, const char *cluster, uint64_t ver,
    const struct topology_server *s, size_t n, const char *active, uint64_t gen)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_int(&w, "ver", (int64_t)ver);
	jw_cstr(&w, "cluster", cluster);
	jw_arr(&w, "servers");
	for (size_t i = 0; i < n; i++, s++) {
		jw_obj(&w, NULL);
		jw_cstr(&w, "name", s->name);
		jw_int(&w, "node", s->node_no);
		jw_cstr(&w, "role", link_role_text(s->role));
		jw_cstr(&w, "state", s->state);
		topology_put_text(&w, "link", s->link);
		topology_put_text(&w, "admin", s->admin);
		topology_put_text(&w, "public", s->public_url);
		topology_put_text(&w, "direct", s->direct_url);
		topology_put_text(&w, "gate", s->gate);
		topology_put_text(&w, "version", s->version);
		jw_int(&w, "inc", s->inc);
		jw_int(&w, "weight", s->weight);
		jw_obj_end(&w);
	}
	jw_arr_end(&w);
	jw_obj(&w, "active");
	jw_cstr(&w, "name", active);
	jw_int(&w, "gen", (int64_t)gen);
	jw_obj_end(&w);
	jw_obj_end(&w);
}
