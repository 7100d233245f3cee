/* SPDX-License-Identifier: MIT */
/*
 * Cursors: how a session becomes a follower of a channel (rooms and u:) and
 * how one that is behind is paged up to the live stream (session.h struct
 * cursor). 200 items or 64 KiB a page, one page at a time a session, the
 * cursor that has waited longest next; asked for when the session's output
 * queue is below half of its bound, so a slow client is served at its own pace
 * and costs its queue, no more.
 *
 * A page comes from memory when its first item is there (recent.h), else from
 * the log; one read of the log serves all cursors that stand within it. Pages
 * from memory are given in slices of 1000 items, in turn, so that ten thousand
 * who come back at once do not stop the loop.
 *
 * A page of the log that a recall has overtaken on its way is read again, three
 * times at most, and has nobody added to it who came behind that recall: he was
 * told of a place after which the words are no more. Whoever is given the words
 * all the same is given the recall next.
 *
 * Order at a join: on_joined (the answer), then missed items, then on_synced.
 */
#ifndef MSG_SERVER_FOLLOW_REPLAY_H
#define MSG_SERVER_FOLLOW_REPLAY_H

#include "msg_server/follow/room.h"

enum {
	QUEUE_LAG = 256 * 1024, /* over this a session lags (limits.md) */
	QUEUE_SHARE_MIN = 4096, /* of what all may have: who has less never lags */
	REPLAY_WAITS = 8 /* joins of one room that wait for `synced` */
};

/* a join under way; owned by whoever comes last: the channel's answer or the cursor's end */
struct follow {
	struct channel_wait wait;
	struct relay_read probe; /* where the log stands, of one who says he is ahead of us */
	struct server *srv;
	struct channel *channel;
	struct follow *next; /* of its session, as long as there is a cursor */
	struct cursor *cursor; /* NULL: the session left meanwhile */
	struct follow_call *call; /* NULL: told its end */
	uint64_t cn, from;
	char ep[EP_LEN + 1];
	bool ahead;   /* he is right */
	const struct follow_ops *ops;
	bool silent;
};

struct follow_ops {
	/* the session is a follower now, and was told so: announce it (presence) */
	void (*on_in)(struct server *srv, struct session *s, struct channel *c, bool silent);
	/* may it? 200, or the code it is refused with; back: it names a position of this history; may be NULL */
	unsigned (*may_enter)(struct server *srv, struct session *s, struct channel *c, bool back);
	/* it could not become one: undo what was done for it, before on_joined is told */
	void (*on_refused)(struct server *srv, struct session *s, struct channel *c);
};

void replay_follow(struct server *srv, struct session *s, struct channel *c, struct cursor *cur, struct str ep,
    uint64_t from, bool silent, struct follow_call *call, const struct follow_ops *ops);
/*
 * Who has joined already is told on_synced when the cursor is level: now, or
 * when he has got what is still to come. May one more wait for that?
 */
bool replay_may_wait(const struct session *s, const struct cursor *cur);
void replay_wait_level(struct session *s, struct cursor *cur, struct follow_call *call);
/* the cursor is about to go: follows under way are told on_lost */
void replay_leave(struct session *s, struct cursor *cur);
/*
 * Cursors that are level go live; of those that are behind one is given its
 * next page when it is time to. Harmless at any time.
 */
void replay_next(struct server *srv, struct session *s);
/* a live item for one follower: skip, lag or send; true when it must be sent */
bool replay_takes(struct server *srv, struct session *s, struct cursor *cur, uint64_t seq);
/* a hole in the stream: v2 sessions are told, cursors step over it */
void replay_gap(struct session *s, struct channel *c, struct cursor *cur, uint64_t from, uint64_t to, bool reset);
/* version 1 is not echoed, per socket; socket numbers come again one day, so the sender is looked at, too */
bool replay_is_echo(const struct session *s, const struct item *it);
/* what item `it` of channel c looks like for s; the view in *view */
void replay_event(struct event *ev, const struct channel *c, const struct item *it, const struct session *s, enum view *view);

#endif
