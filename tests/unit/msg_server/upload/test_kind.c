/* SPDX-License-Identifier: MIT */
/*
 * What an upload is by its first bytes, and what its head says: each kind, each
 * cut short at every byte, and heads that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "msg_server/upload/kind.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static const char *
of(enum kind_said said, const uint8_t *p, size_t n)
{
	const struct kind *k = kind_find(said, p, n);

	return k != NULL ? k->ext : "none";
}

static const struct {
	const uint8_t *p;
	size_t n, least; /* bytes that are needed to know it */
	const char *ext;
} heads[] = {
    {BYTES("\x89PNG\r\n\x1a\n...."), 8, "png"},
    {BYTES("\xff\xd8\xff\xe0...."), 3, "jpg"},
    {BYTES("GIF87a...."), 6, "gif"},
    {BYTES("GIF89a...."), 6, "gif"},
    {BYTES("RIFF....WEBPVP8 "), 15, "webp"},
    {BYTES("\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm"), 12, "webm"},
    {BYTES("OggS\0"), 4, "ogg"},
    {BYTES("\0\0\0\x18"
	   "ftypM4A "),
	8, "m4a"},
    {BYTES("ID3\x04"), 3, "mp3"},
    {BYTES("\xff\xfb\x90\x64"), 4, "mp3"},
    {BYTES("RIFF....WAVEfmt "), 12, "wav"},
    {BYTES("%PDF-1.7"), 0, "bin"},
    {BYTES("<svg xmlns"), 0, "bin"},
    {BYTES("<!DOCTYPE html>"), 0, "bin"},
    /* nearly */
    {BYTES("\x89PNG\n\n\x1a\n...."), 0, "bin"},
    {BYTES("GIF88a...."), 0, "bin"},
    {BYTES("RIFF....AVI LIST"), 0, "bin"},
    {BYTES("\x1a\x45\xdf\xa3\x9f\x42\x82\x84matroska"), 0, "bin"},
    {BYTES("\0\0\0\x07"
	   "ftypM4A "),
	0, "bin"},
    {BYTES("\xff\xf1\x50\x80"), 0, "bin"},
    {BYTES("\xff\xfb\xf0\x64"), 0, "bin"},
    {BYTES("\xff\xfb\x9c\x64"), 0, "bin"},
};

static void
test_magic(void **state)
{
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(heads); i++)
		for (n = 0; n <= heads[i].n; n++)
			assert_string_equal(
			    of(KIND_SAID_NOTHING, heads[i].p, n),
			    n >= heads[i].least ? heads[i].ext : "bin");
}

