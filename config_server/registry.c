/* SPDX-License-Identifier: MIT */
/*
 * The table of servers: joins, beats, states, numbers, who says it is active.
 * Judgements over the table (next server, problems) are in registry_view.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_server/registry.h"
#include "shared/proc/clock.h"

const char *
server_state_text(enum server_state state)
{
	switch (state) {
	case STATE_UP:
		return "up";
	case STATE_LATE:
		return "late";
	case STATE_DRAINING:
		return "draining";
	case STATE_DOWN:
		return "down";
	}
	return "?";
}

static void __attribute__((format(printf, 4, 5))) registry_event(
    struct registry *r, const char *kind, const char *srv, const char *fmt, ...)
{
	char detail[REGISTRY_DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	if (r->on_event != NULL)
		r->on_event(r->arg, kind, srv, detail);
}

void
registry_init(struct registry *r,
    void (*on_event)(void *, const char *, const char *, const char *),
    void *arg)
{
	memset(r, 0, sizeof(*r));
	r->next_node = 1;
	r->on_event = on_event;
	r->arg = arg;
}

void
registry_fini(struct registry *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->list[i]);
	free(r->list);
	r->list = NULL;
	r->n = 0;
	jobs_fini(&r->jobs);
}

struct registry_server *
registry_find(const struct registry *r, struct str name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eqc(name, r->list[i]->t.name))
			return r->list[i];
	return NULL;
}

static struct registry_server *
registry_by_node(const struct registry *r, uint32_t node_no)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i]->t.node_no == node_no)
			return r->list[i];
	return NULL;
}

/* ---- numbers ---------------------------------------------------------- */

static int
registry_cmp(const void *a, const void *b)
{
	const struct registry_server *const *x = a, *const *y = b;

	return ((*x)->t.node_no > (*y)->t.node_no) -
	       ((*x)->t.node_no < (*y)->t.node_no);
}

static void
registry_sort(struct registry *r)
{
	if (r->n > 1)
		qsort(r->list, r->n, sizeof(*r->list), registry_cmp);
}

/* numbers of the forgotten are not given again before the space is used up */
static uint32_t
registry_fresh(struct registry *r)
{
	uint32_t no = r->next_node;

	if (no > REGISTRY_NODE_MAX)
		no = 1;
	while (registry_by_node(r, no) != NULL)
		no++;
	return no;
}

static void
registry_number(struct registry *r, struct registry_server *s, uint32_t no)
{
	s->t.node_no = no;
	if (no >= r->next_node && no <= REGISTRY_NODE_MAX) {
		r->next_node = no + 1;
		r->meta_dirty = true;
	}
}

/* which number a daemon gets that asks for `want` (0: has none) */
static uint32_t
registry_choose(struct registry *r, const struct registry_server *s,
    const char *name, uint32_t want)
{
	const struct registry_server *owner;
	uint32_t no;

	if (want == 0)
		return s->t.node_no != 0 ? s->t.node_no : registry_fresh(r);
	owner = want <= REGISTRY_NODE_MAX ? registry_by_node(r, want) : NULL;
	if (want <= REGISTRY_NODE_MAX && (owner == NULL || owner == s)) {
		if (s->t.node_no != 0 && s->t.node_no != want)
			registry_event(r, "renumber", name,
			    "keeps node %u, was known as %u", want,
			    s->t.node_no);
		return want;
	}
	no = s->t.node_no != 0 ? s->t.node_no : registry_fresh(r);
	registry_event(r, "conflict", name, "node %u is %s; gets %u", want,
	    owner != NULL ? owner->t.name : "out of range", no);
	return no;
}

static struct registry_server *
registry_add(struct registry *r, struct str name, enum link_role role)
{
	struct registry_server *s = xcalloc(1, sizeof(*s));

	str_copy(s->t.name, sizeof(s->t.name), name);
	s->t.role = role;
	s->beat_ms = clock_mono_ms();
	s->dirty = true;
	r->list = xrealloc(r->list, (r->n + 1) * sizeof(*r->list));
	r->list[r->n++] = s;
	return s;
}

