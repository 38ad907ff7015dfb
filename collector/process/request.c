/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Packets on SOCK_SEQPACKET sockets: they keep their borders, are sent whole by any thread without
 * a lock, and carry descriptors. A packet is one byte for the kind of child, then the arguments,
 * each ended by a NUL.
 */
#include "collector/process/request.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io.h"
#include "common/strbuf.h"

union fd_message {
    struct cmsghdr header;
    char room[CMSG_SPACE(REQUEST_FDS * sizeof(int))];
};

int request_send(int socket, bool is_function, const char *const *argv, const int fds[REQUEST_FDS],
                 struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf packet = STRBUF_INIT_MAX(REQUEST_MAX_BYTES);
    strbuf_addc(&packet, is_function ? 'f' : 'p');
    int argc = 0;
    for (; argv[argc]; argc++)
        strbuf_add(&packet, argv[argc], strlen(argv[argc]) + 1);
    if (!strbuf_ok(&packet) || argc > REQUEST_MAX_ARGUMENTS)
        return err_set(err, ERR_LIMIT,
                       "the command line of '%.60s' is too long (limits: %d bytes, %d arguments)",
                       argv[0], REQUEST_MAX_BYTES, REQUEST_MAX_ARGUMENTS);

    union fd_message control = {.room = {0}};
    struct iovec body = {packet.data, packet.length};
    struct msghdr message = {
        .msg_iov = &body,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.room,
    };
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(REQUEST_FDS * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, REQUEST_FDS * sizeof(int));
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return err_set_errno(err, errno, "the process that starts commands does not answer");
    return 0;
}

/* Points argv into the packet. False when it is not what request_send() makes. */
static bool split_arguments(struct request *request, size_t length)
{
    if (length < 2 || request->bytes[length - 1] != '\0')
        return false;
    request->is_function = request->bytes[0] == 'f';
    request->argc = 0;
    for (const char *p = request->bytes + 1; p < request->bytes + length; p += strlen(p) + 1) {
        if (request->argc == REQUEST_MAX_ARGUMENTS)
            return false;
        request->argv[request->argc++] = p;
    }
    request->argv[request->argc] = NULL;
    return true;
}

int request_receive(int socket, struct request *request)
{
    union fd_message control;
    struct iovec body = {request->bytes, sizeof request->bytes};
    struct msghdr message = {
        .msg_iov = &body,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.room,
    };
    ssize_t length;
    do {
        length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (length <= 0 || !header || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof request->fds))
        return 0;
    memcpy(request->fds, CMSG_DATA(header), sizeof request->fds);
    if (split_arguments(request, (size_t)length))
        return 1;
    request_close_fds(request);
    return 0;
}

void request_close_fds(struct request *request)
{
    for (int i = 0; i < REQUEST_FDS; i++)
        io_close(&request->fds[i]);
}

void report_send(int control, struct report report)
{
    while (send(control, &report, sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
        ;
}

int report_receive(int control, struct report *ret)
{
    struct report report;
    ssize_t length = recv(control, &report, sizeof report, MSG_DONTWAIT);
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (length != (ssize_t)sizeof report)
        return -1;
    *ret = report;
    return 1;
}
