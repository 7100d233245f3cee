/* SPDX-License-Identifier: MIT */
/*
 * login: who is this (auth), then one of his user's sessions (private
 * traffic), then a member of his room and of every room he names a position
 * for. The order a client sees: the answer with all positions, what he missed,
 * and one `synced` when all of that is done. A login on a session that is in
 * already joins one more room and changes neither uid nor name.
 *
 * Version 1 knows no positions: it goes on behind what its user was given last
 * (delivered.h), so his private messages that waited come now, as ordinary
 * ones. A uid drawn for this very login has nothing to wait for.
 *
 * The user comes first and the rooms after him: a session that announces a
 * room to the proxies is always one that can be taken back.
 */
#include <stdlib.h>

#include "msg_server/client.h"
#include "msg_server/cmd/asker.h"
#include "msg_server/cmd/login_who.h"
#include "msg_server/follow/delivered.h"
#include "msg_server/follow/room_title.h"
#include "msg_server/groups.h"
#include "msg_server/inbox.h"
#include "msg_server/newest.h"
#include "msg_server/push/login.h"
#include "msg_server/upload/upload.h"
#include "shared/proc/clock.h"

enum {
	LOGIN_RETRY_BASE = 500,
	LOGIN_RETRY_MAX = 20000,
	LOGIN_ALT_MAX = 8,
	LOGIN_PEOPLE_MAX = 1000,
	LOGIN_ASK_MS = 10000 /* so long there may be no room for a question */
};

struct login;

/* one channel the session becomes a follower of */
struct login_part {
	struct follow_call call;
	struct login *login; /* borrowed: it outlives its parts */
	struct follow_result res;
	char rid[ID_MAX + 1]; /* "" for the user */
	char ep[EP_LEN + 1];
	uint64_t from;
	bool joined;
};

/* a login under way; lives until its last part has come to an end */
struct login {
	struct asker asker;
	char uid[ID_MAX + 1];
	int64_t exp_ms;		     /* of his token; 0: never */
	struct auth_claims *mint;    /* owned; a token with these goes back */
	struct relay_get get;	     /* level 1: where he was */
	struct relay_who people;     /* DIALECT_PEOPLE: who is in the room */
	struct groups_follow groups; /* DIALECT_GROUPS: into all of his */
	struct relay_task again;
	int64_t since_ms; /* it is asked */
	bool inbox;	  /* wants the list of his conversations */
	bool first, rid_is_num, answered, failed;
	char *note;		       /* owned; of the command, or NULL */
	char name[NAME_MAX_BYTES + 1]; /* as echoed */
	unsigned n_waiting;	       /* parts not joined yet */
	unsigned n_open; /* parts not ended yet, + 1 while we work */
	unsigned n_rooms;
	struct login_part user;
	struct login_part rooms[]; /* the named one first */
};

/* --- the answer --------------------------------------------------------- */

static size_t
login_positions(const struct login *l, struct event_pos *pos)
{
	const struct login_part *p;
	size_t i, n = 0;

	for (i = 0; i <= l->n_rooms; i++) {
		p = i < l->n_rooms ? &l->rooms[i] : &l->user;
		if (!p->joined || p->res.code != 200)
			continue;
		pos[n].rid = p->rid[0] != '\0' ? str_of(p->rid) : STR_LIT("@");
		pos[n].ep = str_of(p->res.ep);
		pos[n].seq = p->res.head;
		pos[n].from = p->res.from;
		pos[n].n = p->res.n;
		pos[n].full = p->res.full;
		pos[n].title = room_title(l->asker.srv, str_of(p->rid));
		n++;
	}
	return n;
}

