/* SPDX-License-Identifier: MIT */
/*
 * The cchat dialect by itself, the way out: events on both levels. And the
 * recorded conversations of tests/dialect/cchat: every frame that was sent
 * decodes to what it said, every frame that was received is encoded again, key
 * for key in its order.
 */
#include "tests/unit/msg_server/cchat_fixture.h"

/* --- events ------------------------------------------------------------- */

static struct item
hello(void)
{
	return (struct item){.seq = 852,
	    .ts = 1763660001200,
	    .kind = ITEM_MESSAGE,
	    .uid = STR_LIT("1001"),
	    .cid = STR_LIT("m-8f1"),
	    .name = STR_LIT("amy"),
	    .body = STR_LIT("hi")};
}

static void
test_item(void **state)
{
	struct item it = hello();
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .uid = it.uid,
	    .name = it.name,
	    .rid = STR_LIT("12"),
	    .chan = STR_LIT("r:12")};

	(void)state;
	assert_string_equal(encode(&ev, 1, VIEW_OTHER),
	    "{\"cmd\":\"message\",\"type\":\"text\",\"uid\":\"1001\",\"name\":"
	    "\"amy\",\"msg\":\"hi\",\"rid\":\"12\"}");
	assert_string_equal(encode(&ev, 2, VIEW_OTHER),
	    "{\"cmd\":\"message\",\"uid\":\"1001\",\"name\":\"amy\",\"rid\":"
	    "\"12\",\"type\":\"text\",\"msg\":\"hi\",\"seq\":852,\"mid\":"
	    "\"r:12/852\",\"ts\":1763660001200}");
	assert_non_null(
	    strstr(encode(&ev, 2, VIEW_SELF), ",\"cid\":\"m-8f1\"}"));
	it.flags = ITEM_F_AUTO_CID;
	assert_null(strstr(encode(&ev, 2, VIEW_SELF), "cid"));
	it.flags = ITEM_F_TID_EMPTY;
	assert_non_null(strstr(encode(&ev, 1, VIEW_OTHER), ",\"tid\":\"\"}"));
	assert_null(strstr(encode(&ev, 2, VIEW_OTHER), "tid"));
	it.flags = ITEM_F_JSON;
	it.body = STR_LIT("12");
	assert_non_null(strstr(encode(&ev, 1, VIEW_OTHER), "\"msg\":12,"));
	assert_non_null(strstr(encode(&ev, 2, VIEW_OTHER), "\"msg\":\"12\","));
	it.flags = ITEM_F_FILE;
	assert_non_null(strstr(encode(&ev, 1, VIEW_OTHER), "\"text\""));
	assert_non_null(strstr(encode(&ev, 2, VIEW_OTHER), "\"file\""));
	/* a recalled or lost one keeps its place on level 2 */
	it.flags = ITEM_F_GONE;
	assert_string_equal(encode(&ev, 1, VIEW_OTHER), "");
	assert_non_null(strstr(
	    encode(&ev, 2, VIEW_OTHER), "\"gone\":\"recall\",\"seq\":852"));
	it.flags = ITEM_F_LOST;
	assert_non_null(
	    strstr(encode(&ev, 2, VIEW_OTHER), "\"gone\":\"lost\""));
}

static void
test_private_item(void **state)
{
	struct item it = hello();
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .uid = it.uid,
	    .name = it.name,
	    .tid = STR_LIT("1002"),
	    .chan = STR_LIT("p:1001:1002")};

	(void)state;
	it.useq = 4;
	/* level 1 always has a rid */
	assert_string_equal(encode(&ev, 1, VIEW_OTHER),
	    "{\"cmd\":\"message\",\"type\":\"text\",\"uid\":\"1001\",\"name\":"
	    "\"amy\",\"msg\":\"hi\",\"rid\":\"1\",\"tid\":\"1002\"}");
	assert_non_null(strstr(encode(&ev, 2, VIEW_OTHER),
	    "\"tid\":\"1002\",\"type\":\"text\",\"msg\":\"hi\",\"seq\":852,"
	    "\"mid\":\"p:1001:1002/852\",\"ts\":1763660001200,\"useq\":4}"));
}

