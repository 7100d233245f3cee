/* SPDX-License-Identifier: MIT */
/*
 * backup and restore. The file format is the proxy_server's alone: the active
 * one is asked to make the copy, and its program puts one back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config_server/ctl/ctl_http.h"
#include "config_server/ctl/ctl_prepare.h"
#include "config_server/ctl/ctl_state.h"
#include "config_server/ctl/ctl_verbs.h"

/* a large log on a slow disk; nothing else waits for it */
enum { DATA_BACKUP_MS = 6 * 3600 * 1000 };

/* the word as an absolute path of at most 3999 bytes */
static int
data_path(const struct ctl_args *a, char out[PATH_MAX])
{
	char cwd[PATH_MAX];
	int n;

	if (a->n_words != 1 || a->word[0][0] == '\0') {
		fprintf(stderr, "cchatctl: which FILE? see -h\n");
		return EXIT_USAGE;
	}
	if (a->word[0][0] == '/')
		n = snprintf(out, PATH_MAX, "%s", a->word[0]);
	else if (getcwd(cwd, sizeof(cwd)) == NULL)
		n = -1;
	else
		n = snprintf(out, PATH_MAX, "%.2000s/%s", cwd, a->word[0]);
	if (n > 0 && n < 4000)
		return EXIT_OK;
	fprintf(stderr, "cchatctl: %s: not a usable path\n", a->word[0]);
	return EXIT_USAGE;
}

/* ---- backup ----------------------------------------------------------- */

/* false: this one is not the active one; else it is done, with *code */
static bool
data_ask(const struct ctl_args *a, const char *address, const char *path,
    struct str body, int *code)
{
	int64_t bytes = 0, channels = 0;
	const char *msg;
	struct buf out;
	json_t *v;
	int status, err;
	bool other;

	buf_init(&out, 1 << 16);
	status = ctl_http_post(address, "/backup", body, DATA_BACKUP_MS, &out);
	v = status > 0 ? json_read(buf_str(&out), &err) : NULL;
	msg = json_string_value(
	    json_object_get(json_object_get(v, "error"), "msg"));
	other = status == ERR_IO ||
		(status == 409 && msg != NULL && strstr(msg, "not the active"));
	if (!other && a->json && status > 0)
		printf("%.*s\n", STR_ARG(buf_str(&out)));
	*code = status == 200 ? EXIT_OK : EXIT_FAILED;
	if (status == 200 && !a->json) {
		(void)json_int(v, "bytes", &bytes);
		(void)json_int(v, "channels", &channels);
		printf("%s: %lld bytes, %lld channels\n", path,
		    (long long)bytes, (long long)channels);
	} else if (!other && status != 200 && !a->json) {
		fprintf(stderr, "cchatctl: %s\n",
		    msg != NULL	 ? msg
		    : status < 0 ? err_text(status)
				 : "unexpected answer");
	}
	json_decref(v);
	buf_fini(&out);
	return !other;
}

int
verb_backup(const struct ctl_args *a)
{
	bool runs = state_pid(a->set.data) != 0, done = false;
	char path[PATH_MAX];
	struct buf body;
	json_t *state, *s;
	struct jw w;
	size_t i;
	int code = data_path(a, path);

	if (code != EXIT_OK)
		return code;
	buf_init(&body, 1 << 16);
	jw_init(&w, &body);
	jw_obj(&w, NULL);
	jw_cstr(&w, "path", path);
	jw_obj_end(&w);
	state = runs ? state_read(a->set.data) : NULL;
	json_array_foreach(json_object_get(state, "servers"), i, s)
	{
		if (!done && !strcmp(state_text(s, "role"), "proxy"))
			done = data_ask(a, state_text(s, "admin"), path,
			    buf_str(&body), &code);
	}
	/* not started by us: where it usually is */
	if (!runs)
		done = data_ask(
		    a, a->set.proxy_admin, path, buf_str(&body), &code);
	json_decref(state);
	buf_fini(&body);
	if (done)
		return code;
	fprintf(stderr, "cchatctl: no active proxy_server answers%s%s\n",
	    runs ? "" : " at ", runs ? "" : a->set.proxy_admin);
	return EXIT_NOT_RUNNING;
}

/* ---- restore ---------------------------------------------------------- */

static void
data_exec(const struct ctl_args *a, char *program, char *path)
{
	char *argv[12];
	int n = 0, fd;

	argv[n++] = program;
	argv[n++] = (char *)"restore";
	argv[n++] = path;
	if (a->file != NULL) {
		argv[n++] = (char *)"-c";
		argv[n++] = (char *)a->file;
	}
	argv[n++] = (char *)"--data";
	argv[n++] = a->set.data;
	argv[n++] = (char *)"--cluster";
	argv[n++] = a->set.cluster;
	argv[n] = NULL;
	if (a->json && (fd = open("/dev/null", O_WRONLY | O_CLOEXEC)) >= 0)
		dup2(fd, STDOUT_FILENO);
	execv(program, argv);
	fprintf(stderr, "cchatctl: %s: %s\n", program, strerror(errno));
	_exit(EXIT_FAILED);
}

int
verb_restore(const struct ctl_args *a)
{
	char path[PATH_MAX], program[PATH_MAX];
	int code = data_path(a, path), status = 0;
	pid_t pid;

	if (code != EXIT_OK)
		return code;
	if (state_pid(a->set.data) != 0) {
		fprintf(stderr,
		    "cchatctl: a cluster runs in %s; stop it first "
		    "(cchatctl stop)\n",
		    a->set.data);
		return EXIT_FAILED;
	}
	prepare_find(a, "proxy_server", program);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		data_exec(a, program, path);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	code = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
	if (a->json)
		printf(
		    "{\"restored\":%s}\n", code == EXIT_OK ? "true" : "false");
	return code;
}
