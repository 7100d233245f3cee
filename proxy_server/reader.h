/* SPDX-License-Identifier: MIT */
/*
 * The reader's thread: answers READs with PAGE frames from a read-only
 * connection of its own, one short transaction a page. Started and joined by
 * log.c.
 *
 * A page holds every seq of its range: rows that are damaged or gone are
 * tombstones (ITEM_F_LOST). In a u: channel, pointers are replaced by what they
 * point to: seq is the one in pchan, useq the one in u:.
 */
#ifndef PROXY_SERVER_READER_H
#define PROXY_SERVER_READER_H

/* arg: struct log */
void *reader_main(void *arg);

#endif
