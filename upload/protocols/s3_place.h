/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where an object goes: s3://BUCKET/KEY becomes the URL that is asked.
 *
 * At AWS the bucket is a part of the host's name (https://BUCKET.s3.REGION.amazonaws.com/KEY), but
 * for names with a dot, which no certificate of AWS covers; with --endpoint it is the first part of
 * the path, which servers of one's own all take. The path is encoded as signing wants it ("Amazon
 * S3 API Reference", "Authenticating Requests: Using the Authorization Header"): all but letters,
 * digits, - . _ ~ and the slash, in capitals.
 */
#pragma once

#include "upload/protocols/protocol.h"

#define S3_REGION     "us-east-1" /* what other servers than AWS's expect when nobody says more */
#define S3_PART_BYTES (8 << 20)   /* a cut costs one of them at most */
#define S3_LEAST_PART (5 << 20)   /* AWS's own limit; servers with --endpoint may take less */

struct s3_place {
    char *url; /* of the object */
    char bucket[64];
    char region[64];
};

/*
 * `name` is appended to a key that is empty or ends in a slash. ERR_USAGE: no bucket, a name or key
 * that S3 does not take (too long, not UTF-8, control characters, "." or ".." between slashes), an
 * endpoint that is no https:// or http:// URL without query, a region that is none.
 */
int s3_place_find(const struct target *target, const struct transfer_options *options,
                  const char *name, struct s3_place *ret, struct err *err);
void s3_place_release(struct s3_place *place);

/* Bytes of a part: what is wished, or the usual, grown so that S3_MAX_PARTS are enough. The same
 * for the same numbers: an upload that is taken up again cuts the file at the same places. */
int64_t s3_part_bytes(int64_t size, int64_t wished);
