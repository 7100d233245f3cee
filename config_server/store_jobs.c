/* SPDX-License-Identifier: MIT */
/*
 * The rows of drain jobs in topology.db. When they are written is store.c's.
 */
#include <string.h>

#include "config_server/store_priv.h"

static enum job_state
store_job_state(struct str text)
{
	enum job_state state;

	for (state = JOB_RUNNING; state < JOB_FAILED; state++)
		if (str_eqc(text, job_state_text(state)))
			break;
	return state;
}

static struct str
store_job_text(sqlite3_stmt *s, int i)
{
	const void *p = sqlite3_column_text(s, i);

	return str_n(p != NULL ? p : "", (size_t)sqlite3_column_bytes(s, i));
}

/* of what is not a job of ours nothing is taken; the rows stay */
int
store_load_jobs(struct store *st, struct jobs *jobs)
{
	sqlite3_stmt *s = st->stmt[ST_JOBS];
	struct job job;
	int64_t total;
	int rc;

	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		memset(&job, 0, sizeof(job));
		job.id = (uint64_t)sqlite3_column_int64(s, 0);
		str_copy(job.server, sizeof(job.server), store_job_text(s, 1));
		job_read_args(&job, store_job_text(s, 2));
		job.state = store_job_state(store_job_text(s, 3));
		job.moved = (uint32_t)sqlite3_column_int64(s, 4);
		total = sqlite3_column_int64(s, 5);
		job.left =
		    total > job.moved ? (uint32_t)(total - job.moved) : 0;
		job.t0 = sqlite3_column_int64(s, 6);
		job.t1 = sqlite3_column_int64(s, 7);
		if (id_is_word(str_of(job.server)))
			(void)!jobs_restore(jobs, &job);
	}
	sqlite3_reset(s);
	return store_err(rc);
}

static int
store_put_job(struct store *st, const struct job *job)
{
	sqlite3_stmt *s = st->stmt[ST_JOB];
	struct buf args;
	int err;

	buf_init(&args, 256);
	job_write_args(job, &args);
	sqlite3_bind_int64(s, 1, (int64_t)job->id);
	sqlite3_bind_text(s, 2, "drain", -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, job->server, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, (const char *)buf_p(&args), (int)buf_len(&args),
	    SQLITE_STATIC);
	sqlite3_bind_text(s, 5, job_state_text(job->state), -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 6, job->moved);
	sqlite3_bind_int64(s, 7, (int64_t)job->moved + job->left);
	sqlite3_bind_int64(s, 8, job->t0);
	if (job->t1 != 0)
		sqlite3_bind_int64(s, 9, job->t1);
	err = store_run(st, ST_JOB);
	buf_fini(&args);
	return err;
}

bool
store_jobs_due(const struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		if (jobs->list[i].dirty)
			return true;
	return jobs->trim != 0;
}

int
store_put_jobs(struct store *st, const struct jobs *jobs)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < jobs->n; i++)
		if (jobs->list[i].dirty)
			err = store_put_job(st, &jobs->list[i]);
	if (err != 0 || jobs->trim == 0)
		return err;
	sqlite3_bind_int64(st->stmt[ST_JOB_TRIM], 1, (int64_t)jobs->trim);
	return store_run(st, ST_JOB_TRIM);
}

void
store_jobs_written(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->n; i++)
		jobs->list[i].dirty = false;
	jobs->trim = 0;
}