/* ---- restoring -------------------------------------------------------- */

static enum server_state
registry_state_parse(const char *text)
{
	enum server_state state;

	for (state = STATE_UP; state < STATE_DOWN; state++)
		if (!strcmp(text, server_state_text(state)))
			break;
	return state;
}

int
registry_restore(struct registry *r, const struct topology_server *t,
    uint32_t cap, int64_t since_ms)
{
	struct registry_server *s;

	if (t->node_no == 0 || t->node_no > REGISTRY_NODE_MAX)
		return ERR_INVALID;
	if (registry_find(r, str_of(t->name)) != NULL ||
	    registry_by_node(r, t->node_no) != NULL)
		return ERR_EXISTS;
	if (r->n >= TOPOLOGY_SERVERS_MAX)
		return ERR_LIMIT;
	s = registry_add(r, str_of(t->name), t->role);
	s->t = *t;
	s->state = registry_state_parse(t->state);
	s->cap = cap;
	s->since_ms = since_ms;
	registry_number(r, s, t->node_no);
	registry_sort(r);
	return 0;
}

void
registry_restore_active(struct registry *r, const char *name, uint64_t gen,
    const char *ep, int64_t since_ms)
{
	if (gen < r->gen)
		return;
	str_copy(r->active, sizeof(r->active), str_of(name));
	str_copy(r->ep, sizeof(r->ep), str_of(ep));
	r->gen = gen;
	r->active_since_ms = since_ms;
}

/* ---- states ----------------------------------------------------------- */

static void
registry_enter(
    struct registry *r, struct registry_server *s, enum server_state state)
{
	if (s->state == state && s->t.state[0] != '\0')
		return;
	s->state = state;
	str_copy(
	    s->t.state, sizeof(s->t.state), str_of(server_state_text(state)));
	s->since_ms = clock_wall_ms();
	s->dirty = true;
	r->changed = true;
}

void
registry_beat(
    struct registry *r, struct registry_server *s, const struct f_beat *beat)
{
	enum server_state state = beat->state == BEAT_DRAINING || s->job != 0
				      ? STATE_DRAINING
				      : STATE_UP;
	enum server_state was = s->state;

	s->load = *beat;
	s->sent = 0;
	s->beat_ms = clock_mono_ms();
	s->beat_wall_ms = clock_wall_ms();
	if (was == state)
		return;
	registry_enter(r, s, state);
	registry_event(r, server_state_text(state), s->t.name, "was %s",
	    server_state_text(was));
}

void
registry_job(struct registry *r, struct registry_server *s, uint64_t job)
{
	s->job = job;
	/* the way back is its next beat's: it may go on draining by itself */
	if (job != 0 && s->state == STATE_UP)
		registry_enter(r, s, STATE_DRAINING);
}

void
registry_tick(struct registry *r)
{
	int64_t now = clock_mono_ms(), silent;

	for (size_t i = 0; i < r->n; i++) {
		struct registry_server *s = r->list[i];

		silent = now - s->beat_ms;
		if (s->state == STATE_DOWN || silent < REGISTRY_LATE_MS)
			continue;
		if (silent >= REGISTRY_DOWN_MS) {
			registry_enter(r, s, STATE_DOWN);
			registry_event(r, "down", s->t.name, "no beat for %d s",
			    REGISTRY_DOWN_MS / 1000);
		} else if (s->state != STATE_LATE) {
			registry_enter(r, s, STATE_LATE);
			registry_event(r, "late", s->t.name, "no beat for %d s",
			    REGISTRY_LATE_MS / 1000);
		}
	}
}

/* ---- joining ---------------------------------------------------------- */

