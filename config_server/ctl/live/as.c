/* SPDX-License-Identifier: MIT */
/* Ports of the older systems. See as.h. */
#include <stdio.h>
#include <string.h>

#include "config_server/ctl/live/as.h"
#include "shared/base/err.h"

/* what of a port: a listener's words, or a setting of its own */
static const struct as_row {
	const char *system;
	unsigned port;
	const char *words; /* NULL: not among the listeners */
	const char *flag;  /* then: the setting's */
	bool each;	   /* every server its own, counted up */
	bool page;	   /* what a browser is sent to */
} as_rows[] = {
    {"workerman", 7272, "workerman", NULL, false, false},
    {"workerman", 55151, "workerman", NULL, false, true},
    {"workerman", 1236, NULL, "--register", false, false},
    {"workerman", 2300, NULL, "--gateway", true, false},
    {"webim", 9503, "webim webim2019", NULL, false, false},
    {"webim", 8888, "webim webim2019", NULL, false, true},
    {"meteor", 8000, "meteor", NULL, false, true},
    {"sok", 9501, "sok", NULL, false, false},
    {"sok", 8880, "push", NULL, false, false},
    {"sok", 9502, NULL, "--udp-push", false, false},
    {"sok", 9601, NULL, "--udp-push", false, false},
};

static bool
as_has(const char *as, const char *system)
{
	struct str rest = str_of(as), word;

	while (str_next(&rest, ',', &word))
		if (str_eqc(str_trim(word), system))
			return true;
	return false;
}

const char *
as_unknown(const char *as, char out[32])
{
	static const char *const known[] = {
	    "cchat", "workerman", "webim", "meteor", "sok"};
	struct str rest = str_of(as), word;
	size_t i;

	while (as[0] != '\0' && str_next(&rest, ',', &word)) {
		word = str_trim(word);
		for (i = 0; i < ARRAY_LEN(known); i++)
			if (str_eqc(word, known[i]))
				break;
		if (i == ARRAY_LEN(known)) {
			str_copy(out, 32, word);
			return out;
		}
	}
	return NULL;
}

int
as_servers(const char *as)
{
	return as_has(as, "webim") ? 1 : 2;
}

/* is the row's port the one of `listen` itself? */
static bool
as_is_listen(const struct as_row *r, const char *listen)
{
	const char *colon = strrchr(listen, ':');
	char port[8];

	snprintf(port, sizeof(port), "%u", r->port);
	return colon != NULL && !strcmp(colon + 1, port);
}

static void
as_address(const struct as_row *r, const char *listen, unsigned nth,
    char out[ADDR_TEXT_MAX])
{
	const char *colon = strrchr(listen, ':');
	int n = colon != NULL ? (int)(colon - listen) : (int)strlen(listen);

	snprintf(out, ADDR_TEXT_MAX, "%.*s:%u", n, listen,
	    r->port + (r->each ? nth : 0));
}

/* at listen and direct: the first is whose HTTP is served there */
static const char *
as_dialects(const char *as)
{
	struct str rest = str_of(as), word;

	while (str_next(&rest, ',', &word)) {
		word = str_trim(word);
		if (str_eqc(word, "cchat"))
			break;
		if (str_eqc(word, "webim"))
			return "webim,webim2019,cchat,workerman";
	}
	return "cchat,webim,workerman";
}

/* a flag that is there already has one value more */
static void
as_flag(struct as_flags *out, const char *flag, const char *value)
{
	size_t n = 0;

	if (out->n > 0 && strcmp(out->flag[out->n - 1], flag) == 0) {
		n = strlen(out->value[--out->n]);
		out->value[out->n][n++] = ',';
	}
	out->flag[out->n] = flag;
	snprintf(out->value[out->n++] + n, AS_VALUE_MAX - n, "%s", value);
}

void
as_flags(const char *as, const char *listen, unsigned nth, struct as_flags *out)
{
	char listeners[AS_VALUE_MAX] = "", address[ADDR_TEXT_MAX];
	size_t n = 0;

	out->n = 0;
	out->flag[out->n] = "--dialects";
	snprintf(out->value[out->n++], AS_VALUE_MAX, "%s", as_dialects(as));
	for (size_t i = 0; i < ARRAY_LEN(as_rows); i++) {
		const struct as_row *r = &as_rows[i];

		if (!as_has(as, r->system) || as_is_listen(r, listen))
			continue;
		as_address(r, listen, nth, address);
		if (r->words != NULL) {
			n += (size_t)snprintf(listeners + n,
			    sizeof(listeners) - n, "%s%s %s", n > 0 ? "," : "",
			    address, r->words);
		} else {
			as_flag(out, r->flag, address);
		}
	}
	if (n == 0)
		return;
	out->flag[out->n] = "--listeners";
	memcpy(out->value[out->n++], listeners, sizeof(listeners));
}

bool
as_port(const char *as, const char *listen, size_t i, char out[ADDR_TEXT_MAX])
{
	for (size_t k = 0; k < ARRAY_LEN(as_rows); k++) {
		const struct as_row *r = &as_rows[k];

		if (!as_has(as, r->system) || as_is_listen(r, listen) ||
		    (r->flag != NULL && !strcmp(r->flag, "--udp-push")))
			continue;
		if (i-- > 0)
			continue;
		as_address(r, listen, 0, out);
		return true;
	}
	return false;
}

void
as_page(const char *as, const char *listen, char *out, size_t size)
{
	struct str first = str_of(as), rest = first;
	char address[ADDR_TEXT_MAX];

	out[0] = '\0';
	if (!str_next(&rest, ',', &first))
		return;
	first = str_trim(first);
	for (size_t i = 0; i < ARRAY_LEN(as_rows); i++)
		if (as_rows[i].page && str_eqc(first, as_rows[i].system)) {
			as_address(&as_rows[i], listen, 0, address);
			snprintf(out, size, "%s", address);
		}
}
