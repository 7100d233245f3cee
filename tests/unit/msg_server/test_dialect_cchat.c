/* SPDX-License-Identifier: MIT */
/*
 * The cchat dialect by itself, the way in: what each frame becomes, in which
 * order it is checked, with which words it is refused.
 */
#include "msg_server/dialect/cchat_priv.h"
#include "tests/unit/msg_server/cchat_fixture.h"

static void
refused(const char *text, int code, const char *words)
{
	char want[256];

	snprintf(want, sizeof want,
	    "{\"cmd\":\"error\",\"errCode\":%d,\"errMsg\":\"%s\"}", code,
	    words);
	assert_string_equal(decode(text), want);
}

#define LOGIN(rest)   "{\"cmd\":\"login\"" rest "}"
#define MESSAGE(rest) "{\"cmd\":\"message\"" rest "}"

/* --- level 1 ------------------------------------------------------------ */

static void
test_v1_not_a_command(void **state)
{
	static const char *const broken[] = {"", "x", "null", "0", "[]", "{}",
	    "\"login\"", "{\"cmd\":\"\"}", "{\"cmd\":null}", "{\"cmd\":\"0\"}",
	    "{\"cmd\":\"login\"", "[{\"cmd\":\"login\"}]",
	    "{\"cmd\":\"login\",\"cmd\":\"login\"}"};
	static const char *const unknown[] = {"debug", "proxySet", "proxyLogin",
	    "proxyMsg", "getOnline", "getHistory", "addHistory", "Login",
	    "login ", "cmd_login", "ping", "join", "bye"};
	char text[128];
	size_t i;
	unsigned lvl;

	(void)state;
	for (lvl = 0; lvl < 2; lvl++) {
		level(lvl);
		for (i = 0; i < ARRAY_LEN(broken); i++)
			refused(broken[i], 101, "无效的命令[1]");
		for (i = 0; i < ARRAY_LEN(unknown); i++) {
			snprintf(
			    text, sizeof text, "{\"cmd\":\"%s\"}", unknown[i]);
			refused(text, 102, "无效的命令[2]");
		}
	}
}

static void
test_v1_login(void **state)
{
	(void)state;
	assert_string_equal(
	    decode(LOGIN(",\"uid\":\"1001\",\"name\":\"alice\",\"rid\":\"1\"")),
	    "");
	assert_int_equal(got.kind, CMD_LOGIN);
	assert_int_equal(got.level, 1);
	assert_true(str_eqc(got.uid, "1001"));
	assert_true(str_eqc(got.name, "alice"));
	assert_true(str_eqc(got.rid, "1"));
	assert_false(got.rid_is_num);
	assert_string_equal(
	    decode(LOGIN(",\"uid\":1001,\"name\":\"小王\",\"rid\":1")), "");
	assert_true(str_eqc(got.uid, "1001"));
	assert_true(got.rid_is_num);
	assert_true(ctx.rid_is_num);
	/* as PHP's filter takes them */
	decode(LOGIN(",\"uid\":\" 7 \",\"name\":\"ab\",\"rid\":\"\\t+12\\n\""));
	assert_true(str_eqc(got.uid, "7"));
	assert_true(str_eqc(got.rid, "12"));
	/* "empty" uids are drawn */
	decode(LOGIN(",\"uid\":\"0\",\"name\":\"ab\",\"rid\":\"1\""));
	assert_false(str_is_set(got.uid));
	decode(LOGIN(",\"uid\":null,\"name\":\"ab\",\"rid\":\"1\""));
	assert_false(str_is_set(got.uid));
	/* keys of level 2 mean nothing */
	decode(LOGIN(",\"name\":\"ab\",\"rid\":\"1\",\"v\":1,\"dev\":\"x y\","
		     "\"pos\":7,\"cid\":\"c\""));
	assert_int_equal(got.level, 1);
	assert_false(str_is_set(got.cid));
}