static void
test_said(void **state)
{
	static const struct {
		const char *type;
		enum kind_said said;
	} t[] = {{"image/png", KIND_SAID_PIC}, {"IMAGE/JPEG", KIND_SAID_PIC},
	    {"image/webp; q=1", KIND_SAID_PIC},
	    {"audio/webm;codecs=opus", KIND_SAID_AUDIO},
	    {" audio/mp4 ;codecs=opus", KIND_SAID_AUDIO},
	    {"image/svg+xml", KIND_SAID_BAD},
	    {"Image/SVG+XML; charset=utf-8", KIND_SAID_BAD},
	    {"image/heic", KIND_SAID_FILE}, {"audio/flac", KIND_SAID_FILE},
	    {"video/mp4", KIND_SAID_FILE}, {"text/html", KIND_SAID_FILE},
	    {"application/octet-stream", KIND_SAID_FILE},
	    {"", KIND_SAID_NOTHING}, {"  ", KIND_SAID_NOTHING},
	    {"png", KIND_SAID_BAD}, {"/png", KIND_SAID_BAD}};
	size_t i;

	(void)state;
	assert_int_equal(kind_said(STR_NONE), KIND_SAID_NOTHING);
	for (i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(kind_said(str_of(t[i].type)), t[i].said);
}

static void
test_agrees(void **state)
{
	(void)state;
	assert_string_equal(of(KIND_SAID_PIC, BYTES("GIF89a....")), "gif");
	assert_string_equal(of(KIND_SAID_PIC, BYTES("OggS\0")), "none");
	assert_string_equal(of(KIND_SAID_PIC, BYTES("<svg/>")), "none");
	assert_string_equal(of(KIND_SAID_AUDIO, BYTES("OggS\0")), "ogg");
	assert_string_equal(of(KIND_SAID_AUDIO, BYTES("GIF89a....")), "none");
	/* to be kept as it is, whatever it is */
	assert_string_equal(of(KIND_SAID_FILE, BYTES("GIF89a....")), "bin");
	assert_string_equal(of(KIND_SAID_BAD, BYTES("GIF89a....")), "none");
	assert_null(kind_by_ext(STR_LIT("svg")));
	assert_null(kind_by_ext(STR_LIT("")));
	assert_string_equal(kind_by_ext(STR_LIT("m4a"))->mime, "audio/mp4");
	assert_string_equal(kind_word(KIND_AUDIO), "audio");
}

static uint32_t w, h;

/* in memory of just that size: a byte too far is found */
static bool
size_of(const char *ext, const void *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	bool ok;

	memcpy(copy, p, n);
	ok = kind_size(kind_by_ext(str_of(ext)), copy, n, &w, &h);
	free(copy);
	return ok;
}

static void
sized(const char *ext, const void *p, size_t n, uint32_t want_w,
    uint32_t want_h, size_t least)
{
	size_t i;

	for (i = 0; i < least; i++)
		assert_false(size_of(ext, p, i));
	assert_true(size_of(ext, p, n));
	assert_int_equal(w, want_w);
	assert_int_equal(h, want_h);
}

#define JPEG_SOF "\xff\xc0\0\x0b\x08\x04\x2b\x06\x40\x01\x11\0\0"
#define JPEG_EXIF(turn)                                              \
	"\xff\xe1\0\x22"                                             \
	"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" turn \
	"\0\0\0\0\0\0\0"

static void
test_size(void **state)
{
	static const char png[] =
	    "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x06\x40\0\0\x04\x2b";

	(void)state;
	sized("png", png, 24, 1600, 1067, 24);
	sized("gif", "GIF89a\x07\0\x09\x01", 10, 7, 265, 10);
	sized("webp", "RIFF....WEBPVP8X....\0\0\0\0\x3f\x06\0\x2a\x04\0", 30,
	    1600, 1067, 30);
	sized("webp", "RIFF....WEBPVP8L....\x2f\x3f\xc6\x0a\x01\0\0\0\0\0", 30,
	    1600, 1068, 30);
	sized("webp", "RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a\x40\x06\x2b\x04",
	    30, 1600, 1067, 30);
	assert_false(size_of("webp",
	    "RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2b\x40\x06\x2b\x04", 30));
	assert_false(size_of("webp", "RIFF....WEBPVP8Y............\0\0", 30));
	sized("jpg", "\xff\xd8" JPEG_SOF, 15, 1600, 1067, 15);
	sized("jpg", "\xff\xd8\xff\xff" JPEG_SOF, 17, 1600, 1067, 17);
	sized("jpg", "\xff\xd8" JPEG_EXIF("\x06") JPEG_SOF, 51, 1067, 1600, 51);
	sized("jpg", "\xff\xd8" JPEG_EXIF("\x03") JPEG_SOF, 51, 1600, 1067, 51);
	/* a scan without a frame, a segment of no length, one too long */
	assert_false(size_of("jpg", "\xff\xd8\xff\xda\0\x02" JPEG_SOF, 19));
	assert_false(size_of("jpg", "\xff\xd8\xff\xe0\0\x01" JPEG_SOF, 19));
	assert_false(size_of("jpg", "\xff\xd8\xff\xe0\xff\xff" JPEG_SOF, 19));
}

static void
test_liars(void **state)
{
	static uint8_t p[4 * KIND_SEGMENTS_MAX + 64];
	size_t n = 2, i;

	(void)state;
	assert_false(size_of(
	    "png", "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\x09", 24));
	assert_false(size_of("png",
	    "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\xff\xff\xff\xff\xff\xff\xff\xff",
	    24));
	assert_true(size_of("png",
	    "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x27\x10\0\0\x27\x10", 24));
	assert_false(size_of("png",
	    "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x27\x10\0\0\x27\x11", 24));
	/* the frame is behind as many segments as are looked at, or one more */
	memcpy(p, "\xff\xd8", 2);
	for (i = 0; i < KIND_SEGMENTS_MAX - 1; i++, n += 4)
		memcpy(p + n, "\xff\xfe\0\x02", 4);
	memcpy(p + n, JPEG_SOF, 13);
	assert_true(size_of("jpg", p, n + 13));
	memcpy(p + n, "\xff\xfe\0\x02" JPEG_SOF, 17);
	assert_false(size_of("jpg", p, n + 17));
	/* directories of Exif that point behind it, or have no end */
	assert_true(size_of("jpg",
	    "\xff\xd8\xff\xe1\0\x10"
	    "Exif\0\0MM\0*\xff\xff\xff\xff" JPEG_SOF,
	    33));
	assert_int_equal(w, 1600);
	assert_true(size_of("jpg",
	    "\xff\xd8\xff\xe1\0\x12"
	    "Exif\0\0MM\0*\0\0\0\x08\xff\xff" JPEG_SOF,
	    35));
	assert_int_equal(w, 1600);
}

static void
test_ms(void **state)
{
	static const char wav[] =
	    "RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0"
	    "\x01\0\x08\0LIST\x03\0\0\0abc\0data\xff\xff\xff\x7f";
	static uint8_t p[sizeof wav - 1 + 4000];
	const struct kind *k = kind_by_ext(STR_LIT("wav"));
	size_t n;

	(void)state;
	memcpy(p, wav, sizeof wav - 1);
	/* it says more than there is: what there is counts */
	assert_int_equal(kind_ms(k, p, sizeof p), 500);
	for (n = 0; n < sizeof wav - 1; n++)
		assert_int_equal(kind_ms(k, p, n), 0);
	assert_int_equal(kind_ms(kind_by_ext(STR_LIT("mp3")), p, sizeof p), 0);
	/* nothing a second is no rate */
	memset(p + 28, 0, 4);
	assert_int_equal(kind_ms(k, p, sizeof p), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_magic),
	    cmocka_unit_test(test_said),
	    cmocka_unit_test(test_agrees),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_liars),
	    cmocka_unit_test(test_ms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
