/* SPDX-License-Identifier: MIT */
/*
 * Without a fuzzing compiler a fuzz target is this main: it feeds every file
 * of its corpus (tests/fuzz/corpus/NAME of the source tree, or the files and
 * folders given) to the target, one TAP line each. Whatever a fuzzer found
 * once is thus replayed by every `make check`.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { REPLAY_MAX = 4 * 1024 * 1024, REPLAY_PATH = 4096 };

static unsigned replay_n;

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t n;

	if (f == NULL) {
		printf("not ok %u - %s can't be read\n", ++replay_n, path);
		return 1;
	}
	data = malloc(REPLAY_MAX);
	n = data ? fread(data, 1, REPLAY_MAX, f) : 0;
	fclose(f);
	/* an exact copy, so that a sanitizer sees a read past the end */
	exact = malloc(n ? n : 1);
	if (data == NULL || exact == NULL)
		abort();
	memcpy(exact, data, n);
	free(data);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	printf("ok %u - %s\n", ++replay_n, strrchr(path, '/') + 1);
	return 0;
}

static int
replay_filter(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int
replay_dir(const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, replay_filter, alphasort), bad = 0;

	if (n <= 0) {
		printf("not ok %u - no corpus in %s\n", ++replay_n, dir);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char path[REPLAY_PATH];

		snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
		bad |= replay_file(path);
		free(list[i]);
	}
	free(list);
	return bad;
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *name;
	char dir[REPLAY_PATH];
	struct stat st;
	int bad = 0;

	/* so that a crash is known to be that of the next file */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		bad |= stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)
			   ? replay_dir(argv[i])
			   : replay_file(argv[i]);
	if (argc < 2) {
		name = strrchr(argv[0], '/');
		name = name ? name + 1 : argv[0];
		snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s",
		    top ? top : ".", name);
		bad = replay_dir(dir);
	}
	printf("1..%u\n", replay_n);
	return bad;
}
