/* SPDX-License-Identifier: MIT */
/*
 * Uploads: their life, and what the rest of the server asks of them. See
 * upload.h. How one comes is upload_post.c's, how it goes out upload_serve.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "msg_server/server.h"
#include "msg_server/upload/upload_priv.h"
#include "shared/proc/clock.h"
#include "shared/proc/log.h"
#include "shared/proc/stats.h"

/* http(s)://HOST[:PORT], as it goes before "/u/..." */
static void
uploads_prefix(struct uploads *u, const char *set)
{
	size_t len = strlen(set), i;

	while (len > 0 && set[len - 1] == '/')
		len--;
	for (i = 0; i < len; i++)
		if (set[i] <= ' ' || set[i] > '~' || strchr("\"\\?#", set[i]))
			len = UPLOAD_PREFIX_MAX;
	if (len >= UPLOAD_PREFIX_MAX ||
	    (len > 0 && strncmp(set, "http://", 7) != 0 &&
		strncmp(set, "https://", 8) != 0))
		fatal(2, "upload_url: '%s' is no http(s)://HOST", set);
	str_copy(u->prefix, sizeof u->prefix, str_n(set, len));
}

void
uploads_open(struct server *srv)
{
	const char *dir = srv->set.uploads;
	struct uploads *u;
	char path[4096], why[4096 + 128];
	bool off = strcmp(dir, "off") == 0;

	if (off && srv->set.upload_url[0] == '\0')
		return;
	u = srv->uploads = xcalloc(1, sizeof *u);
	u->srv = srv;
	uploads_prefix(u, srv->set.upload_url);
	if (off)
		return;
	if (dir[0] == '\0')
		snprintf(path, sizeof path, "%s/uploads", srv->set.data);
	else
		snprintf(path, sizeof path, "%s", dir);
	u->store = store_open(path, srv->set.name, srv->net, why, sizeof why);
	if (u->store == NULL)
		fatal(2, "uploads: %s", why);
	u->quota = quota_new();
	u->hot = hot_new();
	u->sync = syncer_new(srv->net);
	u->near = near_new();
	uploads_reload(srv);
}

void
uploads_reload(struct server *srv)
{
	const struct settings *set = &srv->set;

	if (srv->uploads != NULL && srv->uploads->store != NULL)
		store_set_ages(srv->uploads->store, set->upload_orphans,
		    set->upload_keep * 86400);
}

/* --- http --------------------------------------------------------------- */

void
uploads_on_head(
    struct httpd *h, struct httpd_conn *c, const struct http_request *rq)
{
	struct server *srv = h->arg;

	if (str_eqc(rq->path, UPLOAD_PATH) && srv->uploads != NULL &&
	    srv->uploads->store != NULL)
		upload_post(srv->uploads, c, rq);
}

bool
uploads_request(
    struct server *srv, struct httpd_conn *c, const struct http_request *rq)
{
	if (str_starts(rq->path, STR_LIT("/u/")) && srv->uploads != NULL &&
	    srv->uploads->store != NULL) {
		upload_serve(srv->uploads, c, rq);
		return true;
	}
	if (!str_eqc(rq->path, UPLOAD_PATH))
		return false;
	httpd_error(c, 404, "nothing is uploaded here");
	return true;
}

void
uploads_form(struct server *srv, struct httpd_conn *c,
    const struct http_request *rq, struct str field, bool bare)
{
	struct uploads *u = srv->uploads;

	if (u == NULL || u->store == NULL || srv->set.upload_webim == 0 ||
	    srv->set.auth != SETTINGS_AUTH_OPEN)
		httpd_error(c, 404, "nothing is uploaded here");
	else
		upload_form(u, c, rq, field, bare);
}

void
uploads_in(struct server *srv, uint64_t cn, const struct gate_ip *ip)
{
	if (srv->uploads != NULL && srv->uploads->near != NULL)
		near_add(srv->uploads->near, cn, ip);
}

void
uploads_out(struct server *srv, uint64_t cn)
{
	if (srv->uploads != NULL && srv->uploads->near != NULL)
		near_del(srv->uploads->near, cn);
}

/* --- of others ---------------------------------------------------------- */

struct upload_keeping {
	struct sync_call call;
	struct uploads *u;
	int fd;
};

