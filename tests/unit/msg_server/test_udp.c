/* SPDX-License-Identifier: MIT */
/*
 * The UDP door by itself: who may, what becomes of each kind of datagram, one
 * answer for each and when, and what is refused in silence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/msg_server/udp_fixture.h"

#define DATA                                                 \
	"{\"to_uid\":\"7\",\"type\":\"chat\",\"uid\":\"1\"," \
	"\"content\":\"x\"}"

static void
give_from(const char *ip, const char *text)
{
	struct addr a = udp_addr(ip);

	n_answers = n_online = 0;
	/* each test has all the refusals that it wants */
	udp->refusals = (struct bucket){0};
	udp_give_it(str_of(text), &a);
}

static void
give(const char *text)
{
	give_from("127.0.0.1", text);
}

static void
refused(const char *ip, const char *text)
{
	uint64_t was = udp->stats[U_REFUSED];

	give_from(ip, text);
	assert_int_equal(n_sent + n_asked, 0);
	assert_int_equal(n_answers, 1);
	assert_int_equal(n_online, 0);
	assert_int_equal(udp->stats[U_REFUSED], was + 1);
}

static void
test_who_may(void **state)
{
	static const char *const good[][2] = {
	    {"127.0.0.1", "{\"data\":" DATA "}"},
	    {"127.0.0.1", "{\"sk\":\"wrong\",\"data\":" DATA "}"},
	    {"[::1]", "{\"data\":" DATA "}"},
	    {"127.0.0.2", "{\"sk\":\"123456\",\"data\":" DATA "}"},
	    {"127.0.0.3", "{\"sk\":\"s\\/e\\u0022c\",\"data\":" DATA "}"}};
	static const char *const bad[][2] = {
	    {"127.0.0.2", "{\"data\":" DATA "}"},
	    {"127.0.0.2", "{\"sk\":\"12345\",\"data\":" DATA "}"},
	    {"127.0.0.2", "{\"sk\":\"1234567\",\"data\":" DATA "}"},
	    {"127.0.0.2", "{\"sk\":123456,\"data\":" DATA "}"},
	    {"127.0.0.2", "{\"x\":\"123456\",\"data\":" DATA "}"},
	    {"127.0.0.3", "{\"sk\":\"123456\",\"data\":" DATA "}"},
	    {"127.0.0.4", "{\"sk\":\"123456\",\"data\":" DATA "}"},
	    {"10.0.0.1", "{\"sk\":\"123456\",\"data\":" DATA "}"}};
	struct addr a = udp_addr("127.0.0.2");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++) {
		give_from(good[i][0], good[i][1]);
		assert_int_equal(n_sent, 1);
		udp_finish(200, true);
		assert_int_equal(n_online, 1);
	}
	for (i = 0; i < ARRAY_LEN(bad); i++)
		refused(bad[i][0], bad[i][1]);
	/* for /chat/send, by the same rule */
	assert_true(udp_push_may(udp, &a, STR_LIT("123456")));
	assert_false(udp_push_may(udp, &a, STR_NONE));
	assert_false(udp_push_may(NULL, &a, STR_LIT("123456")));
	a = udp_addr("127.0.0.1");
	assert_true(udp_push_may(NULL, &a, STR_NONE));
}

static void
test_answers(void **state)
{
	(void)state;
	/* not before the log has it */
	give("{\"data\":" DATA "}\r\n");
	assert_int_equal(n_answers, 0);
	assert_string_equal(last_from, "1");
	assert_string_equal(last_to, "7");
	assert_string_equal(last_id, "");
	assert_string_equal(last_body, DATA);
	udp_finish(200, false);
	assert_int_equal(n_answers, 1);
	assert_int_equal(n_online, 0);
	/* what is not stored reaches nobody */
	give("{\"data\":" DATA "}");
	udp_finish(503, true);
	assert_int_equal(n_answers, 1);
	assert_int_equal(n_online, 0);
	assert_int_equal(udp->stats[U_UNSTORED], 1);
	/* one answer for many, yes if one of them is there */
	give("{\"means\":\"to_uid_all\",\"data\":{\"type\":\"t\",\"content\":1,"
	     "\"id\":5,\"uid_all\":[\"a\",8,\"\",null,\"b c\",\"d\"]}}");
	assert_int_equal(n_sent, 3);
	assert_string_equal(last_id, "5");
	assert_string_equal(last_from, PUSH_NOBODY);
	sent[2]->done(sent[2], 200, false);
	sent[0]->done(sent[0], 200, true);
	assert_int_equal(n_answers, 0);
	sent[1]->done(sent[1], 200, false);
	n_sent = 0;
	assert_int_equal(n_answers, 1);
	assert_int_equal(n_online, 1);
	give("{\"means\":\"is_on_line\",\"to_uid\":7}");
	assert_string_equal(last_to, "7");
	udp_finish(200, true);
	assert_int_equal(n_online, 1);
	assert_int_equal(udp->under_way, 0);
}