/* level 1 never gets an unknown cmd nor an unknown key */
static void
test_level_1_is_told_no_more(void **state)
{
	struct room_user u = {.uid = STR_LIT("1"), .name = STR_LIT("a")};
	enum event_kind k;

	(void)state;
	for (k = EVENT_ITEM; k <= EVENT_MOVE; k++) {
		struct item it = hello();
		struct event ev = {.kind = k,
		    .item = &it,
		    .uid = STR_LIT("1"),
		    .name = STR_LIT("a"),
		    .rid = STR_LIT("2"),
		    .cid = STR_LIT("c"),
		    .code = 503,
		    .why = "busy",
		    .v1_code = 50,
		    .v1_text = "忙",
		    .in = &u,
		    .n_in = 1,
		    .t = 1};

		if (k == EVENT_LOGIN)
			assert_string_equal(encode(&ev, 1, VIEW_SELF),
			    "{\"cmd\":\"login\",\"name\":\"a\",\"uid\":\"1\","
			    "\"rid\":\"2\"}");
		else if (k == EVENT_NEW_USER)
			assert_string_equal(encode(&ev, 1, VIEW_OTHER),
			    "{\"cmd\":\"newUser\",\"name\":\"a\",\"uid\":\"1\","
			    "\"rid\":\"2\"}");
		else if (k == EVENT_ERROR)
			assert_string_equal(encode(&ev, 1, VIEW_SELF),
			    "{\"cmd\":\"error\",\"errCode\":50,\"errMsg\":"
			    "\"忙\"}");
		else if (k != EVENT_ITEM)
			assert_string_equal(encode(&ev, 1, VIEW_SELF), "");
	}
}

static void
test_answers(void **state)
{
	struct event_pos pos[] = {
	    {STR_LIT("12"), STR_LIT("9f3a01c2"), 851, 846, 6, true},
	    {STR_LIT("@"), STR_LIT("9f3a01c2"), 31, 0, 0, true}};
	struct event ok = {.kind = EVENT_OK,
	    .cid = STR_LIT("m"),
	    .rid = STR_LIT("12"),
	    .chan = STR_LIT("r:12"),
	    .seq = 852,
	    .ts = 5,
	    .dup = true};
	struct event join = {.kind = EVENT_OK,
	    .cid = STR_LIT("j"),
	    .rid = STR_LIT("12"),
	    .pos = pos,
	    .n_pos = 2};
	struct event error = {.kind = EVENT_ERROR,
	    .cid = STR_LIT("m"),
	    .code = 429,
	    .why = "too fast",
	    .retry_ms = 1800};
	struct event gap = {.kind = EVENT_GAP,
	    .rid = STR_LIT("12"),
	    .ep = STR_LIT("9f3a01c2"),
	    .gap_from = 856,
	    .gap_to = 990,
	    .why = "purge"};
	struct event pong = {.kind = EVENT_PONG, .t = 7};
	struct event move = {.kind = EVENT_MOVE,
	    .url = STR_LIT("wss://ms2.example/ws"),
	    .in_ms = 8421,
	    .key = STR_LIT("abc"),
	    .why = "drain"};

	(void)state;
	assert_string_equal(encode(&move, 2, VIEW_SELF),
	    "{\"cmd\":\"move\",\"url\":\"wss://ms2.example/ws\",\"in\":8421,"
	    "\"key\":\"abc\",\"why\":\"drain\"}");
	move.url = STR_NONE;
	assert_string_equal(encode(&move, 2, VIEW_SELF),
	    "{\"cmd\":\"move\",\"in\":8421,\"key\":\"abc\",\"why\":"
	    "\"drain\"}");
	assert_string_equal(encode(&move, 1, VIEW_SELF), "");
	assert_string_equal(encode(&ok, 2, VIEW_SELF),
	    "{\"cmd\":\"ok\",\"cid\":\"m\",\"rid\":\"12\",\"seq\":852,\"mid\":"
	    "\"r:12/852\",\"ts\":5,\"dup\":true}");
	assert_string_equal(encode(&join, 2, VIEW_SELF),
	    "{\"cmd\":\"ok\",\"cid\":\"j\",\"rid\":\"12\",\"pos\":{\"12\":"
	    "{\"ep\":\"9f3a01c2\",\"seq\":851,\"from\":846,\"n\":6,\"full\":"
	    "true},\"@\":{\"ep\":\"9f3a01c2\",\"seq\":31,\"n\":0,\"full\":"
	    "true}}}");
	assert_string_equal(encode(&error, 2, VIEW_SELF),
	    "{\"cmd\":\"error\",\"errCode\":429,\"errMsg\":\"too fast\","
	    "\"cid\":\"m\",\"retry\":1800}");
	assert_string_equal(encode(&gap, 2, VIEW_SELF),
	    "{\"cmd\":\"gap\",\"rid\":\"12\",\"ep\":\"9f3a01c2\",\"from\":856,"
	    "\"to\":990,\"why\":\"purge\"}");
	assert_string_equal(
	    encode(&pong, 2, VIEW_SELF), "{\"cmd\":\"pong\",\"t\":7}");
}

