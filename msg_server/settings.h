/* SPDX-License-Identifier: MIT */
/*
 * What an operator may set on a msg_server: one struct, one table
 * (settings.c), read by conf_load() from the section msg_server of cchat.conf
 * and from flags. Figures and their meaning at the bound: limits.md; names:
 * design.md section 7. Times are in the unit the help text names.
 *
 * Strings are never NULL after settings_load(); lists are NULL-ended arrays or
 * NULL.
 */
#ifndef MSG_SERVER_SETTINGS_H
#define MSG_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum settings_auth { SETTINGS_AUTH_OPEN, SETTINGS_AUTH_TOKEN };
enum settings_one_per {
	SETTINGS_ONE_PER_SOURCE,
	SETTINGS_ONE_PER_USER,
	SETTINGS_ONE_PER_NONE
};
enum settings_title { SETTINGS_TITLE_ADM, SETTINGS_TITLE_ANY };
enum settings_tri { SETTINGS_AUTO, SETTINGS_YES, SETTINGS_NO };

struct settings {
	/* where */
	char *listen, *direct, *admin;
	char *public_url, *direct_url; /* "": made from the listeners */
	char **dialects, **listeners; /* door/front.h */
	char *gateway, *register_at; /* "": off (door/gateway/) */
	char *gateway_key_file;
	char *udp_push; /* "": off; push/udp.h */
	char **udp_push_peers;
	int one_per; /* enum settings_one_per */
	char *lobby; /* the room of who names none */
	int64_t comet_max;  /* sessions that poll (door/webim/comet.h) */
	int64_t comet_poll; /* s a poll waits */
	int64_t comet_keep; /* s a session stays without one */
	char *name, *cluster, *data, *www;
	char *config_server; /* "": stand-alone, then node and proxies */
	char **proxies;
	int64_t node, weight;
	/* uploads (upload/upload.h) */
	char *uploads, *upload_url; /* "": in the data directory; from here */
	int64_t upload_pic, upload_audio, upload_file; /* KiB */
	int64_t upload_webim; /* KiB; 0: no forms */
	int64_t upload_day, upload_total, upload_free; /* MiB */
	int64_t uploads_at_once;
	int64_t upload_orphans; /* s, 0: for ever */
	int64_t upload_keep;	/* days, 0: for ever */
	/* keys */
	char *link_key, *token_key, *token_key_old, *api_key;
	/* who may come in */
	int auth;	     /* enum settings_auth */
	int allow_no_origin; /* enum settings_tri */
	char **origins, **trusted_proxies;
	int64_t max_connections; /* 0: from the descriptor limit */
	int64_t conns_per_ip, conn_rate, conn_burst;
	int64_t login_timeout; /* s */
	/* what they may do */
	int64_t msg_max, rooms_max;
	int64_t v1_interval; /* s, 0 off */
	int64_t send_rate, send_burst, uid_rate;
	int64_t room_rate, rooms_new; /* 0 off */
	int room_title; /* enum settings_title: who gives rooms titles */
	int64_t marks_max; /* members of a group; 0 off (marks.h) */
	int64_t frame_rate, frame_burst;
	int64_t ping;	   /* s */
	int64_t stall_max; /* s */
	int64_t memory;	   /* MiB; a quarter may wait for clients */
	int64_t recent_mib; /* newest items kept in memory; 0: none */
	int64_t gather_us;  /* a room that was given gathers (follow/turn.h); 0 off */
	int64_t drain_within; /* s */
	int64_t drain_rate;   /* clients a second */
	char *log_level, *log_file;
};

extern const struct conf_program settings_program;

/* from file and flags; ends the program on a mistake (exit code 2) */
void settings_load(struct settings *s, int argc, char **argv);
/* connections this process may hold */
uint32_t settings_connections(const struct settings *s);
/* may a client without an Origin header come in? */
bool settings_no_origin_ok(const struct settings *s);

#endif
