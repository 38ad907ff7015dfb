/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Texts are never NULL and always UTF-8: what other programs and servers said is made so when it
 * comes in, once, and nobody has to think of it later.
 */
#include "healthcheck/history/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/strbuf.h"

const char *const check_action_names[] = {
    [CHECK_SCHEDULED] = "scheduled", [CHECK_RETRY] = "retry", [CHECK_ON_DEMAND] = "on-demand",
    [CHECK_LOCAL] = "local",         [CHECK_NOW] = "now",     NULL};
const char *const check_step_names[] = {[CHECK_LOCKING] = "locking",
                                        [CHECK_COLLECTING] = "collecting",
                                        [CHECK_ANALYSING] = "analysing",
                                        [CHECK_QUEUEING] = "queueing",
                                        [CHECK_SENDING] = "sending",
                                        [CHECK_SETTLED] = "settled",
                                        NULL};
const char *const check_result_names[] = {
    [CHECK_OK] = "ok", [CHECK_FAILED] = "failed", [CHECK_INTERRUPTED] = "interrupted", NULL};
const char *const check_upload_names[] = {[CHECK_STAYS] = "none",
                                          [CHECK_QUEUED] = "queued",
                                          [CHECK_SENT] = "sent",
                                          [CHECK_UNSENT] = "failed",
                                          NULL};
const char *const check_severity_names[] = {[CHECK_INFO] = "info",
                                            [CHECK_WARNING] = "warning",
                                            [CHECK_ERROR] = "error",
                                            [CHECK_CRITICAL] = "critical",
                                            NULL};

bool check_init(struct check *check)
{
    char **const texts[] = {&check->why,    &check->error,     &check->request,
                            &check->report, &check->sha256,    &check->url,
                            &check->job,    &check->upload_id, &check->upload_error};
    bool ok = true;
    memset(check, 0, sizeof *check);
    check->score = -1;
    check->uploaded_s = SCHEDULE_NEVER;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        ok &= (*texts[i] = strdup("")) != NULL;
    return ok;
}

void check_release(struct check *check)
{
    char *const texts[] = {check->why,    check->error,     check->request,
                           check->report, check->sha256,    check->url,
                           check->job,    check->upload_id, check->upload_error};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    check_forget_findings(check);
    memset(check, 0, sizeof *check);
}

/* Texts of errors are cut somewhere; JSON wants UTF-8. */
static char *copy_text(const char *value)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    escape_utf8(&text, value, strlen(value));
    strbuf_addc(&text, '\0');
    return strbuf_take(&text);
}

int check_set(char **field, const char *value, struct err *err)
{
    char *copy = copy_text(value);
    if (!copy)
        return err_nomem(err);
    free(*field);
    *field = copy;
    return 0;
}

int check_add_finding(struct check *check, const char *rule, const char *title, const char *hosts,
                      enum check_severity severity, struct err *err)
{
    if (check->finding_count == CHECK_MAX_FINDINGS)
        return 0;
    struct check_finding *more =
        reallocarray(check->findings, check->finding_count + 1, sizeof *more);
    if (!more)
        return err_nomem(err);
    check->findings = more;
    more += check->finding_count++;
    *more = (struct check_finding){copy_text(rule), copy_text(title), copy_text(hosts), severity};
    return more->rule && more->title && more->hosts ? 0 : err_nomem(err);
}

int check_add_unknown(struct check *check, const char *rule, struct err *err)
{
    if (check->unknown_count == CHECK_MAX_FINDINGS)
        return 0;
    char **more = reallocarray(check->unknown_rules, check->unknown_count + 1, sizeof *more);
    if (!more)
        return err_nomem(err);
    check->unknown_rules = more;
    more[check->unknown_count] = copy_text(rule);
    return more[check->unknown_count++] ? 0 : err_nomem(err);
}

void check_forget_findings(struct check *check)
{
    for (size_t i = 0; i < check->finding_count; i++) {
        free(check->findings[i].rule);
        free(check->findings[i].title);
        free(check->findings[i].hosts);
    }
    for (size_t i = 0; i < check->unknown_count; i++)
        free(check->unknown_rules[i]);
    free(check->findings);
    free(check->unknown_rules);
    check->findings = NULL;
    check->unknown_rules = NULL;
    check->finding_count = check->unknown_count = 0;
}

/* A title has values that change ("94 % full"), so it does not tell whether it is the same. */
bool check_has_finding(const struct check *check, const struct check_finding *finding)
{
    for (size_t i = 0; i < check->finding_count; i++)
        if (strcmp(check->findings[i].rule, finding->rule) == 0 &&
            strcmp(check->findings[i].hosts, finding->hosts) == 0)
            return true;
    return false;
}

bool check_is_unknown(const struct check *check, const char *rule)
{
    for (size_t i = 0; i < check->unknown_count; i++)
        if (strcmp(check->unknown_rules[i], rule) == 0)
            return true;
    return false;
}
