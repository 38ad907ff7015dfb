/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Between a protocol and the parts that it uses: the record keeps texts, so numbers are written and
 * read here; a listener may be missing, and net counts the bytes of a request only, not of the
 * file.
 */
#include "upload/protocols/transfer.h"

#include <inttypes.h>
#include <stdarg.h>

#include "common/units.h"

#define MAX_LINE 512

void transfer_say(const struct transfer *transfer, const char *format, ...)
{
    char line[MAX_LINE];
    va_list arguments;
    if (!transfer->say)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    transfer->say(transfer->context, line);
}

void transfer_sending(void *context, int64_t sent)
{
    const struct transfer *transfer = context;
    if (transfer->progress)
        transfer->progress(transfer->context, transfer->confirmed, sent);
}

int transfer_ask(struct transfer *transfer, const struct net_request *request,
                 struct net_answer *answer, struct err *err)
{
    struct net_request watched = *request;
    if (watched.source) {
        watched.progress = transfer_sending;
        watched.context = transfer;
    }
    transfer->retry_after_s = -1; /* what an earlier answer said is no word on this one */
    return net_ask(transfer->net, &watched, answer, err);
}

int transfer_judge(struct transfer *transfer, const struct net_answer *answer, const char *what,
                   struct err *err)
{
    transfer->retry_after_s = answer->retry_after_s;
    return net_judge(answer, what, err);
}

void transfer_confirm(struct transfer *transfer, int64_t confirmed)
{
    transfer->confirmed = confirmed;
    transfer_sending(transfer, 0);
}

int64_t transfer_recall(const struct transfer *transfer, const char *name, int64_t otherwise)
{
    int64_t value;
    const char *text = record_get(transfer->record, name);
    return text && units_integer(text, &value) ? value : otherwise;
}

int transfer_remember(struct transfer *transfer, const char *name, int64_t value, struct err *err)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return record_set(transfer->record, name, text, err);
}

const char *transfer_name(const struct transfer *transfer)
{
    return transfer->options->name ? transfer->options->name : source_name(transfer->source);
}

int64_t transfer_chunk(const struct transfer *transfer, int64_t otherwise)
{
    return transfer->options->chunk_bytes > 0 ? transfer->options->chunk_bytes : otherwise;
}
