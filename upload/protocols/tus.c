/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * tus 1.0: create an upload, then PATCH chunk after chunk at the offset that the server names.
 *
 * The server is the truth: an attempt starts with its offset, and whatever an answer leaves in
 * doubt (409, 460, another offset than expected, an error of the server after which the bytes may
 * yet be there) is settled by asking for the offset again. What keeps this from going round for
 * ever: a chunk that does not move the offset is sent three times at most, an upload that vanished
 * is created anew once an attempt, and a server may lose what it had confirmed only a few times.
 */
#include "upload/protocols/transfer.h"

#include <inttypes.h>

#include "common/escape.h"
#include "common/units.h"
#include "upload/protocols/tus_answer.h"

#define CHUNK_BYTES ((int64_t)8 << 20) /* what one cut costs at most; small against round trips */
#define MAX_URL     4096               /* of an upload; ids of known servers have 100 characters */
#define MAX_EXPIRES 40                 /* "Wed, 25 Jun 2014 16:00:00 GMT" */
#define MAX_TRIES   3                  /* of a chunk that does not move the offset */
#define MAX_LOSSES  3                  /* a server that crashed loses what was not on its disk */

/* Names in the record. */
#define R_URL        "url"
#define R_OFFSET     "offset"
#define R_CHECKSUM   "checksum"
#define R_TERMINATES "terminates"
#define R_EXPIRES    "expires"
#define R_LOSSES     "losses"

#define STATUS_VERSION 412
#define STATUS_LOCKED  423 /* a request that was cut still holds the upload */
#define STATUS_DAMAGED 460

struct tus {
    struct transfer *transfer;
    struct strbuf url;    /* of the upload */
    const char *checksum; /* name of the algorithm, or NULL */
    bool is_gone;         /* the last error means that the upload is no longer there */
};

static void release(struct tus *tus)
{
    strbuf_release(&tus->url);
}

/* transfer_judge() with what statuses mean in tus only. */
static int judge(struct transfer *transfer, const struct net_answer *answer, const char *what,
                 struct err *err)
{
    transfer->retry_after_s = answer->retry_after_s;
    switch (answer->status) {
    case STATUS_VERSION:
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the server does not take tus " TUS_VERSION " (412)", what);
    case STATUS_LOCKED:
        return err_set(err, ERR_AGAIN, "%s: the server still holds the upload locked (423)", what);
    case STATUS_DAMAGED:
        return err_set(err, ERR_AGAIN, "%s: the bytes arrived damaged (460)", what);
    }
    return transfer_judge(transfer, answer, what, err);
}

static void name_upload(struct transfer *transfer, const char *url)
{
    const char *last = strrchr(url, '/');
    snprintf(transfer->id, sizeof transfer->id, "%s", last && last[1] ? last + 1 : url);
}

/* The server's word on how far it is. */
static int accept_offset(struct tus *tus, int64_t offset, struct err *err)
{
    struct transfer *transfer = tus->transfer;
    int r = 0;
    if (offset < transfer->confirmed) {
        int64_t losses = transfer_recall(transfer, R_LOSSES, 0) + 1;
        if (losses > MAX_LOSSES)
            return err_set(err, ERR_UNSUPPORTED,
                           "the server went back from byte %" PRId64 " to %" PRId64
                           " once more; it does not keep what it confirms",
                           transfer->confirmed, offset);
        transfer_say(transfer, "the server went back from byte %" PRId64 " to %" PRId64,
                     transfer->confirmed, offset);
        r = transfer_remember(transfer, R_LOSSES, losses, err);
    }
    transfer_confirm(transfer, offset);
    if (r == 0)
        r = transfer_remember(transfer, R_OFFSET, offset, err);
    return r < 0 ? r : record_save(transfer->record, err);
}

static int remember_expiry(struct tus *tus, const struct net_answer *answer, struct err *err)
{
    const char *expires = net_header(answer, "Upload-Expires");
    return expires && strlen(expires) <= MAX_EXPIRES
               ? record_set(tus->transfer->record, R_EXPIRES, expires, err)
               : 0;
}

