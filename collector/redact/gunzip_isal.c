/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * ISA-L keeps some input bits back, but gives whole bytes behind a member's end back to the input.
 */
#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdlib.h>

#include "collector/redact/gunzip.h"

struct gunzip {
    struct inflate_state state;
};

static void begin(struct gunzip *gunzip)
{
    isal_inflate_init(&gunzip->state);
    gunzip->state.crc_flag = ISAL_GZIP;
}

int gunzip_new(void **ret, struct err *err)
{
    /* Zeros: damaged data may refer to bytes that were never there, and would give old memory away.
     */
    struct gunzip *gunzip = calloc(1, sizeof *gunzip);
    if (!gunzip)
        return err_nomem(err);
    begin(gunzip);
    *ret = gunzip;
    return 0;
}

void gunzip_free(void *gunzip)
{
    free(gunzip);
}

enum codec_status gunzip_run(void *unpacker, struct codec_step *step)
{
    struct gunzip *gunzip = unpacker;
    struct inflate_state *state = &gunzip->state;
    state->next_in = (uint8_t *)(uintptr_t)step->in; /* it is not written to */
    state->avail_in = (uint32_t)step->in_left;
    state->next_out = (uint8_t *)step->out;
    state->avail_out = (uint32_t)step->room;
    int status = isal_inflate(state);
    step->made = step->room - state->avail_out;
    if (state->avail_in > step->in_left) /* after a damage it gives back what it got before */
        return CODEC_DAMAGED;
    step->in += step->in_left - state->avail_in;
    step->in_left = state->avail_in;
    if (status != ISAL_DECOMP_OK && status != ISAL_END_INPUT)
        return CODEC_DAMAGED;
    if (state->block_state != ISAL_BLOCK_FINISH)
        return CODEC_MORE;
    begin(gunzip);
    return CODEC_END;
}
