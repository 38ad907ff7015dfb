/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The server's list of parts is the truth, but no part of it is trusted unseen: it counts when its
 * size is right and its ETag is the MD5 of these bytes. Servers that encrypt have ETags of another
 * kind; for them the record keeps how many parts from the first on were confirmed to us, and a
 * digest over their ETags; and, while they are few, these, for servers that give no list. What is
 * not trusted is sent again under its number, which replaces it.
 */
#include "upload/protocols/s3_parts.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <strings.h>

#include "common/hex.h"
#include "common/percent.h"
#include "upload/protocols/transfer.h"

#define PAGE      100 /* parts of one answer: a part takes 300 bytes, and answers are bounded */
#define MAX_ETAGS (32 << 10) /* bytes that may stand in the record: of a thousand parts, 8 GB */

int64_t s3_part_length(const struct s3_upload *upload, int number)
{
    int64_t offset = (int64_t)(number - 1) * upload->part_bytes;
    int64_t rest = upload->size - offset;
    return rest < upload->part_bytes ? rest : upload->part_bytes;
}

void s3_add_id(const struct s3_upload *upload, struct strbuf *query, const char *front)
{
    strbuf_adds(query, front);
    strbuf_adds(query, "uploadId=");
    percent_encode(query, upload->id, strlen(upload->id), false);
}

static int chain_next(const char *chain, const char *etag, char ret[S3_CHAIN_HEX], struct err *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    char text[S3_CHAIN_HEX + S3_MAX_ETAG];
    int length = snprintf(text, sizeof text, "%s%s", chain, etag);
    if (EVP_Digest(text, (size_t)length, bytes, NULL, EVP_sha256(), NULL) != 1)
        return err_nomem(err);
    hex_write(bytes, 32, ret);
    return 0;
}

int s3_keep_etag(struct s3_upload *upload, int number, const char *etag, struct err *err)
{
    free(upload->etags[number - 1]);
    upload->etags[number - 1] = strdup(etag);
    return upload->etags[number - 1] ? 0 : err_nomem(err);
}

void s3_confirm(struct s3_upload *upload)
{
    int64_t confirmed = 0;
    for (int n = 1; n <= upload->count; n++)
        confirmed += upload->etags[n - 1] ? s3_part_length(upload, n) : 0;
    transfer_confirm(upload->s3.transfer, confirmed);
}

void s3_forget_parts(struct s3_upload *upload)
{
    for (int n = 1; n <= upload->count; n++) {
        free(upload->etags[n - 1]);
        upload->etags[n - 1] = NULL;
    }
    *upload->chain = '\0';
    upload->linked = 0;
}

bool s3_recall(struct s3_upload *upload)
{
    const struct record *record = upload->s3.transfer->record;
    const char *object = record_get(record, S3_RECORD_OBJECT);
    const char *id = record_get(record, S3_RECORD_UPLOAD);
    if (!object || !id || strcmp(object, upload->s3.place.url) != 0 || *id == '\0' ||
        strlen(id) >= sizeof upload->id)
        return false;
    snprintf(upload->id, sizeof upload->id, "%s", id);
    return transfer_recall(upload->s3.transfer, S3_RECORD_PART, 0) == upload->part_bytes;
}

static bool is_md5_of(const struct s3_upload *upload, int number, const char *etag)
{
    unsigned char bytes[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1];
    size_t length;
    if (source_digest(upload->s3.transfer->source, SOURCE_MD5,
                      (int64_t)(number - 1) * upload->part_bytes, s3_part_length(upload, number),
                      bytes, &length, NULL) < 0)
        return false;
    hex_write(bytes, length, hex);
    return strcasecmp(hex, etag) == 0;
}

/* ETags of parts 1 to `count`, with a blank behind each; none when they are odd or too many. */
static int remember_etags(struct s3_upload *upload, int count, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_MAX(MAX_ETAGS);
    bool plain = true;
    for (int n = 1; plain && n <= count; n++) {
        strbuf_addf(&text, "%s ", upload->etags[n - 1]);
        for (const char *c = upload->etags[n - 1]; plain && *c; c++)
            plain = isalnum((unsigned char)*c) || *c == '-';
    }
    return record_set(upload->s3.transfer->record, S3_RECORD_ETAGS,
                      plain && strbuf_ok(&text) ? text.data : NULL, err);
}

static int list_page(struct s3_upload *upload, int marker, struct s3_reply *ret, struct err *err)
{
    struct net_answer answer CLEANUP(net_answer_release) = {0};
    struct strbuf query CLEANUP(strbuf_release) = STRBUF_INIT;
    char front[64];
    snprintf(front, sizeof front, "max-parts=%d&part-number-marker=%d&", PAGE, marker);
    s3_add_id(upload, &query, front);
    if (!strbuf_ok(&query))
        return err_nomem(err);
    int r = s3_ask(&upload->s3,
                   &(struct s3_call){.what = "listing the parts that are there",
                                     .method = "GET",
                                     .query = query.data},
                   &answer, err);
    return r < 0 ? r : s3_reply_parse(answer.body.data, answer.body.length, ret, err);
}

