/* SPDX-License-Identifier: MIT */
/*
 * Answers about the registry as JSON. Their keys are those of features.md 5.8
 * and of the views in schema.h. Which request wants which is api.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config_server/api.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

enum {
	API_ALT_MAX = 8,
	API_PROBLEMS_MAX = API_PAGE_MAX,
	API_DRAIN_LATE_MS = 15000 /* beyond `within` */
};

/* what clients shall do between attempts, and their ping (limits.md) */
enum { API_RETRY_BASE = 500, API_RETRY_MAX = 20000, API_PING = 25 };

static void
api_put_head(struct jw *w, const struct registry *r)
{
	jw_obj(w, NULL);
	jw_int(w, "ver", (int64_t)r->ver);
	jw_int(w, "gen", (int64_t)r->gen);
}

static void
api_list_begin(struct jw *w, const struct registry *r)
{
	api_put_head(w, r);
	jw_arr(w, "list");
}

/* next: absent at the end */
static void
api_list_end(struct jw *w, struct str next)
{
	jw_arr_end(w);
	if (str_is_set(next))
		jw_str(w, "next", next);
	else
		jw_null(w, "next");
	jw_obj_end(w);
}

static double
api_load(const struct registry_server *s)
{
	return (double)s->load.conns / (s->t.weight > 0 ? s->t.weight : 1);
}

static void
api_put_figures(struct jw *w, const struct registry_server *s)
{
	int64_t beat = clock_mono_ms() - s->beat_ms;

	jw_cstr(w, "state", server_state_text(s->state));
	jw_int(w, "since", s->since_ms);
	jw_int(w, "beat_ms", beat);
	jw_int(w, "conns", s->load.conns);
	jw_int(w, "users", s->load.users);
	jw_int(w, "rooms", s->load.rooms);
	jw_int(w, "cap", s->cap);
	jw_real(w, "load", api_load(s));
	jw_int(w, "node", s->t.node_no);
}

static void
api_put_server_keys(struct jw *w, const struct registry_server *s)
{
	jw_cstr(w, "id", s->t.name);
	jw_cstr(w, "role", link_role_text(s->t.role));
	jw_cstr(w, "addr", registry_addr(s));
	jw_cstr(w, "pub", s->t.public_url);
	jw_cstr(w, "ver", s->t.version);
	api_put_figures(w, s);
	jw_cstr(w, "admin", s->t.admin);
}

static void
api_put_job_keys(struct jw *w, const struct job *job, int64_t now)
{
	jw_int(w, "id", (int64_t)job->id);
	jw_cstr(w, "kind", "drain");
	jw_cstr(w, "server", job->server);
	jw_cstr(w, "state", job_state_text(job->state));
	jw_int(w, "left", job->left);
	jw_int(w, "moved", job->moved);
	jw_int(w, "total", (int64_t)job->left + job->moved);
	jw_int(w, "rate", job->rate);
	jw_int(w, "within_ms", job->within_ms);
	jw_int(w, "eta_ms", job_eta_ms(job, now));
	jw_int(w, "t0", job->t0);
	if (job->t1 != 0)
		jw_int(w, "t1", job->t1);
	else
		jw_null(w, "t1");
}

static void
api_put_load_keys(struct jw *w, const struct registry_server *s)
{
	jw_cstr(w, "id", s->t.name);
	jw_int(w, "conns", s->load.conns);
	jw_int(w, "cap", s->cap);
	jw_int(w, "msgs_s", s->load.msgs_s);
	jw_int(w, "out_kB_s", s->load.out_kb_s);
	jw_real(w, "loop_ms", s->load.loop_us / 1000.);
	jw_int(w, "queue_kB", s->load.queue_kb);
	jw_int(w, "lag", s->load.lag);
	jw_int(w, "t", s->beat_wall_ms);
}