static int ask_offset(struct tus *tus, struct err *err)
{
    struct transfer *transfer = tus->transfer;
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    const char *const headers[] = {"Tus-Resumable: " TUS_VERSION, NULL};
    struct net_request request = {
        .method = "HEAD", .url = tus->url.data, .headers = headers, .auth = NET_AUTH_BEARER};
    int64_t offset;
    int r = transfer_ask(transfer, &request, &answer, err);
    if (r < 0)
        return r;
    r = judge(transfer, &answer, "asking how far the upload is", err);
    if (r == 0)
        r = tus_read_offset(&answer, source_size(transfer->source), &offset, err);
    tus->is_gone = r == ERR_NOTFOUND || r == ERR_EXISTS;
    if (r == 0)
        r = remember_expiry(tus, &answer, err);
    return r < 0 ? r : accept_offset(tus, offset, err);
}

/* An OPTIONS that is not answered costs the extensions, not the upload. */
static int ask_offer(struct transfer *transfer, struct tus_offer *ret, struct err *err)
{
    struct err refusal = ERR_INIT;
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    struct net_request request = {
        .method = "OPTIONS", .url = transfer->target->http, .auth = NET_AUTH_BEARER};
    int r = transfer_ask(transfer, &request, &answer, err);
    if (r < 0)
        return r;
    r = judge(transfer, &answer, "asking what the server offers", &refusal);
    if (r == 0)
        return tus_read_offer(&answer, ret, err);
    bool is_method = answer.status == 400 || answer.status == 404 || answer.status == 405 ||
                     answer.status == 501;
    if (!is_method)
        return err_pass(err, r, &refusal);
    *ret = (struct tus_offer){.creates = true, .max_size = -1};
    return 0;
}

static int remember_upload(struct tus *tus, const struct net_answer *answer,
                           const struct tus_offer *offer, struct err *err)
{
    struct record *record = tus->transfer->record;
    int r = record_set(record, R_URL, tus->url.data, err);
    if (r == 0)
        r = record_set(record, R_CHECKSUM, offer->checksum, err);
    if (r == 0)
        r = record_set(record, R_TERMINATES, offer->terminates ? "yes" : NULL, err);
    if (r == 0)
        r = record_set(record, R_EXPIRES, NULL, err);
    if (r == 0)
        r = remember_expiry(tus, answer, err);
    if (r == 0)
        r = transfer_remember(tus->transfer, R_OFFSET, 0, err);
    return r < 0 ? r : record_save(record, err);
}

static int create(struct tus *tus, struct err *err)
{
    struct transfer *transfer = tus->transfer;
    const struct target *target = transfer->target;
    int64_t size = source_size(transfer->source);
    struct tus_offer offer;
    int r = ask_offer(transfer, &offer, err);
    if (r < 0)
        return r;
    if (offer.max_size >= 0 && size > offer.max_size)
        return err_set(err, ERR_LIMIT,
                       "the server takes files of at most %" PRId64 " bytes, this one has %" PRId64,
                       offer.max_size, size);
    char length[48];
    snprintf(length, sizeof length, "Upload-Length: %" PRId64, size);
    CLEANUP(strbuf_release) struct strbuf metadata = STRBUF_INIT;
    strbuf_adds(&metadata, "Upload-Metadata: ");
    tus_add_metadata(&metadata, transfer_name(transfer), source_sha256(transfer->source));
    if (!strbuf_ok(&metadata))
        return err_nomem(err);
    const char *const headers[] = {"Tus-Resumable: " TUS_VERSION, length, metadata.data, NULL};
    struct net_request request = {.method = "POST",
                                  .url = target->http,
                                  .headers = headers,
                                  .auth = NET_AUTH_BEARER,
                                  .body = ""};
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    r = transfer_ask(transfer, &request, &answer, err);
    if (r == 0)
        r = judge(transfer, &answer, "creating the upload", err);
    if (r < 0)
        return r;
    const char *location = net_header(&answer, "Location");
    if (!location)
        return err_set(err, ERR_PARSE,
                       "creating the upload: the answer (%d) names no Location; does the URL lead "
                       "to a tus server?",
                       answer.status);
    strbuf_clear(&tus->url);
    r = net_same_origin(target->http, location, &tus->url, err);
    if (r < 0)
        return err_prefix(err, r, "the Location of the new upload");
    if (!strbuf_ok(&tus->url))
        return err_set(err, ERR_PARSE, "the Location of the new upload is longer than %d bytes",
                       MAX_URL);
    tus->checksum = offer.checksum;
    name_upload(transfer, tus->url.data);
    transfer_confirm(transfer, 0);
    r = remember_upload(tus, &answer, &offer, err);
    /* Nothing is to be sent, so no other answer says that the upload is there. */
    return r < 0 || size > 0 ? r : ask_offset(tus, err);
}

