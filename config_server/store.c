/* SPDX-License-Identifier: MIT */
/*
 * topology.db in use: loading the registry, writing what changed, events. How
 * it is opened is in store_open.c; what is written when, in server.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/store_priv.h"

/* ---- calls ------------------------------------------------------------ */

int
store_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return ERR_READONLY;
	case SQLITE_CORRUPT:
		return ERR_CORRUPT;
	case SQLITE_NOTADB:
		return ERR_FOREIGN;
	default:
		return ERR_IO;
	}
}

static void
store_bind_text(sqlite3_stmt *s, int i, const char *v)
{
	if (v[0] == '\0')
		sqlite3_bind_null(s, i);
	else
		sqlite3_bind_text(s, i, v, -1, SQLITE_STATIC);
}

int
store_run(struct store *st, enum store_statement which)
{
	sqlite3_stmt *s = st->stmt[which];
	int rc = sqlite3_step(s);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return store_err(rc);
}

static int
store_put_meta(struct store *st, const char *key, int64_t v)
{
	sqlite3_stmt *s = st->stmt[ST_META];

	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, v);
	return store_run(st, ST_META);
}

static int64_t
store_meta(struct store *st, const char *key, int64_t def)
{
	sqlite3_stmt *s = st->stmt[ST_META_GET];

	sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW)
		def = sqlite3_column_int64(s, 0);
	sqlite3_reset(s);
	return def;
}

/* ---- reading ---------------------------------------------------------- */

static void
store_text(sqlite3_stmt *s, int i, char *out, size_t size)
{
	const char *v = (const char *)sqlite3_column_text(s, i);

	str_copy(out, size, str_of(v != NULL ? v : ""));
}

static void
store_read_server(sqlite3_stmt *s, struct topology_server *t)
{
	char role[8];

	memset(t, 0, sizeof(*t));
	store_text(s, 0, t->name, sizeof(t->name));
	t->node_no = (uint32_t)sqlite3_column_int64(s, 1);
	store_text(s, 2, role, sizeof(role));
	t->role = role[0] == 'm'   ? ROLE_MSG
		  : role[0] == 'p' ? ROLE_PROXY
				   : ROLE_CONFIG;
	store_text(s, 3, t->state, sizeof(t->state));
	t->inc = (uint32_t)sqlite3_column_int64(s, 4);
	store_text(s, 5, t->link, sizeof(t->link));
	store_text(s, 6, t->admin, sizeof(t->admin));
	store_text(s, 7, t->public_url, sizeof(t->public_url));
	store_text(s, 8, t->direct_url, sizeof(t->direct_url));
	store_text(s, 9, t->version, sizeof(t->version));
	t->weight = (uint32_t)sqlite3_column_int64(s, 10);
	store_text(s, 13, t->gate, sizeof(t->gate));
}

static int
store_load_servers(struct store *st, struct registry *r)
{
	sqlite3_stmt *s = st->stmt[ST_SERVERS];
	struct topology_server t;
	int rc, err = 0;

	while (err == 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		store_read_server(s, &t);
		err = id_is_word(str_of(t.name)) ? 0 : ERR_CORRUPT;
		if (err == 0)
			err = registry_restore(r, &t,
			    (uint32_t)sqlite3_column_int64(s, 11),
			    sqlite3_column_int64(s, 12));
	}
	if (err == 0)
		err = store_err(rc);
	sqlite3_reset(s);
	return err;
}

