/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A server's head line by line, then its body, then where it leads to.
 */
#include <stdint.h>

#include "upload/net/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_answer answer = {.body = STRBUF_INIT_MAX(NET_MAX_ANSWER), .retry_after_s = -1};
    struct answer_reader reader = {.answer = &answer};
    const char *p = (const char *)data, *end = p + size;
    bool good = true;
    while (good && p < end && !(reader.head_done && answer.status >= 200)) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *next = newline ? newline + 1 : end;
        good = answer_line(&reader, p, (size_t)(next - p));
        p = next;
    }
    if (good && p < end)
        answer_body(&reader, p, (size_t)(end - p));
    answer_is_whole(&reader);
    net_judge(&answer, "fuzzing", NULL);
    net_header_number(&answer, "Upload-Offset");
    const char *location = net_header(&answer, "Location");
    struct strbuf url = STRBUF_INIT;
    if (location && net_same_origin("https://home.example/files", location, &url, NULL) == 0 &&
        strncasecmp(url.data, "https://home.example", 20) != 0)
        abort();
    strbuf_release(&url);
    net_answer_release(&answer);
    return 0;
}