/* a page read backwards is written ascending; cids are the reader's own */
static void
test_inbox(void **state)
{
	struct inbox_entry e = {.chan = STR_LIT("p:1001:1002"),
	    .head = 852,
	    .read = 850,
	    .unread = 2,
	    .has_last = true,
	    .last = hello()};
	struct event ev = {.kind = EVENT_INBOX,
	    .cid = STR_LIT("i1"),
	    .uid = STR_LIT("1001"),
	    .ep = STR_LIT("9f3a01c2"),
	    .n_items = 2,
	    .next = STR_LIT("2.3.9.")};
	struct buf b;

	(void)state;
	e.last.rid = STR_LIT("12");
	buf_init(&b, 65536);
	put_inboxed_entry(&b, &e);
	e = (struct inbox_entry){.chan = STR_LIT("r:12")};
	put_inboxed_entry(&b, &e);
	ev.page = buf_str(&b);
	assert_string_equal(encode(&ev, 2, VIEW_SELF),
	    "{\"cmd\":\"inbox\",\"cid\":\"i1\",\"list\":["
	    "{\"tid\":\"1002\",\"ep\":\"9f3a01c2\",\"seq\":852,\"read\":850,"
	    "\"unread\":2,\"last\":{\"cmd\":\"message\",\"uid\":\"1001\","
	    "\"name\":\"amy\",\"rid\":\"12\",\"tid\":\"1002\",\"type\":"
	    "\"text\",\"msg\":\"hi\",\"seq\":852,\"mid\":\"p:1001:1002/852\","
	    "\"ts\":1763660001200,\"cid\":\"m-8f1\"}},"
	    "{\"rid\":\"12\",\"ep\":\"9f3a01c2\",\"seq\":0,\"read\":0,"
	    "\"unread\":0,\"last\":null}],\"next\":\"2.3.9.\"}");
	assert_string_equal(encode(&ev, 1, VIEW_SELF), "");
	buf_fini(&b);
}

