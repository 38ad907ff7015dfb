/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Bytes of the kinds that compressors treat differently, the same in every run.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind_of_bytes {
    LOG_LINES,
    NOISE,
    ZEROS,
    RUNS_OF_FOUR, /* bzip2's first step makes five of four */
    FEW_LETTERS,
    KINDS_OF_BYTES
};

/* Marsaglia's xorshift; the state is never 0. */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline void fill_log_lines(unsigned char *bytes, size_t length, uint32_t *random)
{
    char line[128];
    for (size_t at = 0; at < length;) {
        int n = snprintf(line, sizeof line,
                         "Nov 21 %02u:%02u host1 xapi: [debug||%u |VM.start R:%06x%06x|] done\n",
                         next_random(random) % 24, next_random(random) % 60,
                         next_random(random) % 1000, next_random(random), next_random(random));
        size_t room = length - at, used = (size_t)n < room ? (size_t)n : room;
        memcpy(bytes + at, line, used);
        at += used;
    }
}

/* Freed by the caller. */
static inline unsigned char *make_bytes(enum kind_of_bytes kind, size_t length)
{
    uint32_t random = 42;
    unsigned char *bytes = calloc(1, length + 1);
    if (!bytes)
        abort();
    if (kind == LOG_LINES)
        fill_log_lines(bytes, length, &random);
    for (size_t i = 0; kind != LOG_LINES && i < length; i++)
        bytes[i] = kind == NOISE          ? (unsigned char)next_random(&random)
                   : kind == RUNS_OF_FOUR ? (unsigned char)(i / 4 * 7)
                   : kind == FEW_LETTERS  ? (unsigned char)('a' + next_random(&random) % 4)
                                          : 0;
    return bytes;
}
