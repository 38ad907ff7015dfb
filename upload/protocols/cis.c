/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The chunk protocol of XenServer's Health Check: a bundle is announced with its size, then chunks
 * of 1 MiB are posted at their offsets. There is no request that ends it.
 *
 * The protocol knows no resuming: nobody can be asked how far an upload is. But an offset may be
 * sent twice, so what our record says is enough: it keeps the id and the confirmed offset, and
 * after a kill at most the chunk whose answer was not seen is sent again. A server that does not
 * know the id any more (4xx) gets a new bundle, once an attempt.
 */
#include "upload/protocols/transfer.h"

#include <inttypes.h>

#include "common/percent.h"
#include "common/units.h"
#include "upload/protocols/cis_answer.h"

#define PATH_BASE   "feeds/api/"       /* where such services have it */
#define CHUNK_BYTES ((int64_t)1 << 20) /* "at most 1 048 576 bytes" */
#define MAX_TRIES   3                  /* of a chunk, at once, like XenCenter's later clients */
#define MAX_CASE    999999999          /* nine digits */

/* Names in the record. */
#define R_ID     "id"
#define R_OFFSET "offset"

/* The base "https://host/feeds/api/", with its last slash or without; a host alone means that, too.
 */
static void add_base(struct strbuf *out, const struct target *target)
{
    size_t length = strlen(target->http);
    const char *host = strstr(target->http, "://") + 3, *path = host + strcspn(host, "/?");
    strbuf_adds(out, target->http);
    if (length == 0 || target->http[length - 1] != '/')
        strbuf_addc(out, '/');
    if (path[0] == '\0' || strcmp(path, "/") == 0)
        strbuf_adds(out, PATH_BASE);
}

static void add_bundle_url(const struct transfer *transfer, struct strbuf *out)
{
    const char *name = transfer_name(transfer);
    add_base(out, transfer->target);
    strbuf_addf(out, "bundle/?size=%" PRId64 "&name=", source_size(transfer->source));
    percent_encode(out, name, strlen(name), false);
    if (transfer->options->cis_case)
        strbuf_addf(out, "&sr=%" PRId64, transfer->options->cis_case);
}

static int judge(struct transfer *transfer, const struct net_answer *answer, const char *what,
                 struct err *err)
{
    struct err problem = ERR_INIT;
    int r = transfer_judge(transfer, answer, what, &problem);
    if (answer->status == 401)
        return err_set(err, r, "%s; --grant URL gets a token, --token FILE uses it", problem.text);
    return err_pass(err, r, &problem);
}

static int open_bundle(struct transfer *transfer, struct err *err)
{
    const char *verbosity = transfer->options->cis_verbosity;
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT_MAX(NET_MAX_URL);
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    add_bundle_url(transfer, &url);
    strbuf_addf(&body, "{\"verbosity\":\"%s\"}", verbosity ? verbosity : "2");
    if (!strbuf_ok(&url) || !strbuf_ok(&body))
        return err_set(err, ERR_LIMIT, "the URL or the file's name is too long");
    struct net_request request = {.method = "POST",
                                  .url = url.data,
                                  .headers = headers,
                                  .auth = NET_AUTH_BT,
                                  .body = body.data,
                                  .body_length = body.length};
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    int r = transfer_ask(transfer, &request, &answer, err);
    if (r == 0)
        r = judge(transfer, &answer, "announcing the file", err);
    if (r == 0)
        r = cis_read_id(&answer.body, transfer->id, sizeof transfer->id, err);
    if (r < 0)
        return r;
    transfer_confirm(transfer, 0);
    r = record_set(transfer->record, R_ID, transfer->id, err);
    if (r == 0)
        r = transfer_remember(transfer, R_OFFSET, 0, err);
    return r < 0 ? r : record_save(transfer->record, err);
}

static bool recall_bundle(struct transfer *transfer)
{
    const char *id = record_get(transfer->record, R_ID);
    int64_t offset = transfer_recall(transfer, R_OFFSET, -1);
    if (!id || !*id || strlen(id) >= sizeof transfer->id || offset < 0 ||
        offset > source_size(transfer->source))
        return false;
    snprintf(transfer->id, sizeof transfer->id, "%s", id);
    transfer_confirm(transfer, offset);
    return true;
}

/* One try. `answer` is for the caller to look at. */
static int post_chunk(struct transfer *transfer, int64_t length, struct net_answer *answer,
                      bool *ret_incomplete, struct err *err)
{
    static const char *const headers[] = {"Content-Type: application/octet-stream", NULL};
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT_MAX(NET_MAX_URL);
    add_base(&url, transfer->target);
    strbuf_adds(&url, "upload_raw_chunk/?id=");
    percent_encode(&url, transfer->id, strlen(transfer->id), false);
    strbuf_addf(&url, "&offset=%" PRId64, transfer->confirmed);
    if (!strbuf_ok(&url))
        return err_set(err, ERR_LIMIT, "the URL is too long");
    struct net_request request = {.method = "POST",
                                  .url = url.data,
                                  .headers = headers,
                                  .auth = NET_AUTH_BT,
                                  .source = transfer->source,
                                  .offset = transfer->confirmed,
                                  .length = length};
    int r = transfer_ask(transfer, &request, answer, err);
    if (r < 0)
        return r;
    r = judge(transfer, answer, "sending a chunk", err);
    return r < 0 ? r : cis_read_status(&answer->body, ret_incomplete, err);
}