static void
test_history(void **state)
{
	struct f_page page = {.rid = 1,
	    .code = 200,
	    .ep = STR_LIT("9f3a01c2"),
	    .first = 1,
	    .head = 853,
	    .more = true};
	struct item it = hello();
	struct event ev = {.kind = EVENT_HISTORY,
	    .cid = STR_LIT("h1"),
	    .rid = STR_LIT("12"),
	    .uid = STR_LIT("1001"),
	    .chan = STR_LIT("r:12"),
	    .ep = STR_LIT("9f3a01c2"),
	    .first = 1,
	    .last = 853,
	    .reversed = true,
	    .more = true};
	struct buf b;
	struct f_page back;
	size_t mark;
	const char *text, *first, *second;

	(void)state;
	buf_init(&b, 65536);
	mark = put_page_begin(&b, &page);
	it.seq = 853;
	it.uid = STR_LIT("1002");
	assert_int_equal(put_page_item(&b, &it), 0);
	it = hello();
	assert_int_equal(put_page_item(&b, &it), 0);
	page.n_items = 2;
	put_page_end(&b, mark, &page);
	assert_int_equal(
	    get_page(str_n(buf_p(&b) + 8, buf_len(&b) - 12), &back, &ev.page),
	    0);
	ev.n_items = back.n_items;
	text = encode(&ev, 2, VIEW_SELF);
	assert_memory_equal(text,
	    "{\"cmd\":\"getHistory\",\"cid\":\"h1\",\"rid\":\"12\",\"ep\":"
	    "\"9f3a01c2\",\"first\":1,\"last\":853,\"more\":true,\"list\":[{",
	    strlen("{\"cmd\":\"getHistory\",\"cid\":\"h1\",\"rid\":\"12\","
		   "\"ep\":\"9f3a01c2\",\"first\":1,\"last\":853,\"more\":true,"
		   "\"list\":[{"));
	first = strstr(text, "\"seq\":852");
	second = strstr(text, "\"seq\":853");
	assert_non_null(first);
	assert_true(first < second);
	assert_non_null(strstr(text, "\"cid\":\"m-8f1\"},{"));
	assert_null(strstr(second, "cid"));
	buf_fini(&b);
}

/* --- the recorded conversations ----------------------------------------- */

static struct str
text_of(const json_t *obj, const char *key, char tmp[24])
{
	return json_id(obj, key, tmp);
}

/* "msg", string or not, as an item's body */
static struct str
body_of(const json_t *obj, struct buf *b, uint16_t *flags)
{
	const json_t *v = json_object_get(obj, "msg");
	char *text;

	if (json_is_string(v))
		return json_str(obj, "msg");
	*flags |= ITEM_F_JSON;
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	buf_puts(b, text);
	free(text);
	return buf_str(b);
}

/* the frame again, from the event it tells of */
static void
check_received(const json_t *obj)
{
	struct str cmd = json_str(obj, "cmd"), tid = json_str(obj, "tid");
	struct str type = json_str(obj, "type");
	char a[24], r[24], *want;
	struct buf b;
	struct item it = {.kind = ITEM_MESSAGE};
	struct event ev = {.uid = text_of(obj, "uid", a),
	    .name = json_str(obj, "name"),
	    .rid = text_of(obj, "rid", r),
	    .rid_is_num = json_is_integer(json_object_get(obj, "rid")),
	    .item = &it};
	int64_t code = 0;
	char text[256];

	buf_init(&b, 4096);
	if (str_eqc(cmd, "login")) {
		ev.kind = EVENT_LOGIN;
	} else if (str_eqc(cmd, "newUser")) {
		ev.kind = EVENT_NEW_USER;
	} else if (str_eqc(cmd, "error")) {
		ev.kind = EVENT_ERROR;
		assert_true(json_int(obj, "errCode", &code));
		str_copy(text, sizeof text, json_str(obj, "errMsg"));
		ev.v1_code = (unsigned)code;
		ev.v1_text = text;
	} else {
		assert_true(str_eqc(cmd, "message"));
		ev.kind = EVENT_ITEM;
		it.body = body_of(obj, &b, &it.flags);
		if (str_eqc(type, "pic"))
			it.flags |= ITEM_F_PIC;
		else if (str_eqc(type, "audio"))
			it.flags |= ITEM_F_AUDIO;
		if (tid.len > 0)
			ev.tid = tid;
		else if (str_is_set(tid))
			it.flags |= ITEM_F_TID_EMPTY;
	}
	/* as recorded, but for the escapes of PHP */
	want = json_dumps(obj, JSON_COMPACT | JSON_PRESERVE_ORDER);
	assert_string_equal(encode(&ev, 1, VIEW_OTHER), want);
	free(want);
	buf_fini(&b);
}

