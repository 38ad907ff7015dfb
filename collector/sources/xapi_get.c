/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * GET over XAPI's local socket, body to standard output. Who can connect to the socket is root to
 * XAPI (source: its assert_credentials_ok), so no session and no password is needed.
 *
 * It talks HTTP/1.0: the body ends where the connection does. The keeper's time limit bounds it.
 */
#include "collector/sources/xapi_functions.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "collector/sources/read_child.h"
#include "common/io.h"

#define SOCKET_PATH "/var/lib/xcp/xapi"
#define HEAD_BYTES  (16 * 1024) /* XAPI's heads have some 300 bytes */

static int connect_to_xapi(const char *root)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s" SOCKET_PATH,
                          strcmp(root, "/") == 0 ? "" : root);
    if (length >= (int)sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        io_close(&fd);
    return fd;
}

/* Reads until the empty line; what follows it is in `head` from *ret_body on. False: no head. */
static bool read_head(int fd, char *head, size_t size, size_t *ret_length, size_t *ret_body)
{
    size_t length = 0;
    for (;;) {
        ssize_t n = read(fd, head + length, size - length);
        if (n <= 0)
            return false;
        length += (size_t)n;
        char *end = memmem(head, length, "\r\n\r\n", 4);
        if (end) {
            *ret_length = length;
            *ret_body = (size_t)(end - head) + 4;
            return true;
        }
        if (length == size)
            return false;
    }
}

static int copy_answer(int fd)
{
    char buffer[HEAD_BYTES];
    size_t length, body;
    if (!read_head(fd, buffer, sizeof buffer, &length, &body)) {
        fprintf(stderr, "XAPI gave no answer\n");
        return 1;
    }
    int line = (int)strcspn(buffer, "\r\n");
    if (line < 12 || strncmp(buffer, "HTTP/1.", 7) != 0 || strncmp(buffer + 8, " 200", 4) != 0) {
        fprintf(stderr, "XAPI answered '%.*s'\n", line < 100 ? line : 100, buffer);
        return 1;
    }
    ssize_t n = (ssize_t)(length - body);
    int r = io_write_all(STDOUT_FILENO, buffer + body, (size_t)n);
    while (r == 0 && (n = read(fd, buffer, sizeof buffer)) > 0)
        r = io_write_all(STDOUT_FILENO, buffer, (size_t)n);
    return r == 0 && n == 0 ? 0 : 1;
}

int run_xapi_get(void *context, int argc, const char *const *argv)
{
    const struct function_context *c = context;
    if (argc < 2 || argv[1][0] != '/' || strpbrk(argv[1], " \r\n")) {
        fprintf(stderr, "xapi_get needs a path such as /host_rrd\n");
        return 2;
    }
    CLEANUP_FD int fd = connect_to_xapi(c->root);
    if (fd < 0) {
        fprintf(stderr, "XAPI does not listen on " SOCKET_PATH "\n");
        return READ_CHILD_MISSING;
    }
    struct strbuf request = STRBUF_INIT;
    strbuf_addf(&request,
                "GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: xenserver-status-report\r\n"
                "Connection: close\r\n\r\n",
                argv[1]);
    int r = strbuf_ok(&request) ? io_write_all(fd, request.data, request.length) : 1;
    strbuf_release(&request);
    if (r != 0) {
        fprintf(stderr, "XAPI closed the connection\n");
        return 1;
    }
    return copy_answer(fd);
}
