/* SPDX-License-Identifier: MIT */
/*
 * Text as PHP writes it, for the dialects of systems that were PHP: the bytes
 * of json_encode() with its default flags, of htmlspecialchars() with
 * ENT_QUOTES, of nl2br() and of strip_tags(), for valid UTF-8. Each function
 * appends to a buffer and keeps nothing; a full buffer fails as buf.h says.
 *
 * How much longer a text becomes at most (a bound for the buffer): JSON 6
 * times and two quotes, html 6 times, nl2br 7 times; strip_tags never grows.
 */
#ifndef MSG_SERVER_DIALECT_PHP_TEXT_H
#define MSG_SERVER_DIALECT_PHP_TEXT_H

#include "shared/proto/json.h"

/*
 * A JSON string with its quotes: "/" is \/, what is not ASCII \uXXXX in lower
 * case (beyond U+FFFF: two surrogates), C0 \b \f \n \r \t or \u00xx.
 * s must be valid UTF-8; a byte that is none becomes \ufffd.
 */
void php_text_json(struct buf *out, struct str s);
/* the same as a member of an object (key) or an array (key NULL) */
void php_text_member(struct jw *w, const char *key, struct str s);
/* & < > " ' as &amp; &lt; &gt; &quot; &#039; - also the & of an entity */
void php_text_html(struct buf *out, struct str s);
/* "<br />" before each \r\n, \n\r, \n and \r, which stays where it is */
void php_text_nl2br(struct buf *out, struct str s);
/* tags, comments and declarations cut out, and U+0000 */
void php_text_strip_tags(struct buf *out, struct str s);

/* what empty() says of it: "", "0", 0, null, false, [], {} and NULL */
bool php_is_empty(const json_t *v);
/* is that the class? Its first letter alone may be a small one (ucfirst()) */
bool php_is_class(struct str given, const char *class);

#endif
