/* SPDX-License-Identifier: MIT */
/*
 * The field Range. See range.h.
 */
#include "msg_server/upload/range.h"

enum range
range_parse(struct str field, uint64_t size, uint64_t *from, uint64_t *len)
{
	struct str a;
	uint64_t first, last;
	long dash;

	*from = 0;
	*len = size;
	if (!str_starts(field, STR_LIT("bytes=")))
		return RANGE_ALL;
	field = str_trim(str_n(field.p + 6, field.len - 6));
	dash = str_chr(field, '-');
	if (dash < 0)
		return RANGE_ALL;
	a = str_n(field.p, (size_t)dash);
	field = str_n(field.p + dash + 1, field.len - (size_t)dash - 1);
	if (a.len == 0) {
		if (str_u64(field, &last) != 0)
			return RANGE_ALL;
		if (last == 0 || size == 0)
			return RANGE_NONE;
		*len = last < size ? last : size;
		*from = size - *len;
		return RANGE_PART;
	}
	if (str_u64(a, &first) != 0)
		return RANGE_ALL;
	last = size - 1;
	if (field.len > 0 && (str_u64(field, &last) != 0 || last < first))
		return RANGE_ALL;
	if (first >= size)
		return RANGE_NONE;
	if (last >= size)
		last = size - 1;
	*from = first;
	*len = last - first + 1;
	return RANGE_PART;
}
