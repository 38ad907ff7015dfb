/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * S3: a small file by one PUT, a larger one in parts that are put together at the end; s3_parts.c
 * knows which of them the server has.
 *
 * A kill between the last confirmation and the end of the record is no second upload: each object
 * carries the file's SHA-256 as metadata, and when the server has forgotten the upload, we look
 * whether the object is there.
 */
#include "upload/protocols/protocol.h"

#include <inttypes.h>
#include <strings.h>

#include "common/escape.h"
#include "common/units.h"
#include "upload/protocols/s3_parts.h"
#include "upload/protocols/transfer.h"

#define MAX_ROUNDS 2 /* an upload that the server forgot is begun anew once an attempt */
#define METADATA   "x-amz-meta-sha256"

#define METADATA_SIZE 128

static const char *const s3_schemes[] = {"s3", NULL};

/* Begins. */

static int remember_upload(struct s3_upload *upload, struct err *err)
{
    struct record *record = upload->s3.transfer->record;
    int r = record_set(record, S3_RECORD_OBJECT, upload->s3.place.url, err);
    if (r == 0)
        r = record_set(record, S3_RECORD_UPLOAD, upload->id, err);
    if (r == 0)
        r = transfer_remember(upload->s3.transfer, S3_RECORD_PART, upload->part_bytes, err);
    if (r == 0)
        r = transfer_remember(upload->s3.transfer, S3_RECORD_SENT, 0, err);
    if (r == 0)
        r = record_set(record, S3_RECORD_CHAIN, NULL, err);
    if (r == 0)
        r = record_set(record, S3_RECORD_ETAGS, NULL, err);
    return r < 0 ? r : record_save(record, err);
}

/* What tells the object from others of its name. */
static const char *put_metadata(const struct s3_upload *upload, char header[METADATA_SIZE])
{
    snprintf(header, METADATA_SIZE, METADATA ": %s", source_sha256(upload->s3.transfer->source));
    return header;
}

static int create(struct s3_upload *upload, struct err *err)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    char metadata[METADATA_SIZE];
    int r = s3_ask(&upload->s3,
                   &(struct s3_call){.what = "beginning the upload",
                                     .method = "POST",
                                     .query = "uploads=",
                                     .header = put_metadata(upload, metadata)},
                   &answer, err);
    if (r == 0)
        r = s3_reply_parse(answer.body.data, answer.body.length, &reply, err);
    if (r < 0)
        return r;
    if (*reply.upload_id == '\0')
        return err_set(err, ERR_PARSE, "the server began an upload without naming it: is it S3?");
    snprintf(upload->id, sizeof upload->id, "%s", reply.upload_id);
    return remember_upload(upload, err);
}

/* Sends. */

/* Of a header, without quotes; NULL when it is none that can be sent back. */
static const char *clean_etag(const char *value, char ret[S3_MAX_ETAG])
{
    size_t length = value ? strlen(value) : 0;
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
        value++, length -= 2;
    if (length == 0 || length >= S3_MAX_ETAG)
        return NULL;
    snprintf(ret, S3_MAX_ETAG, "%.*s", (int)length, value);
    return ret;
}

static int send_part(struct s3_upload *upload, int number, struct err *err)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    struct strbuf query CLEANUP(strbuf_release) = STRBUF_INIT;
    char what[48], front[48], etag[S3_MAX_ETAG];
    snprintf(what, sizeof what, "part %d of %d", number, upload->count);
    snprintf(front, sizeof front, "partNumber=%d&", number);
    s3_add_id(upload, &query, front);
    if (!strbuf_ok(&query))
        return err_nomem(err);
    int r = s3_ask(&upload->s3,
                   &(struct s3_call){.what = what,
                                     .method = "PUT",
                                     .query = query.data,
                                     .sends_source = true,
                                     .offset = (int64_t)(number - 1) * upload->part_bytes,
                                     .length = s3_part_length(upload, number)},
                   &answer, err);
    if (r < 0)
        return r;
    if (!clean_etag(net_header(&answer, "ETag"), etag))
        return err_set(err, ERR_PARSE, "%s: the server took it without an ETag: is it S3?", what);
    r = s3_keep_etag(upload, number, etag, err);
    if (r == 0)
        s3_confirm(upload);
    return r;
}

