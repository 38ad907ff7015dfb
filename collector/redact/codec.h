/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Forms of compressed data that the redactor can look into, and write again when it found a secret.
 * Each streams in a memory that is bounded whatever the data claim to need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/strbuf.h"

enum codec_status {
    CODEC_MORE,
    CODEC_END, /* of one stream; the unpacker is ready for another one behind it */
    CODEC_DAMAGED,
    CODEC_TOO_BIG /* unpacking needs more memory than we give */
};

struct codec_step {
    const char *in; /* moved on by what was taken */
    size_t in_left;
    char *out;
    size_t room, made;
};

struct codec {
    const char *name;
    const char *magic;
    size_t magic_length;
    size_t max_fruitless; /* an unpacker that took so much and gave nothing has lost its way */
    int (*unpacker_new)(void **ret, struct err *err);
    enum codec_status (*unpack)(void *unpacker, struct codec_step *step);
    void (*unpacker_free)(void *unpacker);
    int (*packer_new)(void **ret, struct err *err);
    /* Appends to `out`; `end` completes the stream. */
    int (*pack)(void *packer, const char *bytes, size_t length, bool end, struct strbuf *out,
                struct err *err);
    void (*packer_free)(void *packer);
};

extern const struct codec codec_gzip, codec_bzip2, codec_xz, codec_zstd;
