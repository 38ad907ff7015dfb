/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What another host answers: no bytes may crash the reader of HTTP, keep it longer than its limit,
 * or give a body that is larger than what came.
 */
#include <assert.h>
#include <stdint.h>
#include <sys/un.h>

#include "common/rpc/http.h"
#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static int listener(void)
{
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/fuzz-http.%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
        abort();
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_answer answer;
    const struct limit limit = {.deadline_ms = io_now_ms() + 10000};
    const struct http_request request = {.method = "GET", .target = "/", .host = "x", .program = "x"};
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    struct stream *stream;
    CLEANUP_FD int server = listener();
    if (size > 65536 || stream_open_local(address.sun_path, &limit, &stream, NULL) < 0)
        return 0;
    CLEANUP_FD int peer = accept(server, NULL, NULL);
    unlink(address.sun_path);
    if (io_write_all(peer, data, size) < 0)
        abort();
    shutdown(peer, SHUT_WR);
    if (http_ask(stream, &request, &answer, NULL) == 0)
        http_read_all(&answer, size, &body, NULL);
    assert(body.length <= size && io_now_ms() < limit.deadline_ms);
    stream_free(stream);
    return 0;
}