/* The upload of an earlier attempt, if the record knows one where our token may go. */
static bool recall_upload(struct tus *tus)
{
    struct transfer *transfer = tus->transfer;
    const char *url = record_get(transfer->record, R_URL);
    const char *checksum = record_get(transfer->record, R_CHECKSUM);
    strbuf_clear(&tus->url);
    if (!url || net_same_origin(transfer->target->http, url, &tus->url, NULL) < 0 ||
        !strbuf_ok(&tus->url))
        return false;
    tus->checksum = !checksum                         ? NULL
                    : strcmp(checksum, "sha256") == 0 ? "sha256"
                    : strcmp(checksum, "sha1") == 0   ? "sha1"
                                                      : NULL;
    name_upload(transfer, tus->url.data);
    int64_t offset = transfer_recall(transfer, R_OFFSET, 0);
    transfer->confirmed = offset <= source_size(transfer->source) ? offset : 0;
    return true;
}

static int forget_upload(struct tus *tus, struct err *err)
{
    struct transfer *transfer = tus->transfer;
    CLEANUP(strbuf_release) struct strbuf expired = STRBUF_INIT;
    const char *expires = record_get(transfer->record, R_EXPIRES);
    if (expires)
        escape_terminal(&expired, expires, strlen(expires), false);
    transfer_say(transfer, "the server no longer has the upload%s%s%s; starting anew",
                 expires ? " (it was to be kept until " : "", expired.data, expires ? ")" : "");
    transfer->id[0] = '\0';
    transfer_confirm(transfer, 0);
    return record_set(transfer->record, R_URL, NULL, err);
}

static int add_checksum(const struct tus *tus, int64_t offset, int64_t length, struct strbuf *out,
                        struct err *err)
{
    unsigned char digest[DIGEST_BYTES];
    size_t digest_length;
    enum source_digest kind = strcmp(tus->checksum, "sha1") == 0 ? SOURCE_SHA1 : SOURCE_SHA256;
    int r = source_digest(tus->transfer->source, kind, offset, length, digest, &digest_length, err);
    if (r < 0)
        return r;
    strbuf_addf(out, "Upload-Checksum: %s ", tus->checksum);
    tus_add_base64(out, digest, digest_length);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}

/*
 * What is to be done about a PATCH that was answered: how often the chunk may be tried, each time
 * after asking for the offset. 1: only the offset is asked for, since the bytes may have been taken
 * before the server failed; 0: the error stands.
 */
static int tries_after(const struct net_answer *answer)
{
    switch (answer->status) {
    case 409:
    case STATUS_DAMAGED:
        return MAX_TRIES;
    case 500:
    case 502:
    case 504:
        return answer->retry_after_s < 0 ? 1 : 0;
    }
    return answer->status / 100 == 2 ? MAX_TRIES : 0;
}

static int send_chunk(struct tus *tus, int *ret_tries, struct err *err)
{
    struct transfer *transfer = tus->transfer;
    int64_t offset = transfer->confirmed, size = source_size(transfer->source), now;
    int64_t length = transfer_chunk(transfer, CHUNK_BYTES);
    length = length < size - offset ? length : size - offset;
    char place[48];
    snprintf(place, sizeof place, "Upload-Offset: %" PRId64, offset);
    CLEANUP(strbuf_release) struct strbuf checksum = STRBUF_INIT;
    if (tus->checksum) {
        int r = add_checksum(tus, offset, length, &checksum, err);
        if (r < 0)
            return r;
    }
    const char *const headers[] = {"Tus-Resumable: " TUS_VERSION,
                                   "Content-Type: application/offset+octet-stream", place,
                                   tus->checksum ? checksum.data : NULL, NULL};
    struct net_request request = {.method = "PATCH",
                                  .url = tus->url.data,
                                  .headers = headers,
                                  .auth = NET_AUTH_BEARER,
                                  .source = transfer->source,
                                  .offset = offset,
                                  .length = length};
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    int r = transfer_ask(transfer, &request, &answer, err);
    if (r < 0)
        return r;
    *ret_tries = tries_after(&answer);
    r = judge(transfer, &answer, "sending a chunk", err);
    tus->is_gone = r == ERR_NOTFOUND;
    if (r == 0)
        r = tus_read_offset(&answer, size, &now, err);
    if (r == 0 && now != offset + length)
        r = err_set(err, ERR_UNSUPPORTED,
                    "after the bytes %" PRId64 " to %" PRId64 " the server says to be at %" PRId64,
                    offset, offset + length, now);
    if (r == 0)
        r = remember_expiry(tus, &answer, err);
    return r < 0 ? r : accept_offset(tus, now, err);
}