static void
test_v1_login_order(void **state)
{
	static const char *const bad_rid[] = {"0", "\"0\"", "-1", "\"01\"",
	    "1.5", "\"1.5\"", "\"x\"", "\"\"", "true", "[]", "\"1 2\"",
	    "\"9223372036854775808\"", "\"-5\"", "1e3"};
	static const char *const bad_uid[] = {
	    "\"x\"", "-1", "1.5", "true", "[1]", "\"007\""};
	char text[128];
	size_t i;

	(void)state;
	refused(LOGIN(""), 50, "缺少姓名参数");
	refused(LOGIN(",\"name\":\"0\""), 50, "缺少姓名参数");
	refused(LOGIN(",\"name\":\"\",\"rid\":\"1\""), 50, "缺少姓名参数");
	refused(LOGIN(",\"name\":\"a\""), 50, "姓名不合法");
	refused(LOGIN(",\"name\":\"12345678901234567\""), 50, "姓名不合法");
	refused(LOGIN(",\"name\":\"一二三四五六\""), 50, "姓名不合法");
	refused(LOGIN(",\"name\":true"), 50, "姓名不合法");
	refused(LOGIN(",\"name\":\"a\\u0000b\""), 50, "姓名不合法");
	refused(LOGIN(",\"name\":\"<b></b>\""), 50, "姓名不合法");
	refused(LOGIN(",\"name\":\"ab\""), 50, "缺少聊天室参数");
	refused(LOGIN(",\"name\":\"ab\",\"rid\":null"), 50, "缺少聊天室参数");
	for (i = 0; i < ARRAY_LEN(bad_rid); i++) {
		snprintf(text, sizeof text,
		    LOGIN(",\"name\":\"ab\",\"rid\":%s,\"uid\":\"x\""),
		    bad_rid[i]);
		refused(text, 50, "聊天室参数不正确");
	}
	for (i = 0; i < ARRAY_LEN(bad_uid); i++) {
		snprintf(text, sizeof text,
		    LOGIN(",\"name\":\"ab\",\"rid\":1,\"uid\":%s"), bad_uid[i]);
		refused(text, 50, "该用户需要凭证");
	}
	/* 2 and 16 bytes are good */
	assert_string_equal(decode(LOGIN(",\"name\":\"ab\",\"rid\":1")), "");
	assert_string_equal(
	    decode(LOGIN(",\"name\":\"1234567890123456\",\"rid\":1")), "");
	assert_string_equal(decode(LOGIN(",\"name\":12,\"rid\":1")), "");
	assert_true(str_eqc(got.name, "12"));
}

/* bytes of PHP's strip_tags() for the same names */
static void
test_v1_strip_tags(void **state)
{
	static const char *const pairs[][2] = {{"bob<i>x</i>", "bobx"},
	    {"a < b", "a < b"}, {"a<b", "a"}, {"a>b", "a>b"},
	    {"a<!--x>y-->b", "ab"}, {"a<?php x?>b", "ab"},
	    {"1<x y='>'>2", "12"}, {"a<b<c>d>e", "ae"}, {"<<b>x", ""},
	    {"x<", "x"}, {"a<!x>b", "ab"}};
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(pairs); i++) {
		snprintf(text, sizeof text, LOGIN(",\"name\":\"%s\",\"rid\":1"),
		    pairs[i][0]);
		decode(text);
		if (pairs[i][1][0] == '\0') {
			assert_int_equal(n_got, 0);
			continue;
		}
		assert_int_equal(n_got, 1);
		assert_int_equal(got.name.len, strlen(pairs[i][1]));
		assert_memory_equal(got.name.p, pairs[i][1], got.name.len);
	}
}

