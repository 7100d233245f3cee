/* SPDX-License-Identifier: MIT */
/*
 * Datagrams from a machine that may, from one that needs its secret and from
 * one that nobody knows: each is answered once, now or when the log has
 * answered, unless it was refused and there were too many; nothing is left
 * under way. What goes to the log keeps its grammar (udp_fixture.h).
 */
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/msg_server/udp_fixture.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ips[] = {
	    "127.0.0.1", "127.0.0.2", "127.0.0.4"};
	struct addr a;
	uint64_t silent;
	size_t i;

	if (udp == NULL) {
		log_set_level(LOG_LEVEL_ERR);
		udp_open_it();
	}
	if (size > UDP_SIZE_MAX + 1)
		size = UDP_SIZE_MAX + 1;
	for (i = 0; i < ARRAY_LEN(ips); i++) {
		a = udp_addr(ips[i]);
		n_answers = 0;
		silent = udp->stats[U_SILENT];
		udp_give_it(str_n(data, size), &a);
		if (i == 2 && n_sent + n_asked > 0)
			abort();
		udp_finish(200, i == 0);
		if (n_answers + (udp->stats[U_SILENT] - silent) != 1 ||
		    udp->under_way != 0)
			abort();
	}
	return 0;
}
