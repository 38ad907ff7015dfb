/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which lines are looked at depends on the bytes of the log only, but for a line that a piece ends
 * in: it is not looked at.
 */
#include "analyzer/judge/stamp_sampler.h"

#include <string.h>

/* Bytes from sample to sample: every second line of a small log, about every thirtieth of a large.
 */
#define STRIDE_SMALL 256
#define STRIDE_LARGE 4096
#define SMALL_LOG    (1024 * 1024)

/* The longest stamp of all formats fits; a line that begins this close to the end of a piece is not
 * looked at. */
#define STAMP_BYTES 64

bool stamp_sampler_next(struct stamp_sampler *sampler, const struct log_formats *formats,
                        const char *bytes, size_t length, struct stamp *ret)
{
    size_t place = sampler->place;
    bool found = false;
    while (!found && place < length) {
        if (sampler->amid_line) {
            const char *end = memchr(bytes + place, '\n', length - place);
            if (!end)
                break;
            place = (size_t)(end - bytes) + 1;
        }
        size_t left = length - place;
        found =
            left >= STAMP_BYTES && stamp_read(formats, bytes + place, left, &sampler->hint, ret);
        sampler->amid_line = true;
        place += sampler->seen + (int64_t)place < SMALL_LOG ? STRIDE_SMALL : STRIDE_LARGE;
    }
    if (found) {
        sampler->place = place;
        return true;
    }
    sampler->place = place > length ? place - length : 0;
    sampler->seen += (int64_t)length;
    return false;
}
