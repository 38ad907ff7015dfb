/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A check of the history: what is read as one is written and read again the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "healthcheck/history/check.h"

#define MAX_INPUT (64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct check check, again;
    struct err err = ERR_INIT;
    json_t *json = size > MAX_INPUT ? NULL : json_loadb((const char *)data, size, 0, NULL);
    if (!json)
        return 0;
    if (check_from_json(json, &check, &err) == 0) {
        json_t *written = check_to_json(&check);
        assert(written && check_from_json(written, &again, &err) == 0);
        json_t *rewritten = check_to_json(&again);
        assert(json_equal(written, rewritten));
        json_decref(written);
        json_decref(rewritten);
        check_release(&again);
    }
    check_release(&check);
    json_decref(json);
    return 0;
}
