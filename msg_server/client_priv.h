/* SPDX-License-Identifier: MIT */
/*
 * Inside of a client, shared by client.c (coming, the way in, going),
 * client_out.c (the way out, what waits for a login or for the turn) and
 * client_time.c (deadlines).
 */
#ifndef MSG_SERVER_CLIENT_PRIV_H
#define MSG_SERVER_CLIENT_PRIV_H

#include "msg_server/client.h"
#include "msg_server/gate.h"
#include "shared/proc/clock.h"
#include "shared/proto/ws.h"

enum {
	CLIENT_MSG_BEFORE = 4096, /* bytes of a frame before login */
	CLIENT_MSG_AFTER = 65536,
	CLIENT_QUEUE_STOP = 256 * 1024, /* not read any more above this */
	CLIENT_QUEUE_MAX = 1024 * 1024, /* not served any more above this */
	CLIENT_RELIEF = 64, /* queues dropped in one go */
	CLIENT_HOLD_MAX = 256 * 1024,
	CLIENT_PONG_S = 10,
	CLIENT_WAIT_S = 3600, /* DIALECT_WAITS: for the login */
	CLIENT_STRIKES = 3,
	CLIENT_STRIKES_S = 60,
	CLIENT_ACCEPTS = 64, /* of a listener in one turn */
	CLIENT_ACCEPTS_CROWDED = 4,
	CLIENT_NEW_MIN = 16, /* connections that may always be not logged in */
	CLIENT_EXPIRY_S = 60 /* told so long before its token expires */
};

/* what waits while a login is under way; exists only then */
struct client_hold {
	bool holds_out;
	struct buf in; /* texts: u32 length and bytes, one after the other */
	struct blob **out;
	uint32_t n_out, cap_out, bytes_out;
};

/*
 * All that a silent client does without. It exists before the login and from
 * what comes in until that counts no more, which the client's deadline finds.
 */
struct client_busy {
	struct session_busy session;
	struct client *client;
	struct client_busy *prev, *next; /* logging_in or not_logged_in */
	struct client *next_due;
	struct client_hold *hold; /* owned; NULL nearly always */
	const struct dialect_set *speaks; /* where it came in; until it logs in */
	struct ws ws;
	struct bucket frames;
	uint32_t strike_s;
	uint8_t strikes;
};

struct client {
	struct conn conn;
	struct session session; /* with the client_busy, when there is one */
	struct wheel_entry timer;
	struct gate_ip *ip; /* borrowed; NULL: not limited */
	uint32_t heard_s;   /* last byte came; before the login: accepted */
	uint16_t silence_s; /* until the next ping */
	uint16_t asking : 1; /* its login is under way */
	uint16_t logged_in : 1, closing : 1, detached : 1, due : 1, bye : 1;
	uint16_t pinged : 1, flooded : 1, stopped : 1, drain : 1, warned : 1;
	uint16_t held : 1; /* there is a client_hold */
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct client) <= 208,
    "an idle user takes more than he need to");

static inline struct client *
client_of(const struct session *s)
{
	return container_of(s, struct client, session);
}

static inline struct server *
client_srv(const struct client *c)
{
	return conn_net(&c->conn)->owner;
}

/* NULL: silent */
static inline struct client_busy *
client_busy_of(const struct client *c)
{
	struct session_busy *b = c->session.busy;

	return b != NULL ? container_of(b, struct client_busy, session) : NULL;
}

/* makes it if need be */
static inline struct client_busy *
client_busy(struct client *c)
{
	return container_of(
	    session_busy(&c->session), struct client_busy, session);
}

/* NULL nearly always */
static inline struct client_hold *
client_hold_of(const struct client *c)
{
	return c->held ? client_busy_of(c)->hold : NULL;
}

/* monotonic seconds */
static inline uint32_t
client_now(void)
{
	return (uint32_t)(clock_mono_ms() / 1000);
}

/* --- client.c --- */
/*
 * May whoever asks come in? 0 and *ip for client_begin(), or the HTTP status
 * to refuse with, and why.
 */
int client_admit(struct server *srv, const struct httpd_conn *hc,
    const struct http_request *rq, struct gate_ip **ip, const char **why);
/* an all-zero client whose conn is open is one of the server's from now on */
void client_begin(struct server *srv, struct client *c, struct gate_ip *ip,
    const struct dialect_set *speaks);
/* its conn is dead: out of everything; the memory is the caller's */
void client_over(struct client *c);
/* a whole, valid text that came by another way than its conn */
void client_hear(struct client *c, struct str text);
/* a whole text from the client: decode and run */
void client_text(struct client *c, struct str text);
/* how many are taken in, by how many have not logged in */
void client_pace(struct server *srv);
/* its first login begins, or has failed */
void client_asks(struct client *c, bool asks);
/* out of everything; only its last bytes are still on their way */
void client_detach(struct client *c);
/* nothing in its client_busy counts any more: it goes */
void client_rest(struct client *c);
/* its queue is short again */
void client_drained(struct client *c);
/* reading goes on when nothing speaks against it any more */
void client_read_again(struct client *c);

/* --- client_out.c --- */
/* something is to be done for it in client_on_turn() */
void client_set_due(struct client *c);
void client_unset_due(struct client *c);
/* detached in the next turn; the caller ends the conn */
void client_end(struct client *c);
void client_hold_free(struct client *c);
/* a text that came during a login; false: too much, closed */
bool client_hold_text(struct client *c, struct str text);

/* --- client_time.c --- */
/* the nearest of all its deadlines */
void client_arm(struct client *c);
void client_draw_silence(struct client *c);

#endif
