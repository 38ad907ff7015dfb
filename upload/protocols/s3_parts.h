/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An upload in parts: which of them the server has, and how far that is to be believed.
 */
#pragma once

#include "upload/protocols/s3_call.h"

#define S3_CHAIN_HEX 65

/* Names in the record. */
#define S3_RECORD_OBJECT "object"
#define S3_RECORD_UPLOAD "upload"
#define S3_RECORD_PART   "part_bytes"
#define S3_RECORD_SENT   "parts" /* how many, from the first on, were confirmed to us; */
#define S3_RECORD_CHAIN  "chain" /* digest over their ETags */
#define S3_RECORD_ETAGS  "etags" /* and these themselves, where they are few */

struct s3_upload {
    struct s3 s3;
    int64_t size, part_bytes;
    int count;
    char id[S3_MAX_UPLOAD_ID]; /* as the server gave it */
    char *etags[S3_MAX_PARTS]; /* by number - 1; owned; NULL: to be sent */
    char chain[S3_CHAIN_HEX];  /* over etags[0..linked-1] */
    int linked;
};

int64_t s3_part_length(const struct s3_upload *upload, int number);

/* `front` and "uploadId=..." */
void s3_add_id(const struct s3_upload *upload, struct strbuf *query, const char *front);

/* Takes the id of the upload to this object that the record tells of. True when it is cut in the
 * same way; what is not is of no use any more. */
bool s3_recall(struct s3_upload *upload);

/*
 * Asks for the list of parts and keeps the ETags of those that can be trusted. Where a list cannot
 * be had (not every server has one, and not every key may ask) those count that were confirmed to
 * us: the server compares their ETags with what it has when it puts them together. Fails when the
 * upload is gone, and with what may pass.
 */
int s3_resume(struct s3_upload *upload, struct err *err);

/* What was confirmed to us is not believed any more. */
void s3_forget_confirmed(struct s3_upload *upload);

int s3_keep_etag(struct s3_upload *upload, int number, const char *etag, struct err *err);

/* Tells how many bytes the server has in the parts whose ETags are kept. */
void s3_confirm(struct s3_upload *upload);

/* Takes the part into the chain, when all before it are; one that is new goes on record. */
int s3_link_part(struct s3_upload *upload, int number, bool is_new, struct err *err);

/* All are to be sent. */
void s3_forget_parts(struct s3_upload *upload);
