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
#include "shared/net/addr.h"
#include "shared/proc/conf.h"
#include "shared/proc/conf_help.h"
#include "shared/proc/conf_reload.h"
#include "tests/unit/shared/proc/child.h"

struct settings {
	char *listen;
	int64_t msg_max;
	bool echo;
	int auth;
	char **origins;
};

static const char *const auth_words[] = {"open", "token", NULL};

static const struct conf_opt opts[] = {
    CONF_GROUP("Where"),
    CONF_META(struct settings, listen, "listen", "127.0.0.1:9503", "ADDR:PORT",
	"where clients come in, which takes more words than a line has"),
    CONF_GROUP("What"),
    CONF_INT(struct settings, msg_max, "msg_max", 4096, 1, 65536, "bytes"),
    CONF_BOOL(struct settings, echo, "echo", "no", "echo"),
    CONF_ENUM(struct settings, auth, "auth", "open", auth_words, "who"),
    CONF_LIST(struct settings, origins, "origins", NULL, "origins"),
};

static const struct conf_program prog = {
    "msg_server", "owns the clients", opts, ARRAY_LEN(opts)};

static const char long_word[] =
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm";
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
	conf_free(&prog, &set);
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
	assert_int_equal(read_text("# a comment { with a brace\n"
				   "cluster { msg_max = 9  data = /here }\n"
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
	    {"msg_server x { }", ":1: settings belong inside"},
	    {"msg_server { msg_server { } }", ":1: no such setting"},
	    {"msg_server {\n\"open\n", ":1: section 'msg_server' is never"},
	    {"cluster {\n msgmax = 9\n}", ":2: no such setting 'msgmax'"},
	    {"msg_server {\n msg_max = 99999999999999999999\n}",
		":2: '99999999999999999999' is not a number"},
	    {"msg_server {\n msg_max = \"\"\n}", ":2: '' is not a number"},
	    {"msg_server {\n msg_max 5\n}", ":2: "},
	    {"msg_server {\n listen = \"${HOME}\"\n}", ":2: \"${\" only in"},
	    {"msg_server {\n listen = ${HOME}\n}", ":2: \"${\" only in"},
	    /* lines are counted through comments and quotes */
	    {"/* one\n two */ msg_server { # three\n/*\n*/ // }\n"
	     "listen = 'a\nb'\nx = 1 }",
		":7: no such setting 'x'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(read_text(cases[i].text, 0, NULL), ERR_CONF);
		if (!strstr(err, cases[i].say))
			fail_msg("'%s' says '%s'", cases[i].text, err);
		assert_null(strchr(err, '\n'));
	}
}

/* 64 values fill a list, 65 are too many */
static void
test_list_bound(void **state)
{
	char text[1024] = "msg_server { origins = { ", flag[1024];
	char *argv[] = {(char *)"x", (char *)"--origins", flag, NULL};
	size_t n;

	(void)state;
	for (int i = 0; i < 64; i++)
		strcat(text, "a,");
	n = strlen(text);
	strcpy(text + n, "} }");
	assert_int_equal(read_text(text, 0, NULL), OK);
	assert_string_equal(set.origins[63], "a");
	assert_null(set.origins[64]);
	strcpy(text + n, "a } }");
	assert_int_equal(read_text(text, 0, NULL), ERR_CONF);
	assert_non_null(strstr(err, ":1: more than 64 values"));

	flag[0] = '\0';
	for (int i = 0; i < 64; i++)
		strcat(flag, i ? ",a" : "a");
	assert_int_equal(read_text("", 3, argv), OK);
	assert_null(set.origins[64]);
	strcat(flag, ",a");
	assert_int_equal(read_text("", 3, argv), ERR_CONF);
	strcpy(flag, "");
	assert_int_equal(read_text("", 3, argv), OK);
	assert_null(set.origins[0]);
}

static void
test_values(void **state)
{
	(void)state;
	assert_int_equal(
	    read_text("msg_server { msg_max = 1 echo = on }", 0, NULL), OK);
	assert_int_equal(set.msg_max, 1);
	assert_true(set.echo);
	assert_int_equal(
	    read_text("msg_server { msg_max = 65536 echo = 0 }", 0, NULL), OK);
	assert_int_equal(set.msg_max, 65536);
	assert_false(set.echo);
	assert_int_equal(
	    read_text("msg_server { listen = unix:/a//b }", 0, NULL), OK);
	assert_string_equal(set.listen, "unix:/a//b");
	assert_int_equal(
	    read_text("msg_server { listen = 'a${HOME}\\'b' }", 0, NULL), OK);
	assert_string_equal(set.listen, "a${HOME}'b");
	assert_int_equal(
	    read_text(
		"msg_server { listen = \"\" }\nmsg_server{echo=yes}", 0, NULL),
	    OK);
	assert_string_equal(set.listen, "");
	assert_true(set.echo);
}

static void
test_addr(void **state)
{
	static const struct conf_opt addr_opts[] = {
	    CONF_ADDR(struct settings, listen, "listen", "", "where")};
	static const struct conf_program addr_prog = {
	    "msg_server", "owns the clients", addr_opts, 1};
	static const char *const good[] = {"", "127.0.0.1:0", "0.0.0.0:65535",
	    "[::1]:9503", "[::]:1", "localhost:80", "unix:/run/x", "unix:x"};
	static const char *const bad[] = {":80", "9503", "127.0.0.1",
	    "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x",
	    "127.0.0.1:000080", "127.0.0.256:80", "::1:80", "[::1]", "[::1:80",
	    "[]:80", "[127.0.0.1]:80", "example.org:80", "*:80",
	    "unix:", "unix", long_word};
	char *argv[] = {(char *)"msg_server", (char *)"--listen", NULL, NULL};
	struct addr a;

	(void)state;
	conf_free(&prog, &set);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		argv[2] = (char *)(uintptr_t)good[i];
		if (conf_read(
			&addr_prog, &set, NULL, 3, argv, err, sizeof err) != OK)
			fail_msg("'%s': %s", good[i], err);
		assert_string_equal(set.listen, good[i]);
		/* the same judgement as where it is used */
		assert_int_equal(addr_parse(str_of(good[i]), &a) == 0, i > 0);
		conf_free(&addr_prog, &set);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		argv[2] = (char *)(uintptr_t)bad[i];
		if (conf_read(
			&addr_prog, &set, NULL, 3, argv, err, sizeof err) == OK)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(err, "is not an address"));
		assert_int_not_equal(addr_parse(str_of(bad[i]), &a), 0);
		conf_free(&addr_prog, &set);
	}
}

