/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A job of the spool as a disk gives it back: what is taken can be written again and reads the same,
 * and it can be shown.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "upload/spool/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job job = JOB_INIT, again = JOB_INIT;
    CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT, second = STRBUF_INIT,
                                          shown = STRBUF_INIT;
    if (job_parse("fuzz", (const char *)data, size, &job, NULL) < 0)
        return 0;
    const struct spool_list list = {.jobs = &job, .count = 1};
    assert(spool_list_text(&list, &shown, NULL) == 0 && spool_list_json(&list, &shown, NULL) == 0);
    assert(job_format(&job, &first, NULL) == 0);
    if (first.length <= JOB_MAX_BYTES) {
        assert(job_parse("fuzz", first.data, first.length, &again, NULL) == 0);
        assert(job_format(&again, &second, NULL) == 0);
        assert(strcmp(first.data, second.data) == 0);
    }
    job_release(&job);
    job_release(&again);
    return 0;
}
