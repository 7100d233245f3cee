/* SPDX-License-Identifier: MIT */
/*
 * The list of servers from a file or a link, any bytes: never a crash; what is
 * taken is written out and read back as the same list.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/proto/json.h"
#include "shared/svc/topology.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_SERVERS_MAX = 8 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct topology_server a[FUZZ_SERVERS_MAX], b[FUZZ_SERVERS_MAX];
	char active[ID_MAX + 1], active2[ID_MAX + 1];
	uint64_t ver, ver2, gen, gen2;
	struct buf out;
	size_t n, n2;

	json_object_seed(1); /* the same run for the same input */
	if (topology_parse(str_n(data, size), a, FUZZ_SERVERS_MAX, &n, &ver,
		active, &gen) != 0)
		return 0;
	buf_init(&out, 1 << 20);
	topology_write(&out, "cchat", ver, a, n, active, gen);
	if (!buf_ok(&out) || topology_parse(buf_str(&out), b, FUZZ_SERVERS_MAX,
				 &n2, &ver2, active2, &gen2) != 0)
		abort();
	if (n != n2 || ver != ver2 || gen != gen2 ||
	    strcmp(active, active2) != 0 || memcmp(a, b, n * sizeof(*a)) != 0)
		abort();
	buf_fini(&out);
	return 0;
}
