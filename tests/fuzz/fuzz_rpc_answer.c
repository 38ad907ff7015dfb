/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an XAPI answers to a call: no bytes may crash us, and a map that was taken is written back
 * as it was.
 */
#include <assert.h>
#include <stdint.h>

#include "healthcheck/xapi/config.h"
#include "tests/unit/common/canned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct canned canned = {(const char *)data, size, 4096, STRBUF_INIT_MAX(4096), 0};
    struct canned *pointer = &canned;
    const struct limit limit = {.deadline_ms = io_now_ms() + 10000};
    struct rpc_way way = canned_way(&pointer);
    struct rpc_refusal refusal;
    struct err err = ERR_INIT;
    json_auto_t *result = NULL;
    CLEANUP(config_cleanup) struct config *config = NULL;
    if (size > 65536)
        return 0;
    int r = rpc_call(&way, "a.b", json_array(), &limit, &result, &refusal, &err);
    assert((r == 0) == (result != NULL) && (r == 0) == (err.code == 0));
    assert(strlen(refusal.code) < sizeof refusal.code);
    if (r == 0 && config_from_json(result, &config, NULL) == 0) {
        json_auto_t *again = config_to_json(config);
        assert(json_equal(result, again) && config_count(config) <= CONFIG_MAX_KEYS);
    }
    strbuf_release(&canned.asked);
    return 0;
}