static void
test_files(void **state)
{
	char big[] = "/tmp/cchat-conf-XXXXXX";
	FILE *f = fdopen(mkstemp(big), "w");

	(void)state;
	conf_free(&prog, &set);
	assert_non_null(f);
	for (int i = 0; i < 1024 * 1024; i++)
		fputc('\n', f);
	fflush(f);
	assert_int_equal(
	    conf_read(&prog, &set, big, 0, NULL, err, sizeof err), OK);
	conf_free(&prog, &set);
	fputc('\n', f);
	fflush(f);
	assert_int_equal(
	    conf_read(&prog, &set, big, 0, NULL, err, sizeof err), ERR_CONF);
	conf_free(&prog, &set);
	assert_non_null(strstr(err, "larger than 1 MiB"));
	assert_int_equal(ftruncate(fileno(f), 0), 0);
	rewind(f);
	fputc('\0', f);
	fclose(f);
	assert_int_equal(
	    conf_read(&prog, &set, big, 0, NULL, err, sizeof err), ERR_CONF);
	conf_free(&prog, &set);
	assert_non_null(strstr(err, "not a text file"));
	unlink(big);
}

static void
load(void *arg)
{
	char **argv = arg;
	int argc = 0;

	while (argv[argc])
		argc++;
	conf_free(&prog, &set);
	conf_load(&prog, &set, argc, argv);
	conf_free(&prog, &set);
}