int
store_load(struct store *st, struct registry *r)
{
	sqlite3_stmt *s;
	char name[ID_MAX + 1], ep[EP_LEN + 1];
	int err = store_load_servers(st, r);
	int64_t next;

	if (err == 0)
		err = store_load_jobs(st, &r->jobs);
	if (err != 0)
		return ERR_CORRUPT;
	s = st->stmt[ST_ACTIVE_GET];
	if (sqlite3_step(s) == SQLITE_ROW) {
		store_text(s, 0, name, sizeof(name));
		store_text(s, 2, ep, sizeof(ep));
		registry_restore_active(r, name,
		    (uint64_t)sqlite3_column_int64(s, 1), ep,
		    sqlite3_column_int64(s, 3));
	}
	sqlite3_reset(s);
	s = st->stmt[ST_NODE_TOP]; /* forgotten ones count */
	next = store_meta(st, "next_node", 1);
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 0) >= next)
		next = sqlite3_column_int64(s, 0) + 1;
	sqlite3_reset(s);
	if (next > r->next_node && next <= REGISTRY_NODE_MAX)
		r->next_node = (uint32_t)next;
	r->ver = (uint64_t)store_meta(st, "ver", 0);
	for (size_t i = 0; i < r->n; i++)
		r->list[i]->dirty = false;
	return 0;
}

int
store_events(struct store *st, int64_t since, unsigned limit,
    void (*on_row)(void *arg, const struct store_row *row), void *arg,
    bool *more)
{
	sqlite3_stmt *s = st->stmt[ST_EVENTS];
	struct str *col[3];
	struct store_row row;
	unsigned n = 0;
	int rc, i;

	*more = false;
	col[0] = &row.kind;
	col[1] = &row.srv;
	col[2] = &row.detail;
	sqlite3_bind_int64(s, 1, since);
	sqlite3_bind_int64(s, 2, (int64_t)limit + 1);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (n++ == limit) {
			*more = true;
			break;
		}
		row.id = sqlite3_column_int64(s, 0);
		row.t = sqlite3_column_int64(s, 1);
		for (i = 0; i < 3; i++)
			*col[i] = str_n(sqlite3_column_text(s, i + 2),
			    (size_t)sqlite3_column_bytes(s, i + 2));
		on_row(arg, &row);
	}
	sqlite3_reset(s);
	return store_err(rc);
}

/* ---- writing ---------------------------------------------------------- */

void
store_event(struct store *st, int64_t t_ms, const char *kind, const char *srv,
    const char *detail)
{
	struct store_pending *p;

	if (st->n_pending == STORE_PENDING_MAX) {
		st->first = (st->first + 1) % STORE_PENDING_MAX;
		st->n_pending--;
	}
	p = &st->pending[(st->first + st->n_pending++) % STORE_PENDING_MAX];
	p->t = t_ms;
	str_copy(p->kind, sizeof(p->kind), str_of(kind));
	str_copy(p->srv, sizeof(p->srv), str_of(srv));
	str_copy(p->detail, sizeof(p->detail), str_of(detail));
}

static int
store_put_server(struct store *st, const struct registry_server *r)
{
	const struct topology_server *t = &r->t;
	sqlite3_stmt *s = st->stmt[ST_FREE_NODE];
	int err;

	sqlite3_bind_int64(s, 1, t->node_no);
	sqlite3_bind_text(s, 2, t->name, -1, SQLITE_STATIC);
	err = store_run(st, ST_FREE_NODE);
	if (err != 0)
		return err;
	s = st->stmt[ST_SERVER];
	store_bind_text(s, 1, t->name);
	sqlite3_bind_int64(s, 2, t->node_no);
	store_bind_text(s, 3, link_role_text(t->role));
	store_bind_text(s, 4, server_state_text(r->state));
	sqlite3_bind_int64(s, 5, t->inc);
	store_bind_text(s, 6, registry_addr(r));
	store_bind_text(s, 7, t->link);
	store_bind_text(s, 8, t->admin);
	store_bind_text(s, 9, t->public_url);
	store_bind_text(s, 10, t->direct_url);
	store_bind_text(s, 11, t->version);
	sqlite3_bind_int64(s, 12, t->weight);
	sqlite3_bind_int64(s, 13, r->cap);
	sqlite3_bind_int64(s, 14, r->since_ms);
	store_bind_text(s, 15, t->gate);
	return store_run(st, ST_SERVER);
}

