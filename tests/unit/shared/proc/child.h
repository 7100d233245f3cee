/* SPDX-License-Identifier: MIT */
/*
 * Runs a function in a child process and keeps what it wrote to stdout and
 * stderr, together, and its exit code. For what ends the process: --help,
 * fatal(), locks that die with their holder.
 */
#ifndef TESTS_UNIT_SHARED_PROC_CHILD_H
#define TESTS_UNIT_SHARED_PROC_CHILD_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char child_text[65536];

/* the exit code, or -1 when a signal ended it; 99: fn came back */
static inline int
child_run(void (*fn)(void *), void *arg)
{
	int fds[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	fflush(stderr);
	if (pipe(fds) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		fn(arg);
		fflush(stdout);
		_exit(99);
	}
	close(fds[1]);
	while ((n = read(fds[0], child_text + len,
		    sizeof child_text - 1 - len)) > 0)
		len += (size_t)n;
	child_text[len] = '\0';
	close(fds[0]);
	if (waitpid(pid, &status, 0) < 0)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