static void
test_v1_message_order(void **state)
{
	char text[1400], msg[1026];

	(void)state;
	level(1);
	refused(MESSAGE(""), 50, "不支持的消息类型");
	refused(MESSAGE(",\"type\":\"file\",\"msg\":\"x\",\"rid\":1"), 50,
	    "不支持的消息类型");
	refused(MESSAGE(",\"type\":\"text\""), 50, "缺少消息内容");
	refused(MESSAGE(",\"type\":\"text\",\"msg\":null"), 50, "缺少消息内容");
	memset(msg, 'x', 1025);
	msg[1025] = '\0';
	snprintf(text, sizeof text,
	    MESSAGE(",\"type\":\"text\",\"msg\":\"%s\",\"tid\":\"x\""), msg);
	refused(text, 50, "消息内容过长");
	msg[1024] = '\0';
	snprintf(text, sizeof text,
	    MESSAGE(",\"type\":\"text\",\"msg\":\"%s\",\"tid\":\"x\""), msg);
	refused(text, 50, "私信用户不正确");
	refused(MESSAGE(",\"type\":\"pic\",\"msg\":\"\",\"tid\":\"\""), 50,
	    "缺少聊天室参数");
	refused(MESSAGE(",\"type\":\"pic\",\"msg\":\"\",\"rid\":\"a\""), 50,
	    "聊天室参数不正确");
	assert_string_equal(
	    decode(MESSAGE(",\"type\":\"text\",\"msg\":\"\",\"rid\":\"3\"")),
	    "");
	assert_true(str_is_set(got.msg));
	assert_false(str_is_set(got.tid));
	snprintf(text, sizeof text,
	    MESSAGE(",\"type\":\"text\",\"msg\":\"%s\",\"rid\":1"), msg);
	assert_string_equal(decode(text), "");
	assert_int_equal(got.msg.len, 1024);
}

static void
test_v1_message_values(void **state)
{
	(void)state;
	level(1);
	decode(
	    MESSAGE(",\"type\":\"audio\",\"msg\":12,\"rid\":1,\"tid\":1002"));
	assert_int_equal(got.type, MSG_AUDIO);
	assert_true(got.msg_is_json);
	assert_true(str_eqc(got.msg, "12"));
	assert_true(str_eqc(got.tid, "1002"));
	decode(MESSAGE(",\"type\":\"text\",\"msg\":{\"a\":[1]},\"rid\":1,"
		       "\"tid\":\"\""));
	assert_true(str_eqc(got.msg, "{\"a\":[1]}"));
	/* said, but to the room */
	assert_true(str_is_set(got.tid));
	assert_int_equal(got.tid.len, 0);
	decode(MESSAGE(",\"type\":\"text\",\"msg\":\"x\",\"rid\":1,"
		       "\"tid\":null"));
	assert_false(str_is_set(got.tid));
}

/* --- level 2 ------------------------------------------------------------ */

static void
test_v2_login(void **state)
{
	(void)state;
	assert_string_equal(
	    decode(LOGIN(",\"uid\":\"amy\",\"name\":\" Ämy\\u200b \","
			 "\"rid\":\"lobby\",\"v\":2,\"cid\":\"c!1\","
			 "\"token\":\"t.t.t\",\"dev\":\"web-1\","
			 "\"avatar\":\"/a.png\",\"inbox\":true,"
			 "\"caps\":[\"x\",\"batch\"],\"pos\":{\"lobby\":"
			 "[\"9f3a01c2\",845],\"@\":[\"9f3a01c2\",31]}")),
	    "");
	assert_int_equal(got.level, 2);
	assert_int_equal(ctx.level, 2);
	assert_true(str_eqc(got.uid, "amy"));
	assert_true(str_eqc(got.name, "Ämy"));
	assert_true(str_eqc(got.cid, "c!1"));
	assert_true(str_eqc(got.token, "t.t.t"));
	assert_true(str_eqc(got.dev, "web-1"));
	assert_true(str_eqc(got.avatar, "/a.png"));
	assert_true(got.inbox && got.batch);
	assert_int_equal(got.n_pos, 2);
	/* avatars of other kinds are dropped, not refused */
	decode(LOGIN(",\"name\":\"a\",\"rid\":1,\"v\":2,"
		     "\"avatar\":\"javascript:x\""));
	assert_false(str_is_set(got.avatar));
	decode(LOGIN(",\"name\":\"a\",\"rid\":1,\"v\":2,"
		     "\"avatar\":\"//evil/x\""));
	assert_false(str_is_set(got.avatar));
	assert_true(str_eqc(got.rid, "1"));
}

static void
v2_refused(const char *text, int code)
{
	char begin[64];
	const char *answer = decode(text);

	snprintf(
	    begin, sizeof begin, "{\"cmd\":\"error\",\"errCode\":%d,", code);
	assert_memory_equal(answer, begin, strlen(begin));
}

