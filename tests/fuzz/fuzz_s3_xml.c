/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The XML of an S3 server: what is kept of it is bounded, and no id or tag has control characters.
 */
#include <assert.h>
#include <string.h>

#include "upload/protocols/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_clean(const char *text, size_t size)
{
    assert(strnlen(text, size) < size);
    for (; *text != '\0'; text++)
        assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    if (s3_reply_parse((const char *)data, size, &reply, NULL) < 0)
        return 0;
    is_clean(reply.code, sizeof reply.code);
    is_clean(reply.message, sizeof reply.message);
    is_clean(reply.region, sizeof reply.region);
    is_clean(reply.upload_id, sizeof reply.upload_id);
    is_clean(reply.etag, sizeof reply.etag);
    assert(reply.count <= S3_MAX_PARTS);
    for (size_t i = 0; i < reply.count; i++) {
        assert(reply.parts[i].number >= 0 && reply.parts[i].number <= S3_MAX_PARTS);
        assert(reply.parts[i].size >= 0);
        is_clean(reply.parts[i].etag, sizeof reply.parts[i].etag);
    }
    return 0;
}
