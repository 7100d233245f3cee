/* SPDX-License-Identifier: MIT */
/*
 * What an upload is, by its first bytes, and what its head says of it. No file
 * is opened here and nothing of a picture is decoded: sizes are read from the
 * fields of the head, in steps whose number is bounded.
 *
 * Pictures are PNG, JPEG, GIF and WebP; SVG is a program, and none. Sound is
 * WebM, Ogg, MP4 (m4a), MP3 and WAV; the first three may be films as well, so
 * that what they are is a question of what they are said to be. All else is a
 * file: kept and given back, never shown.
 */
#ifndef MSG_SERVER_UPLOAD_KIND_H
#define MSG_SERVER_UPLOAD_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/str.h"

enum kind_class { KIND_PIC, KIND_AUDIO, KIND_FILE, KIND_CLASSES };

enum {
	KIND_HEAD = 64,		      /* bytes that are enough to know it by */
	KIND_SEGMENTS_MAX = 512,      /* of a JPEG, or chunks of a WAV, looked at */
	KIND_PIXELS_MAX = 100000000 /* of a picture */
};

struct kind {
	const char *ext, *mime;
	enum kind_class class;
};

/* what somebody says it is, by the media type of his Content-Type */
enum kind_said {
	KIND_SAID_PIC,
	KIND_SAID_AUDIO,
	KIND_SAID_FILE,
	KIND_SAID_NOTHING, /* no Content-Type: what it looks like */
	KIND_SAID_BAD	   /* SVG, or no media type */
};

enum kind_said kind_said(struct str content_type);
/*
 * The kind of what begins with p (n: all of it, or KIND_HEAD of it at least)
 * and is said to be that; NULL: it is not.
 */
const struct kind *kind_find(enum kind_said said, const uint8_t *p, size_t n);
/* by the end of its name, as ext; or NULL */
const struct kind *kind_by_ext(struct str ext);
/* "pic", "audio", "file": the type of a message with one */
const char *kind_word(enum kind_class c);

/*
 * Width and height of a whole picture as it is shown (a JPEG may say that it
 * lies on its side); false: its head says none, or more than
 * KIND_PIXELS_MAX.
 */
bool kind_size(const struct kind *k, const uint8_t *p, size_t n, uint32_t *w,
    uint32_t *h);
/* milliseconds of a whole WAV; 0: not known, or no WAV */
uint32_t kind_ms(const struct kind *k, const uint8_t *p, size_t n);

#endif
