/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Takes in what a server says, line by line and byte by byte, within bounds.
 */
#pragma once

#include <time.h>

#include "upload/net/net.h"

struct answer_reader {
    struct net_answer *answer;
    size_t head_bytes; /* of all heads, interim ones too */
    bool head_done;
    bool continued; /* "100 Continue" came */
    bool cut;       /* the body of a failure was longer than we read: nothing is wrong with that */
    struct err err;
};

/* One line of a head, with its end. False when it is refused; the reason is in reader->err. */
bool answer_line(struct answer_reader *reader, const char *line, size_t length);

/* A piece of the body. False: stop reading (`cut`, or refused as above). */
bool answer_body(struct answer_reader *reader, const char *bytes, size_t length);

/* The whole of an answer whose length was told has come. */
bool answer_is_whole(const struct answer_reader *reader);

/* Retry-After: seconds or a date; -1 when it is neither; at most a day. */
int64_t answer_retry_after(const char *value, time_t now);
