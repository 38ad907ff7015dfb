/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pool.health_check_config as anybody with the right to write it can make it: a decision comes out,
 * with a reason that fits on a terminal, and what comes next lies ahead.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "healthcheck/schedule/keys.h"

#define MAX_INPUT (64 << 10)
#define NOW       1795486200 /* 2026-11-24T02:10:00Z */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schedule_facts facts = {
        .now_s = NOW, .role = SCHEDULE_COORDINATOR, .own_uuid = "own", .pending_s = SCHEDULE_NEVER};
    struct schedule_decision decision;
    struct strbuf notes = STRBUF_INIT;
    struct config *config = NULL;
    struct err err = ERR_INIT;
    json_t *json = size > MAX_INPUT ? NULL : json_loadb((const char *)data, size, 0, NULL);
    if (json && config_from_json(json, &config, &err) == 0) {
        keys_read(config, &facts.pool, &notes);
        schedule_decide(&facts, &decision);
        assert(decision.action == SCHEDULE_NOTHING || facts.pool.enrolled);
        assert(decision.action == SCHEDULE_NOTHING || !schedule_is_locked(&facts));
        assert(decision.next == SCHEDULE_NOTHING || decision.next_s >= NOW);
        assert(decision.reason[0] && !strpbrk(decision.reason, "\n\033"));
        assert(!strchr(notes.data, '\033'));
        config_free(config);
    }
    strbuf_release(&notes);
    json_decref(json);
    return 0;
}
