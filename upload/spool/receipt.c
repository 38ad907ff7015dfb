/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Receipts as JSON. Times are written as UTC in ISO 8601, to the second.
 */
#include "upload/spool/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/url_text.h"
#include "upload/spool/job_private.h"

int receipt_set_place(struct receipt *receipt, const char *file, const char *url, struct err *err)
{
    char *file_copy = strdup(file);
    char *url_copy = strndup(url, url_text_public_length(url));
    if (!file_copy || !url_copy) {
        free(file_copy);
        free(url_copy);
        return err_nomem(err);
    }
    free(receipt->file);
    free(receipt->url);
    receipt->file = file_copy;
    receipt->url = url_copy;
    return 0;
}

void receipt_release(struct receipt *receipt)
{
    free(receipt->file);
    free(receipt->url);
    *receipt = (struct receipt){0};
}

json_t *receipt_to_json(const struct receipt *receipt)
{
    json_t *object = json_object();
    if (!object)
        return NULL;
    bool good = field_put_text(object, "schema", "xenhealth-upload/1") &&
                field_put_text(object, "file", receipt->file) &&
                field_put_text(object, "url", receipt->url) &&
                field_put_text(object, "protocol", receipt->protocol) &&
                field_put_number(object, "bytes", receipt->bytes) &&
                field_put_text(object, "sha256", receipt->sha256) &&
                field_put_text(object, "id", receipt->id) &&
                field_put_time(object, "started", receipt->started) &&
                field_put_time(object, "finished", receipt->finished) &&
                field_put_number(object, "attempts", receipt->attempts);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

int receipt_from_json(const json_t *object, struct receipt *ret)
{
    char *protocol = NULL, *sha256 = NULL, *id = NULL;
    struct receipt read = {0};
    bool good = json_is_object(object) && field_take_text(object, "file", &read.file) &&
                field_take_text(object, "url", &read.url) &&
                field_take_text(object, "protocol", &protocol) &&
                field_take_text(object, "sha256", &sha256) && field_take_text(object, "id", &id) &&
                field_take_number(object, "bytes", &read.bytes) &&
                field_take_number(object, "attempts", &read.attempts) &&
                field_take_time(object, "started", &read.started) &&
                field_take_time(object, "finished", &read.finished) && read.file && read.url &&
                protocol && strlen(protocol) < sizeof read.protocol && sha256 &&
                strlen(sha256) < sizeof read.sha256 && id && strlen(id) < sizeof read.id;
    if (good) {
        snprintf(read.protocol, sizeof read.protocol, "%s", protocol);
        snprintf(read.sha256, sizeof read.sha256, "%s", sha256);
        snprintf(read.id, sizeof read.id, "%s", id);
        receipt_release(ret);
        *ret = read;
    } else {
        receipt_release(&read);
    }
    free(protocol);
    free(sha256);
    free(id);
    return good ? 0 : ERR_PARSE;
}

int receipt_format(const struct receipt *receipt, struct strbuf *out, struct err *err)
{
    json_t *object = receipt_to_json(receipt);
    bool good = object && field_append(object, out);
    json_decref(object);
    return good ? 0 : err_nomem(err);
}