/* All that the server lists with the right size, trusted or not. */
static int list(struct s3_upload *upload, struct err *err)
{
    for (int marker = 0;;) {
        struct s3_reply reply CLEANUP_S3_REPLY = {0};
        int r = list_page(upload, marker, &reply, err);
        if (r < 0)
            return r;
        if (strcmp(reply.root, "ListPartsResult") != 0)
            return err_set(err, ERR_PARSE, "the server's list of parts is none");
        for (size_t i = 0; i < reply.count; i++) {
            const struct s3_part *part = &reply.parts[i];
            if (part->number < 1 || part->number > upload->count || *part->etag == '\0' ||
                part->size != s3_part_length(upload, part->number))
                continue;
            r = s3_keep_etag(upload, part->number, part->etag, err);
            if (r < 0)
                return r;
        }
        if (!reply.truncated)
            return 0;
        if (reply.next_marker <= marker)
            return err_set(err, ERR_PARSE, "the server's list of parts goes round in circles");
        marker = reply.next_marker;
    }
}

/* True when the ETags of the parts that were confirmed to us are those of then. */
static bool chain_holds(const struct s3_upload *upload, int sent)
{
    const char *known = record_get(upload->s3.transfer->record, S3_RECORD_CHAIN);
    char chain[S3_CHAIN_HEX] = "";
    if (!known || sent < 1 || sent > upload->count)
        return false;
    for (int n = 1; n <= sent; n++)
        if (!upload->etags[n - 1] || chain_next(chain, upload->etags[n - 1], chain, NULL) < 0)
            return false;
    return strcmp(chain, known) == 0;
}

/* Takes what the record tells of confirmed parts; false: nothing that would do. */
static bool recall_etags(struct s3_upload *upload, int *ret_sent)
{
    const char *text = record_get(upload->s3.transfer->record, S3_RECORD_ETAGS);
    int64_t sent = transfer_recall(upload->s3.transfer, S3_RECORD_SENT, 0);
    if (!text || sent < 1 || sent > upload->count)
        return false;
    for (int n = 1; n <= sent; n++) {
        char etag[S3_MAX_ETAG];
        size_t length = strcspn(text, " ");
        if (length == 0 || length >= sizeof etag)
            return false;
        snprintf(etag, sizeof etag, "%.*s", (int)length, text);
        if (s3_keep_etag(upload, n, etag, NULL) < 0)
            return false;
        text += length + (text[length] == ' ');
    }
    *ret_sent = (int)sent;
    return chain_holds(upload, (int)sent);
}

static void distrust(struct s3_upload *upload)
{
    int sent = (int)transfer_recall(upload->s3.transfer, S3_RECORD_SENT, 0);
    bool holds = chain_holds(upload, sent);
    for (int n = 1; n <= upload->count; n++) {
        char *etag = upload->etags[n - 1];
        if (etag && !(holds && n <= sent) && !is_md5_of(upload, n, etag)) {
            free(etag);
            upload->etags[n - 1] = NULL;
        }
    }
}

int s3_resume(struct s3_upload *upload, struct err *err)
{
    struct err problem = ERR_INIT;
    int sent;
    int r = list(upload, &problem);
    if (r == 0) {
        distrust(upload);
        s3_confirm(upload);
        return 0;
    }
    if (upload->s3.upload_is_gone || r == ERR_AGAIN || r == ERR_CANCELLED || r == ERR_NOMEM)
        return err_pass(err, r, &problem);
    s3_forget_parts(upload);
    if (recall_etags(upload, &sent)) {
        s3_confirm(upload);
        transfer_say(upload->s3.transfer,
                     "the server does not tell which parts it has, so it is to have the %d that "
                     "it confirmed: %s",
                     sent, problem.text);
        return 0;
    }
    s3_forget_parts(upload);
    transfer_say(upload->s3.transfer,
                 "the server does not tell which parts it has, so all are sent again: %s",
                 problem.text);
    return 0;
}

void s3_forget_confirmed(struct s3_upload *upload)
{
    struct record *record = upload->s3.transfer->record;
    transfer_remember(upload->s3.transfer, S3_RECORD_SENT, 0, NULL);
    record_set(record, S3_RECORD_CHAIN, NULL, NULL);
    record_set(record, S3_RECORD_ETAGS, NULL, NULL);
    record_save(record, NULL);
}

int s3_link_part(struct s3_upload *upload, int number, bool is_new, struct err *err)
{
    if (upload->linked != number - 1)
        return 0;
    int r = chain_next(upload->chain, upload->etags[number - 1], upload->chain, err);
    if (r < 0)
        return r;
    upload->linked = number;
    if (!is_new)
        return 0;
    r = transfer_remember(upload->s3.transfer, S3_RECORD_SENT, number, err);
    if (r == 0)
        r = record_set(upload->s3.transfer->record, S3_RECORD_CHAIN, upload->chain, err);
    if (r == 0)
        r = remember_etags(upload, number, err);
    return r < 0 ? r : record_save(upload->s3.transfer->record, err);
}
