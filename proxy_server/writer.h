/* SPDX-License-Identifier: MIT */
/*
 * The writer's thread: waits for the lock, opens messages.db, commits gen+1,
 * then commits what comes until log_close(). Everything that writes the file
 * happens here: group commits, retention, checkpoints, probing of a disk in
 * trouble. Started and joined by log.c.
 */
#ifndef PROXY_SERVER_WRITER_H
#define PROXY_SERVER_WRITER_H

/* arg: struct log */
void *writer_main(void *arg);

#endif