static int send_missing(struct s3_upload *upload, struct err *err)
{
    for (int n = 1; n <= upload->count; n++) {
        bool is_new = !upload->etags[n - 1];
        int r = is_new ? send_part(upload, n, err) : 0;
        if (r == 0)
            r = s3_link_part(upload, n, is_new, err);
        if (r < 0)
            return r;
    }
    return source_check(upload->s3.transfer->source, err);
}

/* Ends. */

/* True when the object is there and is this file. */
static bool is_there(struct s3_upload *upload)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    const char *sha256 = source_sha256(upload->s3.transfer->source), *there;
    return s3_ask(&upload->s3,
                  &(struct s3_call){.what = "looking for the object", .method = "HEAD"}, &answer,
                  NULL) == 0 &&
           (there = net_header(&answer, METADATA)) && strcasecmp(there, sha256) == 0 &&
           net_header_number(&answer, "Content-Length") == upload->size;
}

static void list_for_completion(const struct s3_upload *upload, struct strbuf *body)
{
    strbuf_adds(body, "<CompleteMultipartUpload"
                      " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int n = 1; n <= upload->count; n++) {
        strbuf_addf(body, "<Part><PartNumber>%d</PartNumber><ETag>&quot;", n);
        escape_markup(body, upload->etags[n - 1], strlen(upload->etags[n - 1]));
        strbuf_adds(body, "&quot;</ETag></Part>");
    }
    strbuf_adds(body, "</CompleteMultipartUpload>");
}

static int complete(struct s3_upload *upload, struct err *err)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    struct strbuf query CLEANUP(strbuf_release) = STRBUF_INIT;
    struct strbuf body CLEANUP(strbuf_release) = STRBUF_INIT;
    const char *what = "putting the parts together";
    s3_add_id(upload, &query, "");
    list_for_completion(upload, &body);
    if (!strbuf_ok(&query) || !strbuf_ok(&body))
        return err_nomem(err);
    int r = s3_ask(
        &upload->s3,
        &(struct s3_call){.what = what, .method = "POST", .query = query.data, .body = &body},
        &answer, err);
    if (r < 0)
        return r;
    /* The status was sent before the work was done: only the body tells how it ended. */
    r = s3_reply_parse(answer.body.data, answer.body.length, &reply, err);
    if (r < 0) {
        err_clear(err);
        return is_there(upload) ? 0 : err_set(err, ERR_AGAIN, "%s: no end of it was told", what);
    }
    if (strcmp(reply.root, "CompleteMultipartUploadResult") == 0)
        return 0;
    return s3_judge(&upload->s3, &answer, &reply, what, err);
}

/* The server keeps the parts of an upload that nobody ends, and charges for them. */
static void abort_upload(struct s3_upload *upload)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    struct strbuf query CLEANUP(strbuf_release) = STRBUF_INIT;
    s3_add_id(upload, &query, "");
    if (strbuf_ok(&query))
        s3_ask(&upload->s3,
               &(struct s3_call){
                   .what = "giving the upload up", .method = "DELETE", .query = query.data},
               &answer, NULL);
}

static int send_in_parts(struct s3_upload *upload, struct err *err)
{
    for (int round = 1;; round++) {
        bool resumes = s3_recall(upload);
        if (!resumes && *upload->id != '\0' && round == 1)
            abort_upload(upload);
        int r = resumes ? s3_resume(upload, err) : create(upload, err);
        if (r == 0)
            r = send_missing(upload, err);
        if (r == 0)
            r = complete(upload, err);
        if (r < 0 && upload->s3.part_is_lost)
            s3_forget_confirmed(upload);
        if (r == 0 || !upload->s3.upload_is_gone)
            return r;
        if (is_there(upload)) {
            err_clear(err);
            return 0;
        }
        s3_forget_parts(upload);
        int dropped = record_drop(upload->s3.transfer->record, NULL);
        if (dropped < 0 || round == MAX_ROUNDS)
            return r;
        transfer_say(upload->s3.transfer, "the server has forgotten the upload; it begins anew");
        err_clear(err);
    }
}