static void
login_answer(struct login *l, struct session *s, struct str people)
{
	struct server *srv = l->asker.srv;
	/* those he names, the named room and the user himself */
	struct event_pos pos[POS_MAX + 2];
	struct str alt[LOGIN_ALT_MAX];
	struct upload_login up;
	char sid[LOGIN_SID];
	struct buf token;
	struct event ev = {.kind = EVENT_LOGIN,
	    .uid = session_uid(s),
	    .name = str_of(l->name),
	    .avatar = session_avatar(s),
	    .cn = s->cn,
	    .list = people,
	    .note = str_of(l->note),
	    .rid_is_num = l->rid_is_num,
	    .srv = str_of(srv->set.name),
	    .now = clock_wall_ms(),
	    .exp = l->exp_ms,
	    .ping_s = (unsigned)srv->set.ping,
	    .retry_base = LOGIN_RETRY_BASE,
	    .retry_max = LOGIN_RETRY_MAX,
	    .msg_max = (unsigned)srv->set.msg_max,
	    .rooms_max = (unsigned)srv->set.rooms_max,
	    .rate = (unsigned)srv->set.send_rate,
	    .rate_burst = (unsigned)srv->set.send_burst,
	    .alt = alt,
	    .pos = pos};

	asker_event(&l->asker, &ev);
	ev.sid = login_sid(s->cn, sid);
	ev.n_alt = server_alt_urls(srv, alt, LOGIN_ALT_MAX);
	ev.n_pos = login_positions(l, pos);
	if (s->level > 1 && uploads_login(srv, ev.uid, &up)) {
		ev.up_url = str_of(up.url);
		ev.up_key = str_of(up.key);
		ev.up_max = up.max;
	}
	buf_init(&token, 8192);
	if (l->mint != NULL) {
		auth_mint(&srv->auth, l->mint, &token);
		ev.token = buf_str(&token);
	}
	login_is_over(srv, s);
	s->silent = 0; /* all his rooms have been told, or not told */
	l->answered = true;
	if (l->first) {
		client_logged_in(s);
		newest_say(srv, s);
	}
	reply_event(s, &ev);
	client_release(s);
	buf_fini(&token);
}

/* --- its course --------------------------------------------------------- */

static void
login_unref(struct login *l)
{
	if (--l->n_open > 0)
		return;
	free(l->note);
	free(l->mint);
	free(l);
}

static void
login_on_people(
    struct relay_who *rw, unsigned code, const struct f_whois *answer)
{
	struct login *l = container_of(rw, struct login, people);
	struct session *s = asker_session(&l->asker);

	if (s != NULL && !l->failed)
		login_answer(l, s,
		    code == 200 && answer->code == 200 ? answer->json
						       : STR_LIT("[]"));
	login_unref(l);
}

/* all parts are joined: the answer, by some dialects with the room's people */
static void
login_done(struct login *l, struct session *s)
{
	struct f_who who = {.what = WHO_PEOPLE,
	    .arg = asker_rid(&l->asker),
	    .limit = LOGIN_PEOPLE_MAX};

	if (l->n_rooms > 0)
		room_set_home(s, who.arg);
	if (!dialect_has(s->dialect, DIALECT_PEOPLE)) {
		login_answer(l, s, STR_NONE);
		return;
	}
	l->people.done = login_on_people;
	l->n_open++;
	if (relay_who(l->asker.srv->relay, &who, &l->people) != 0) {
		login_answer(l, s, STR_LIT("[]"));
		l->n_open--;
	}
}

/* a part has ended well; the last one to end says so to the client */
static void
login_end_part(struct login *l, struct session *s)
{
	struct event ev = {.kind = EVENT_SYNCED, .cid = asker_cid(&l->asker)};

	if (l->n_open == 1 && l->answered && s->level > 1) {
		reply_event(s, &ev);
		if (l->inbox)
			inbox_ask(l->asker.srv, s, ev.cid, NULL);
	}
	login_unref(l);
}

static void
login_leave(struct session *s)
{
	session_drop_strings(s);
	s->level = 0;
	s->silent = s->away = s->said = s->passed = s->adm = 0;
	s->ctx.in = 0;
}