/* what a person sees: 80 columns, aligned, defaults, groups */
static void
test_help(void **state)
{
	char *argv[] = {(char *)"x", (char *)"--help", NULL};
	unsigned col = 0;

	(void)state;
	assert_int_equal(child_run(load, argv), 0);
	for (const char *p = child_text; *p; p++) {
		col = *p == '\n' ? 0 : col + 1;
		assert_true(col < 80);
	}
	assert_true(!strncmp(child_text, "Usage: msg_server [-c FILE]", 27));
	assert_non_null(strstr(child_text, "\nOwns the clients.\n"));
	assert_non_null(strstr(child_text, "\nWhere:\n"));
	assert_non_null(strstr(child_text,
	    "\n      --listen ADDR:PORT  where clients come in, which takes "
	    "more words than a\n"
	    "                          line has [127.0.0.1:9503]\n"));
	assert_non_null(
	    strstr(child_text, "\n      --auth open|token   who [open]\n"));
	assert_non_null(
	    strstr(child_text, "\n      --origins A,B,...   origins\n"));
	/* whatever else is wrong, help is given */
	argv[0] = (char *)"x";
	argv[1] = (char *)"-h";
	assert_int_equal(child_run(load, argv), 0);
}

/* words of every length against the margin: never beyond, and all of it used */
static void
test_help_margin(void **state)
{
	char help[200], *text;
	unsigned widest = 0;

	(void)state;
	for (int n = 9; n < 52; n++) {
		struct conf_opt o =
		    CONF_STR(struct settings, listen, "listen", "def", help);
		struct conf_program p = {"x", "says it", &o, 1};
		size_t size;
		FILE *f = open_memstream(&text, &size);
		unsigned col = 0;

		snprintf(help, sizeof help, "%.*s %.*s %.*s", n, long_word,
		    60 - n, long_word, n / 2 + 1, long_word);
		conf_print_help(f, &p);
		fclose(f);
		for (const char *c = text; *c; c++) {
			col = *c == '\n' ? 0 : col + 1;
			widest = col > widest ? col : widest;
		}
		free(text);
	}
	assert_int_equal(widest, 79);
}

/* --check prints what gives the same settings again, quotes and all */
static void
test_check(void **state)
{
	char *argv[] = {(char *)"x", (char *)"-c", file, (char *)"--check",
	    (char *)"--listen", (char *)"q\"\\${X}'", NULL};
	char first[4096];
	FILE *f;

	(void)state;
	assert_int_equal(read_text("msg_server { origins = { 'a', \"b c\" }\n"
				   "auth = token }",
			     0, NULL),
	    OK);
	assert_int_equal(child_run(load, argv), 0);
	assert_non_null(strstr(child_text, "\tmsg_max            = 4096\n"));
	assert_non_null(strstr(child_text, "\tauth               = token\n"));
	assert_non_null(strstr(child_text, "= { \"a\", \"b c\" }\n"));
	strcpy(first, child_text);
	f = fopen(file, "w");
	fputs(first, f);
	fclose(f);
	argv[4] = NULL;
	assert_int_equal(child_run(load, argv), 0);
	assert_string_equal(child_text, first);
}

static void
test_exit(void **state)
{
	char *version[] = {(char *)"x", (char *)"-V", NULL};
	char *bad[] = {(char *)"x", (char *)"--msg-max=0", NULL};
	char *none[] = {
	    (char *)"x", (char *)"-c", (char *)"/nonexistent", NULL};
	char *fine[] = {(char *)"x", NULL};

	(void)state;
	assert_int_equal(child_run(load, version), 0);
	assert_string_equal(
	    child_text, "msg_server (" PACKAGE_NAME ") " PACKAGE_VERSION "\n");
	assert_int_equal(child_run(load, bad), EXIT_USAGE);
	assert_string_equal(child_text, "msg_server: 0 is out of range for "
					"'msg_max' (1 to 65536)\n");
	assert_int_equal(child_run(load, none), EXIT_USAGE);
	assert_string_equal(child_text,
	    "msg_server: /nonexistent: No such file or directory\n");
	assert_int_equal(child_run(load, fine), 99);
	assert_string_equal(child_text, "");
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
	conf_free(&prog, &set);
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
	conf_free(&prog, &set);
	return unlink(file);
}

