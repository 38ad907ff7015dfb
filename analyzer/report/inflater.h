/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Inflating, by ISA-L where it is there (two to three times as fast) and else by zlib.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum inflater_format {
    INFLATE_RAW,  /* a zip member */
    INFLATE_GZIP, /* header, data, checked sum */
};

enum inflater_status {
    INFLATER_MORE,    /* more input or more room is needed */
    INFLATER_END,     /* this stream is at its end */
    INFLATER_DAMAGED, /* the output so far counts */
};

struct inflater_step {
    const unsigned char *in; /* moves on */
    size_t in_left;
    unsigned char *out; /* moves on */
    size_t room;
};

struct inflater;

int inflater_new(enum inflater_format format, struct inflater **ret, struct err *err);
void *inflater_free(struct inflater *inflater);

/* Works until the input is used up, the room is full or the stream ends. */
enum inflater_status inflater_run(struct inflater *inflater, struct inflater_step *step);

/* For the next stream in a row. */
void inflater_reset(struct inflater *inflater);

/* After INFLATER_DAMAGED: what is wrong, a few words. */
const char *inflater_problem(const struct inflater *inflater);

/* CRC-32 as zip and gzip have it; `crc` is 0 for the first piece. */
uint32_t inflater_crc32(uint32_t crc, const void *bytes, size_t length);