static void
check_sent(const json_t *obj, const char *frame)
{
	char tmp[24];
	const json_t *tid = json_object_get(obj, "tid");

	assert_string_equal(decode(frame), "");
	assert_true(str_eq(got.rid, text_of(obj, "rid", tmp)));
	if (got.kind == CMD_LOGIN) {
		ctx.in = 1;
		assert_int_equal(ctx.level, 1);
		assert_true(str_eq(got.uid, text_of(obj, "uid", tmp)));
		return;
	}
	assert_int_equal(got.kind, CMD_MESSAGE);
	assert_true(str_eq(got.msg, json_str(obj, "msg")));
	assert_int_equal(str_is_set(got.tid), tid != NULL);
	assert_true(str_eq(got.tid, text_of(obj, "tid", tmp)));
}

static unsigned
replay(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[512], line[4096];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/tests/dialect/cchat/%s.jsonl",
	    top != NULL ? top : ".", name);
	f = fopen(path, "r");
	assert_non_null(f);
	level(1);
	while (fgets(line, sizeof line, f) != NULL) {
		int e;
		json_t *rec = json_read(str_n(line, strcspn(line, "\n")), &e);
		json_t *obj;
		const char *frame;

		assert_non_null(rec);
		frame = json_string_value(json_object_get(rec, "frame"));
		if (frame != NULL) {
			obj = json_read(str_of(frame), &e);
			assert_non_null(obj);
			if (str_eqc(json_str(rec, "dir"), "send"))
				check_sent(obj, frame);
			else
				check_received(obj);
			json_decref(obj);
			n++;
		}
		json_decref(rec);
	}
	fclose(f);
	return n;
}

static void
test_recorded(void **state)
{
	(void)state;
	assert_true(replay("cchat-basic") > 30);
	assert_true(replay("cchat-proxy") > 6);
}

/* a text made from what others see is the one that encode() makes */
static void
test_own(void **state)
{
	static const uint16_t flags[] = {0, ITEM_F_AUTO_CID, ITEM_F_TID_EMPTY,
	    ITEM_F_JSON, ITEM_F_FILE, ITEM_F_GONE, ITEM_F_LOST};
	static const char *const bodies[] = {"hi", "", "{\"}", "12"};
	static const uint8_t kinds[] = {
	    ITEM_MESSAGE, ITEM_EDIT, ITEM_RECALL, ITEM_POINTER};
	struct item it = hello();
	struct event ev = {.kind = EVENT_ITEM,
	    .item = &it,
	    .uid = it.uid,
	    .name = it.name,
	    .rid = STR_LIT("12"),
	    .chan = STR_LIT("r:12")};
	unsigned differ = 0;
	struct buf own;
	char *other;

	(void)state;
	buf_init(&own, 65536);
	for (unsigned n = 0; n < 2 * 7 * 4 * 4 * 2; n++) {
		unsigned level = 1 + n % 2;

		it.flags = flags[n / 2 % 7];
		it.kind = kinds[n / 14 % 4];
		it.body = str_of(bodies[n / 56 % 4]);
		it.cid = n / 224 ? STR_LIT("m-8f1") : STR_NONE;
		other = xstrdup(encode(&ev, level, VIEW_OTHER));
		buf_reset(&own);
		dialect_cchat.own(&ev, level, str_of(other), &own);
		buf_putc(&own, '\0');
		assert_string_equal(buf_p(&own), encode(&ev, level, VIEW_SELF));
		differ += strcmp((const char *)buf_p(&own), other) != 0;
		free(other);
	}
	assert_true(differ > 0);
	buf_fini(&own);
}

