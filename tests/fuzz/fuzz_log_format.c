/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A format of time stamps: loads or is refused with a place. What loads runs its own tests.
 */
#include "analyzer/match/timestamp.h"

#define LENGTH_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *format, const char *line, const char *failure)
{
    (void)context;
    (void)format;
    (void)line;
    (void)failure;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct embedded_file files[] = {
        {"fuzz.yaml", (const char *)data, (const char *)data + size},
        {0},
    };
    struct log_formats *formats = NULL;
    struct err err = ERR_INIT;
    if (size > LENGTH_MAX)
        return 0;
    if (log_formats_load(files, &formats, &err) < 0) {
        if (err.code != ERR_NOMEM && !err.where[0])
            __builtin_trap();
        return 0;
    }
    log_formats_test(formats, ignore, NULL);
    log_formats_free(formats);
    return 0;
}