static void
test_asked_first(void **state)
{
	struct f_whois a = {.code = 200};

	(void)state;
	/* everybody: page after page */
	give("{\"means\":\"to_uid_all\",\"data\":{\"type\":\"t\","
	     "\"content\":1}}");
	assert_int_equal(n_asked, 1);
	assert_int_equal(asked_who[0].what, WHO_ALL);
	a.json = STR_LIT("[\"a\",\"b\"]");
	a.next = STR_LIT("b");
	n_asked = 0;
	asked[0]->done(asked[0], 200, &a);
	assert_int_equal(n_sent, 2);
	assert_int_equal(n_asked, 0);
	n_sent = 0;
	sent[0]->done(sent[0], 200, true);
	assert_int_equal(n_asked, 0);
	sent[1]->done(sent[1], 200, true);
	assert_int_equal(n_asked, 1);
	assert_true(str_is_set(asked_who[0].next));
	assert_int_equal(n_answers, 0);
	udp_finish(200, true);
	assert_int_equal(n_answers, 1);
	assert_int_equal(n_online, 1);
	/* nobody, or nobody knows */
	give("{\"means\":\"to_fd_all\",\"data\":{\"type\":\"t\",\"content\":1,"
	     "\"fd_all\":[]}}");
	n_asked = 0;
	asked[0]->done(asked[0], 503, NULL);
	assert_int_equal(n_answers, 1);
	assert_int_equal(n_online, 0);
	/* of a connection its user */
	give("{\"means\":\"to_fd\",\"data\":{\"type\":\"t\",\"content\":1,"
	     "\"to_fd\":4294967297}}");
	assert_int_equal(asked_who[0].what, WHO_SESSION);
	n_asked = 0;
	a = (struct f_whois){.code = 200,
	    .count = 1,
	    .json = STR_LIT("{\"cn\":4294967297,\"uid\":\"c\"}")};
	asked[0]->done(asked[0], 200, &a);
	assert_string_equal(last_to, "c");
	udp_finish(200, true);
	assert_int_equal(n_online, 1);
	assert_int_equal(udp->under_way, 0);
}

static void
test_nothing(void **state)
{
	static const char *const bad[] = {"", " ", "x", "[]", "{", "}", "{}",
	    "{\"a\":1,\"a\":2}", "{}x", "{\"data\":1}", "{\"data\":{}}",
	    "{\"to_uid\":\"7\",\"sk\":\"123456\"}",
	    "{\"means\":\"other\",\"data\":" DATA "}",
	    "{\"means\":\"is_on_line\"}",
	    "{\"means\":\"is_on_line\",\"to_uid\":\"a b\"}",
	    "{\"data\":{\"type\":\"chat\",\"content\":\"x\"}}",
	    "{\"data\":{\"to_uid\":\"7\",\"content\":\"x\"}}",
	    "{\"data\":{\"to_uid\":\"7\",\"type\":\"chat\",\"content\":0}}",
	    "{\"means\":\"to_fd\",\"data\":{\"to_fd\":\"x\",\"type\":\"t\","
	    "\"content\":1}}",
	    "{\"means\":\"to_uid_all\",\"data\":{\"uid_all\":\"7\","
	    "\"type\":\"t\",\"content\":1}}",
	    "{\"means\":\"to_uid_all\",\"data\":{\"uid_all\":[\"\"],"
	    "\"type\":\"t\",\"content\":1}}"};
	char *big = xcalloc(1, UDP_SIZE_MAX + 2);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++)
		refused("127.0.0.1", bad[i]);
	/* as many bytes as may come, and one more */
	strcpy(big, "{\"data\":" DATA "}");
	memset(big + strlen(big), ' ', UDP_SIZE_MAX - strlen(big));
	give(big);
	assert_int_equal(n_sent, 1);
	udp_finish(200, true);
	big[UDP_SIZE_MAX] = ' ';
	refused("127.0.0.1", big);
	free(big);
}

static void
test_silence(void **state)
{
	struct addr a = udp_addr("127.0.0.1");
	uint64_t silent = udp->stats[U_SILENT];
	unsigned i;

	(void)state;
	udp->refusals = (struct bucket){0};
	n_answers = 0;
	for (i = 0; i < 5000; i++)
		udp_give_it(STR_LIT("x"), &a);
	/* this took less than a few seconds */
	assert_true(n_answers >= 100 && n_answers < 4900);
	assert_int_equal(udp->stats[U_SILENT] - silent, 5000 - n_answers);
	/* people wait less for it, until it is over */
	assert_true(udp_dgram->rest_ms > DGRAM_REST_MS);
	udp->flood_ms -= 1001;
	udp_give_it(STR_LIT("{\"data\":" DATA "}"), &a);
	udp_finish(200, true);
	assert_int_equal(udp_dgram->rest_ms, DGRAM_REST_MS);
	/* who may is answered all the same */
	n_answers = 0;
	udp_give_it(STR_LIT("{\"data\":" DATA "}"), &a);
	udp_finish(200, true);
	assert_int_equal(n_answers, 1);
}

static void
test_under_way(void **state)
{
	unsigned i, n = 0;
	struct push_send *all[UDP_UNDER_WAY];

	(void)state;
	for (i = 0; i < UDP_UNDER_WAY; i++) {
		assert_false(udp_dgram->paused);
		give("{\"data\":" DATA "}");
		all[n++] = sent[--n_sent];
	}
	assert_true(udp_dgram->paused);
	while (n > UDP_UNDER_WAY / 2) {
		assert_true(udp_dgram->paused);
		n--;
		all[n]->done(all[n], 200, true);
	}
	assert_false(udp_dgram->paused);
	while (n-- > 0)
		all[n]->done(all[n], 200, true);
	assert_int_equal(udp->under_way, 0);
}

static int
setup(void **state)
{
	(void)state;
	udp_open_it();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who_may),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_asked_first),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_silence),
	    cmocka_unit_test(test_under_way),
	};

	json_init();
	return cmocka_run_group_tests_name("udp", tests, setup, NULL);
}