static int
store_put_load(struct store *st, const struct registry_server *r)
{
	sqlite3_stmt *s = st->stmt[ST_LOAD];

	store_bind_text(s, 1, r->t.name);
	sqlite3_bind_int64(s, 2, r->beat_wall_ms);
	sqlite3_bind_int64(s, 3, r->load.conns);
	sqlite3_bind_int64(s, 4, r->load.users);
	sqlite3_bind_int64(s, 5, r->load.rooms);
	sqlite3_bind_double(s, 6, r->load.msgs_s);
	sqlite3_bind_double(s, 7, r->load.out_kb_s);
	sqlite3_bind_double(s, 8, r->load.loop_us / 1000.);
	sqlite3_bind_int64(s, 9, r->load.queue_kb);
	sqlite3_bind_int64(s, 10, r->load.lag);
	return store_run(st, ST_LOAD);
}

static int
store_put_active(struct store *st, const struct registry *r)
{
	sqlite3_stmt *s = st->stmt[ST_ACTIVE];

	sqlite3_bind_text(s, 1, r->active, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (int64_t)r->gen);
	store_bind_text(s, 3, r->ep);
	sqlite3_bind_int64(s, 4, r->active_since_ms);
	return store_run(st, ST_ACTIVE);
}

static int
store_put_events(struct store *st)
{
	sqlite3_stmt *s = st->stmt[ST_EVENT];
	int64_t top;
	int err = 0;

	for (size_t i = 0; err == 0 && i < st->n_pending; i++) {
		const struct store_pending *p =
		    &st->pending[(st->first + i) % STORE_PENDING_MAX];

		sqlite3_bind_int64(s, 1, p->t);
		store_bind_text(s, 2, p->kind);
		store_bind_text(s, 3, p->srv);
		store_bind_text(s, 4, p->detail);
		err = store_run(st, ST_EVENT);
	}
	if (err != 0 || st->n_pending == 0)
		return err;
	top = sqlite3_last_insert_rowid(st->db);
	sqlite3_bind_int64(st->stmt[ST_TRIM], 1, top - STORE_EVENTS_KEEP);
	return store_run(st, ST_TRIM);
}

static int
store_put_all(struct store *st, struct registry *r, bool loads)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < r->n; i++) {
		if (r->list[i]->dirty)
			err = store_put_server(st, r->list[i]);
		if (err == 0 && loads && r->list[i]->state != STATE_DOWN)
			err = store_put_load(st, r->list[i]);
	}
	if (err == 0)
		err = store_put_jobs(st, &r->jobs);
	if (err == 0 && r->meta_dirty)
		err = store_put_active(st, r);
	if (err == 0 && r->meta_dirty)
		err = store_put_meta(st, "ver", (int64_t)r->ver);
	if (err == 0 && r->meta_dirty)
		err = store_put_meta(st, "next_node", r->next_node);
	return err != 0 ? err : store_put_events(st);
}

static bool
store_has_work(const struct store *st, const struct registry *r, bool loads)
{
	if (loads || r->meta_dirty || st->n_pending > 0 ||
	    store_jobs_due(&r->jobs))
		return true;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i]->dirty)
			return true;
	return false;
}

int
store_flush(struct store *st, struct registry *r, bool loads)
{
	int err;

	if (!store_has_work(st, r, loads))
		return 0;
	err = store_run(st, ST_BEGIN);
	if (err == 0) {
		err = store_put_all(st, r, loads);
		if (err == 0)
			err = store_run(st, ST_COMMIT);
		if (err != 0 && !sqlite3_get_autocommit(st->db))
			(void)store_run(st, ST_ROLLBACK);
	}
	if (err != ERR_BUSY)
		st->error = err;
	if (err != 0)
		return err;
	for (size_t i = 0; i < r->n; i++)
		r->list[i]->dirty = false;
	r->meta_dirty = false;
	store_jobs_written(&r->jobs);
	st->first = st->n_pending = 0;
	return 0;
}

int
store_error(const struct store *st)
{
	return st->error;
}

int
store_forget(struct store *st, const char *name)
{
	sqlite3_bind_text(st->stmt[ST_FORGET], 1, name, -1, SQLITE_TRANSIENT);
	return store_run(st, ST_FORGET);
}
