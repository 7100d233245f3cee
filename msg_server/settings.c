/* SPDX-License-Identifier: MIT */
/*
 * The table of settings of msg_server. It knows their names, defaults and
 * ranges; what they do is in the modules that read them.
 */
#include <sys/resource.h>

#include "msg_server/settings.h"
#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/proc/conf.h"
#include "shared/proc/log.h"

static const char *const settings_auth_words[] = {"open", "token", NULL};
static const char *const settings_one_per_words[] = {
    "source", "user", "none", NULL};
static const char *const settings_title_words[] = {"adm", "any", NULL};
static const char *const settings_tri_words[] = {"auto", "yes", "no", NULL};

#define S struct settings
static const struct conf_opt settings_opts[] = {
    CONF_GROUP("Addresses"),
    CONF_ADDR(S, listen, "listen", "127.0.0.1:9503",
	"public address: WebSocket, HTTP, the page"),
    CONF_ADDR(
	S, direct, "direct", "127.0.0.1:0", "address of this server alone"),
    CONF_ADDR(S, admin, "admin", "127.0.0.1:9510",
	"address of healthz, readyz, status and metrics"),
    CONF_LIST(S, dialects, "dialects", "cchat,webim,workerman",
	"what is spoken at listen and direct, the first for HTTP, too"),
    CONF_ADDR(S, gateway, "gateway", "",
	"back ends with a GatewayClient come in here; none: off"),
    CONF_ADDR(S, register_at, "register", "",
	"and ask here for all gateways; none: off"),
    CONF_FILE(S, gateway_key_file, "gateway_key_file", "",
	"file with the secret key of GatewayClients; none: they need none"),
    CONF_LIST(S, listeners, "listeners", NULL,
	"further public addresses: \"ADDR:PORT DIALECT [DIALECT...]\""),
    CONF_STR(S, udp_push, "udp_push", "",
	"ADDR:PORT[,...] where the back ends of sok push by UDP; none: off"),
    CONF_LIST(S, udp_push_peers, "udp_push_peers", NULL,
	"who may push: \"IP SECRET\"; 127.0.0.1 may without one"),
    CONF_STR(S, public_url, "public_url", "",
	"ws URL by which clients reach the public address"),
    CONF_STR(S, direct_url, "direct_url", "",
	"ws URL by which clients reach the direct address"),
    CONF_GROUP("The cluster"),
    CONF_NAME(S, "ms1"),
    CONF_CLUSTER(S),
    CONF_DIR(S, data, "data", STATEDIR, "directory of keys and state"),
    CONF_DIR(S, www, "www", PKGDATADIR "/www", "directory of the chat page"),
    CONF_CONFIG_SERVER(S),
    CONF_LIST(S, proxies, "proxies", NULL,
	"link addresses of proxy_servers, beside those of the topology"),
    CONF_NODE(S, 1),
    CONF_INT(S, weight, "weight", 1, 1, 1000,
	"share of new clients, against other servers"),
    CONF_GROUP("Keys"),
    CONF_LINK_KEY(S),
    CONF_FILE(S, token_key, "token_key", "",
	"file with the key of login tokens (token.key in the data directory)"),
    CONF_FILE(S, token_key_old, "token_key_old", "",
	"file with a second token key that is still good"),
    CONF_FILE(S, api_key, "api_key_file", "",
	"file with the bearer token of the HTTP API; none: POST is off"),
    CONF_GROUP("Who may come in"),
    CONF_ENUM(S, auth, "auth", "open", settings_auth_words,
	"open: a name is enough; token: every login needs the site's token"),
    CONF_ENUM(S, allow_no_origin, "allow_no_origin", "auto", settings_tri_words,
	"let clients without an Origin in; auto: only when auth is open"),
    CONF_LIST(
	S, origins, "origins", NULL, "further origins whose pages may connect"),
    CONF_LIST(S, trusted_proxies, "trusted_proxies", NULL,
	"addresses whose X-Forwarded-For is believed"),
    CONF_INT(S, max_connections, "max_connections", 0, 0, 100000,
	"connections at once; 0: what the descriptor limit allows"),
    CONF_INT(S, conns_per_ip, "conns_per_ip", 1000, 1, 100000,
	"connections of one address"),
    CONF_INT(S, conn_rate, "conn_rate", 100, 1, 100000,
	"new connections of one address per second"),
    CONF_INT(S, conn_burst, "conn_burst", 500, 1, 1000000,
	"new connections of one address at once"),
    CONF_ENUM(S, one_per, "one_per", "source", settings_one_per_words,
	"of the sessions of a sok user one stays: of each source, or of all"),
    CONF_INT(S, login_timeout, "login_timeout", 10, 1, 600,
	"seconds a client has to log in"),
    CONF_GROUP("What clients may do"),
    CONF_ID(S, lobby, "lobby", "1", "room of clients that know none (webim)"),
    CONF_INT(S, comet_max, "comet_max", 1000, 0, 100000,
	"sessions that poll by HTTP (webim)"),
    CONF_INT(S, comet_poll, "comet_poll", 50, 1, 70,
	"seconds such a poll waits for something to say"),
    CONF_INT(S, comet_keep, "comet_keep", 10, 1, 600,
	"seconds such a session stays when it does not poll"),
    CONF_INT(S, msg_max, "msg_max", 4096, 1, 32768,
	"bytes of one message (version 2)"),
    CONF_INT(
	S, rooms_max, "rooms_max", 128, 1, 1000, "rooms one session may be in"),
    CONF_INT(S, v1_interval, "v1_interval", 2, 0, 3600,
	"seconds between messages of a version 1 client; 0: no limit"),
    CONF_INT(S, send_rate, "send_rate", 5, 1, 100000,
	"messages a second of one session"),
    CONF_INT(S, send_burst, "send_burst", 20, 1, 1000000,
	"messages at once of one session"),
    CONF_INT(S, uid_rate, "uid_rate", 10, 1, 100000,
	"messages a second of one user on this server"),
    CONF_INT(S, room_rate, "room_rate", 2000, 0, 1000000,
	"messages a second in one room, of all its people; 0: no limit"),
    CONF_INT(S, rooms_new, "rooms_new", 20, 0, 1000000,
	"rooms where nobody has spoken a user may open a minute; 0: no limit"),
    CONF_ENUM(S, room_title, "room_title", "adm", settings_title_words,
	"who gives a room its title: back ends and adm tokens, or any in it"),
    CONF_INT(S, marks_max, "marks_max", 100, 0, 10000,
	"members of a group who tell each other what they read; 0: none do"),
    CONF_INT(S, frame_rate, "frame_rate", 50, 1, 1000000,
	"frames a second of one connection"),
    CONF_INT(S, frame_burst, "frame_burst", 200, 1, 4000000,
	"frames at once of one connection"),
    CONF_INT(S, ping, "ping", 25, 1, 3600,
	"seconds of silence before a client is pinged"),
    CONF_INT(S, stall_max, "stall_max", 600, 10, 86400,
	"seconds a client may take nothing of what waits for it"),
    CONF_GROUP("Uploads"),
    CONF_META(S, uploads, "uploads", "", "DIR",
	"directory of uploads (uploads in the data directory); off: none"),
    CONF_STR(S, upload_url, "upload_url", "",
	"http URL of the host for uploads, where it is another one"),
    CONF_INT(S, upload_pic, "upload_pic", 8192, 1, 1048576, "KiB of a picture"),
    CONF_INT(S, upload_audio, "upload_audio", 2048, 1, 1048576, "KiB of sound"),
    CONF_INT(S, upload_file, "upload_file", 20480, 1, 1048576,
	"KiB of any other file"),
    CONF_INT(S, upload_webim, "upload_webim", 2048, 0, 1048576,
	"KiB of a picture of PHPWebIM's pages; 0: none"),
    CONF_INT(S, upload_day, "upload_day", 100, 1, 1048576,
	"MiB of one user and day; of an address four times that"),
    CONF_INT(S, upload_total, "upload_total", 10240, 1, 1073741824,
	"MiB of all files in the directory"),
    CONF_INT(S, upload_free, "upload_free", 256, 0, 1073741824,
	"MiB of the disk that uploads leave free"),
    CONF_INT(S, uploads_at_once, "uploads_at_once", 64, 1, 1024,
	"uploads under way"),
    CONF_INT(S, upload_orphans, "upload_orphans", 3600, 0, 31536000,
	"seconds until a file goes that nobody has sent; 0: never"),
    CONF_INT(S, upload_keep, "upload_keep", 90, 0, 36500,
	"days a file stays after it was sent (as keep_days); 0: for ever"),
    CONF_GROUP("The rest"),
    CONF_INT(S, memory, "memory", 1024, 16, 1048576,
	"MiB this server may use; a quarter of it may wait for clients"),
    CONF_INT(S, recent_mib, "recent_mib", 32, 0, 65536,
	"MiB for the newest items of rooms in use; 0: all from the log"),
    CONF_INT(S, gather_us, "gather_us", 2000, 0, 20000,
	"microseconds a room may gather what goes out together; 0: off"),
    CONF_INT(S, drain_within, "drain_within", 30, 1, 86400,
	"seconds in which all clients are sent elsewhere at a SIGTERM"),
    CONF_INT(S, drain_rate, "drain_rate", 200, 1, 100000,
	"clients a second that are sent elsewhere at a SIGTERM"),
    CONF_LOG_LEVEL(S),
    CONF_LOG_FILE(S),
};
#undef S