/* the commands that these answer */
static void
test_seen_commands(void **state)
{
	static const char *const bad[] = {"{\"cmd\":\"getMarks\",\"rid\":1}",
	    "{\"cmd\":\"getMarks\",\"seq\":1}",
	    "{\"cmd\":\"getMarks\",\"rid\":1,\"seq\":-1}",
	    "{\"cmd\":\"getMarks\",\"rid\":1,\"seq\":1,\"next\":1}",
	    "{\"cmd\":\"typing\"}", "{\"cmd\":\"typing\",\"rid\":1,\"on\":1}"};

	(void)state;
	level(2);
	decode("{\"cmd\":\"getMarks\",\"rid\":\"gab\",\"seq\":77,"
	       "\"next\":\"1005\"}");
	assert_int_equal(got.kind, CMD_GET_MARKS);
	assert_int_equal(got.seq, 77);
	assert_true(str_is_set(got.next));
	decode("{\"cmd\":\"typing\",\"tid\":\"bob\",\"on\":false}");
	assert_int_equal(got.kind, CMD_TYPING);
	assert_false(got.on);
	assert_true(str_eqc(got.tid, "bob"));
	decode("{\"cmd\":\"typing\",\"rid\":12}");
	assert_true(got.on);
	assert_true(str_eqc(got.rid, "12"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_non_null(strstr(decode(bad[i]), "\"errCode\":400"));
	level(1);
	assert_non_null(strstr(
	    decode("{\"cmd\":\"typing\",\"rid\":12}"), "\"errCode\":102"));
}

static void
test_seen(void **state)
{
	struct event ev = {.kind = EVENT_TYPING,
	    .rid = STR_LIT("12"),
	    .uid = STR_LIT("1002"),
	    .name = STR_LIT("b\"ob"),
	    .on = true};

	(void)state;
	assert_string_equal(encode(&ev, 1, VIEW_OTHER), "");
	assert_string_equal(encode(&ev, 2, VIEW_OTHER),
	    "{\"cmd\":\"typing\",\"rid\":\"12\",\"uid\":\"1002\","
	    "\"name\":\"b\\\"ob\",\"on\":true}");
	ev = (struct event){.kind = EVENT_MARKS,
	    .cid = STR_LIT("k1"),
	    .rid = STR_LIT("g4f2a1"),
	    .seq = 77,
	    .count = 2,
	    .list = STR_LIT("[\"1002\",\"1005\"]"),
	    .next = STR_LIT("1005")};
	assert_string_equal(encode(&ev, 1, VIEW_SELF), "");
	assert_string_equal(encode(&ev, 2, VIEW_SELF),
	    "{\"cmd\":\"getMarks\",\"cid\":\"k1\",\"rid\":\"g4f2a1\","
	    "\"seq\":77,\"nread\":2,\"read\":[\"1002\",\"1005\"],"
	    "\"next\":\"1005\"}");
	ev.rid = ev.next = STR_NONE;
	ev.tid = STR_LIT("1002");
	ev.list = STR_LIT("[]");
	ev.count = 0;
	ev.read = 9;
	assert_string_equal(encode(&ev, 2, VIEW_SELF),
	    "{\"cmd\":\"getMarks\",\"cid\":\"k1\",\"tid\":\"1002\","
	    "\"seq\":77,\"nread\":0,\"upto\":9,\"read\":[]}");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_item),
	    T(test_own),
	    T(test_private_item),
	    T(test_level_1_is_told_no_more),
	    T(test_answers),
	    T(test_history),
	    T(test_inbox),
	    T(test_seen),
	    T(test_seen_commands),
	    T(test_recorded),
	};
#undef T

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