static int send_rest(struct tus *tus, struct err *err)
{
    struct transfer *transfer = tus->transfer;
    int failures = 0;
    while (transfer->confirmed < source_size(transfer->source)) {
        struct err problem = ERR_INIT;
        int64_t before = transfer->confirmed;
        int tries = 0;
        int r = send_chunk(tus, &tries, &problem);
        if (r < 0 && tries > 0) {
            int asked = ask_offset(tus, err);
            if (asked < 0)
                return asked;
        }
        if (r == 0 || transfer->confirmed > before) {
            failures = 0;
        } else if (++failures >= tries) {
            return err_pass(err, r, &problem);
        } else {
            transfer_say(transfer, "%s; trying this chunk again", problem.text);
        }
    }
    return source_check(transfer->source, err);
}

static int attempt(struct tus *tus, struct err *err)
{
    tus->is_gone = false;
    int r = recall_upload(tus) ? ask_offset(tus, err) : create(tus, err);
    if (r == 0 && tus->transfer->confirmed > 0)
        transfer_say(tus->transfer, "the server has %" PRId64 " of %" PRId64 " bytes",
                     tus->transfer->confirmed, source_size(tus->transfer->source));
    return r < 0 ? r : send_rest(tus, err);
}

static int tus_send(struct transfer *transfer, struct err *err)
{
    struct err first = ERR_INIT;
    CLEANUP(release)
    struct tus tus = {.transfer = transfer, .url = STRBUF_INIT_MAX(MAX_URL)};
    int r = attempt(&tus, &first);
    if (r < 0 && tus.is_gone) {
        r = forget_upload(&tus, err);
        return r < 0 ? r : attempt(&tus, err);
    }
    return err_pass(err, r, &first);
}

static void tus_abandon(struct transfer *transfer)
{
    CLEANUP(release)
    struct tus tus = {.transfer = transfer, .url = STRBUF_INIT_MAX(MAX_URL)};
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    const char *const headers[] = {"Tus-Resumable: " TUS_VERSION, NULL};
    if (!recall_upload(&tus) || !record_get(transfer->record, R_TERMINATES))
        return;
    struct net_request request = {
        .method = "DELETE", .url = tus.url.data, .headers = headers, .auth = NET_AUTH_BEARER};
    if (transfer_ask(transfer, &request, &answer, NULL) == 0)
        transfer_say(transfer, "the server was asked to delete the upload (answer %d)",
                     answer.status);
}

static void tus_describe(const struct transfer *transfer, struct strbuf *out)
{
    char amount[32];
    const char *known = record_get(transfer->record, R_URL);
    int64_t size = source_size(transfer->source), chunk = transfer_chunk(transfer, CHUNK_BYTES);
    if (known) {
        strbuf_adds(out, "HEAD the upload that was begun, to learn how far it is\n");
    } else {
        strbuf_addf(out, "OPTIONS %s to learn what the server offers\n", transfer->target->http);
        strbuf_addf(out,
                    "POST %s to create an upload of %" PRId64
                    " bytes, with the file's name, type and SHA-256\n",
                    transfer->target->http, size);
    }
    strbuf_addf(out, "PATCH the upload on %s, %" PRId64 " requests of at most %s%s\n",
                transfer->target->origin, (size + chunk - 1) / chunk,
                units_format_bytes(chunk, amount, sizeof amount),
                known ? ", fewer by what the server has" : "");
}

const struct protocol protocol_tus = {
    .name = "tus",
    .schemes = (const char *const[]){"tus+https", "tus+http", NULL},
    .summary = "tus 1.0, resumable at any byte",
    .is_http = true,
    .describe = tus_describe,
    .send = tus_send,
    .abandon = tus_abandon,
};
