/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Trying again without hurting anybody: exponential back-off with full jitter, Retry-After, and a
 * limit of time.
 *
 * The wait before attempt n is a random part of min(1 h, 1 s * 2^n) (Brooker, "Exponential Backoff
 * And Jitter"): ten thousand hosts that lost the same server do not come back together. What the
 * server asks for (Retry-After, up to a day) is waited at least. An attempt that got bytes across
 * starts the count anew. Durations are monotonic.
 */
#pragma once

#include "upload/protocols/protocol.h"

struct retry_options {
    int64_t give_up_s; /* no new attempt later than this after the start; 0: one attempt only */
    int64_t first_ms, longest_ms; /* of the back-off; 0: 1 s and 1 h */
    const atomic_bool *cancelled;
    /* Told before each wait, with what made it necessary. May be NULL. */
    void (*waiting)(void *context, int64_t wait_ms, const struct err *why);
    void *context;
};

/* The wait before the attempt after `failures` failures in a row; `random` is uniform in 0..2^32-1.
 */
int64_t retry_wait_ms(const struct retry_options *options, unsigned failures, int64_t retry_after_s,
                      uint32_t random);

/* Calls the protocol until it is done, fails for good, or time is up (ERR_AGAIN). */
int retry_send(const struct retry_options *options, struct transfer *transfer, struct err *err);
