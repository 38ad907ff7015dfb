/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the processes of the spawner say to each other.
 *
 * Client to helper: one packet a child, its arguments and the descriptors it gets. Keeper to
 * client, over the control socket that came with the request: a report as soon as the child has
 * ended by itself, and one when nothing of its family is left, or nothing more can be done at once.
 * The client ends a child by shutting down its side of the control socket, so that a stop and a
 * death of the client look the same and are tested as one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/*
 * A packet must fit the socket's buffer (at least 200 KB everywhere); the longest plugin command
 * has some 2 KB.
 */
#define REQUEST_MAX_BYTES     (64 * 1024)
#define REQUEST_MAX_ARGUMENTS 512

enum request_fd {
    REQUEST_CONTROL, /* the keeper's end */
    REQUEST_INPUT,   /* the child's descriptors 0, 1, 2 */
    REQUEST_OUTPUT,
    REQUEST_ERRORS,
    REQUEST_FDS,
};

struct request {
    bool is_function;
    int argc;
    const char *argv[REQUEST_MAX_ARGUMENTS + 1]; /* NULL-ended, into `bytes` */
    int fds[REQUEST_FDS];
    char bytes[REQUEST_MAX_BYTES];
};

struct report {
    int last;    /* true or false; as wide as the others, since padding would be sent unset */
    int outcome; /* enum child_outcome */
    int value;   /* exit status, signal or errno */
};

/*
 * Sends a request; the descriptors stay the caller's. ERR_LIMIT: too long. ERR_IO: the helper is
 * gone.
 */
int request_send(int socket, bool is_function, const char *const *argv, const int fds[REQUEST_FDS],
                 struct err *err);

/*
 * 1: *request is filled and its descriptors are the caller's; 0: the other side is gone or talks
 * nonsense.
 */
int request_receive(int socket, struct request *request);

void request_close_fds(struct request *request);

/* Errors are of no interest: a client that does not listen any more has its reasons. */
void report_send(int control, struct report report);

/* 1: a report; 0: nothing yet; -1: the keeper is gone without one. Never blocks. */
int report_receive(int control, struct report *ret);
