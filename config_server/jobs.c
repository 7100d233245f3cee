/* SPDX-License-Identifier: MIT */
/*
 * The table of drain jobs. Decides nothing: drain.c does.
 */
#include <stdlib.h>
#include <string.h>

#include "config_server/jobs.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

const char *
job_state_text(enum job_state state)
{
	switch (state) {
	case JOB_RUNNING:
		return "running";
	case JOB_DONE:
		return "done";
	case JOB_ABORTED:
		return "aborted";
	case JOB_FAILED:
		return "failed";
	}
	return "?";
}

void
jobs_fini(struct jobs *j)
{
	free(j->list);
	memset(j, 0, sizeof(*j));
}

/* ---- the list --------------------------------------------------------- */

static void
jobs_trim(struct jobs *j)
{
	size_t ended = j->n - jobs_count_running(j), i;

	for (i = 0; ended > JOBS_KEEP && i < j->n;) {
		if (j->list[i].state == JOB_RUNNING) {
			i++;
			continue;
		}
		j->trim = j->list[i].id;
		memmove(j->list + i, j->list + i + 1,
		    (j->n - i - 1) * sizeof(*j->list));
		j->n--;
		ended--;
	}
}

static struct job *
jobs_insert(struct jobs *j, const struct job *job)
{
	size_t i;

	j->list = xrealloc(j->list, (j->n + 1) * sizeof(*j->list));
	for (i = j->n; i > 0 && j->list[i - 1].id > job->id; i--)
		j->list[i] = j->list[i - 1];
	j->list[i] = *job;
	j->n++;
	if (job->id >= j->next_id)
		j->next_id = job->id + 1;
	jobs_trim(j);
	return jobs_find(j, job->id);
}

struct job *
jobs_add(struct jobs *j, const char *server, uint32_t inc, uint32_t rate,
    uint32_t within_ms, uint32_t clients)
{
	struct job job = {.id = j->next_id > 0 ? j->next_id : 1,
	    .inc = inc,
	    .rate = rate,
	    .within_ms = within_ms,
	    .left = clients,
	    .t0 = clock_wall_ms(),
	    .dirty = true};

	str_copy(job.server, sizeof(job.server), str_of(server));
	return jobs_insert(j, &job);
}

int
jobs_restore(struct jobs *j, const struct job *job)
{
	if (job->id == 0 || job->id > INT64_MAX)
		return ERR_INVALID;
	if (jobs_find(j, job->id) != NULL)
		return ERR_EXISTS;
	(void)jobs_insert(j, job);
	return 0;
}

struct job *
jobs_find(const struct jobs *j, uint64_t id)
{
	for (size_t i = j->n; i > 0; i--)
		if (j->list[i - 1].id == id)
			return &j->list[i - 1];
	return NULL;
}

struct job *
jobs_newest(const struct jobs *j, const char *server)
{
	for (size_t i = j->n; i > 0; i--)
		if (!strcmp(j->list[i - 1].server, server))
			return &j->list[i - 1];
	return NULL;
}

struct job *
jobs_running(const struct jobs *j, const char *server)
{
	for (size_t i = j->n; i > 0; i--)
		if (j->list[i - 1].state == JOB_RUNNING &&
		    !strcmp(j->list[i - 1].server, server))
			return &j->list[i - 1];
	return NULL;
}

size_t
jobs_count_running(const struct jobs *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->n; i++)
		n += j->list[i].state == JOB_RUNNING;
	return n;
}

/* ---- one of them ------------------------------------------------------ */

void
jobs_progress(struct job *job, uint32_t left, uint32_t moved)
{
	if (job->left == left && job->moved == moved)
		return;
	job->left = left;
	job->moved = moved;
	job->dirty = true;
}

void
jobs_end(struct job *job, enum job_state state)
{
	job->state = state;
	job->t1 = clock_wall_ms();
	job->dirty = true;
}

int64_t
job_eta_ms(const struct job *job, int64_t now)
{
	int64_t end = job->t0 + job->within_ms - now, eta;

	if (job->state != JOB_RUNNING || job->left == 0)
		return 0;
	if (job->moved > 0 && now > job->t0)
		eta = (now - job->t0) * (int64_t)job->left / job->moved;
	else
		eta = (int64_t)job->left * 1000 /
		      (job->rate > 0 ? job->rate : JOB_RATE_DEF);
	if (end < 0)
		end = 0;
	return eta < end ? eta : end;
}

void
job_write_args(const struct job *job, struct buf *out)
{
	struct jw w;

	jw_init(&w, out);
	jw_obj(&w, NULL);
	jw_int(&w, "rate", job->rate);
	jw_int(&w, "within_ms", job->within_ms);
	jw_int(&w, "inc", job->inc);
	jw_obj_end(&w);
}

static uint32_t
job_arg(const json_t *v, const char *key, uint32_t def, uint32_t max)
{
	int64_t n;

	return json_int(v, key, &n) && n >= 0 && n <= max ? (uint32_t)n : def;
}

void
job_read_args(struct job *job, struct str json)
{
	int err;
	json_t *v = json_read(json, &err);

	job->rate = job_arg(v, "rate", JOB_RATE_DEF, JOB_RATE_MAX);
	job->within_ms =
	    job_arg(v, "within_ms", JOB_WITHIN_DEF_MS, JOB_WITHIN_MAX_MS);
	job->inc = job_arg(v, "inc", 0, UINT32_MAX);
	json_decref(v);
}