static void
api_put_page(struct buf *out, const struct registry *r,
    const struct api_page *page,
    void (*put)(struct jw *, const struct registry_server *))
{
	char next[16] = "";
	unsigned n = 0;
	uint32_t last = 0;
	struct jw w;

	jw_init(&w, out);
	api_list_begin(&w, r);
	for (size_t i = 0; i < r->n; i++) {
		const struct registry_server *s = r->list[i];

		if (s->t.node_no <= page->after ||
		    (page->role != 0 && s->t.role != page->role))
			continue;
		if (n++ == page->limit) {
			snprintf(next, sizeof(next), "%u", last);
			break;
		}
		last = s->t.node_no;
		jw_obj(&w, NULL);
		put(&w, s);
		jw_obj_end(&w);
	}
	api_list_end(&w, next[0] != '\0' ? str_of(next) : STR_NONE);
}

void
api_put_servers(
    struct buf *out, const struct registry *r, const struct api_page *page)
{
	api_put_page(out, r, page, api_put_server_keys);
}

void
api_put_load(
    struct buf *out, const struct registry *r, const struct api_page *page)
{
	api_put_page(out, r, page, api_put_load_keys);
}

/* as in the list, but for `ver`: that is the topology's in every answer */
void
api_put_server(struct buf *out, const struct registry *r,
    const struct registry_server *s, int64_t now)
{
	const struct job *job = jobs_newest(&r->jobs, s->t.name);
	struct jw w;

	jw_init(&w, out);
	api_put_head(&w, r);
	jw_cstr(&w, "id", s->t.name);
	jw_cstr(&w, "role", link_role_text(s->t.role));
	jw_cstr(&w, "version", s->t.version);
	jw_cstr(&w, "addr", registry_addr(s));
	jw_cstr(&w, "pub", s->t.public_url);
	jw_cstr(&w, "direct", s->t.direct_url);
	if (s->t.gate[0] != '\0')
		jw_cstr(&w, "gate", s->t.gate);
	jw_cstr(&w, "link", s->t.link);
	jw_cstr(&w, "admin", s->t.admin);
	jw_int(&w, "inc", s->t.inc);
	jw_int(&w, "weight", s->t.weight);
	jw_bool(&w, "linked", s->link != NULL);
	api_put_figures(&w, s);
	jw_int(&w, "msgs_s", s->load.msgs_s);
	jw_int(&w, "out_kB_s", s->load.out_kb_s);
	jw_real(&w, "loop_ms", s->load.loop_us / 1000.);
	jw_int(&w, "queue_kB", s->load.queue_kb);
	jw_int(&w, "lag", s->load.lag);
	if (job != NULL) {
		jw_obj(&w, "drain");
		api_put_job_keys(&w, job, now);
		jw_obj_end(&w);
	}
	jw_obj_end(&w);
}

void
api_put_job(struct buf *out, const struct registry *r, const struct job *job,
    int64_t now)
{
	struct jw w;

	jw_init(&w, out);
	api_put_head(&w, r);
	api_put_job_keys(&w, job, now);
	jw_obj_end(&w);
}

void
api_put_jobs(struct buf *out, const struct registry *r, uint64_t below,
    unsigned limit, int64_t now)
{
	char next[24] = "";
	uint64_t last = 0;
	unsigned n = 0;
	struct jw w;

	jw_init(&w, out);
	api_list_begin(&w, r);
	for (size_t i = r->jobs.n; i > 0; i--) {
		const struct job *job = &r->jobs.list[i - 1];

		if (job->id >= below)
			continue;
		if (n++ == limit) {
			snprintf(next, sizeof(next), "%llu",
			    (unsigned long long)last);
			break;
		}
		last = job->id;
		jw_obj(&w, NULL);
		api_put_job_keys(&w, job, now);
		jw_obj_end(&w);
	}
	api_list_end(&w, next[0] != '\0' ? str_of(next) : STR_NONE);
}

static const char *
api_url(const struct registry_server *s)
{
	return s->t.direct_url[0] != '\0' ? s->t.direct_url : s->t.public_url;
}

