/* SPDX-License-Identifier: MIT */
/*
 * Drain jobs, in memory: which server is to be emptied, how far it is, how it
 * ended. No sockets, no database, and nothing about servers but their names:
 * drain.c acts, store_jobs.c keeps the rows, api_drain.c shows them.
 *
 * A server has at most one running job. The newest JOBS_KEEP that ended are
 * remembered; running ones are never dropped. Pointers to jobs are good until
 * the next jobs_add() or jobs_restore().
 */
#ifndef CONFIG_SERVER_JOBS_H
#define CONFIG_SERVER_JOBS_H

#include "shared/base/id.h"
#include "shared/proto/frames.h"

enum { JOBS_KEEP = 1000 };

enum job_state { JOB_RUNNING, JOB_DONE, JOB_ABORTED, JOB_FAILED };
const char *job_state_text(enum job_state state);

struct job {
	uint64_t id; /* > 0, rising; never given twice by one topology.db */
	char server[ID_MAX + 1];
	uint32_t inc;	    /* of the process it was given to */
	uint32_t rate;	    /* clients a second, or as `within` needs */
	uint32_t within_ms; /* who is left then goes at once */
	enum job_state state;
	uint32_t left, moved; /* clients, as last heard; sum: total */
	int64_t t0, t1;	      /* wall clock ms; t1 0: it runs */
	bool dirty;	      /* its row is to be written */
};

struct jobs {
	struct job *list; /* by id, owned */
	size_t n;
	uint64_t next_id; /* 0: none given yet, as 1 */
	uint64_t trim;	  /* rows up to this id that ended are to go; 0: none */
};

void jobs_fini(struct jobs *j);
/* a fresh one, running; the caller has seen that the server has none */
struct job *jobs_add(struct jobs *j, const char *server, uint32_t inc, uint32_t rate, uint32_t within_ms, uint32_t clients);
/* as it was stored, or as a server says it was given it; ERR_EXISTS: the id is taken */
int jobs_restore(struct jobs *j, const struct job *job) MUST_CHECK;
void jobs_progress(struct job *job, uint32_t left, uint32_t moved);
void jobs_end(struct job *job, enum job_state state);

struct job *jobs_find(const struct jobs *j, uint64_t id);
/* the newest of that server, or NULL */
struct job *jobs_newest(const struct jobs *j, const char *server);
struct job *jobs_running(const struct jobs *j, const char *server);
size_t jobs_count_running(const struct jobs *j);
/* ms until it is through, by its pace so far; 0 when it has ended */
int64_t job_eta_ms(const struct job *job, int64_t now_wall_ms);
/* the args of its JOB frame and of its row: {"rate","within_ms","inc"} */
void job_write_args(const struct job *job, struct buf *out);
/* what job_write_args wrote; what is absent has its default */
void job_read_args(struct job *job, struct str json);

#endif