/* What a second try at once could mend: a cut, an error of the server that names no time to wait,
 * or "200" around something that is no answer of this protocol. */
static bool is_worth_a_try(int code, const struct net_answer *answer)
{
    bool is_asked_to_wait = answer->status == 429 || answer->retry_after_s >= 0;
    return answer->status == 0 ? code == ERR_AGAIN
                               : (code == ERR_AGAIN && !is_asked_to_wait) ||
                                     (code == ERR_PARSE && answer->status / 100 == 2);
}

static int send_chunk(struct transfer *transfer, bool *ret_incomplete, bool *ret_is_unknown,
                      struct err *err)
{
    int64_t left = source_size(transfer->source) - transfer->confirmed;
    int64_t length = transfer_chunk(transfer, CHUNK_BYTES);
    length = length < left ? length : left;
    for (int tries = 1;; tries++) {
        struct err problem = ERR_INIT;
        CLEANUP(net_answer_release) struct net_answer answer = {.retry_after_s = -1};
        int r = post_chunk(transfer, length, &answer, ret_incomplete, &problem);
        if (r == 0)
            break;
        if (tries == MAX_TRIES || !is_worth_a_try(r, &answer)) {
            *ret_is_unknown =
                answer.status / 100 == 4 && r != ERR_DENIED && r != ERR_AGAIN && r != ERR_LIMIT;
            return err_pass(err, r, &problem);
        }
        transfer_say(transfer, "%s; trying this chunk again", problem.text);
    }
    transfer_confirm(transfer, transfer->confirmed + length);
    int r = transfer_remember(transfer, R_OFFSET, transfer->confirmed, err);
    return r < 0 ? r : record_save(transfer->record, err);
}

/* *ret_is_unknown: the error is that the server does not have this bundle, or not all of it. */
static int send_rest(struct transfer *transfer, bool *ret_is_unknown, struct err *err)
{
    bool is_incomplete = false;
    while (transfer->confirmed < source_size(transfer->source)) {
        int r = send_chunk(transfer, &is_incomplete, ret_is_unknown, err);
        if (r < 0)
            return r;
    }
    if (is_incomplete) {
        *ret_is_unknown = true;
        return err_set(err, ERR_UNSUPPORTED,
                       "the server has confirmed every chunk and still calls the file incomplete");
    }
    return source_check(transfer->source, err);
}

static int cis_send(struct transfer *transfer, struct err *err)
{
    struct err problem = ERR_INIT;
    bool is_unknown = false, is_old = recall_bundle(transfer);
    int r = is_old ? 0 : open_bundle(transfer, err);
    if (r < 0)
        return r;
    if (is_old)
        transfer_say(transfer, "the server has confirmed %" PRId64 " of %" PRId64 " bytes",
                     transfer->confirmed, source_size(transfer->source));
    r = send_rest(transfer, &is_unknown, &problem);
    /* A bundle that was made just now and takes no first chunk is not made again. */
    if (r < 0 && is_unknown && (is_old || transfer->confirmed > 0)) {
        transfer_say(transfer, "%s; starting anew", problem.text);
        r = open_bundle(transfer, err);
        return r < 0 ? r : send_rest(transfer, &is_unknown, err);
    }
    return err_pass(err, r, &problem);
}

static int cis_check(const struct target *target, const struct transfer_options *options,
                     struct err *err)
{
    const char *verbosity = options->cis_verbosity;
    if (strchr(target->http, '?'))
        return err_set(err, ERR_USAGE,
                       "the URL of a Health Check service ends in its path, such as "
                       "cis+https://host/feeds/api/; remove what begins with '?'");
    if (options->chunk_bytes > CHUNK_BYTES)
        return err_set(err, ERR_USAGE,
                       "a Health Check service takes chunks of at most 1M; lower --chunk-size");
    if (options->cis_case < 0 || options->cis_case > MAX_CASE)
        return err_set(err, ERR_USAGE, "a case number has up to nine digits");
    if (verbosity && (!*verbosity || strlen(verbosity) > 2 ||
                      verbosity[strspn(verbosity, "0123456789")] != '\0'))
        return err_set(err, ERR_USAGE, "the verbosity is a number from 0 to 99");
    return 0;
}

static void cis_describe(const struct transfer *transfer, struct strbuf *out)
{
    char amount[32];
    int64_t size = source_size(transfer->source), chunk = transfer_chunk(transfer, CHUNK_BYTES);
    int64_t done = record_get(transfer->record, R_ID) ? transfer_recall(transfer, R_OFFSET, 0) : -1;
    if (done < 0 || done > size) {
        strbuf_adds(out, "POST ");
        add_bundle_url(transfer, out);
        strbuf_adds(out, " to announce the file\n");
        done = 0;
    }
    strbuf_adds(out, "POST ");
    add_base(out, transfer->target);
    strbuf_addf(out, "upload_raw_chunk/, %" PRId64 " requests of at most %s\n",
                (size - done + chunk - 1) / chunk,
                units_format_bytes(chunk, amount, sizeof amount));
}

const struct protocol protocol_cis = {
    .name = "cis",
    .schemes = (const char *const[]){"cis+https", "cis+http", NULL},
    .summary = "the Health Check service's chunks, as XenCenter sends them",
    .is_http = true,
    .auth = NET_AUTH_BT,
    .check = cis_check,
    .describe = cis_describe,
    .send = cis_send,
};