static void
login_fail(struct login *l, struct session *s, unsigned code)
{
	if (l->failed)
		return;
	l->failed = true;
	l->n_open++;
	login_is_over(l->asker.srv, s);
	if (l->first) {
		room_detach(l->asker.srv, s, true);
		client_hold_drop(s);
		asker_refuse(&l->asker, code, 0);
		login_leave(s);
	} else {
		asker_refuse(&l->asker, code, 0);
		client_release(s);
	}
	login_unref(l);
}

static void
login_on_synced(struct follow_call *call, struct session *s)
{
	struct login_part *p = container_of(call, struct login_part, call);

	login_end_part(p->login, s);
}

static void
login_on_lost(struct follow_call *call)
{
	struct login_part *p = container_of(call, struct login_part, call);

	if (!p->joined)
		p->login->n_waiting--;
	login_unref(p->login);
}

static void login_on_joined(struct follow_call *call, struct session *s,
    const struct follow_result *res);

static void
login_part_init(struct login *l, struct login_part *p, struct str rid,
    const struct pos_arg *pos)
{
	p->login = l;
	p->call.cn = l->asker.cn;
	p->call.on_joined = login_on_joined;
	p->call.on_synced = login_on_synced;
	p->call.on_lost = login_on_lost;
	str_copy(p->rid, sizeof p->rid, rid);
	if (pos != NULL) {
		str_copy(p->ep, sizeof p->ep, pos->ep);
		p->from = pos->seq;
	}
}

static struct str
login_ep(const struct login_part *p)
{
	return p->ep[0] != '\0' ? str_of(p->ep) : STR_NONE;
}

static void
login_on_groups(struct groups_follow *f, struct session *s, unsigned code)
{
	struct login *l = container_of(f, struct login, groups);

	l->n_waiting--;
	if (s == NULL || l->failed)
		;
	else if (code != 200)
		login_fail(l, s, code);
	else if (l->n_waiting == 0)
		login_done(l, s);
	login_unref(l);
}

static void
login_join_rooms(struct login *l, struct session *s)
{
	struct login_part *p;
	unsigned i;

	l->n_waiting += l->n_rooms;
	l->n_open += l->n_rooms;
	if (l->first && dialect_has(s->dialect, DIALECT_GROUPS)) {
		l->n_waiting++;
		l->n_open++;
		l->groups.done = login_on_groups;
		groups_follow(l->asker.srv, s, &l->groups);
	}
	for (i = 0; i < l->n_rooms; i++) {
		p = &l->rooms[i];
		groups_join(l->asker.srv, s, str_of(p->rid), login_ep(p),
		    p->from, s->silent, &p->call);
	}
	if (l->n_waiting == 0)
		login_done(l, s);
}

static void
login_on_joined(struct follow_call *call, struct session *s,
    const struct follow_result *res)
{
	struct login_part *p = container_of(call, struct login_part, call);
	struct login *l = p->login;

	if (p == &l->user && s->level < 2 && res->n > 0)
		l->asker.srv->stats[S_WAITED]++;
	p->res = *res;
	p->joined = true;
	l->n_waiting--;
	/* a refused part ends with this call: its share keeps us alive */
	if (res->code == 200)
		l->n_open++;
	if (l->failed)
		;
	else if (p == &l->user && res->code == 200)
		login_join_rooms(l, s);
	else if (p == &l->user || (p == &l->rooms[0] && res->code != 200))
		login_fail(l, s, res->code);
	else if (l->n_waiting == 0)
		login_done(l, s);
	login_end_part(l, s);
}

static const struct pos_arg *
login_pos_of(const struct command *cmd, const char *rid)
{
	size_t i;

	for (i = 0; i < cmd->n_pos; i++)
		if (str_eqc(cmd->pos[i].rid, rid))
			return &cmd->pos[i];
	return NULL;
}