static int send_whole(struct s3_upload *upload, struct err *err)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    char metadata[METADATA_SIZE];
    int r = s3_ask(&upload->s3,
                   &(struct s3_call){.what = "the object",
                                     .method = "PUT",
                                     .header = put_metadata(upload, metadata),
                                     .sends_source = true,
                                     .length = upload->size},
                   &answer, err);
    return r < 0 ? r : source_check(upload->s3.transfer->source, err);
}

static int upload_new(struct transfer *transfer, struct s3_upload **ret, struct err *err)
{
    struct s3_upload *upload = calloc(1, sizeof *upload);
    if (!upload)
        return err_nomem(err);
    upload->s3.transfer = transfer;
    upload->size = source_size(transfer->source);
    upload->part_bytes = s3_part_bytes(upload->size, transfer_chunk(transfer, 0));
    upload->count = (int)((upload->size + upload->part_bytes - 1) / upload->part_bytes);
    int r = upload->count > S3_MAX_PARTS
                ? err_set(err, ERR_LIMIT, "the file is larger than S3 takes (48 TiB)")
                : s3_place_find(transfer->target, transfer->options, transfer_name(transfer),
                                &upload->s3.place, err);
    if (r < 0)
        free(upload);
    else
        *ret = upload;
    return r;
}

static void upload_free(struct s3_upload *upload)
{
    s3_forget_parts(upload);
    s3_place_release(&upload->s3.place);
    free(upload);
}

DEFINE_CLEANUP(upload_cleanup, struct s3_upload *, upload_free)

static int s3_send(struct transfer *transfer, struct err *err)
{
    struct s3_upload *upload CLEANUP(upload_cleanup) = NULL;
    int r = upload_new(transfer, &upload, err);
    if (r < 0)
        return r;
    if (upload->count <= 1)
        return send_whole(upload, err);
    r = send_in_parts(upload, err);
    if (strlen(upload->id) < sizeof transfer->id)
        snprintf(transfer->id, sizeof transfer->id, "%s", upload->id);
    return r;
}

static void s3_abandon(struct transfer *transfer)
{
    struct s3_upload *upload CLEANUP(upload_cleanup) = NULL;
    if (upload_new(transfer, &upload, NULL) < 0)
        return;
    s3_recall(upload);
    if (*upload->id != '\0')
        abort_upload(upload);
}

static int s3_check(const struct target *target, const struct transfer_options *options,
                    struct err *err)
{
    struct s3_place place;
    if (!options->s3_endpoint && options->chunk_bytes > 0 && options->chunk_bytes < S3_LEAST_PART)
        return err_set(err, ERR_USAGE, "S3 takes parts of 5 MiB and more: use --chunk-size 5M");
    int r = s3_place_find(target, options, options->name ? options->name : "name", &place, err);
    if (r == 0)
        s3_place_release(&place);
    return r;
}

static void s3_describe(const struct transfer *transfer, struct strbuf *out)
{
    struct s3_upload *upload CLEANUP(upload_cleanup) = NULL;
    struct transfer copy = *transfer;
    char size[16], part[16];
    if (upload_new(&copy, &upload, NULL) < 0)
        return;
    const char *url = upload->s3.place.url;
    units_format_bytes(upload->size, size, sizeof size);
    units_format_bytes(upload->part_bytes, part, sizeof part);
    if (upload->count <= 1) {
        strbuf_addf(out, "PUT %s (%s)\n", url, size);
        return;
    }
    const char *begun = record_is_empty(transfer->record) ? "" : ", where the upload is gone";
    if (*begun)
        strbuf_addf(out, "GET %s?uploadId=... (which parts the server has; they are not sent)\n",
                    url);
    strbuf_addf(out, "POST %s?uploads=%s\n", url, begun);
    strbuf_addf(out, "PUT %s?partNumber=1..%d&uploadId=... (%s, in parts of %s)\n", url,
                upload->count, size, part);
    strbuf_addf(out, "POST %s?uploadId=... (puts them together)\n", url);
}

const struct protocol protocol_s3 = {
    .name = "s3",
    .schemes = s3_schemes,
    .summary =
        "S3 in parts, signed (s3://BUCKET/KEY, with --endpoint for other servers than AWS's)",
    .auth = NET_AUTH_SIGV4,
    .check = s3_check,
    .describe = s3_describe,
    .send = s3_send,
    .abandon = s3_abandon,
};
