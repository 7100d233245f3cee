/* SPDX-License-Identifier: MIT */
/*
 * The requests about drain jobs: /v1/servers/ID/drain and /v1/jobs. What a job
 * does is drain.c, its JSON api_view.c.
 */
#include <stdio.h>
#include <string.h>

#include "config_server/api_priv.h"
#include "config_server/drain.h"
#include "shared/proc/clock.h"
#include "shared/proto/json.h"

/* ---- what is asked for ------------------------------------------------ */

/* "90", "30s", "10m", "2h" in ms; 0: it is none of those, or out of bounds */
static uint64_t
api_duration(struct str text)
{
	uint64_t n = 0, unit = 1000;

	if (text.len > 0 &&
	    (text.p[text.len - 1] < '0' || text.p[text.len - 1] > '9')) {
		switch (text.p[--text.len]) {
		case 'h':
			unit *= 60;
			/* fall through */
		case 'm':
			unit *= 60;
			/* fall through */
		case 's':
			break;
		default:
			return 0;
		}
	}
	if (text.len == 0 || str_u64(text, &n) != 0 ||
	    n > JOB_WITHIN_MAX_MS / unit)
		return 0;
	return n * unit;
}

static uint64_t
api_within(const json_t *v)
{
	if (json_is_string(v))
		return api_duration(
		    str_n(json_string_value(v), json_string_length(v)));
	if (json_is_integer(v) && json_integer_value(v) > 0 &&
	    json_integer_value(v) <= JOB_WITHIN_MAX_MS / 1000)
		return (uint64_t)json_integer_value(v) * 1000;
	return 0;
}

const char *
api_read_drain(struct str body, struct api_drain *out)
{
	json_t *v = NULL, *rate, *within;
	const char *why = NULL;
	int err;

	*out = (struct api_drain){0};
	if (body.len == 0)
		return NULL;
	v = json_read(body, &err);
	rate = json_object_get(v, "rate");
	within = json_object_get(v, "within");
	if (!json_is_object(v) ||
	    json_object_size(v) != (rate != NULL) + (size_t)(within != NULL))
		why = "the body is a JSON object with rate and within, or none";
	else if (rate != NULL &&
		 (!json_is_integer(rate) || json_integer_value(rate) < 1 ||
		     json_integer_value(rate) > JOB_RATE_MAX))
		why = "rate: clients a second, 1 to 100000";
	else if (within != NULL && api_within(within) == 0)
		why = "within: seconds, or as 30s, 10m, 2h; at most 24h";
	if (why == NULL && rate != NULL)
		out->rate = (uint32_t)json_integer_value(rate);
	if (why == NULL && within != NULL)
		out->within_ms = (uint32_t)api_within(within);
	json_decref(v);
	return why;
}

/* whoever names a rate alone wants it kept to, however long it takes */
void
api_fill_drain(struct api_drain *d, uint32_t clients)
{
	uint64_t ms = JOB_WITHIN_DEF_MS, need;

	if (d->within_ms == 0 && d->rate != 0) {
		need = (uint64_t)clients * 1250 / d->rate;
		if (need > ms)
			ms = need;
		if (ms > JOB_WITHIN_MAX_MS)
			ms = JOB_WITHIN_MAX_MS;
	}
	if (d->within_ms == 0)
		d->within_ms = (uint32_t)ms;
	if (d->rate == 0)
		d->rate = JOB_RATE_DEF;
}

/* ---- answers ---------------------------------------------------------- */

static void
api_reply_job(
    struct server *s, struct httpd_conn *c, int status, const struct job *job)
{
	struct buf out;

	buf_init(&out, API_ANSWER_MAX);
	api_put_job(&out, &s->registry, job, clock_wall_ms());
	httpd_reply(c, status, "application/json", buf_str(&out),
	    "Cache-Control: no-store\r\n");
	buf_fini(&out);
}

static struct registry_server *
api_server_of(struct server *s, struct httpd_conn *c, struct str id)
{
	struct registry_server *rs = registry_find(&s->registry, id);

	if (rs == NULL)
		httpd_error(c, 404, "no such server");
	return rs;
}

void
api_drain_get(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id)
{
	const struct job *job;
	char name[ID_MAX + 1];

	(void)rq;
	/* one that was forgotten still has its jobs */
	str_copy(name, sizeof(name), id);
	job = jobs_newest(&s->registry.jobs, name);
	if (job == NULL)
		httpd_error(c, 404,
		    registry_find(&s->registry, id) != NULL
			? "it was never drained"
			: "no such server");
	else
		api_reply_job(s, c, 200, job);
}

void
api_drain_post(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id, struct str body)
{
	struct registry_server *rs;
	struct api_drain d;
	const char *why = api_read_drain(body, &d);
	char text[160];
	struct job *job;
	uint64_t running;

	(void)rq;
	if (why != NULL) {
		httpd_error(c, 400, why);
		return;
	}
	rs = api_server_of(s, c, id);
	if (rs == NULL)
		return;
	if (rs->t.role != ROLE_MSG) {
		httpd_error(c, 400,
		    "only msg_servers are drained; the others hand over when "
		    "they end (SIGTERM, cchatctl restart ID)");
		return;
	}
	api_fill_drain(&d, rs->load.conns);
	job = drain_start(s, rs, d.rate, d.within_ms, &why, &running);
	if (job != NULL) {
		api_reply_job(s, c, 202, job);
	} else if (running != 0) {
		snprintf(text, sizeof(text), "%s: job %llu", why,
		    (unsigned long long)running);
		httpd_error(c, 409, text);
	} else {
		httpd_error(c, 409, why);
	}
}

void
api_drain_delete(struct server *s, struct httpd_conn *c,
    const struct http_request *rq, struct str id)
{
	struct registry_server *rs = api_server_of(s, c, id);
	struct job *job;

	(void)rq;
	if (rs == NULL)
		return;
	job = drain_abort(s, rs);
	if (job != NULL)
		api_reply_job(s, c, 200, job);
	else
		httpd_error(c, 409,
		    rs->state == STATE_DRAINING
			? "it drains because it was told to end: no job to end"
			: "it is not being drained");
}

void
api_jobs(struct server *s, struct httpd_conn *c, const struct http_request *rq,
    struct str id)
{
	uint64_t limit, next;
	struct buf out;

	(void)id;
	if (!api_limit(rq->query, &limit) ||
	    !api_number(rq->query, "next", INT64_MAX, INT64_MAX, &next)) {
		httpd_error(c, 400,
		    "limit is 1 to 1000, next is what the last page gave");
		return;
	}
	buf_init(&out, API_ANSWER_MAX);
	api_put_jobs(
	    &out, &s->registry, next, (unsigned)limit, clock_wall_ms());
	api_reply(c, &out);
	buf_fini(&out);
}