static struct login *
login_new(struct server *srv, struct session *s, const struct command *cmd)
{
	struct login *l =
	    xcalloc(1, sizeof *l + (cmd->n_pos + 1) * sizeof l->rooms[0]);
	struct login_part *p;
	size_t i;

	asker_fill(&l->asker, srv, s, cmd);
	l->asker.tid[0] = '\0';
	l->first = s->user == NULL;
	l->rid_is_num = cmd->rid_is_num;
	l->inbox = cmd->inbox && cmd->level > 1;
	if (!cmd->no_room)
		login_part_init(l, &l->rooms[l->n_rooms++], cmd->rid,
		    login_pos_of(cmd, l->asker.rid));
	if (!l->first)
		return l;
	login_part_init(l, &l->user, STR_LIT(""), login_pos_of(cmd, "@"));
	for (i = 0; i < cmd->n_pos; i++) {
		if (str_eqc(cmd->pos[i].rid, "@") ||
		    str_eq(cmd->pos[i].rid, cmd->rid) ||
		    !session_may_join(s, cmd->pos[i].rid))
			continue;
		p = &l->rooms[l->n_rooms++];
		login_part_init(l, p, cmd->pos[i].rid, &cmd->pos[i]);
	}
	return l;
}

static void login_on_again(struct relay_task *t);

/* the log says how far he was given his private messages */
static void
login_on_got(struct relay_get *get, unsigned code, const struct f_got *got)
{
	struct login *l = container_of(get, struct login, get);
	struct session *s = asker_session(&l->asker);

	if (s != NULL && code != 200)
		login_fail(l, s, code);
	if (s == NULL || code != 200) {
		login_unref(l);
		return;
	}
	str_copy(l->user.ep, sizeof l->user.ep, got->ep);
	if (str_u64(got->val, &l->user.from) != 0)
		l->user.from = 0; /* never: all that waits */
	if (l->user.from > got->head)
		l->user.from = got->head;
	user_attach(l->asker.srv, s, str_of(l->uid), login_ep(&l->user),
	    l->user.from, &l->user.call);
}

static void
login_ask_where(struct login *l)
{
	struct chan_name chan = chan_user(str_of(l->uid));
	struct f_get get = {
	    .chan = chan_str(&chan), .key = STR_LIT(DELIVERED_KEY)};
	struct relay *relay = l->asker.srv->relay;
	struct session *s = asker_session(&l->asker);

	l->get.done = login_on_got;
	if (s != NULL && relay_get(relay, &get, &l->get) == 0)
		return;
	/* many come at once: in a while */
	if (s != NULL && clock_mono_ms() - l->since_ms < LOGIN_ASK_MS) {
		l->again.fn = login_on_again;
		relay_retry(relay, &l->again);
		return;
	}
	if (s != NULL)
		login_fail(l, s, 503);
	login_unref(l);
}

static void
login_on_again(struct relay_task *t)
{
	login_ask_where(container_of(t, struct login, again));
}

/* the session becomes somebody; level and hold come with him */
static void
login_enter(struct server *srv, struct session *s, const struct command *cmd,
    const struct auth_claims *who)
{
	session_set_strings(s, str_of(who->name), cmd->avatar,
	    str_is_set(cmd->dev) ? cmd->dev : str_of(who->dev));
	session_set_rooms(s, who->has_rooms ? str_of(who->rooms) : STR_NONE);
	s->level = (uint8_t)cmd->level;
	s->ctx.level = s->level;
	s->ctx.in = 1;
	s->batch = cmd->batch;
	s->adm = who->adm;
	s->exp_ms = 0;
	if (srv->auth.mode == AUTH_TOKEN)
		session_set_expiry(s, (uint64_t)who->exp_ms);
}

/*
 * Out of the room it is in, and somebody of another name from now on. Where it
 * stays in its room, that hears of it as of one who comes.
 */
static void
login_move(struct server *srv, struct session *s, const struct command *cmd)
{
	struct member *home = room_home(s);

	if (home != NULL && !str_eqc(cmd->rid, room_rid(home->room))) {
		room_leave(srv, s, str_of(room_rid(home->room)));
		home = NULL;
	}
	session_set_strings(s, cmd->name, cmd->avatar, session_dev(s));
	if (home != NULL)
		room_again(srv, home);
}

