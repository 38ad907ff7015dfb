/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Other hosts may have an older tool, or the original one, which misses much. What ours has
 * redacted passes a second time as it is.
 *
 * A tar inside the report is left alone: text of another length would break it.
 */
#include "collector/pool/cleanse.h"

#include <string.h>

#include "collector/redact/redact.h"

struct cleansing {
    struct stage *stage;
    struct redactor *redactor;
    struct err stage_failure; /* of the stage; anything else is the redactor's */
};

static int to_stage(void *context, const void *bytes, size_t length, struct err *err)
{
    struct cleansing *cleansing = context;
    int r = stage_write(cleansing->stage, bytes, length, &cleansing->stage_failure);
    return r < 0 ? err_set(err, r, "%s", cleansing->stage_failure.text) : 0;
}

static int to_redactor(void *context, const void *bytes, size_t length, struct err *err)
{
    struct cleansing *cleansing = context;
    return redactor_write(cleansing->redactor, bytes, length, err);
}

/* One pass over the content. A failure says that what came out must not be used. */
static int pass(struct cleansing *cleansing, struct stage *raw, bool rewrite, struct err *err)
{
    static const char *const generic[] = {NULL};
    int r = redactor_new(generic, to_stage, cleansing, &cleansing->redactor, err);
    if (r == 0 && rewrite)
        redactor_rewrite(cleansing->redactor);
    if (r == 0)
        r = stage_read(raw, to_redactor, cleansing, err);
    return r == 0 ? redactor_finish(cleansing->redactor, err) : r;
}

static int write_notice(struct stage *stage, const char *why, struct err *err)
{
    char notice[700];
    snprintf(notice, sizeof notice,
             "[This entry was left out because secrets could not be removed from it: %s]\n", why);
    int r = stage_reset(stage, err);
    return r == 0 ? stage_write(stage, notice, strlen(notice), err) : r;
}

static int search(struct cleansing *cleansing, struct stage *raw, int64_t *ret_count,
                  struct err *err)
{
    struct err why = ERR_INIT;
    int r = pass(cleansing, raw, false, &why);
    if (r < 0 && cleansing->redactor && redactor_wants_rewrite(cleansing->redactor)) {
        redactor_free(TAKE(cleansing->redactor));
        err_clear(&why);
        r = stage_reset(cleansing->stage, &cleansing->stage_failure);
        if (r == 0)
            r = pass(cleansing, raw, true, &why);
    }
    *ret_count = cleansing->redactor ? redactor_count(cleansing->redactor) : 0;
    redactor_free(TAKE(cleansing->redactor));
    if (cleansing->stage_failure.code != 0)
        return err_set(err, cleansing->stage_failure.code, "%s", cleansing->stage_failure.text);
    return r < 0 ? write_notice(cleansing->stage, why.text, err) : 0;
}

static bool is_tar(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".tar") == 0;
}

int cleanse(const struct stage_options *options, struct stage *raw, const char *name,
            struct stage **ret, int64_t *ret_count, struct err *err)
{
    struct cleansing cleansing = {.redactor = NULL};
    int64_t count = 0;
    int r = stage_new(options, &cleansing.stage, err);
    if (r < 0)
        return r;
    r = is_tar(name) ? stage_read(raw, to_stage, &cleansing, err)
                     : search(&cleansing, raw, &count, err);
    if (r == 0)
        r = stage_finish(cleansing.stage, err);
    if (r < 0) {
        stage_free(cleansing.stage);
        return r;
    }
    *ret = cleansing.stage;
    *ret_count = count;
    return 0;
}
