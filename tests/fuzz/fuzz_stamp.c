/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Time stamps of hostile lines: what is read as one is a time of day, and becomes a time whenever
 * the report was taken.
 */
#include <string.h>

#include "analyzer/match/timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const templates[] = {
    "format: a\nstamp: '%Y-%m-%dT%H:%M:%S%f%z'\n",
    "format: b\nstamp: '%b %e %H:%M:%S '\n",
    "format: c\nstamp: '[%Y%m%dT%H:%M:%S%fZ|'\n",
    "format: d\nstamp: '%Z %b %d %H:%M:%S %Z %Y '\n",
};

static struct log_formats *load(void)
{
    enum { COUNT = sizeof templates / sizeof templates[0] };
    struct embedded_file files[COUNT + 1] = {0};
    struct log_formats *formats = NULL;
    for (int i = 0; i < COUNT; i++)
        files[i] = (struct embedded_file){"format.yaml", templates[i],
                                          templates[i] + strlen(templates[i])};
    if (log_formats_load(files, &formats, NULL) < 0)
        __builtin_trap();
    return formats;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct log_formats *formats;
    struct stamp stamp;
    int64_t taken;
    unsigned hint = 0;
    formats = formats ? formats : load();
    if (size < sizeof taken)
        return 0;
    memcpy(&taken, data, sizeof taken);
    /* Reading it again, with the hint, gives the same. */
    for (int round = 0; round < 2; round++) {
        if (!stamp_read(formats, (const char *)data + sizeof taken, size - sizeof taken, &hint,
                        &stamp))
            return 0;
        if (stamp.month < 1 || stamp.month > 12 || stamp.day < 1 || stamp.day > 31 ||
            stamp.hour < 0 || stamp.hour > 24 || stamp.minute < 0 || stamp.minute > 59 ||
            stamp.second < 0 || stamp.second > 60)
            __builtin_trap();
        stamp_time(&stamp, taken % (1LL << 40));
    }
    return 0;
}
