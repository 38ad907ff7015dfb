/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Answers of a Health Check service: whatever comes, an id or token that is taken fits into a URL
 * and a header.
 */
#include <assert.h>
#include <stdint.h>

#include "upload/protocols/cis_answer.h"

#define SIZE 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int r, const char *text)
{
    assert(r < 0 || *text);
    for (; r == 0 && *text; text++)
        assert(*text > ' ' && *text < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf body = STRBUF_INIT;
    char text[SIZE] = "";
    bool is_incomplete;
    strbuf_add(&body, data, size);
    check(cis_read_id(&body, text, sizeof text, NULL), text);
    check(cis_read_token(&body, text, sizeof text, NULL), text);
    cis_read_status(&body, &is_incomplete, NULL);
    return 0;
}
