/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a check leaves in the pool's keys, so that XenCenter's dialogs show it.
 *
 * XenCenter shows a result when ReportAnalysis.UploadUuid is UploadUuid; otherwise it asks the
 * service. So ours is complete in one write: success, id, severity and number. An enrolled pool
 * that sends nothing (nobody said where to) gets an id made of the report's digest: the check was
 * done, and its result is what XenCenter shows.
 */
#include <string.h>
#include <time.h>

#include "healthcheck/enroll/credential.h"
#include "healthcheck/run/step.h"
#include "healthcheck/run/upload_lock.h"
#include "healthcheck/schedule/keys.h"
#include "healthcheck/times/times.h"

#define MAX_CHANGES 8
#define UUID_BYTES  37

struct changes {
    struct config_change list[MAX_CHANGES];
    size_t count;
    char start[TIMES_LENGTH + 1], issues[16], made_id[UUID_BYTES];
};

static void change(struct changes *changes, const char *key, const char *value)
{
    changes->list[changes->count++] = (struct config_change){key, value};
}

/* XenCenter knows three words. */
static const char *severity_word(const struct check *check)
{
    if (check->counts[CHECK_CRITICAL] || check->counts[CHECK_ERROR])
        return "Error";
    return check->counts[CHECK_WARNING] ? "Warning" : "Info";
}

static const char *upload_id(const struct check *check, struct changes *changes)
{
    const char *d = check->sha256;
    if (check->upload_id[0])
        return check->upload_id;
    snprintf(changes->made_id, UUID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", d, d + 8, d + 12, d + 16,
             d + 20);
    return changes->made_id;
}

static bool is_served(const struct check *check, const char *request)
{
    int64_t ticks;
    if (check->request[0] && strcmp(request, check->request) == 0)
        return true; /* also when the clock of who asked is ahead of ours */
    return times_read(request, &ticks) && times_seconds(ticks) <= check->started_s;
}

static void change_success(const struct check *check, const struct config *config,
                           struct changes *changes)
{
    const char *request = config_get(config, CONFIG_REQUEST);
    const char *id = upload_id(check, changes);
    snprintf(changes->issues, sizeof changes->issues, "%d", check->issues);
    change(changes, CONFIG_LAST_SUCCESS, changes->start);
    change(changes, CONFIG_UPLOAD_UUID, id);
    change(changes, CONFIG_ANALYSIS_SEVERITY, severity_word(check));
    change(changes, CONFIG_ANALYSIS_ISSUES, changes->issues);
    change(changes, CONFIG_ANALYSIS_UPLOAD, id);
    change(changes, CONFIG_ANALYSIS_TIME, changes->start);
    if (!request || is_served(check, request)) /* the original service wants the key to exist */
        change(changes, CONFIG_REQUEST, "");
}

static bool is_success(const struct check *check)
{
    return check->result == CHECK_OK &&
           (check->upload == CHECK_SENT || check->upload == CHECK_STAYS);
}

static int open_pool(const struct run *run, struct xapi **ret, struct config **ret_config,
                     struct err *err)
{
    CLEANUP(xapi_cleanup) struct xapi *xapi = NULL;
    enum xapi_role role;
    int r = situation_open_xapi(run->options->settings, 0, &role, &xapi, NULL, err);
    if (r == 0 && role != XAPI_COORDINATOR)
        r = err_set(err, ERR_DENIED, "this host does not coordinate the pool any more");
    r = r < 0 ? r : config_read(xapi, ret_config, err);
    if (r == 0)
        *ret = TAKE(xapi);
    return r;
}

/* `check` NULL: only the lock is given back. */
static int tell_pool(struct run *run, const struct check *check, struct err *err)
{
    CLEANUP(xapi_cleanup) struct xapi *xapi = NULL;
    CLEANUP(config_cleanup) struct config *config = NULL;
    struct changes changes = {.count = 0};
    char uuid[STORE_UUID_BYTES];
    int r = open_pool(run, &xapi, &config, err);
    r = r < 0 ? r : store_uuid(run->store, uuid, err);
    if (r < 0)
        return r;
    if (check) {
        times_write(check->started_s * TIMES_TICKS, changes.start);
        if (is_success(check))
            change_success(check, config, &changes);
        else
            change(&changes, CONFIG_LAST_FAILURE, changes.start);
    }
    if (upload_lock_is_ours(config, uuid))
        change(&changes, CONFIG_LOCK, "");
    return changes.count ? config_change(xapi, changes.list, changes.count, NULL, err) : 0;
}

int outcome_tell_late(struct run *run, const struct check *check, struct err *err)
{
    CLEANUP(xapi_cleanup) struct xapi *xapi = NULL;
    CLEANUP(config_cleanup) struct config *config = NULL;
    struct changes changes = {.count = 0};
    int64_t ticks;
    int r = open_pool(run, &xapi, &config, err);
    if (r < 0)
        return r;
    const char *enrollment = config_get(config, CONFIG_ENROLLMENT);
    const char *success = config_get(config, CONFIG_LAST_SUCCESS);
    bool is_over = !enrollment || strcmp(enrollment, "true") != 0;
    if (is_over ||
        (success && times_read(success, &ticks) && times_seconds(ticks) >= check->started_s &&
         times_seconds(ticks) <= (int64_t)time(NULL) + SCHEDULE_SKEW_S))
        return 0;
    times_write(check->started_s * TIMES_TICKS, changes.start);
    change_success(check, config, &changes);
    return config_change(xapi, changes.list, changes.count, NULL, err);
}

bool outcome_is_overdue(const struct check *check)
{
    int64_t age = (int64_t)time(NULL) - check->started_s;
    return age >= STEP_MAX_LIFE_S || age < -SCHEDULE_SKEW_S;
}

int outcome_unlock(struct run *run, const struct check *check, struct err *err)
{
    struct err why = ERR_INIT;
    int r = tell_pool(run, NULL, &why);
    if (r < 0 && !outcome_is_overdue(check)) {
        run_say(run, "The pool's lock is given back by the next run: %s", why.text);
        return 0;
    }
    return pending_drop(run->store, err);
}

int outcome_record(struct run *run, struct check *check, struct err *err)
{
    struct err why = ERR_INIT;
    size_t limit = (size_t)run->options->settings->keep.runs;
    int told = check->shared ? tell_pool(run, check, &why) : 0;
    check->step = CHECK_SETTLED;
    int r = history_put(run->store, &run->history, check, limit, err);
    if (told < 0)
        run_say(run, "The pool's keys could not be written: %s", why.text);
    if (r < 0 || !run->tracked)
        return r;
    credential_wipe(run->options->credentials, NULL);
    return told < 0 && !outcome_is_overdue(check) ? pending_save(run->store, check, err)
                                                  : pending_drop(run->store, err);
}
