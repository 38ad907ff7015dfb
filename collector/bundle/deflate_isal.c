/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * ISA-L: much the fastest deflate there is for x86-64 and ARM; a few percent larger than zlib's.
 */
#include <isa-l/igzip_lib.h>
#include <isa-l/crc.h>
#include <stdlib.h>

#include "collector/bundle/deflate.h"

struct isal {
    struct isal_zstream stream;
    int level;
    uint8_t buffer[ISAL_DEF_LVL3_DEFAULT]; /* enough for every level */
};

static int isal_open(int level, void **ret, struct err *err)
{
    struct isal *isal = malloc(sizeof *isal);
    if (!isal)
        return err_nomem(err);
    isal->level = level;
    *ret = isal;
    return 0;
}

static void isal_close(void *state)
{
    free(state);
}

static int isal_piece(void *state, const struct deflate_piece *piece, size_t *ret_length,
                      struct err *err)
{
    struct isal *isal = state;
    struct isal_zstream *stream = &isal->stream;
    isal_deflate_init(stream);
    stream->level = (uint32_t)isal->level;
    stream->level_buf = isal->buffer;
    stream->level_buf_size = sizeof isal->buffer;
    stream->flush = piece->last ? NO_FLUSH : SYNC_FLUSH;
    stream->end_of_stream = piece->last;
    stream->next_in = (uint8_t *)(uintptr_t)piece->bytes; /* it does not write to it */
    stream->avail_in = (uint32_t)piece->length;
    stream->next_out = piece->out;
    stream->avail_out = (uint32_t)deflate_room(piece->length);
    int r = isal_deflate(stream);
    if (r != COMP_OK || stream->avail_in || !stream->avail_out)
        return err_set(err, ERR_BUG, "ISA-L cannot deflate a piece: %d", r);
    *ret_length = stream->total_out;
    return 0;
}

static uint32_t isal_crc32(uint32_t crc, const unsigned char *bytes, size_t length)
{
    return crc32_gzip_refl(crc, bytes, length);
}

const struct deflate_engine deflate_isal = {
    .name = "ISA-L",
    .open = isal_open,
    .piece = isal_piece,
    .close = isal_close,
    .crc32 = isal_crc32,
};
