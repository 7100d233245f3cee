/* SPDX-License-Identifier: MIT */
/*
 * Magic bytes and heads of pictures and sound. See kind.h. Every number in
 * here was chosen by whoever made the file: each is checked against what is
 * left before it is used.
 */
#include <string.h>

#include "msg_server/upload/kind.h"

static const struct kind kind_png = {"png", "image/png", KIND_PIC};
static const struct kind kind_jpeg = {"jpg", "image/jpeg", KIND_PIC};
static const struct kind kind_gif = {"gif", "image/gif", KIND_PIC};
static const struct kind kind_webp = {"webp", "image/webp", KIND_PIC};
static const struct kind kind_webm = {"webm", "audio/webm", KIND_AUDIO};
static const struct kind kind_ogg = {"ogg", "audio/ogg", KIND_AUDIO};
static const struct kind kind_mp4 = {"m4a", "audio/mp4", KIND_AUDIO};
static const struct kind kind_mp3 = {"mp3", "audio/mpeg", KIND_AUDIO};
static const struct kind kind_wav = {"wav", "audio/wav", KIND_AUDIO};
static const struct kind kind_file = {
    "bin", "application/octet-stream", KIND_FILE};

static const struct kind *const kind_all[] = {&kind_png, &kind_jpeg, &kind_gif,
    &kind_webp, &kind_webm, &kind_ogg, &kind_mp4, &kind_mp3, &kind_wav,
    &kind_file};

static uint32_t
kind_be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
kind_be32(const uint8_t *p)
{
	return kind_be16(p) << 16 | kind_be16(p + 2);
}

static uint32_t
kind_le16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t
kind_le24(const uint8_t *p)
{
	return (uint32_t)p[2] << 16 | kind_le16(p);
}

static uint32_t
kind_le32(const uint8_t *p)
{
	return kind_le16(p + 2) << 16 | kind_le16(p);
}

static bool
kind_has(const uint8_t *p, size_t n, size_t at, const char *what)
{
	size_t len = strlen(what);

	return n >= at + len && memcmp(p + at, what, len) == 0;
}

/* --- which -------------------------------------------------------------- */

enum kind_said
kind_said(struct str content_type)
{
	static const struct {
		const char *type;
		enum kind_said said;
	} known[] = {{"image/png", KIND_SAID_PIC},
	    {"image/jpeg", KIND_SAID_PIC}, {"image/jpg", KIND_SAID_PIC},
	    {"image/gif", KIND_SAID_PIC}, {"image/webp", KIND_SAID_PIC},
	    {"image/svg+xml", KIND_SAID_BAD}, {"audio/webm", KIND_SAID_AUDIO},
	    {"audio/ogg", KIND_SAID_AUDIO}, {"audio/opus", KIND_SAID_AUDIO},
	    {"audio/mp4", KIND_SAID_AUDIO}, {"audio/x-m4a", KIND_SAID_AUDIO},
	    {"audio/m4a", KIND_SAID_AUDIO}, {"audio/mpeg", KIND_SAID_AUDIO},
	    {"audio/mp3", KIND_SAID_AUDIO}, {"audio/wav", KIND_SAID_AUDIO},
	    {"audio/x-wav", KIND_SAID_AUDIO}, {"audio/wave", KIND_SAID_AUDIO},
	    {"audio/vnd.wave", KIND_SAID_AUDIO}};
	struct str type;
	size_t i;

	if (!str_is_set(content_type))
		return KIND_SAID_NOTHING;
	if (!str_next(&content_type, ';', &type) ||
	    (type = str_trim(type)).len == 0)
		return KIND_SAID_NOTHING;
	for (i = 0; i < ARRAY_LEN(known); i++)
		if (str_ieq(type, str_of(known[i].type)))
			return known[i].said;
	return str_chr(type, '/') > 0 ? KIND_SAID_FILE : KIND_SAID_BAD;
}

/* of a frame of MPEG audio, layer III: what is no tag at the start of an MP3 */
static bool
kind_is_mp3_frame(const uint8_t *p, size_t n)
{
	return n >= 4 && p[0] == 0xff && (p[1] & 0xe0) == 0xe0 &&
	       (p[1] & 0x18) != 0x08 && (p[1] & 0x06) == 0x02 &&
	       (p[2] & 0xf0) != 0xf0 && (p[2] & 0xf0) != 0 &&
	       (p[2] & 0x0c) != 0x0c;
}

static const struct kind *
kind_of_bytes(const uint8_t *p, size_t n)
{
	if (n > KIND_HEAD)
		n = KIND_HEAD;
	if (kind_has(p, n, 0, "\x89PNG\r\n\x1a\n"))
		return &kind_png;
	if (kind_has(p, n, 0, "\xff\xd8\xff"))
		return &kind_jpeg;
	if (kind_has(p, n, 0, "GIF87a") || kind_has(p, n, 0, "GIF89a"))
		return &kind_gif;
	if (kind_has(p, n, 0, "RIFF") && kind_has(p, n, 8, "WEBPVP8"))
		return &kind_webp;
	if (kind_has(p, n, 0, "RIFF") && kind_has(p, n, 8, "WAVE"))
		return &kind_wav;
	if (kind_has(p, n, 0, "\x1a\x45\xdf\xa3") &&
	    memmem(p, n, "webm", 4) != NULL)
		return &kind_webm;
	if (kind_has(p, n, 0, "OggS"))
		return &kind_ogg;
	if (kind_has(p, n, 4, "ftyp") && kind_be32(p) >= 16)
		return &kind_mp4;
	if (kind_has(p, n, 0, "ID3") || kind_is_mp3_frame(p, n))
		return &kind_mp3;
	return &kind_file;
}

