/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * ISA-L keeps some input bits back, but gives whole bytes behind a stream's end back to the input.
 */
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "analyzer/report/inflater.h"

struct inflater {
    struct inflate_state state;
    enum inflater_format format;
    int status;
};

void inflater_reset(struct inflater *inflater)
{
    isal_inflate_init(&inflater->state);
    inflater->state.crc_flag = inflater->format == INFLATE_GZIP ? ISAL_GZIP : ISAL_DEFLATE;
    inflater->status = ISAL_DECOMP_OK;
}

int inflater_new(enum inflater_format format, struct inflater **ret, struct err *err)
{
    struct inflater *inflater = malloc(sizeof *inflater);
    if (!inflater)
        return err_nomem(err);
    inflater->format = format;
    inflater_reset(inflater);
    *ret = inflater;
    return 0;
}

void *inflater_free(struct inflater *inflater)
{
    free(inflater);
    return NULL;
}

enum inflater_status inflater_run(struct inflater *inflater, struct inflater_step *step)
{
    struct inflate_state *state = &inflater->state;
    state->next_in = (uint8_t *)(uintptr_t)step->in; /* it is not written to */
    state->avail_in = (uint32_t)step->in_left;
    state->next_out = step->out;
    state->avail_out = (uint32_t)step->room;
    inflater->status = isal_inflate(state);
    step->out += step->room - state->avail_out;
    step->room = state->avail_out;
    if (state->avail_in > step->in_left) /* after a damage it gives back what it got before */
        return INFLATER_DAMAGED;
    if (step->in_left > state->avail_in) /* at the end there is no input, not even a place of one */
        step->in += step->in_left - state->avail_in;
    step->in_left = state->avail_in;
    if (inflater->status != ISAL_DECOMP_OK && inflater->status != ISAL_END_INPUT)
        return INFLATER_DAMAGED;
    return state->block_state == ISAL_BLOCK_FINISH ? INFLATER_END : INFLATER_MORE;
}

const char *inflater_problem(const struct inflater *inflater)
{
    switch (inflater->status) {
    case ISAL_INVALID_BLOCK:
        return "invalid block";
    case ISAL_INVALID_SYMBOL:
        return "invalid code";
    case ISAL_INVALID_LOOKBACK:
        return "invalid distance";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "incorrect header check";
    case ISAL_INCORRECT_CHECKSUM:
        return "incorrect data check";
    default:
        return "invalid data";
    }
}

uint32_t inflater_crc32(uint32_t crc, const void *bytes, size_t length)
{
    return crc32_gzip_refl(crc, bytes, length);
}
