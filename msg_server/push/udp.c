/* SPDX-License-Identifier: MIT */
/*
 * Pushes by datagram; see udp.h. The way of one: cheap looks at who it is from
 * and how it begins and ends, JSON, the secret, what it wants, the log, the
 * answer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "msg_server/push/udp_priv.h"
#include "shared/proc/clock.h"
#include "shared/proc/stats.h"
#include "shared/proto/push.h"

enum {
	/* together no more than UDP_REFUSALS in any second */
	UDP_REFUSE_BURST = 100,
	UDP_REFUSE_RATE = UDP_REFUSALS - UDP_REFUSE_BURST,
	/*
	 * While most of what comes is refused in silence it waits longer, some
	 * 6,000 a second being enough to see whether that is over: each look
	 * is a turn of the loop that people wait for.
	 */
	UDP_FLOOD_REST_MS = 10,
	UDP_FLOOD_MS = 1000
};

/* --- answers ------------------------------------------------------------ */

static void
udp_answer(struct udp_door *d, const struct addr *to, bool online)
{
	(void)dgram_send(&d->dgram,
	    online ? STR_LIT("{\"onLine\":1}") : STR_LIT("{\"onLine\":0}"), to);
}

static void
udp_rest(struct udp_push *u, unsigned ms)
{
	unsigned i;

	for (i = 0; i < u->n_doors; i++)
		u->doors[i].dgram.rest_ms = ms;
}

static void
udp_refuse(struct udp_door *d, const struct addr *from, const char *why)
{
	struct udp_push *u = d->u;
	char host[ADDR_TEXT_MAX];

	u->stats[U_REFUSED]++;
	if (!bucket_take(
		&u->refusals, UDP_REFUSE_RATE, UDP_REFUSE_BURST, NULL)) {
		u->stats[U_SILENT]++;
		u->flood_ms = clock_mono_ms();
		udp_rest(u, UDP_FLOOD_REST_MS);
		return;
	}
	udp_answer(d, from, false);
	addr_host(from, host);
	log_limited(&u->limit, LOG_LEVEL_WARN, "UDP push from %s refused: %s",
	    host, why);
}

void
udp_begin(struct udp_ask *ask)
{
	ask->did = true;
	unsigned i;

	ask->waiting++;
	if (++ask->u->under_way < UDP_UNDER_WAY)
		return;
	for (i = 0; i < ask->u->n_doors; i++)
		dgram_pause(&ask->u->doors[i].dgram);
}

static void
udp_answer_last(struct udp_ask *ask)
{
	if (--ask->waiting > 0)
		return;
	udp_answer(ask->door, &ask->from, ask->online);
	free(ask);
}

void
udp_end(struct udp_ask *ask)
{
	struct udp_push *u = ask->u;

	unsigned i;

	if (--u->under_way <= UDP_UNDER_WAY / 2)
		for (i = 0; i < u->n_doors; i++)
			dgram_resume(&u->doors[i].dgram);
	udp_answer_last(ask);
}

static void
udp_on_sent(struct push_send *send, unsigned code, bool online)
{
	struct udp_one *one = container_of(send, struct udp_one, send);
	struct udp_ask *ask = one->ask;

	if (code != 200)
		ask->u->stats[U_UNSTORED]++;
	/* what is not stored reaches nobody */
	ask->online = ask->online || (online && code == 200);
	if (one->all != NULL)
		udp_all_on_end(one->all);
	free(one);
	udp_end(ask);
}

/* --- what is wanted ----------------------------------------------------- */

static struct udp_one *
udp_one_new(struct udp_ask *ask, struct udp_all *all)
{
	struct udp_one *one = xcalloc(1, sizeof *one);

	one->ask = ask;
	one->all = all;
	one->send.done = udp_on_sent;
	udp_begin(ask);
	return one;
}

bool
udp_give(
    struct udp_ask *ask, const json_t *data, struct str to, struct udp_all *all)
{
	char from[24], id[24];
	struct push_message m = {.to = to, .from = push_uid(data, "uid", from)};
	struct udp_push *u = ask->u;
	struct buf body;
	bool good;

	buf_init(&body, PUSH_BODY_MAX);
	good = push_body(data, true, &body, &m.json) == 0;
	if (good) {
		if (!str_is_set(m.from))
			m.from = STR_LIT(PUSH_NOBODY);
		m.id = json_id(data, "id", id);
		m.body = buf_str(&body);
		u->stats[U_MESSAGES]++;
		push_send(u->srv, &m, &udp_one_new(ask, all)->send);
	}
	buf_fini(&body);
	return good;
}

/* the n-th of a list of names, however they are written */
static struct str
udp_nth(const json_t *list, size_t n, char tmp[24])
{
	const json_t *v = json_array_get(list, n);
	struct str s = STR_NONE;

	if (json_is_string(v))
		s = str_n(json_string_value(v), json_string_length(v));
	if (json_is_integer(v)) {
		snprintf(tmp, 24, "%lld", (long long)json_integer_value(v));
		s = str_of(tmp);
	}
	return id_is_word(s) ? s : STR_NONE;
}

/* a list of users or of connections; an empty one is everybody */
static void
udp_to_list(struct udp_ask *ask, json_t *data, const char *key)
{
	const json_t *list = json_object_get(data, key);
	size_t i, n = json_array_size(list);
	bool fds = strcmp(key, "fd_all") == 0;
	struct str to;
	uint64_t cn;
	char tmp[24];

	if (n == 0 && (list == NULL || json_is_array(list))) {
		udp_everybody(ask, data);
		return;
	}
	for (i = 0; n <= UIDS_MAX && i < n; i++) {
		to = udp_nth(list, i, tmp);
		if (!str_is_set(to))
			continue;
		if (!fds)
			udp_give(ask, data, to, NULL);
		else if (str_u64(to, &cn) == 0)
			udp_to_session(ask, data, cn);
	}
}

