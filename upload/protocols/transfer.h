/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What every protocol does with a transfer: ask, judge the answer, tell people.
 */
#pragma once

#include "upload/protocols/protocol.h"

/* A line for people, through transfer->say; nothing happens when nobody listens. */
void transfer_say(const struct transfer *transfer, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * net_ask() with the progress of the transfer: bytes of the body count as on their way. `answer` is
 * to be released in any case.
 */
int transfer_ask(struct transfer *transfer, const struct net_request *request,
                 struct net_answer *answer, struct err *err);

/* net_judge(); what the server asks to wait is kept in transfer->retry_after_s. */
int transfer_judge(struct transfer *transfer, const struct net_answer *answer, const char *what,
                   struct err *err);

/* A net_progress, with the transfer as its context. */
void transfer_sending(void *context, int64_t sent);

/* The server has `confirmed` bytes now. */
void transfer_confirm(struct transfer *transfer, int64_t confirmed);

/* A number that the record holds, or `otherwise`. */
int64_t transfer_recall(const struct transfer *transfer, const char *name, int64_t otherwise);
int transfer_remember(struct transfer *transfer, const char *name, int64_t value, struct err *err);

/* What the server shall call the file: the user's name for it, or its own. */
const char *transfer_name(const struct transfer *transfer);

/* Bytes of one request: the user's choice, or `otherwise`. */
int64_t transfer_chunk(const struct transfer *transfer, int64_t otherwise);
