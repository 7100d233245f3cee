/* SPDX-License-Identifier: MIT */
/* Settings: every way to be wrong has one line that says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "shared/base/str.h"
#include "shared/proc/conf.h"

struct settings {
	char *listen;
	int64_t msg_max;
	bool echo;
	int auth;
	char **origins;
};

static const char *const auth_words[] = {"open", "token", NULL};

static const struct conf_opt opts[] = {
    CONF_STR(struct settings, listen, "listen", "127.0.0.1:9503", "listener"),
    CONF_INT(struct settings, msg_max, "msg_max", 4096, 1, 65536, "bytes"),
    CONF_BOOL(struct settings, echo, "echo", "no", "echo"),
    CONF_ENUM(struct settings, auth, "auth", "open", auth_words, "who"),
    CONF_LIST(struct settings, origins, "origins", NULL, "origins"),
};

static const struct conf_program prog = {
    "msg_server", "test", opts, ARRAY_LEN(opts)};

static char file[] = "/tmp/cchat-conf-XXXXXX";
static char err[512];
static struct settings set;

static int
read_text(const char *text, int argc, char **argv)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	memset(&set, 0, sizeof set);
	return conf_read(
	    &prog, &set, text[0] ? file : NULL, argc, argv, err, sizeof err);
}

static void
test_defaults(void **state)
{
	(void)state;
	assert_int_equal(read_text("", 0, NULL), OK);
	assert_string_equal(set.listen, "127.0.0.1:9503");
	assert_int_equal(set.msg_max, 4096);
	assert_false(set.echo);
	assert_int_equal(set.auth, 0);
	assert_non_null(set.origins);
	assert_null(set.origins[0]);
}

static void
test_file(void **state)
{
	(void)state;
	assert_int_equal(
	    read_text("# a comment { with a brace\n"
		      "cluster { msg_max = 9  something_else = 3 }\n"
		      "proxy_server { unknown_here = \"}\" }\n"
		      "msg_server {\n"
		      "  listen = \"0.0.0.0:1 # no comment\"\n"
		      "  echo = yes /* a } here */\n"
		      "  auth = token\n"
		      "  origins = { \"http://a\", 'http://b' }\n"
		      "}\n",
		0, NULL),
	    OK);
	assert_string_equal(set.listen, "0.0.0.0:1 # no comment");
	assert_int_equal(set.msg_max, 9);
	assert_true(set.echo);
	assert_int_equal(set.auth, 1);
	assert_string_equal(set.origins[0], "http://a");
	assert_string_equal(set.origins[1], "http://b");
	assert_null(set.origins[2]);
}

static void
test_flags_win(void **state)
{
	char *argv[] = {(char *)"x", (char *)"--msg-max", (char *)"77",
	    (char *)"--origins=a, b", (char *)"--auth", (char *)"token", NULL};

	(void)state;
	assert_int_equal(read_text("msg_server { msg_max = 5 }", 6, argv), OK);
	assert_int_equal(set.msg_max, 77);
	assert_int_equal(set.auth, 1);
	assert_string_equal(set.origins[0], "a");
	assert_string_equal(set.origins[1], "b");
}

static void
test_section_beats_cluster(void **state)
{
	(void)state;
	assert_int_equal(read_text("msg_server { msg_max = 5 }\n"
				   "cluster { msg_max = 6 }",
			     0, NULL),
	    OK);
	assert_int_equal(set.msg_max, 5);
}

static void
test_mistakes(void **state)
{
	static const struct {
		const char *text, *say;
	} cases[] = {
	    {"msg_server {\n\nlisten_on = 3\n}", ":3: no such setting"},
	    {"msg_server {\n msg_max = 0\n}", ":2: 0 is out of range"},
	    {"msg_server {\n msg_max = 65537\n}", ":2: 65537 is out of range"},
	    {"msg_server {\n msg_max = many\n}", ":2: 'many' is not a number"},
	    {"msg_server {\n msg_max = 12k\n}", ":2: '12k' is not a number"},
	    {"msg_server {\n echo = maybe\n}", ":2: 'maybe' is neither"},
	    {"msg_server {\n auth = ldap\n}",
		":2: 'ldap' is none of open, token"},
	    {"msg_server {\n msg_max = 5\n",
		":1: section 'msg_server' is never"},
	    {"\nmsg_server {\n a = { \"x\"\n", ":2: section 'msg_server' is"},
	    {"msg_server { } }", ":1: '}' without a section"},
	    {"msgserver { }", ":1: no such section 'msgserver'"},
	    {"listen = 3", ":1: settings belong inside a section"},
	    {"hello", ":1: 'hello' is no section"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(read_text(cases[i].text, 0, NULL), ERR_CONF);
		if (!strstr(err, cases[i].say))
			fail_msg("'%s' says '%s'", cases[i].text, err);
		assert_null(strchr(err, '\n'));
	}
}

static void
test_flag_mistakes(void **state)
{
	char *unknown[] = {(char *)"x", (char *)"--nope", NULL};
	char *lonely[] = {(char *)"x", (char *)"--msg-max", NULL};
	char *word[] = {(char *)"x", (char *)"start", NULL};
	char *range[] = {(char *)"x", (char *)"--msg-max=-1", NULL};

	(void)state;
	assert_int_equal(read_text("", 2, unknown), ERR_CONF);
	assert_non_null(strstr(err, "no such flag '--nope'"));
	assert_int_equal(read_text("", 2, lonely), ERR_CONF);
	assert_non_null(strstr(err, "needs a value"));
	assert_int_equal(read_text("", 2, word), ERR_CONF);
	assert_non_null(strstr(err, "unexpected 'start'"));
	assert_int_equal(read_text("", 2, range), ERR_CONF);
	assert_non_null(strstr(err, "out of range"));
}

static void
test_no_file(void **state)
{
	(void)state;
	assert_int_equal(conf_read(&prog, &set, "/nonexistent/cchat.conf", 0,
			     NULL, err, sizeof err),
	    ERR_CONF);
	assert_non_null(strstr(err, "/nonexistent/cchat.conf: No such file"));
}

static int
setup(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_file), cmocka_unit_test(test_flags_win),
	    cmocka_unit_test(test_section_beats_cluster),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_flag_mistakes),
	    cmocka_unit_test(test_no_file)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