static void
test_v2_login_refusals(void **state)
{
	static const char *const bad[] = {",\"name\":\"\",\"rid\":\"1\"",
	    ",\"name\":\"\\u200b\",\"rid\":\"1\"", ",\"name\":5,\"rid\":\"1\"",
	    ",\"name\":null,\"rid\":\"1\"", ",\"name\":\"a\\u0000\",\"rid\":1",
	    ",\"name\":\"123456789012345678901234567890123\",\"rid\":1",
	    ",\"name\":\"a\"", ",\"name\":\"a\",\"rid\":\"\"",
	    ",\"name\":\"a\",\"rid\":\"a b\"", ",\"name\":\"a\",\"rid\":-1",
	    ",\"name\":\"a\",\"rid\":1.5", ",\"name\":\"a\",\"rid\":null",
	    ",\"name\":\"a\",\"rid\":\"123456789012345678901234567890123\"",
	    ",\"name\":\"a\",\"rid\":1,\"uid\":\"a/b\"",
	    ",\"name\":\"a\",\"rid\":1,\"uid\":\" \"",
	    ",\"name\":\"a\",\"rid\":1,\"cid\":\"\"",
	    ",\"name\":\"a\",\"rid\":1,\"cid\":7",
	    ",\"name\":\"a\",\"rid\":1,\"dev\":\"a b\"",
	    ",\"name\":\"a\",\"rid\":1,\"pos\":[]",
	    ",\"name\":\"a\",\"rid\":1,\"pos\":{\"1\":[\"9f3a01c\",1]}",
	    ",\"name\":\"a\",\"rid\":1,\"pos\":{\"1\":[\"9f3a01cG\",1]}",
	    ",\"name\":\"a\",\"rid\":1,\"pos\":{\"1\":[\"9f3a01c2\",-1]}",
	    ",\"name\":\"a\",\"rid\":1,\"pos\":{\"a b\":[\"9f3a01c2\",1]}"};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(text, sizeof text, LOGIN("%s,\"v\":2"), bad[i]);
		v2_refused(text, 400);
	}
	/* 32 characters of 2 bytes are 64 */
	assert_string_equal(
	    decode(LOGIN(",\"name\":\"ääääääääääääääääääääääääääääääää\","
			 "\"rid\":1,\"v\":2")),
	    "");
}

static void
test_v2_pos_bound(void **state)
{
	struct buf b;
	int n, i;

	(void)state;
	for (n = POS_MAX; n <= POS_MAX + 1; n++) {
		level(0);
		buf_init(&b, 65536);
		buf_puts(&b, "{\"cmd\":\"login\",\"v\":2,\"name\":\"a\","
			     "\"rid\":\"1\",\"pos\":{");
		for (i = 0; i < n; i++)
			buf_printf(&b, "%s\"r%d\":[\"00000000\",%d]",
			    i > 0 ? "," : "", i, i);
		buf_puts(&b, "}}");
		buf_putc(&b, '\0');
		if (n == POS_MAX) {
			assert_string_equal(decode((char *)b.data), "");
			assert_int_equal(got.n_pos, POS_MAX);
		} else {
			v2_refused((char *)b.data, 400);
		}
		buf_fini(&b);
	}
}

