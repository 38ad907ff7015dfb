/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The same by zlib, for builds without ISA-L.
 */
#include <stdlib.h>
#include <zlib.h>

#include "analyzer/report/inflater.h"

#define WINDOW_BITS_GZIP_ONLY (16 + MAX_WBITS)

struct inflater {
    z_stream z;
};

int inflater_new(enum inflater_format format, struct inflater **ret, struct err *err)
{
    struct inflater *inflater = calloc(1, sizeof *inflater);
    if (!inflater || inflateInit2(&inflater->z, format == INFLATE_GZIP ? WINDOW_BITS_GZIP_ONLY
                                                                       : -MAX_WBITS) != Z_OK) {
        free(inflater);
        return err_nomem(err);
    }
    *ret = inflater;
    return 0;
}

void *inflater_free(struct inflater *inflater)
{
    if (inflater)
        inflateEnd(&inflater->z);
    free(inflater);
    return NULL;
}

void inflater_reset(struct inflater *inflater)
{
    inflateReset(&inflater->z);
}

enum inflater_status inflater_run(struct inflater *inflater, struct inflater_step *step)
{
    z_stream *z = &inflater->z;
    z->next_in = (Bytef *)(uintptr_t)step->in; /* it is not written to */
    z->avail_in = (uInt)step->in_left;
    z->next_out = step->out;
    z->avail_out = (uInt)step->room;
    int status = inflate(z, Z_NO_FLUSH);
    step->in += step->in_left - z->avail_in;
    step->in_left = z->avail_in;
    step->out += step->room - z->avail_out;
    step->room = z->avail_out;
    if (status == Z_STREAM_END)
        return INFLATER_END;
    return status == Z_OK || status == Z_BUF_ERROR ? INFLATER_MORE : INFLATER_DAMAGED;
}

const char *inflater_problem(const struct inflater *inflater)
{
    return inflater->z.msg ? inflater->z.msg : "invalid data";
}

uint32_t inflater_crc32(uint32_t crc, const void *bytes, size_t length)
{
    return (uint32_t)crc32_z(crc, bytes, length);
}
