/* SPDX-License-Identifier: MIT */
/*
 * The sweep through the folder of uploads: counting, and taking away what
 * nobody has sent, or what was sent too long ago. See store.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "msg_server/upload/store_priv.h"
#include "shared/proc/log.h"

enum { SWEEP_MIN_S = 1, SWEEP_MAX_S = 600, SWEEP_FIRST_MS = 1 };

/* may it go? */
static bool
sweep_is_old(const struct store *s, const struct stat *sb)
{
	int64_t age = time(NULL) - sb->st_mtime;

	if ((sb->st_mode & 0777) == STORE_MODE_SENT)
		return s->keep_s > 0 && age >= s->keep_s;
	return s->orphans_s > 0 && age >= s->orphans_s;
}

static bool
sweep_stat(const struct store *s, const char *file, struct stat *sb)
{
	return fstatat(s->fd, file, sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(sb->st_mode);
}

/* a file under its own name that is too old; true: it is gone */
static bool
sweep_collect(struct store *s, const char *file)
{
	char gone[STORE_TEMP_MAX];
	struct stat sb;

	if ((size_t)snprintf(gone, sizeof gone, "%s%s", STORE_GONE_PREFIX,
		file) >= sizeof gone)
		return false; /* none of ours */
	if (renameat(s->fd, file, s->fd, gone) != 0)
		return errno == ENOENT; /* another server was faster */
	if (!sweep_stat(s, gone, &sb))
		return true;
	/* brought or sent again while we looked away */
	if (!sweep_is_old(s, &sb) && linkat(s->fd, gone, s->fd, file, 0) == 0) {
		unlinkat(s->fd, gone, 0);
		return false;
	}
	unlinkat(s->fd, gone, 0);
	s->collected++;
	return true;
}

static void
sweep_left(struct store *s, const char *file)
{
	struct stat sb;

	if (!sweep_stat(s, file, &sb))
		return;
	/* an earlier life is over before the first sweep of this one */
	if ((s->sweeps == 0 && store_is_left(s, file)) ||
	    time(NULL) - sb.st_mtime >= STORE_LEFT_S)
		unlinkat(s->fd, file, 0);
}

static void
sweep_look(struct store *s, const char *file)
{
	struct name n;
	struct stat sb;

	if (strncmp(file, STORE_TEMP_PREFIX, strlen(STORE_TEMP_PREFIX)) == 0 ||
	    strncmp(file, STORE_GONE_PREFIX, strlen(STORE_GONE_PREFIX)) == 0) {
		sweep_left(s, file);
		return;
	}
	if (!name_parse(str_of(file), &n) || !sweep_stat(s, file, &sb))
		return;
	if (sweep_is_old(s, &sb) && sweep_collect(s, file))
		return;
	s->seen_files++;
	s->seen_bytes += (uint64_t)sb.st_size;
}

static bool
sweep_begin(struct store *s)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	s->dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (s->dir == NULL && fd >= 0)
		close(fd);
	s->steps = 0;
	s->seen_files = s->seen_bytes = s->new_files = s->new_bytes = 0;
	return s->dir != NULL;
}

static int64_t
sweep_pause_ms(const struct store *s)
{
	int64_t wait = s->orphans_s > 0 ? s->orphans_s / 4 : SWEEP_MAX_S;

	return 1000 * (wait < SWEEP_MIN_S      ? SWEEP_MIN_S
			  : wait > SWEEP_MAX_S ? SWEEP_MAX_S
					       : wait);
}

static void
sweep_end(struct store *s)
{
	closedir(s->dir);
	s->dir = NULL;
	/* what came between two steps may have been seen or not */
	s->files = s->seen_files + (s->steps > 1 ? s->new_files : 0);
	s->bytes = s->seen_bytes + (s->steps > 1 ? s->new_bytes : 0);
	s->sweeps++;
	timer_set(&s->timer, sweep_pause_ms(s), 0);
}

static void
sweep_on_timer(void *arg)
{
	struct store *s = arg;
	struct dirent *de = NULL;
	unsigned i;

	if (s->dir == NULL && !sweep_begin(s)) {
		log_warn(
		    "uploads: the folder can't be read: %s", strerror(errno));
		timer_set(&s->timer, 1000 * SWEEP_MAX_S, 0);
		return;
	}
	s->steps++;
	for (i = 0; i < STORE_STEP && (de = readdir(s->dir)) != NULL; i++)
		sweep_look(s, de->d_name);
	if (de == NULL)
		sweep_end(s);
	else
		timer_set(&s->timer, STORE_STEP_MS, 0);
}

void
store_sweep_soon(struct store *s)
{
	s->timer.fn = sweep_on_timer;
	timer_set(&s->timer, SWEEP_FIRST_MS, 0);
}

void
store_sweep_stop(struct store *s)
{
	timer_stop(&s->timer);
	if (s->dir != NULL)
		closedir(s->dir);
	s->dir = NULL;
}