static void
test_v2_commands(void **state)
{
	(void)state;
	level(2);
	decode(MESSAGE(",\"type\":\"file\",\"msg\":\"/u/x\",\"rid\":\"12\","
		       "\"cid\":\"m-8f1\",\"re\":840,\"at\":[\"1002\"]"));
	assert_int_equal(got.type, MSG_FILE);
	assert_int_equal(got.re, 840);
	assert_true(str_eqc(got.cid, "m-8f1"));
	decode(MESSAGE(",\"type\":\"text\",\"msg\":\"hi\",\"tid\":\"bob\""));
	assert_true(str_eqc(got.tid, "bob"));
	assert_false(str_is_set(got.rid));
	decode("{\"cmd\":\"getHistory\",\"rid\":\"1\",\"before\":9,"
	       "\"limit\":200}");
	assert_true(got.has_before);
	assert_int_equal(got.before, 9);
	assert_int_equal(got.limit, 200);
	decode("{\"cmd\":\"join\",\"rid\":\"12\",\"pos\":[\"9f3a01c2\",7]}");
	assert_int_equal(got.n_pos, 1);
	decode("{\"cmd\":\"join\",\"rid\":\"12\","
	       "\"pos\":{\"12\":[\"9f3a01c2\",7]}}");
	assert_int_equal(got.n_pos, 1);
	decode("{\"cmd\":\"getOnline\",\"uids\":[\"a\",\"b\"]}");
	assert_int_equal(got.n_uids, 2);
	decode("{\"cmd\":\"mark\",\"tid\":\"bob\",\"read\":5}");
	assert_int_equal(got.read, 5);
	decode("{\"cmd\":\"status\",\"st\":\"away\"}");
	assert_int_equal(got.kind, CMD_STATUS);
	decode("{\"cmd\":\"ping\",\"t\":123}");
	assert_int_equal(got.t, 123);
	decode("{\"cmd\":\"bye\"}");
	assert_int_equal(got.kind, CMD_BYE);
}

static void
test_v2_command_refusals(void **state)
{
	static const char *const bad[] = {"{\"cmd\":\"message\"}",
	    MESSAGE(",\"type\":\"x\",\"msg\":\"a\",\"rid\":1"),
	    MESSAGE(",\"type\":\"text\",\"msg\":1,\"rid\":1"),
	    MESSAGE(",\"type\":\"text\",\"msg\":\"a\""),
	    MESSAGE(",\"type\":\"text\",\"msg\":\"a\",\"rid\":\"a b\""),
	    MESSAGE(",\"type\":\"text\",\"msg\":\"a\",\"rid\":1,\"tid\":[]"),
	    "{\"cmd\":\"join\"}", "{\"cmd\":\"leave\",\"rid\":\"\"}",
	    "{\"cmd\":\"getHistory\"}",
	    "{\"cmd\":\"getHistory\",\"rid\":1,\"limit\":0}",
	    "{\"cmd\":\"getHistory\",\"rid\":1,\"limit\":201}",
	    "{\"cmd\":\"getHistory\",\"rid\":1,\"before\":-1}",
	    "{\"cmd\":\"getHistory\",\"rid\":1,\"before\":1,\"after\":1}",
	    "{\"cmd\":\"getOnline\"}", "{\"cmd\":\"getOnline\",\"uids\":[1]}",
	    "{\"cmd\":\"mark\",\"rid\":1}", "{\"cmd\":\"status\"}",
	    "{\"cmd\":\"auth\"}", "x", "{}",
	    "{\"cmd\":\"ping\",\"cid\":\"\\u001b\"}"};
	size_t i;

	(void)state;
	level(2);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		v2_refused(bad[i], 400);
	assert_string_equal(decode("{\"cmd\":\"nope\",\"cid\":\"k\"}"),
	    "{\"cmd\":\"error\",\"errCode\":102,\"errMsg\":\"unknown command\","
	    "\"cid\":\"k\"}");
}

/* a cid before login shows a client of level 2; nothing else does */
static void
test_level_before_login(void **state)
{
	(void)state;
	decode("{\"cmd\":\"join\",\"rid\":\"1\",\"cid\":\"j\"}");
	assert_int_equal(got.kind, CMD_JOIN);
	assert_int_equal(got.level, 2);
	refused("{\"cmd\":\"join\",\"rid\":\"1\"}", 102, "无效的命令[2]");
	/* and a session keeps the level of its login */
	level(1);
	refused("{\"cmd\":\"join\",\"rid\":\"1\",\"cid\":\"j\"}", 102,
	    "无效的命令[2]");
	decode(LOGIN(",\"name\":\"ab\",\"rid\":\"2\",\"v\":2"));
	assert_int_equal(got.level, 1);
}

