/* SPDX-License-Identifier: MIT */
/*
 * Who is at an address: sessions of pages that bring pictures by a form and
 * have nothing to say who they are (DIALECT_FORMS), by the place they are at.
 * A place is a pointer that stays as it is while somebody is there, and may
 * be NULL; it is only compared. Any step takes the same time however many
 * there are; 80 bytes or so for each of these sessions, none for others.
 */
#ifndef MSG_SERVER_UPLOAD_NEAR_H
#define MSG_SERVER_UPLOAD_NEAR_H

#include <stdint.h>

struct near;

struct near *near_new(void);
void near_free(struct near *n); /* NULL is fine */
/* cn has come to that place; it was nowhere before */
void near_add(struct near *n, uint64_t cn, const void *place);
/* it has gone; nothing when it was nowhere */
void near_del(struct near *n, uint64_t cn);
/* who came last of those who are there; 0: nobody is */
uint64_t near_find(const struct near *n, const void *place);
unsigned near_count(const struct near *n);

#endif
