/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The record of an unfinished upload is kept whatever happens, but for success and for failures
 * that say that these bytes can never arrive there: then the server is told, too, so that it
 * does not keep, and charge for, what nobody will finish.
 */
#include "upload/cli/upload.h"

#include <strings.h>
#include <time.h>

#include "common/io.h"
#include "common/secret.h"
#include "common/units.h"
#include "upload/cli/credentials.h"
#include "upload/cli/state_folder.h"
#include "upload/retry/retry.h"

static bool is_plain(const char *url)
{
    return url && strncasecmp(url, "http://", 7) == 0;
}

int upload_check_plain(const struct options *options, const struct target *target, struct err *err)
{
    if (options->net.allow_plain ||
        (!is_plain(target->http) && !is_plain(options->transfer.s3_endpoint)))
        return 0;
    return err_set(err, ERR_USAGE,
                   "http:// is not encrypted: use https://, or --allow-plain for a server on this "
                   "machine");
}

static int make_key(struct upload *upload, struct err *err)
{
    const struct transfer_options *t = &upload->options->transfer;
    strbuf_addf(&upload->key, "%s %s %s %s", source_sha256(upload->source), upload->target.url,
                t->s3_endpoint ? t->s3_endpoint : "", t->name ? t->name : "");
    return strbuf_ok(&upload->key) ? 0 : err_nomem(err);
}

int upload_prepare(struct upload *upload, const struct options *options, struct source *source,
                   struct progress *progress, const atomic_bool *cancelled, struct err *err)
{
    bool withheld = false;
    *upload = (struct upload){.options = options,
                              .source = source,
                              .state = STRBUF_INIT,
                              .key = STRBUF_INIT,
                              .progress = progress,
                              .cancelled = cancelled,
                              .first_confirmed = -1,
                              .retry_after_s = -1};
    int r = target_parse(options->url, &options->transfer, &upload->target, err);
    if (r == 0)
        r = upload_check_plain(options, &upload->target, err);
    if (r == 0) {
        r = credentials_load(options, upload->target.origin, &upload->secrets, &withheld, err);
        upload->no_credentials = r < 0;
    }
    if (r == 0)
        r = state_folder_find(options->state, &upload->state, err);
    if (r == 0 && !source) {
        r = source_open(options->file, &upload->source, err);
        upload->owns_source = r == 0;
    }
    if (r == 0)
        r = make_key(upload, err);
    if (r == 0 && withheld) {
        char line[512];
        snprintf(line, sizeof line, "The credentials are for %.200s only: %.200s does not get them",
                 options->origin, upload->target.origin);
        progress_say(progress, line);
    }
    return r;
}

void upload_release(struct upload *upload)
{
    if (upload->owns_source)
        source_free(upload->source);
    target_release(&upload->target);
    secret_forget(&upload->secrets, sizeof upload->secrets);
    strbuf_release(&upload->state);
    strbuf_release(&upload->key);
}

static void on_say(void *context, const char *line)
{
    progress_say(((struct upload *)context)->progress, line);
}

static void on_progress(void *context, int64_t confirmed, int64_t sending)
{
    struct upload *upload = context;
    if (upload->first_confirmed < 0)
        upload->first_confirmed = confirmed;
    upload->moved = upload->moved || confirmed > upload->first_confirmed;
    progress_update(upload->progress, confirmed, sending);
}

static void on_wait(void *context, int64_t wait_ms, const struct err *why)
{
    progress_wait(((struct upload *)context)->progress, wait_ms, why);
}

static struct transfer make_transfer(struct upload *upload, struct net *net, struct record *record)
{
    return (struct transfer){.target = &upload->target,
                             .options = &upload->options->transfer,
                             .source = upload->source,
                             .net = net,
                             .record = record,
                             .say = on_say,
                             .progress = on_progress,
                             .context = upload,
                             .cancelled = upload->cancelled,
                             .retry_after_s = -1};
}

/* A disk that is full or read-only must not keep a report at home: it goes without a record. */
static int open_record(struct upload *upload, struct record **ret, struct err *err)
{
    struct err reason = ERR_INIT;
    struct strbuf line = STRBUF_INIT;
    bool damaged = false;
    int r = record_open(upload->state.data, upload->key.data, ret, &damaged, &reason);
    if (r == 0 && damaged)
        progress_say(upload->progress, "What was known of an earlier upload of this file cannot be "
                                       "read and is dropped");
    if (r == ERR_IO || r == ERR_NOTFOUND) {
        strbuf_addf(&line, "%s; without it, a cut upload starts anew", reason.text);
        progress_say(upload->progress, line.data);
        strbuf_release(&line);
        *ret = record_new_volatile();
        return *ret ? 0 : err_nomem(err);
    }
    return r == ERR_DENIED ? err_set(err, ERR_IO, "%s", reason.text)
           : r < 0         ? err_set(err, r, "%s", reason.text)
                           : 0;
}

