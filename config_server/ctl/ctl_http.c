/* SPDX-License-Identifier: MIT */
/*
 * A small blocking HTTP client over one socket. It asks with Connection:
 * close and reads to the end; what the answer means is the caller's.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config_server/ctl/ctl_http.h"
#include "shared/net/addr.h"
#include "shared/proc/clock.h"
#include "shared/proto/http.h"

static int
ctl_http_wait(int fd, short events, int64_t until)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left;
	int n;

	do {
		left = until - clock_mono_ms();
		if (left <= 0)
			return ERR_TIMEOUT;
		n = poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n == 0 ? ERR_TIMEOUT : ERR_IO;
}

static int
ctl_http_connect(const struct addr *to, int64_t until, int *out)
{
	int fd = socket(
	    to->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(int);
	int err = 0, so = 0;

	if (fd < 0)
		return ERR_IO;
	if (connect(fd, (const struct sockaddr *)&to->ss, to->len) != 0) {
		err = errno == EINPROGRESS ? ctl_http_wait(fd, POLLOUT, until)
					   : ERR_IO;
		if (err == 0 &&
		    (getsockopt(fd, SOL_SOCKET, SO_ERROR, &so, &n) != 0 ||
			so != 0))
			err = ERR_IO;
	}
	if (err != 0) {
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

static int
ctl_http_send(int fd, const char *p, size_t n, int64_t until)
{
	ssize_t k;
	int err;

	while (n > 0) {
		err = ctl_http_wait(fd, POLLOUT, until);
		if (err != 0)
			return err;
		k = send(fd, p, n, MSG_NOSIGNAL);
		if (k < 0 && errno != EAGAIN && errno != EINTR)
			return ERR_IO;
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

/* reads until the end of the stream */
static int
ctl_http_read(int fd, struct buf *in, int64_t until)
{
	uint8_t chunk[16384];
	ssize_t n;
	int err;

	for (;;) {
		err = ctl_http_wait(fd, POLLIN, until);
		if (err != 0)
			return err;
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return ERR_IO;
		if (n > 0)
			buf_put(in, chunk, (size_t)n);
		if (!buf_ok(in))
			return ERR_LIMIT;
	}
}

static int
ctl_http_answer(struct buf *in, struct buf *out)
{
	struct http_response rs;
	size_t have;

	if (http_parse_response(buf_p(in), buf_len(in), &rs) != 0)
		return ERR_PROTO;
	have = buf_len(in) - rs.head_len;
	if (rs.body_len >= 0 && have < (size_t)rs.body_len)
		return ERR_PROTO;
	buf_put(out, buf_p(in) + rs.head_len, have);
	return buf_ok(out) ? rs.status : ERR_LIMIT;
}

static int
ctl_http_do(const char *method, const char *address, const char *target,
    const char *fields, struct str body, int64_t ms, struct buf *out)
{
	int64_t until = clock_mono_ms() + ms;
	char head[2048];
	struct buf in;
	struct addr to;
	int fd, n, err;

	if (addr_parse(str_of(address), &to) != 0)
		return ERR_INVALID;
	n = snprintf(head, sizeof(head),
	    "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", method,
	    target, to.ss.ss_family == AF_UNIX ? "localhost" : address, fields);
	if (n < 0 || (size_t)n >= sizeof(head))
		return ERR_INVALID;
	err = ctl_http_connect(&to, until, &fd);
	if (err != 0)
		return err;
	buf_init(&in, CTL_HTTP_MAX);
	err = ctl_http_send(fd, head, (size_t)n, until);
	if (err == 0)
		err = ctl_http_send(fd, body.p, body.len, until);
	if (err == 0)
		err = ctl_http_read(fd, &in, until);
	close(fd);
	if (err == 0)
		err = ctl_http_answer(&in, out);
	buf_fini(&in);
	return err;
}

int
ctl_http(const char *method, const char *address, const char *target,
    int64_t ms, struct buf *out)
{
	return ctl_http_do(method, address, target, "", STR_NONE, ms, out);
}

int
ctl_http_put(const char *address, const char *target, const char *fields,
    struct str json, int64_t ms, struct buf *out)
{
	char all[512];
	int n = snprintf(all, sizeof(all),
	    "%sContent-Type: application/json\r\nContent-Length: %zu\r\n",
	    fields, json.len);

	if (n < 0 || (size_t)n >= sizeof(all))
		return ERR_INVALID;
	n = ctl_http_do("PUT", address, target, all, json, ms, out);
	explicit_bzero(all, sizeof(all));
	return n;
}

int
ctl_http_post(const char *address, const char *target, struct str json,
    int64_t ms, struct buf *out)
{
	char fields[128];

	snprintf(fields, sizeof(fields),
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n",
	    json.len);
	return ctl_http_do("POST", address, target, fields, json, ms, out);
}