static void
test_names(void **state)
{
	(void)state;
	assert_ptr_equal(dialect_by_name(STR_LIT("cchat")), &dialect_cchat);
	assert_null(dialect_by_name(STR_LIT("nope")));
	assert_true(d->guess(STR_LIT("{\"cmd\":\"login\"}")));
	assert_true(d->guess(STR_LIT("{ \"v\":2,\"cmd\":\"login\"}")));
	assert_false(d->guess(STR_LIT("{\"cmd\":\"\"}")));
	assert_false(d->guess(STR_LIT("{\"type\":\"login\"}")));
	assert_false(d->guess(STR_LIT("x")));
}

/* up to two characters of a frame become odd ones */
static void
spoil(char *text, const char *odd, size_t n)
{
	for (unsigned i = (unsigned)rand() % 3; i > 0; i--)
		text[(size_t)rand() % strlen(text)] = odd[(size_t)rand() % n];
}

/*
 * cchat_fast.c reads what cchat_v2.c reads and as that does: a key that
 * nobody knows keeps a frame from being read the fast way.
 */
static void
test_v2_fast(void **state)
{
	static const char *const base[] = {
	    "{\"cmd\":\"message\",\"type\":\"text\",\"rid\":\"12\","
	    "\"cid\":\"a-1\",\"msg\":\"hello \xe4\xbd\xa0\xe5\xa5\xbd\"}",
	    "{ \"type\" : \"text\" , \"cmd\":\"message\", \"tid\":\"7\","
	    "\"rid\":\"1\", \"msg\":\"\"} ",
	    "{\"cmd\":\"message\",\"type\":\"text\",\"rid\":\"12\",\"tid\":"
	    "\"\",\"msg\":\"a\",\"msg\":\"b\"}",
	    "{\"cmd\":\"message\",\"type\":\"text\",\"tid\":\"12\",\"msg\":"
	    "\"a\\nb\"}"};
	static const char odd[] = "\"\\{}[]:, \n\x01x7\x80\xe4nt";
	char text[512], slow[600], first[2][64];
	unsigned took = 0;
	struct command c;

	(void)state;
	srand(3);
	for (unsigned n = 0; n < 60000; n++) {
		snprintf(text, sizeof text, "%s", base[n % ARRAY_LEN(base)]);
		spoil(text, odd, sizeof odd - 1);
		if (text[0] != '{')
			continue;
		snprintf(slow, sizeof slow, "{\"x\":1,%s", text + 1);
		level(2);
		snprintf(first[0], sizeof first[0], "%.60s", decode(text));
		bool took_it = n_got == 1;
		c = got;
		char cid[64], rid[64], tid[64], msg[512];
		str_copy(cid, sizeof cid, got.cid);
		str_copy(rid, sizeof rid, got.rid);
		str_copy(tid, sizeof tid, got.tid);
		str_copy(msg, sizeof msg, got.msg);
		snprintf(first[1], sizeof first[1], "%.60s", decode(slow));
		if (took_it != (n_got == 1) || strcmp(first[0], first[1]))
			fail_msg("%s: %s, %s", text, first[0], first[1]);
		if (!took_it)
			continue;
		took++;
		assert_int_equal(c.kind, got.kind);
		assert_int_equal(c.type, got.type);
		assert_int_equal(c.level, got.level);
		assert_int_equal(c.rid_is_num, got.rid_is_num);
		assert_true(str_eqc(got.cid, cid) && str_eqc(got.rid, rid));
		assert_true(str_eqc(got.tid, tid) && str_eqc(got.msg, msg));
		assert_true(c.cid.len == got.cid.len && c.re == got.re);
		assert_int_equal(str_is_set(c.tid), str_is_set(got.tid));
		assert_int_equal(str_is_set(c.cid), str_is_set(got.cid));
	}
	assert_true(took > 10000);
}

