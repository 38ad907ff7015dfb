/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The bytes of an archive on their way to a descriptor: buffered, counted, every write checked.
 *
 * The first failure stays: libraries that write through here report no more than "it failed", and
 * some go on writing. After it nothing is written any more.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct output {
    int fd;            /* borrowed */
    const char *place; /* the directory, or NULL: a descriptor that somebody gave us; borrowed */
    bool is_socket, is_pipe;
    const atomic_bool *cancelled; /* ends the wait for a reader; or NULL; borrowed */
    unsigned char *buffer;
    size_t used;
    int64_t written; /* what is in the buffer included */
    int64_t to_disk; /* how far the disk was told to go */
    struct err failure;
};

int output_init(struct output *output, int fd, const char *place, struct err *err);
void output_release(struct output *output);

/* 0, or the code of the first failure. */
int output_write(struct output *output, const void *bytes, size_t length);
int output_flush(struct output *output);

/*
 * From now on everything fails: what libraries still want to say while they are torn down goes
 * nowhere.
 */
void output_abandon(struct output *output);

/* Copies the first failure; returns its code, or 0. */
int output_failure(const struct output *output, struct err *err);