/* an address goes into everybody's list: printable, no blanks, fits */
static bool
registry_text_ok(struct str s, size_t size)
{
	if (s.len >= size)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

static const char *
registry_join_bad(const struct f_join *j)
{
	const struct topology_server *t = NULL;

	if (!id_is_word(j->name))
		return "this is not a name";
	if (j->role < ROLE_MSG || j->role > ROLE_CONFIG)
		return "no such role";
	if (!registry_text_ok(j->link, sizeof(t->link)) ||
	    !registry_text_ok(j->admin, sizeof(t->admin)) ||
	    !registry_text_ok(j->public_url, sizeof(t->public_url)) ||
	    !registry_text_ok(j->direct_url, sizeof(t->direct_url)) ||
	    !registry_text_ok(j->gate, sizeof(t->gate)) ||
	    !registry_text_ok(j->version, sizeof(t->version)))
		return "an address or the version is malformed";
	return NULL;
}

/* whoever is refused comes again and again: told once a minute */
static void
registry_refuse(struct registry *r, struct registry_server *s,
    struct registry_joined *out, struct str name, unsigned code,
    const char *why)
{
	int64_t *last = s != NULL ? &s->refused_ms : &r->refused_ms;
	int64_t now = clock_mono_ms();
	char text[ID_MAX + 1];

	out->code = code;
	out->why = why;
	if (*last != 0 && now - *last < REGISTRY_REFUSED_MS)
		return;
	*last = now;
	str_copy(text, sizeof(text), id_is_word(name) ? name : STR_LIT("?"));
	registry_event(r, "refused", text, "%s", why);
}

/* one process of a name at a time: the higher boot counter wins */
static bool
registry_contend(struct registry *r, const struct f_join *j,
    struct registry_server *s, const void *link, struct registry_joined *out)
{
	if (s->t.role != j->role) {
		registry_refuse(r, s, out, j->name, 409,
		    "this name belongs to a server of another role");
		return false;
	}
	if (s->link == NULL || s->link == link)
		return true;
	if (j->inc <= s->t.inc) {
		registry_refuse(r, s, out, j->name, 409,
		    j->inc == s->t.inc
			? "another process of this name is linked"
			: "a newer process of this name is linked");
		return false;
	}
	out->replaced = s->link;
	registry_event(
	    r, "replaced", s->t.name, "inc %u by inc %u", s->t.inc, j->inc);
	return true;
}

static void
registry_set(struct registry *r, struct registry_server *s, char *dst,
    size_t size, struct str v)
{
	if (str_eqc(v, dst))
		return;
	str_copy(dst, size, v);
	s->dirty = true;
	r->changed = true;
}

static void
registry_fill(
    struct registry *r, struct registry_server *s, const struct f_join *j)
{
	struct topology_server *t = &s->t;
	uint32_t weight = j->weight > 0 ? j->weight : 1;

	registry_set(r, s, t->link, sizeof(t->link), j->link);
	registry_set(r, s, t->admin, sizeof(t->admin), j->admin);
	registry_set(r, s, t->public_url, sizeof(t->public_url), j->public_url);
	registry_set(r, s, t->direct_url, sizeof(t->direct_url), j->direct_url);
	registry_set(r, s, t->gate, sizeof(t->gate), j->gate);
	registry_set(r, s, t->version, sizeof(t->version), j->version);
	if (t->inc != j->inc || t->weight != weight || s->cap != j->cap) {
		t->inc = j->inc;
		t->weight = weight;
		s->cap = j->cap;
		s->dirty = true;
		r->changed = true;
	}
}

void
registry_join(struct registry *r, const struct f_join *j, void *link,
    struct registry_joined *out)
{
	const char *bad = registry_join_bad(j);
	struct registry_server *s;
	uint32_t no, inc;
	bool fresh;

	memset(out, 0, sizeof(*out));
	if (bad != NULL) {
		registry_refuse(r, NULL, out, j->name, 400, bad);
		return;
	}
	s = registry_find(r, j->name);
	fresh = s == NULL;
	if (s != NULL && !registry_contend(r, j, s, link, out))
		return;
	if (fresh && r->n >= TOPOLOGY_SERVERS_MAX) {
		registry_refuse(
		    r, NULL, out, j->name, 503, "the cluster is full");
		return;
	}
	if (fresh)
		s = registry_add(r, j->name, (enum link_role)j->role);
	inc = s->t.inc;
	no = registry_choose(r, s, s->t.name, j->node_no);
	if (s->t.node_no != no) {
		registry_number(r, s, no);
		registry_sort(r);
		s->dirty = true;
		r->changed = true;
	}
	registry_fill(r, s, j);
	/* a job is one of a process; this one has nothing to drain yet */
	if (inc != j->inc) {
		s->job = 0;
		memset(&s->load, 0, sizeof(s->load));
	}
	s->link = link;
	s->claims = false;
	s->beat_ms = clock_mono_ms();
	s->beat_wall_ms = clock_wall_ms();
	if (fresh || s->state == STATE_DOWN || s->state == STATE_LATE ||
	    inc != j->inc)
		registry_event(r, "join", s->t.name, "%s node=%u inc=%u",
		    link_role_text(s->t.role), no, j->inc);
	registry_enter(r, s, s->job != 0 ? STATE_DRAINING : STATE_UP);
	out->server = s;
}

/* ---- the active proxy ------------------------------------------------- */

static void
registry_elect(struct registry *r)
{
	struct registry_server *best = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct registry_server *s = r->list[i];

		if (s->link != NULL && s->claims &&
		    (best == NULL || s->claim_gen > best->claim_gen))
			best = s;
	}
	if (best == NULL ||
	    (best->claim_gen == r->gen && !strcmp(best->t.name, r->active)))
		return;
	registry_event(r, best->claim_gen < r->gen ? "gen_back" : "active",
	    best->t.name, "gen=%llu, was %s gen=%llu",
	    (unsigned long long)best->claim_gen,
	    r->active[0] ? r->active : "nobody", (unsigned long long)r->gen);
	memcpy(r->active, best->t.name, sizeof(r->active));
	r->gen = best->claim_gen;
	r->active_since_ms = clock_wall_ms();
	r->changed = r->meta_dirty = true;
}