/* all that a command says, one line */
static const char *
said(const char *text)
{
	static char line[2][2048];
	static unsigned turn;
	char *p = line[turn ^= 1];
	size_t n;
	const char *e = decode(text);

	if (n_got == 0) {
		snprintf(p, sizeof line[0], "%s", e);
		return p;
	}
	n = (size_t)snprintf(p, sizeof line[0],
	    "kind %d level %u/%u num %d/%d inbox %d batch %d pos %zu from %zu",
	    (int)got.kind, got.level, ctx.level, got.rid_is_num, ctx.rid_is_num,
	    got.inbox, got.batch, got.n_pos, got.from_key.len);
	for (unsigned i = 0; i < 9; i++) {
		const struct str all[] = {got.cid, got.rid, got.tid, got.msg,
		    got.uid, got.name, got.avatar, got.token, got.dev};

		n += (size_t)snprintf(p + n, sizeof line[0] - n, " %d<%.*s>",
		    str_is_set(all[i]), STR_ARG(all[i]));
	}
	return p;
}

/* the same for a login, and what it says of positions */
static void
test_v2_fast_login(void **state)
{
	static const char *const base[] = {
	    "{\"cmd\":\"login\",\"uid\":\"7\",\"name\":\"u7\",\"rid\":\"12\","
	    "\"v\":2,\"cid\":\"l\",\"token\":\"a.b.c\"}",
	    "{\"cmd\":\"login\",\"name\":\"Anna\",\"rid\":\"12\",\"uid\":\"\","
	    " \"v\" : 3 , \"caps\":[\"x\", \"batch\"],\"inbox\" :true,\"dev\":"
	    "\"d1\",\"avatar\":\"/a.png\",\"from\":\"k\"}",
	    "{\"cmd\":\"login\",\"rid\":\"a\",\"v\":2,\"name\":\"b\",\"pos\":{"
	    "\"a\":[\"9f3a01c2\",845], "
	    "\"@\":[\"00000000\",0]},\"inbox\":false}",
	    "{\"cmd\":\"login\",\"rid\":\"a\",\"v\":2,\"pos\":{},\"caps\":[],"
	    "\"name\":\"b c\",\"uid\":5}",
	    "{\"cmd\":\"login\",\"uid\":\"7\",\"name\":\"u7\",\"rid\":\"12\","
	    "\"v\":1,\"rid\":\"13\"}"};
	static const char odd[] = "\"\\{}[]:,.- \n\x01x0279\x80\xe4ltrue@";
	char text[512], slow[600];
	struct cchat_frame *f = xcalloc(1, sizeof *f);
	unsigned took = 0, fast = 0;

	(void)state;
	srand(4);
	for (unsigned n = 0; n < 60000; n++) {
		snprintf(text, sizeof text, "%s", base[n % ARRAY_LEN(base)]);
		spoil(text, odd, sizeof odd - 1);
		if (text[0] != '{')
			continue;
		snprintf(slow, sizeof slow, "{\"slow\":1,%s", text + 1);
		level(0);
		const char *quick = said(text);
		took += n_got;
		level(0);
		const char *other = said(slow);
		if (strcmp(quick, other))
			fail_msg("%s: %s, %s", text, quick, other);
		fast += cchat_fast_login(str_of(text), &f->cmd, f->pos);
	}
	assert_true(took > 10000 && fast > 10000);
	assert_true(cchat_fast_login(str_of(base[2]), &f->cmd, f->pos));
	assert_int_equal(f->cmd.n_pos, 2);
	assert_true(str_eqc(f->cmd.pos[0].rid, "a"));
	assert_true(str_eqc(f->cmd.pos[0].ep, "9f3a01c2"));
	assert_int_equal(f->cmd.pos[0].seq, 845);
	assert_true(str_eqc(f->cmd.pos[1].rid, "@"));
	/* what needs a judge, or words, goes the long way */
	for (unsigned i = 3; i < 5; i++)
		assert_false(
		    cchat_fast_login(str_of(base[i]), &f->cmd, f->pos));
	free(f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_v1_not_a_command),
	    T(test_v1_login),
	    T(test_v1_login_order),
	    T(test_v1_strip_tags),
	    T(test_v1_message_order),
	    T(test_v1_message_values),
	    T(test_v2_login),
	    T(test_v2_login_refusals),
	    T(test_v2_pos_bound),
	    T(test_v2_commands),
	    T(test_v2_command_refusals),
	    T(test_v2_fast),
	    T(test_v2_fast_login),
	    T(test_level_before_login),
	    T(test_names),
	};
#undef T

	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