const struct kind *
kind_find(enum kind_said said, const uint8_t *p, size_t n)
{
	const struct kind *k = kind_of_bytes(p, n);

	switch (said) {
	case KIND_SAID_PIC:
		return k->class == KIND_PIC ? k : NULL;
	case KIND_SAID_AUDIO:
		return k->class == KIND_AUDIO ? k : NULL;
	case KIND_SAID_NOTHING:
		return k;
	case KIND_SAID_FILE:
		return &kind_file;
	case KIND_SAID_BAD:
		break;
	}
	return NULL;
}

const struct kind *
kind_by_ext(struct str ext)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(kind_all); i++)
		if (str_eqc(ext, kind_all[i]->ext))
			return kind_all[i];
	return NULL;
}

const char *
kind_word(enum kind_class c)
{
	static const char *const words[] = {"pic", "audio", "file"};

	return words[c];
}

/* --- sizes -------------------------------------------------------------- */

static bool
kind_size_webp(const uint8_t *p, size_t n, uint32_t *w, uint32_t *h)
{
	uint32_t bits;

	if (n < 30)
		return false;
	switch (p[15]) {
	case 'X':
		*w = kind_le24(p + 24) + 1;
		*h = kind_le24(p + 27) + 1;
		return true;
	case 'L':
		if (p[20] != 0x2f)
			return false;
		bits = kind_le32(p + 21);
		*w = (bits & 0x3fff) + 1;
		*h = (bits >> 14 & 0x3fff) + 1;
		return true;
	case ' ':
		if (memcmp(p + 23, "\x9d\x01\x2a", 3) != 0)
			return false;
		*w = kind_le16(p + 26) & 0x3fff;
		*h = kind_le16(p + 28) & 0x3fff;
		return true;
	default:
		return false;
	}
}

/* the orientation that a segment of Exif names, else 1 */
static uint32_t
kind_orientation(const uint8_t *p, size_t n)
{
	uint32_t (*u16)(const uint8_t *), (*u32)(const uint8_t *);
	uint32_t off, count, i;

	if (n < 14 || memcmp(p, "Exif\0", 6) != 0)
		return 1;
	p += 6;
	n -= 6;
	u16 = p[0] == 'I' ? kind_le16 : kind_be16;
	u32 = p[0] == 'I' ? kind_le32 : kind_be32;
	off = u32(p + 4);
	if (off > n || n - off < 2)
		return 1;
	count = u16(p + off);
	p += off + 2;
	n -= off + 2;
	for (i = 0; i < count && n >= 12; i++, p += 12, n -= 12)
		if (u16(p) == 0x0112)
			return u16(p + 8);
	return 1;
}

static bool
kind_size_jpeg(const uint8_t *p, size_t n, uint32_t *w, uint32_t *h)
{
	uint32_t turn = 1;
	size_t at = 2, len;
	unsigned i;
	uint8_t m;

	for (i = 0; i < KIND_SEGMENTS_MAX; i++) {
		/* any number of fill bytes would be too many */
		if (at > n || n - at < 4 || p[at] != 0xff)
			return false;
		m = p[at + 1];
		if (m == 0xff || m == 0x01) {
			at += m == 0xff ? 1 : 2;
			continue;
		}
		len = kind_be16(p + at + 2);
		if (len < 2 || n - at - 2 < len)
			return false;
		if (m == 0xe1 && turn == 1)
			turn = kind_orientation(p + at + 4, len - 2);
		if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 &&
		    m != 0xcc) {
			if (len < 8)
				return false;
			*h = kind_be16(p + at + 5);
			*w = kind_be16(p + at + 7);
			if (turn >= 5 && turn <= 8) {
				uint32_t t = *w;

				*w = *h;
				*h = t;
			}
			return true;
		}
		/* a scan, or the end, without a frame before it */
		if (m == 0xda || m == 0xd9 || m == 0xd8)
			return false;
		at += 2 + len;
	}
	return false;
}

bool
kind_size(
    const struct kind *k, const uint8_t *p, size_t n, uint32_t *w, uint32_t *h)
{
	bool ok = false;

	*w = *h = 0;
	if (k == &kind_png) {
		ok = n >= 24 && memcmp(p + 12, "IHDR", 4) == 0;
		if (ok) {
			*w = kind_be32(p + 16);
			*h = kind_be32(p + 20);
		}
	} else if (k == &kind_gif) {
		ok = n >= 10;
		if (ok) {
			*w = kind_le16(p + 6);
			*h = kind_le16(p + 8);
		}
	} else if (k == &kind_webp) {
		ok = kind_size_webp(p, n, w, h);
	} else if (k == &kind_jpeg) {
		ok = kind_size_jpeg(p, n, w, h);
	}
	return ok && *w > 0 && *h > 0 && (uint64_t)*w * *h <= KIND_PIXELS_MAX;
}

uint32_t
kind_ms(const struct kind *k, const uint8_t *p, size_t n)
{
	uint64_t rate = 0, ms;
	size_t at = 12, len;
	unsigned i;

	if (k != &kind_wav)
		return 0;
	for (i = 0; i < KIND_SEGMENTS_MAX; i++) {
		if (at > n || n - at < 8)
			return 0;
		len = kind_le32(p + at + 4);
		if (memcmp(p + at, "data", 4) == 0) {
			if (len > n - at - 8)
				len = n - at - 8;
			ms = rate > 0 ? len * 1000 / rate : 0;
			return ms <= UINT32_MAX ? (uint32_t)ms : 0;
		}
		if (memcmp(p + at, "fmt ", 4) == 0 && n - at >= 8 + 12)
			rate = kind_le32(p + at + 16);
		if (len > n - at - 8)
			return 0;
		at += 8 + len + (len & 1);
	}
	return 0;
}