void
registry_report(struct registry *r, struct registry_server *s,
    const struct f_report *report)
{
	if (s->t.role != ROLE_PROXY)
		return;
	s->claims = report->active;
	s->claim_gen = report->gen;
	registry_elect(r);
	if (!report->active || strcmp(r->active, s->t.name) != 0 ||
	    !str_is_set(report->ep) || str_eqc(report->ep, r->ep))
		return;
	if (r->ep[0] != '\0')
		registry_event(r, "ep", s->t.name, "%.*s, was %s",
		    STR_ARG(report->ep), r->ep);
	str_copy(r->ep, sizeof(r->ep), report->ep);
	r->meta_dirty = true;
}

struct registry_server *
registry_active(const struct registry *r)
{
	struct registry_server *s = registry_find(r, str_of(r->active));

	return s != NULL && s->link != NULL && s->claims ? s : NULL;
}

void
registry_unlink(struct registry *r, struct registry_server *s, const void *link)
{
	if (s->link != link)
		return;
	s->link = NULL;
	s->claims = false;
	registry_elect(r);
	/* it has said goodbye: nobody needs to wait for its beats */
	if (s->state == STATE_DRAINING && s->load.state == BEAT_DRAINING &&
	    s->load.left == 0) {
		registry_enter(r, s, STATE_DOWN);
		registry_event(r, "down", s->t.name, "drained");
	}
}

/* ---- the list as a whole ---------------------------------------------- */

int
registry_forget(struct registry *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		struct registry_server *s = r->list[i];

		if (strcmp(s->t.name, name) != 0)
			continue;
		if (s->state != STATE_DOWN || s->link != NULL)
			return ERR_BUSY;
		registry_event(r, "forget", name, "node=%u", s->t.node_no);
		memmove(r->list + i, r->list + i + 1,
		    (r->n - i - 1) * sizeof(*r->list));
		r->n--;
		free(s);
		r->changed = true;
		return 0;
	}
	return ERR_NOTFOUND;
}

bool
registry_commit(struct registry *r)
{
	if (!r->changed)
		return false;
	r->changed = false;
	r->ver++;
	r->meta_dirty = true;
	return true;
}