/*
 * Without a room there is nothing more to come into. True: it is somebody
 * else's from now on, as if it had just come.
 */
static bool
login_is_anew(struct server *srv, struct session *s, const struct command *cmd)
{
	if (!dialect_has(s->dialect, DIALECT_GROUPS) || !str_is_set(cmd->uid) ||
	    (str_eq(cmd->uid, session_uid(s)) && !s->passed))
		return false;
	delivered_leave(srv, s);
	room_detach(srv, s, true);
	login_leave(s);
	s->anew = 1;
	return true;
}

/* one more room for a session that is in */
static void
login_again(struct server *srv, struct session *s, const struct command *cmd)
{
	const struct settings *set = &srv->set;
	struct login *l;
	int64_t retry = 0;

	/* its room hears of each, as of something said */
	if (cmd->moves &&
	    !bucket_take(&session_busy(s)->send, (uint32_t)set->send_rate,
		(uint32_t)set->send_burst, &retry)) {
		reply_error(
		    s, cmd->cid, 429, "too fast", retry, 50, V1_T_TOO_FAST);
		return;
	}
	if (!session_may_join(s, cmd->rid)) {
		login_refuse(
		    s, cmd, 403, "not allowed in this room", V1_T_NOT_IN);
		return;
	}
	if (cmd->moves)
		login_move(srv, s, cmd);
	l = login_new(srv, s, cmd);
	s->logging_in = 1;
	/* the name he gives now is echoed, and that is all */
	str_copy(l->name, sizeof l->name,
	    str_is_set(cmd->name) ? cmd->name : session_name(s));
	login_join_rooms(l, s);
}

void
cmd_login(struct server *srv, struct session *s, const struct command *cmd)
{
	struct command in_lobby = *cmd;
	struct login_who who;
	struct login *l;

	if (!str_is_set(cmd->rid) && !cmd->no_room) {
		in_lobby.rid = str_of(srv->set.lobby);
		cmd = &in_lobby;
	}
	if (s->logging_in) {
		login_refuse(s, cmd, 409, "login is under way", V1_T_BUSY);
		return;
	}
	if (cmd->by_credentials) {
		push_login(srv, s, cmd);
		return;
	}
	if (s->user != NULL && !login_is_anew(srv, s, cmd)) {
		if (!cmd->no_room)
			login_again(srv, s, cmd);
		return;
	}
	if (srv->draining) {
		reply_error(s, cmd->cid, 503, "draining", ASKER_RETRY_MS, 50,
		    V1_T_BUSY);
		session_close(s, 4200, "drain", ASKER_RETRY_MS);
		return;
	}
	if (!login_who_is_it(srv, s, cmd, &who))
		return;
	login_enter(srv, s, cmd, &who.claims);
	login_from(srv, s, cmd, &who.claims);
	if (!cmd->no_room && !session_may_join(s, cmd->rid)) {
		login_leave(s);
		login_refuse(
		    s, cmd, 403, "not allowed in this room", V1_T_NOT_IN);
		return;
	}
	l = login_new(srv, s, cmd);
	memcpy(l->uid, who.claims.uid, sizeof l->uid);
	l->exp_ms = who.claims.exp_ms;
	if (who.mint) {
		l->mint = xmalloc(sizeof *l->mint);
		*l->mint = who.claims;
	}
	l->note = str_dup(cmd->note);
	str_copy(l->name, sizeof l->name, str_of(who.claims.name));
	s->logging_in = 1;
	srv->n_anew += s->anew;
	client_hold(s);
	l->n_waiting = l->n_open = 1;
	if (s->level < 2 && !who.drawn) {
		l->since_ms = clock_mono_ms();
		login_ask_where(l);
		return;
	}
	user_attach(srv, s, str_of(who.claims.uid), login_ep(&l->user),
	    l->user.from, &l->user.call);
}