int upload_open_net(struct upload *upload, struct net **ret, struct err *err)
{
    CLEANUP(net_cleanup) struct net *net = NULL;
    struct net_options options = upload->options->net;
    const struct protocol *protocol = upload->target.protocol;
    const char *url =
        protocol == &protocol_s3 ? upload->options->transfer.s3_endpoint : upload->target.http;
    options.cancelled = upload->cancelled;
    int r = net_new(&options, &upload->secrets, &net, err);
    if (r == 0)
        r = net_check(net, url, protocol->auth, err);
    if (r == 0)
        *ret = TAKE(net);
    return r;
}

static void say_start(struct upload *upload, const char *file, const struct record *record)
{
    char size[32];
    struct strbuf line = STRBUF_INIT;
    int64_t bytes = source_size(upload->source);
    strbuf_addf(&line, "Sending '%s' (%s) to %s by %s%s", file,
                units_format_bytes(bytes, size, sizeof size), upload->target.origin,
                upload->target.protocol->name,
                record_is_empty(record) ? "" : ", going on with an earlier upload");
    progress_start(upload->progress, file, bytes, line.data);
    strbuf_release(&line);
}

/* Failures after which the same bytes can never be finished there. */
static bool is_hopeless(int code)
{
    return code == ERR_UNSUPPORTED || code == ERR_LIMIT || code == ERR_EXISTS ||
           code == ERR_NOTFOUND;
}

static void forget(struct transfer *transfer)
{
    if (transfer->target->protocol->abandon && !record_is_empty(transfer->record))
        transfer->target->protocol->abandon(transfer);
    record_drop(transfer->record, NULL);
}

/* What a person can do about it, behind the error. */
static void add_remedy(const struct upload *upload, const struct record *record, int code,
                       struct err *err)
{
    bool kept = !record_problem(record) && !record_is_empty(record);
    size_t used = strlen(err->text);
    if (code == ERR_AGAIN || code == ERR_CANCELLED)
        snprintf(err->text + used, sizeof err->text - used, "; %s %s",
                 upload->options->queue ? "a later run of the queue" : "the same command",
                 kept ? "goes on where it stopped" : "tries again");
}

static int make_receipt(const struct upload *upload, const struct transfer *transfer,
                        const char *file, int64_t started, struct receipt *ret, struct err *err)
{
    struct receipt receipt = {.bytes = source_size(upload->source),
                              .started = started,
                              .finished = (int64_t)time(NULL),
                              .attempts = transfer->attempts};
    snprintf(receipt.protocol, sizeof receipt.protocol, "%s", upload->target.protocol->name);
    snprintf(receipt.sha256, sizeof receipt.sha256, "%s", source_sha256(upload->source));
    snprintf(receipt.id, sizeof receipt.id, "%s", transfer->id);
    int r = receipt_set_place(&receipt, file, upload->target.url, err);
    if (r == 0)
        *ret = receipt;
    return r;
}

int upload_send(struct upload *upload, const char *file, struct receipt *ret, struct err *err)
{
    CLEANUP(record_cleanup) struct record *record = NULL;
    CLEANUP(net_cleanup) struct net *net = NULL;
    const struct options *o = upload->options;
    int64_t started = (int64_t)time(NULL);
    int r = upload_open_net(upload, &net, err);
    if (r == 0)
        r = open_record(upload, &record, err);
    if (r < 0)
        return r;
    struct transfer transfer = make_transfer(upload, net, record);
    const struct retry_options retry = {.give_up_s = o->give_up_s,
                                        .first_ms = o->retry_wait_ms,
                                        .cancelled = upload->cancelled,
                                        .waiting = on_wait,
                                        .context = upload};
    say_start(upload, file, record);
    r = retry_send(&retry, &transfer, err);
    upload->attempts = transfer.attempts;
    upload->retry_after_s = transfer.retry_after_s;
    if (r == 0)
        r = make_receipt(upload, &transfer, file, started, ret, err);
    if (r == 0)
        record_drop(record, NULL);
    else if (is_hopeless(r))
        forget(&transfer);
    else
        add_remedy(upload, record, r, err);
    if (r < 0 && record_is_empty(record))
        record_drop(record, NULL); /* saved as a whole, it may have become one that says nothing */
    if (r < 0 && record_problem(record))
        progress_say(upload->progress, record_problem(record));
    return r;
}

int upload_abandon(struct upload *upload, struct err *err)
{
    CLEANUP(record_cleanup) struct record *record = NULL;
    CLEANUP(net_cleanup) struct net *net = NULL;
    bool damaged;
    int r = upload_open_net(upload, &net, err);
    if (r == 0)
        r = record_open(upload->state.data, upload->key.data, &record, &damaged, err);
    if (r < 0)
        return r;
    if (record_is_empty(record)) {
        progress_say(upload->progress, "Nothing is known of an unfinished upload of this file to "
                                       "this place");
        return 0;
    }
    struct transfer transfer = make_transfer(upload, net, record);
    if (upload->target.protocol->abandon)
        upload->target.protocol->abandon(&transfer);
    r = record_drop(record, err);
    if (r == 0)
        progress_say(upload->progress, "The unfinished upload is forgotten");
    return r;
}
