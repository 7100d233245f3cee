/* SPDX-License-Identifier: MIT */
/*
 * JSON of the outside world. Reading: jansson, strict: one value, no
 * duplicate keys, depth <= JSON_DEPTH, no trailing bytes, valid UTF-8;
 * \u0000 is accepted in strings (lengths count everywhere), lone surrogates
 * are refused. Writing: straight into a struct buf, no tree, for the message
 * path. The only header of the project that includes jansson.
 */
#ifndef SHARED_PROTO_JSON_H
#define SHARED_PROTO_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

enum { JSON_DEPTH = 16 };

/* once at start: jansson's hash seed */
void json_init(void);

/* the value, owned by the caller (json_decref), or NULL; *err set to ERR_PROTO, ERR_LIMIT (depth) */
json_t *json_read(struct str text, int *err);

/* member lookups on an object; STR_NONE / default when absent or of another type */
struct str json_str(const json_t *obj, const char *key);
bool json_int(const json_t *obj, const char *key, int64_t *out);
bool json_bool(const json_t *obj, const char *key, bool def);
/*
 * json_text: a value that is a string or an integer, as text. json_id: a
 * member. A name given as string or integer (protocol.md section 1 rule 9): the string's bytes, or
 * the integer printed into tmp (>= 24 bytes). STR_NONE when absent or of another type.
 */
struct str json_text(const json_t *v, char tmp[24]);
struct str json_id(const json_t *obj, const char *key, char tmp[24]);

/*
 * Writer. jw_obj/jw_end nest; commas are placed by the writer. Strings must be
 * valid UTF-8 (they were checked on the way in); only ", \ and C0 are escaped.
 */
struct jw {
	struct buf *out; /* borrowed */
	bool comma;
};
void jw_init(struct jw *w, struct buf *out);
/* key NULL inside arrays and at the top; it is written as it is: no quotes,
 * backslashes or control characters in it (keys are words of ours, or ids) */
void jw_obj(struct jw *w, const char *key);
void jw_obj_end(struct jw *w);
void jw_arr(struct jw *w, const char *key);
void jw_arr_end(struct jw *w);
void jw_str(struct jw *w, const char *key, struct str v);
void jw_cstr(struct jw *w, const char *key, const char *v);
void jw_int(struct jw *w, const char *key, int64_t v);
void jw_real(struct jw *w, const char *key, double v); /* at most 3 decimals */
void jw_bool(struct jw *w, const char *key, bool v);
void jw_null(struct jw *w, const char *key);
/* v is complete JSON already */
void jw_raw(struct jw *w, const char *key, struct str v);
/* how many bytes in front need no escape: up to a quote, a backslash or C0 */
size_t json_plain(struct str v);
/* the escaped string with quotes, without a key */
void json_put_string(struct buf *out, struct str v);

#endif
