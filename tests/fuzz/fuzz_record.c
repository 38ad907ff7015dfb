/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A record of an unfinished upload, from a disk that lost power: it is read whole, or not at all.
 */
#include <stdint.h>

#include "upload/state/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record *record = record_new_volatile();
    if (!record)
        return 0;
    if (size <= RECORD_MAX_BYTES && !record_parse(record, (const char *)data, size) &&
        !record_is_empty(record))
        __builtin_trap();
    const char *url = record_get(record, "url");
    if (url && record_set(record, "copy", url, NULL) == 0 &&
        strcmp(record_get(record, "copy"), url) != 0)
        __builtin_trap();
    record_close(record);
    return 0;
}
