/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How long somebody is willing to wait for a host, and the only way in which it is waited for.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/*
 * For an answer that must be heard although the run was cancelled meanwhile: the wait goes on for so
 * long, counted from when the cancelling is noticed.
 */
struct limit_grace {
    int64_t milliseconds;
    int64_t end_ms; /* monotonic; 0: not cancelled so far */
};

struct limit {
    int64_t deadline_ms;          /* monotonic */
    const atomic_bool *cancelled; /* looked at several times a second */
    struct limit_grace *grace;    /* NULL: none; written to, so of one thread */
};

/*
 * Waits until `fd` has one of the poll `events` or was closed at the other end. ERR_TIMEOUT or
 * ERR_CANCELLED; `peer` is whom we wait for.
 */
int limit_wait(const struct limit *limit, int fd, short events, const char *peer, struct err *err);

/* 0, ERR_TIMEOUT or ERR_CANCELLED, at once: for a peer that never makes us wait. */
int limit_check(const struct limit *limit, const char *peer, struct err *err);

/* The same limit, but no later than `milliseconds` from now. */
struct limit limit_within(const struct limit *limit, int64_t milliseconds);