static void
uploads_on_kept(struct sync_call *call, int err)
{
	struct upload_keeping *k =
	    container_of(call, struct upload_keeping, call);

	(void)err; /* it is told to the page cache, which is what we can do */
	k->u->n_keeping--;
	close(k->fd);
	free(k);
}

void
uploads_keep(struct server *srv, struct str url)
{
	struct uploads *u = srv->uploads;
	struct upload_keeping *k;
	struct name n;
	int fd;

	if (u == NULL || u->store == NULL || !name_in_url(url, &n))
		return;
	fd = store_keep(u->store, &n);
	if (fd < 0)
		return;
	u->kept++;
	if (u->n_keeping >= UPLOAD_KEEP_MAX) {
		close(fd);
		return;
	}
	k = xcalloc(1, sizeof *k);
	k->call.done = uploads_on_kept;
	k->u = u;
	k->fd = fd;
	u->n_keeping++;
	sync_start(u->sync, fd, &k->call);
}

bool
uploads_login(struct server *srv, struct str uid, struct upload_login *out)
{
	const struct uploads *u = srv->uploads;
	size_t len;
	unsigned i;

	if (u == NULL)
		return false;
	len = strlen(u->prefix);
	memcpy(out->url, u->prefix, len);
	memcpy(out->url + len, UPLOAD_PATH, sizeof UPLOAD_PATH);
	upload_key_make(srv->link_key, srv->set.cluster, uid,
	    clock_wall_ms() + UPLOAD_KEY_LIFE_MS, out->key);
	for (i = 0; i < KIND_CLASSES; i++)
		out->max[i] = upload_max(u, (enum kind_class)i);
	return true;
}

static void
uploads_refused_metrics(const struct uploads *u, struct buf *out)
{
	static const struct {
		const char *word;
	} reasons[] = {
#define X(name, text, help) {text},
	    UPLOAD_REASONS(X)
#undef X
	};
	unsigned i;

	buf_puts(out,
	    "# HELP cchat_msg_uploads_refused_total uploads that were not "
	    "taken, by reason\n"
	    "# TYPE cchat_msg_uploads_refused_total counter\n");
	for (i = 0; i < UPLOAD_REASON_COUNT; i++)
		buf_printf(out,
		    "cchat_msg_uploads_refused_total{why=\"%s\"} %llu\n",
		    reasons[i].word, (unsigned long long)u->refused[i]);
}

void
uploads_metrics(const struct server *srv, struct buf *out)
{
	static const struct stat_def defs[] = {
	    {"msg_uploads_total", STAT_COUNTER, "uploads taken"},
	    {"msg_upload_bytes_total", STAT_COUNTER, "bytes of them"},
	    {"msg_uploads_open", STAT_GAUGE, "uploads under way"},
	    {"msg_upload_files", STAT_GAUGE, "files in the folder of uploads"},
	    {"msg_upload_dir_bytes", STAT_GAUGE, "bytes of all of them"},
	    {"msg_uploads_kept_total", STAT_COUNTER,
		"files kept because a message speaks of them"},
	    {"msg_uploads_collected_total", STAT_COUNTER,
		"files taken away: never sent, or long ago"},
	    {"msg_upload_sweeps_total", STAT_COUNTER,
		"times all of them were looked at"},
	    {"msg_upload_hot_bytes", STAT_GAUGE,
		"memory of files that are asked for now"},
	    {"msg_uploads_served_total", STAT_COUNTER,
		"answers with such a file"},
	    {"msg_uploads_served_bytes_total", STAT_COUNTER,
		"bytes read for them"},
	    {"msg_upload_syncs_waited_total", STAT_COUNTER,
		"files the loop itself had to put on the disk"},
	};
	const struct uploads *u = srv->uploads;

	if (u == NULL || u->store == NULL)
		return;
	uint64_t values[] = {u->done, u->bytes, u->n, store_files(u->store),
	    store_bytes(u->store), u->kept, store_collected(u->store),
	    store_sweeps(u->store), hot_bytes(u->hot), u->served,
	    u->served_bytes, syncer_waited(u->sync)};

	stats_render(out, defs, values, ARRAY_LEN(defs));
	uploads_refused_metrics(u, out);
}
