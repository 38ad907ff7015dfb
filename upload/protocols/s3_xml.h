/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an S3 server says in XML: ids, lists of parts, and errors.
 *
 * Source: "Amazon S3 API Reference", CreateMultipartUpload, ListParts, CompleteMultipartUpload and
 * "Error responses". Servers differ in namespaces and leave elements out, so elements are known by
 * their local name and what is missing is "" or zero.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define S3_MAX_ETAG      96
#define S3_MAX_UPLOAD_ID 1024
#define S3_MAX_PARTS     10000 /* of one upload; S3's own limit */

struct s3_part {
    int number; /* 1 to S3_MAX_PARTS */
    int64_t size;
    char etag[S3_MAX_ETAG]; /* without quotes */
};

struct s3_reply {
    char root[48]; /* "InitiateMultipartUploadResult", "Error", ... */
    char code[64]; /* of an error: "NoSuchUpload" */
    char message[256];
    char region[64];
    char endpoint[256];
    char upload_id[S3_MAX_UPLOAD_ID];
    char etag[S3_MAX_ETAG];
    bool truncated; /* the list goes on behind `next_marker` */
    int next_marker;
    struct s3_part *parts;
    size_t count;
};

/*
 * `ret` is to be released after success. ERR_PARSE: no XML, a document type, a text that is too
 * long where it matters (ids and tags are never cut), or a part that cannot be; ERR_LIMIT: too deep
 * or too many elements. Texts for people (message, endpoint) are cut and hold no control
 * characters, and no very long word: that could be a token which the server sends back.
 */
int s3_reply_parse(const char *bytes, size_t length, struct s3_reply *ret, struct err *err);
void s3_reply_release(struct s3_reply *reply);

#define CLEANUP_S3_REPLY CLEANUP(s3_reply_release)
