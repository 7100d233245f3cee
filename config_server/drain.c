/* SPDX-License-Identifier: MIT */
/*
 * Drain jobs between the API, the links and the table. The only file that
 * ends one.
 */
#include <string.h>

#include "config_server/drain.h"
#include "config_server/server.h"
#include "shared/proc/clock.h"

static void
drain_send(struct node *n, const struct job *job, bool abort)
{
	struct f_job f = {
	    .id = job->id, .kind = abort ? STR_LIT("abort") : STR_LIT("drain")};
	struct buf args;

	buf_init(&args, 256);
	if (!abort) {
		job_write_args(job, &args);
		f.args = buf_str(&args);
	}
	put_job(linkconn_out(&n->lc), &f);
	buf_fini(&args);
}

static void
drain_end(struct server *s, struct job *job, enum job_state state)
{
	static const char *const kinds[] = {[JOB_DONE] = "drain_done",
	    [JOB_ABORTED] = "drain_abort",
	    [JOB_FAILED] = "drain_fail"};
	struct registry_server *rs =
	    registry_find(&s->registry, str_of(job->server));

	jobs_end(job, state);
	if (rs != NULL && rs->job == job->id)
		registry_job(&s->registry, rs, 0);
	s->stats[state == JOB_FAILED ? S_DRAINS_FAILED : S_DRAINS_ENDED]++;
	server_event(s, kinds[state], job->server,
	    "job %llu: %u moved, %u left", (unsigned long long)job->id,
	    job->moved, job->left);
}

struct job *
drain_start(struct server *s, struct registry_server *rs, uint32_t rate,
    uint32_t within_ms, const char **why, uint64_t *running)
{
	struct jobs *jobs = &s->registry.jobs;
	struct job *job = jobs_running(jobs, rs->t.name);

	*running = job != NULL ? job->id : 0;
	if (job != NULL)
		*why = "it is draining already";
	else if (rs->state == STATE_DOWN || rs->link == NULL)
		*why = "it is down";
	else if (rs->state == STATE_DRAINING)
		*why = "it is draining already, because it was told to end";
	else
		*why = NULL;
	if (*why != NULL)
		return NULL;
	job = jobs_add(
	    jobs, rs->t.name, rs->t.inc, rate, within_ms, rs->load.conns);
	registry_job(&s->registry, rs, job->id);
	drain_send(rs->link, job, false);
	server_event(s, "drain_start", rs->t.name,
	    "job %llu: %u clients, %u/s, within %u s",
	    (unsigned long long)job->id, job->left, rate,
	    (within_ms + 999) / 1000);
	return job;
}

struct job *
drain_abort(struct server *s, struct registry_server *rs)
{
	struct job *job = jobs_running(&s->registry.jobs, rs->t.name);

	if (job == NULL)
		return NULL;
	/* one that is not linked now is told when it says that it drains */
	if (rs->link != NULL)
		drain_send(rs->link, job, true);
	drain_end(s, job, JOB_ABORTED);
	return job;
}

/* ---- what the server says --------------------------------------------- */

void
drain_on_join(struct server *s, struct node *n)
{
	struct job *job = jobs_running(&s->registry.jobs, n->s->t.name);

	if (job == NULL)
		return;
	if (job->inc != n->s->t.inc) {
		drain_end(s, job, job->left == 0 ? JOB_DONE : JOB_FAILED);
		return;
	}
	registry_job(&s->registry, n->s, job->id);
	drain_send(n, job, false);
}

/* it works on a job that is not in the table: topology.db was lost */
static void
drain_adopt(struct server *s, struct node *n, const struct f_beat *f)
{
	struct job job = {.id = f->job,
	    .inc = n->s->t.inc,
	    .rate = JOB_RATE_DEF,
	    .within_ms = JOB_WITHIN_DEF_MS,
	    .left = f->left,
	    .moved = f->moved,
	    .t0 = clock_wall_ms(),
	    .dirty = true};

	str_copy(job.server, sizeof(job.server), str_of(n->s->t.name));
	if (jobs_running(&s->registry.jobs, job.server) != NULL ||
	    jobs_restore(&s->registry.jobs, &job) != 0)
		return;
	registry_job(&s->registry, n->s, job.id);
	server_event(s, "drain_start", job.server,
	    "job %llu: was under way, %u left", (unsigned long long)job.id,
	    job.left);
}

void
drain_on_beat(struct server *s, struct node *n, const struct f_beat *f)
{
	struct job *job;

	if (f->job == 0 || n->s->t.role != ROLE_MSG)
		return;
	job = jobs_find(&s->registry.jobs, f->job);
	if (job == NULL) {
		if (f->state == BEAT_DRAINING)
			drain_adopt(s, n, f);
	} else if (strcmp(job->server, n->s->t.name) != 0) {
		return;
	} else if (job->state == JOB_RUNNING) {
		jobs_progress(job, f->left, f->moved);
	} else if (job->state == JOB_ABORTED) {
		drain_send(n, job, true);
	}
}

/* ---- time ------------------------------------------------------------- */

void
drain_on_tick(struct server *s)
{
	struct jobs *jobs = &s->registry.jobs;

	for (size_t i = 0; i < jobs->n; i++) {
		struct job *job = &jobs->list[i];
		struct registry_server *rs;

		if (job->state != JOB_RUNNING)
			continue;
		rs = registry_find(&s->registry, str_of(job->server));
		/* down at once, when its last beat said that nobody is left */
		if (rs == NULL || rs->state == STATE_DOWN)
			drain_end(
			    s, job, job->left == 0 ? JOB_DONE : JOB_FAILED);
	}
}