bool
api_put_next(struct buf *out, const struct registry *r, struct str uid)
{
	struct registry_server *best[API_ALT_MAX + 1];
	size_t n = registry_next(r, uid, best, API_ALT_MAX + 1);
	struct jw w;

	if (n == 0)
		return false;
	best[0]->sent++;
	jw_init(&w, out);
	api_put_head(&w, r);
	jw_cstr(&w, "id", best[0]->t.name);
	jw_cstr(&w, "url", api_url(best[0]));
	jw_arr(&w, "alt");
	for (size_t i = 1; i < n; i++)
		jw_cstr(&w, NULL, api_url(best[i]));
	jw_arr_end(&w);
	jw_obj(&w, "retry");
	jw_int(&w, "base", API_RETRY_BASE);
	jw_int(&w, "max", API_RETRY_MAX);
	jw_obj_end(&w);
	jw_int(&w, "ping", API_PING);
	jw_obj_end(&w);
	return true;
}

static void
api_put_problem(
    struct jw *w, const char *kind, const char *srv, const char *detail)
{
	jw_obj(w, NULL);
	jw_cstr(w, "kind", kind);
	jw_cstr(w, "srv", srv);
	jw_cstr(w, "detail", detail);
	jw_obj_end(w);
}

/* a drain that does not come to its end */
static void
api_check_job(struct jw *w, const struct job *job)
{
	int64_t late = clock_wall_ms() - job->t0 - job->within_ms;
	char text[96];

	if (job->state != JOB_RUNNING || late < API_DRAIN_LATE_MS)
		return;
	snprintf(text, sizeof(text), "job %llu is %lld s late, %u left",
	    (unsigned long long)job->id, (long long)late / 1000, job->left);
	api_put_problem(w, "drain_late", job->server, text);
}

void
api_put_check(struct buf *out, const struct registry *r, int store_err)
{
	struct registry_problem *p = xcalloc(API_PROBLEMS_MAX, sizeof(*p));
	size_t n = registry_check(r, p, API_PROBLEMS_MAX);
	struct jw w;

	jw_init(&w, out);
	api_list_begin(&w, r);
	if (store_err != 0)
		api_put_problem(
		    &w, "store", "", "topology.db can't be written");
	for (size_t i = 0; i < n; i++)
		api_put_problem(&w, p[i].kind, p[i].srv, p[i].detail);
	for (size_t i = 0; i < r->jobs.n; i++)
		api_check_job(&w, &r->jobs.list[i]);
	api_list_end(&w, STR_NONE);
	free(p);
}

static int
api_put_json(const char *p, size_t n, void *out)
{
	buf_put(out, p, n);
	return 0;
}

int
api_put_object(struct buf *out, const struct registry *r, struct str json,
    const char *owner)
{
	json_t *v, *all;
	int err;

	v = json_read(json, &err);
	if (!json_is_object(v)) {
		json_decref(v);
		return ERR_PROTO;
	}
	/* ours first, and ours count where the proxy says the same word */
	all = json_object();
	json_object_set_new(all, "ver", json_integer((json_int_t)r->ver));
	json_object_set_new(all, "gen", json_integer((json_int_t)r->gen));
	json_object_update_missing(all, v);
	if (owner != NULL)
		json_object_set_new(all, "owner", json_string(owner));
	json_dump_callback(all, api_put_json, out, JSON_COMPACT);
	json_decref(all);
	json_decref(v);
	return 0;
}

int
api_put_list(
    struct buf *out, const struct registry *r, struct str json, struct str next)
{
	json_t *v;
	struct jw w;
	bool list;
	int err;

	v = json_read(json, &err);
	list = json_is_array(v);
	json_decref(v);
	if (!list)
		return ERR_PROTO;
	jw_init(&w, out);
	api_put_head(&w, r);
	jw_raw(&w, "list", json);
	if (str_is_set(next))
		jw_str(&w, "next", next);
	else
		jw_null(&w, "next");
	jw_obj_end(&w);
	return 0;
}
