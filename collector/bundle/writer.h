/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a format of archives has to do. Each writer has one file, and one row in the table of
 * bundle.c.
 */
#pragma once

#include "collector/bundle/output.h"
#include "collector/bundle/stage.h"

struct writer_ops {
    /* *ret is freed by .free(); `output` and `compressor` live longer. */
    int (*open)(struct output *output, struct compressor *compressor, void **ret, struct err *err);
    int (*add)(void *writer, const char *name, int64_t modified, struct stage *stage,
               struct err *err);
    /* Bytes that may still go to the output for what was added, at the most; `settle`: what can be
     * worked off is, first. */
    int (*held)(void *writer, bool settle, int64_t *ret, struct err *err);
    /* Writes what makes the archive complete. Called once, after the last member. */
    int (*finish)(void *writer, struct err *err);
    /* After finish, or instead of it; then `output` is abandoned already. */
    void (*free)(void *writer);
};

extern const struct writer_ops writer_tar;
extern const struct writer_ops writer_tar_bzip2;
extern const struct writer_ops writer_tar_gzip;
extern const struct writer_ops writer_tar_zstd;
extern const struct writer_ops writer_zip;