/* names and levels are judged where they are set, as where they are used */
static void
test_names(void **state)
{
	struct words {
		char *name, *log_level;
	} w = {0};
	static const struct conf_opt word_opts[] = {
	    CONF_NAME(struct words, "ms1"), CONF_LOG_LEVEL(struct words)};
	static const struct conf_program word_prog = {
	    "msg_server", "owns the clients", word_opts, 2};
	static const struct {
		const char *flag, *good, *bad, *why;
	} is[] = {{"--name", "a_B-9", "a b", "'a b' is no name"},
	    {"--name", "x", "", "'' is no name"},
	    {"--name", "x", long_word, "at most 32"},
	    {"--log-level", "error", "loud", "none of err, warn"},
	    {"--log-level", "debug", "", "setting 'log_level'"}};
	char *argv[] = {(char *)"msg_server", NULL, NULL, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++) {
		argv[1] = (char *)(uintptr_t)is[i].flag;
		argv[2] = (char *)(uintptr_t)is[i].good;
		assert_int_equal(
		    conf_read(&word_prog, &w, NULL, 3, argv, err, sizeof err),
		    OK);
		conf_free(&word_prog, &w);
		argv[2] = (char *)(uintptr_t)is[i].bad;
		assert_int_equal(
		    conf_read(&word_prog, &w, NULL, 3, argv, err, sizeof err),
		    ERR_CONF);
		assert_non_null(strstr(err, is[i].why));
		assert_string_equal(w.name, "ms1");
		assert_string_equal(w.log_level, "info");
		conf_free(&word_prog, &w);
	}
	assert_null(w.name);
}

/* read again: only what may change does, and a mistake changes nothing */
static void
test_reload(void **state)
{
	static const char *const live[] = {"msg_max", "origins", NULL};
	struct conf_program p = prog;
	struct settings s;
	char *argv[] = {(char *)"msg_server", (char *)"-c", file, NULL};
	const struct conf_news *news = conf_reload_news();

	(void)state;
	p.size = sizeof s;
	p.live = live;
	conf_reload_keep(3, argv);
	assert_int_equal(
	    read_text("msg_server { msg_max = 5 }\n", 0, NULL), OK);
	assert_int_equal(conf_read(&p, &s, file, 0, NULL, err, sizeof err), OK);
	assert_int_equal(conf_reload(&p, &s), OK);
	assert_int_equal(news->n_changed + news->n_later, 0);

	(void)read_text("msg_server { msg_max = 7\n echo = yes\n"
			" origins = { \"a\", \"b\" } }\n",
	    0, NULL);
	assert_int_equal(conf_reload(&p, &s), OK);
	assert_int_equal(news->n_changed, 2);
	assert_true(conf_reload_has("msg_max") && conf_reload_has("origins"));
	assert_false(conf_reload_has("echo"));
	assert_int_equal(news->n_later, 1);
	assert_string_equal(news->later[0], "echo");
	assert_int_equal(s.msg_max, 7);
	assert_false(s.echo);
	assert_string_equal(s.origins[1], "b");
	assert_null(s.origins[2]);

	(void)read_text("msg_server { msg_max = 9\n bad = 1 }\n", 0, NULL);
	assert_int_equal(conf_reload(&p, &s), ERR_CONF);
	assert_non_null(strstr(news->error, "'bad'"));
	assert_int_equal(news->n_changed + news->n_later, 0);
	assert_int_equal(s.msg_max, 7);
	conf_reload_trouble("and %s", "more");
	assert_non_null(strstr(news->error, "'bad'; and more"));

	/* the list is given up with its setting */
	(void)read_text("msg_server { msg_max = 7 }\n", 0, NULL);
	assert_int_equal(conf_reload(&p, &s), OK);
	assert_int_equal(news->n_changed, 1);
	assert_string_equal(news->changed[0], "origins");
	assert_string_equal(news->error, "");
	conf_free(&p, &s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_file), cmocka_unit_test(test_addr),
	    cmocka_unit_test(test_names), cmocka_unit_test(test_flags_win),
	    cmocka_unit_test(test_section_beats_cluster),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_flag_mistakes),
	    cmocka_unit_test(test_no_file), cmocka_unit_test(test_list_bound),
	    cmocka_unit_test(test_values), cmocka_unit_test(test_files),
	    cmocka_unit_test(test_help), cmocka_unit_test(test_help_margin),
	    cmocka_unit_test(test_check), cmocka_unit_test(test_exit),
	    cmocka_unit_test(test_reload)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