/* false: nothing to do */
static bool
udp_run(struct udp_ask *ask, const json_t *obj)
{
	json_t *data = json_object_get(obj, "data");
	struct str means = json_str(obj, "means"), to;
	uint64_t cn;
	char tmp[24];

	if (str_eqc(means, "is_on_line")) {
		to = push_uid(obj, "to_uid", tmp);
		if (str_is_set(to))
			push_ask(
			    ask->u->srv, to, &udp_one_new(ask, NULL)->send);
	} else if (!json_is_object(data)) {
		return false;
	} else if (!str_is_set(means) || str_eqc(means, "to_uid")) {
		to = push_uid(data, "to_uid", tmp);
		if (str_is_set(to))
			udp_give(ask, data, to, NULL);
	} else if (str_eqc(means, "to_uid_all")) {
		udp_to_list(ask, data, "uid_all");
	} else if (str_eqc(means, "to_fd_all")) {
		udp_to_list(ask, data, "fd_all");
	} else if (str_eqc(means, "to_fd")) {
		if (str_u64(push_uid(data, "to_fd", tmp), &cn) == 0)
			udp_to_session(ask, data, cn);
	}
	return ask->did;
}

/* --- the way in --------------------------------------------------------- */

/* what needs no more than a look */
static const char *
udp_look(const struct udp_push *u, struct str *text, const struct addr *from)
{
	if (text->len > UDP_SIZE_MAX)
		return "too long";
	while (text->len > 0 && memchr("\r\n \t", text->p[text->len - 1], 4))
		text->len--;
	if (text->len < 2 || text->p[0] != '{' || text->p[text->len - 1] != '}')
		return "not JSON";
	if (!push_peers_look(&u->peers, from, *text))
		return "not allowed";
	return NULL;
}

static void
udp_on_datagram(struct dgram *d, struct str text, const struct addr *from)
{
	struct udp_door *door = container_of(d, struct udp_door, dgram);
	struct udp_push *u = door->u;
	const char *why = udp_look(u, &text, from);
	struct udp_ask *ask;
	json_t *obj = NULL;
	int err;

	if (d->rest_ms != DGRAM_REST_MS &&
	    clock_mono_ms() - u->flood_ms > UDP_FLOOD_MS)
		udp_rest(u, DGRAM_REST_MS);
	if (why == NULL) {
		obj = json_read(text, &err);
		if (!json_is_object(obj))
			why = "not JSON";
		else if (!push_peers_may(&u->peers, from, json_str(obj, "sk")))
			why = "not allowed";
	}
	if (why != NULL) {
		udp_refuse(door, from, why);
		json_decref(obj);
		return;
	}
	ask = xcalloc(1, sizeof *ask);
	ask->u = u;
	ask->door = door;
	ask->from = *from;
	ask->waiting = 1;
	if (udp_run(ask, obj)) {
		udp_answer_last(ask);
	} else {
		udp_refuse(door, from, "nothing to do");
		free(ask);
	}
	json_decref(obj);
}

/* --- life --------------------------------------------------------------- */

struct udp_push *
udp_push_open(struct server *srv)
{
	struct str rest, one;
	struct udp_push *u;
	struct udp_door *d;
	char at[ADDR_TEXT_MAX];

	if (srv->set.udp_push == NULL || srv->set.udp_push[0] == '\0')
		return NULL;
	u = xcalloc(1, sizeof *u);
	u->srv = srv;
	push_peers_read(&u->peers, srv->set.udp_push_peers);
	rest = str_of(srv->set.udp_push);
	while (str_next(&rest, ',', &one)) {
		if (u->n_doors == UDP_DOORS)
			fatal(EXIT_USAGE, "udp_push: at most %d", UDP_DOORS);
		d = &u->doors[u->n_doors++];
		d->u = u;
		str_copy(at, sizeof at, str_trim(one));
		dgram_open_or_die(&d->dgram, srv->net, at, "UDP push",
		    UDP_SIZE_MAX, udp_on_datagram);
	}
	return u;
}

bool
udp_push_may(
    const struct udp_push *u, const struct addr *from, struct str secret)
{
	static const struct push_peers nobody;

	return push_peers_may(u != NULL ? &u->peers : &nobody, from, secret);
}

void
udp_push_metrics(const struct udp_push *u, struct buf *out)
{
	static const struct stat_def defs[] = {
#define X(name, text, help) {text, STAT_COUNTER, help},
	    UDP_STATS(X)
#undef X
	};
	static const struct stat_def more[] = {
	    {"udp_push_received_total", STAT_COUNTER, "datagrams received"},
	    {"udp_push_too_long_total", STAT_COUNTER,
		"datagrams longer than 20480 bytes"},
	    {"udp_push_answered_total", STAT_COUNTER, "answers sent"},
	    {"udp_push_unanswered_total", STAT_COUNTER,
		"answers the kernel had no room for"},
	    {"udp_push_dropped_total", STAT_COUNTER,
		"datagrams the kernel dropped, they came too fast"},
	    {"udp_push_under_way", STAT_GAUGE,
		"messages the log has not answered"},
	};

	if (u == NULL)
		return;
	uint64_t values[ARRAY_LEN(more)] = {0};
	unsigned i;

	for (i = 0; i < u->n_doors; i++) {
		const struct dgram *d = &u->doors[i].dgram;

		values[0] += d->received;
		values[1] += d->cut;
		values[2] += d->sent;
		values[3] += d->unsent;
		values[4] += dgram_dropped(d);
	}
	values[5] = u->under_way;
	stats_render(out, defs, u->stats, U_COUNT);
	stats_render(out, more, values, ARRAY_LEN(more));
}
