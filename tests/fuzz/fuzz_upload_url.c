/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A URL from a job's file or from a person: it is a place, or it is refused with a text.
 */
#include <stdint.h>

#include "upload/protocols/protocol.h"

#define LENGTH_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct transfer_options options = {.s3_endpoint = "https://s3.example:9000"};
    struct target target = {.protocol = NULL};
    struct err err = ERR_INIT;
    char *url = size <= LENGTH_MAX ? strndup((const char *)data, size) : NULL;
    if (!url)
        return 0;
    if (target_parse(url, &options, &target, &err) == 0) {
        if (!target.protocol || !target.url || !target.origin || strchr(target.url, '#'))
            __builtin_trap();
        target_release(&target);
    } else if (!err.text[0]) {
        __builtin_trap();
    }
    free(url);
    return 0;
}