/* read again at a SIGHUP; of keys what is in the files, too */
static const char *const settings_live[] = {"link_key", "token_key",
    "token_key_old", "api_key_file", "allow_no_origin", "origins",
    "trusted_proxies", "max_connections", "conns_per_ip", "conn_rate",
    "conn_burst", "login_timeout", "msg_max", "rooms_max", "v1_interval",
    "send_rate", "send_burst", "uid_rate", "room_rate", "rooms_new",
    "room_title", "marks_max", "frame_rate", "frame_burst", "ping", "stall_max",
    "memory", "gather_us", "drain_within", "drain_rate", "upload_pic",
    "upload_audio", "upload_file", "upload_webim", "upload_day", "upload_total",
    "upload_free", "uploads_at_once", "upload_orphans", "upload_keep",
    "log_level", "log_file", NULL};

const struct conf_program settings_program = {
    .name = "msg_server",
    .summary = "owns the clients of a cchat cluster",
    .opts = settings_opts,
    .n_opts = ARRAY_LEN(settings_opts),
    .size = sizeof(struct settings),
    .live = settings_live,
};

void
settings_load(struct settings *s, int argc, char **argv)
{
	char **text[] = {&s->gateway, &s->register_at, &s->gateway_key_file,
	    &s->listen, &s->direct, &s->admin, &s->public_url, &s->direct_url,
	    &s->name, &s->cluster, &s->data, &s->www, &s->config_server,
	    &s->link_key, &s->token_key, &s->token_key_old, &s->api_key,
	    &s->log_level, &s->udp_push, &s->uploads, &s->upload_url};
	size_t i;

	conf_load(&settings_program, s, argc, argv);
	for (i = 0; i < ARRAY_LEN(text); i++)
		if (*text[i] == NULL)
			*text[i] = xstrdup("");
}

uint32_t
settings_connections(const struct settings *s)
{
	struct rlimit rl;
	uint64_t n = 100000;

	/* 64 descriptors are kept for links, listeners and files */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < n + 64)
		n = rl.rlim_cur > 128 ? rl.rlim_cur - 64 : 64;
	if (s->max_connections > 0 && (uint64_t)s->max_connections < n)
		n = (uint64_t)s->max_connections;
	return (uint32_t)n;
}

bool
settings_no_origin_ok(const struct settings *s)
{
	if (s->allow_no_origin == SETTINGS_AUTO)
		return s->auth == SETTINGS_AUTH_OPEN;
	return s->allow_no_origin == SETTINGS_YES;
}
