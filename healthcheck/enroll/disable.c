/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What this host itself could do is taken from it first: whatever becomes of XAPI then, nothing
 * leaves any more. A pool that never was asked stays never asked, so that XenCenter may still ask.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "healthcheck/enroll/credential.h"
#include "healthcheck/enroll/enroll.h"
#include "healthcheck/enroll/orphans.h"
#include "healthcheck/enroll/uploader.h"

#define DROP_LIMIT_MS 180000 /* somebody may be adding a report to the spool */
#define TRIES         3      /* when others write the map at the same moment */

static const char *const secrets[] = {CONFIG_UPLOAD_TOKEN, CONFIG_DIAGNOSTIC_TOKEN, CONFIG_USER,
                                      CONFIG_PASSWORD};

/* A check whose report was on its way holds it, and nothing of that is sent any more. */
static bool is_locked_by_us(const struct enroll_place *place, const struct config *config)
{
    const char *lock = config_get(config, CONFIG_LOCK);
    size_t length = strlen(place->service);
    return lock && length && strncmp(lock, place->service, length) == 0 && lock[length] == '|';
}

static bool is_off(const struct enroll_place *place, const struct config *config)
{
    const char *enrollment = config_get(config, CONFIG_ENROLLMENT);
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
        if (config_get(config, secrets[i]))
            return false;
    return (!enrollment || strcmp(enrollment, "false") == 0) && !is_locked_by_us(place, config);
}

static int switch_off(const struct enroll_place *place, struct xapi *xapi,
                      const struct config *config, struct err *err)
{
    const char *uuids[ARRAY_SIZE(secrets)];
    struct config_change changes[ARRAY_SIZE(secrets) + 2] = {{CONFIG_ENROLLMENT, "false"}};
    size_t count = ARRAY_SIZE(secrets) + 1;
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        uuids[i] = config_get(config, secrets[i]);
        changes[i + 1] = (struct config_change){secrets[i], NULL};
    }
    if (is_locked_by_us(place, config))
        changes[count++] = (struct config_change){CONFIG_LOCK, ""};
    int r = orphans_note(place->state, uuids, ARRAY_SIZE(uuids), err);
    return r == 0 ? config_change(xapi, changes, count, NULL, err) : r;
}

static int disable_pool(const struct enroll_place *place, struct xapi *xapi, struct err *err)
{
    for (int i = 0; i <= TRIES; i++) {
        CLEANUP(config_cleanup) struct config *config = NULL;
        int r = config_read(xapi, &config, err);
        if (r == 0 && is_off(place, config))
            return orphans_settle(place->state, xapi, err);
        if (r == 0 && i < TRIES)
            r = switch_off(place, xapi, config, err);
        if (r < 0)
            return r;
    }
    return err_set(err, ERR_AGAIN,
                   "somebody else keeps changing the pool's health_check_config: close XenCenter's "
                   "Health Check dialog and try again");
}

static int disable_at_xapi(const struct enroll_place *place, struct err *err)
{
    CLEANUP(xapi_cleanup) struct xapi *xapi = NULL;
    const struct xapi_options options = {
        .root = place->root, .program = "xen-healthcheck", .cancelled = place->cancelled};
    struct xapi_facts facts;
    enum xapi_role role;
    int r = xapi_open(&options, &role, &xapi, &facts, err);
    if (r < 0)
        return r;
    if (role == XAPI_SUPPORTER)
        return err_set(
            err, ERR_UNSUPPORTED,
            "this host is a supporter of its pool: the pool's own enrollment is ended on "
            "the coordinator%s%s",
            facts.coordinator[0] ? ", " : "", facts.coordinator);
    if (!xapi)
        return 0;
    xapi_finish(xapi);
    return disable_pool(place, xapi, err);
}

/* What was put aside for sending must not be sent either. */
static int empty_spool(const struct enroll_place *place, struct err *err)
{
    const char *const words[] = {"--queue", place->spool, "--drop", NULL};
    char jobs[PATH_MAX];
    snprintf(jobs, sizeof jobs, "%s/jobs", place->spool);
    if (access(jobs, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (access(place->uploader, X_OK) < 0)
        return 0; /* who could send it? */
    int r = uploader_run(place, words, false, DROP_LIMIT_MS, err);
    return err_prefix(err, r, "reports that wait in '%s' may still be sent", place->spool);
}

int enroll_disable(const struct enroll_place *place, struct err *err)
{
    struct err own = ERR_INIT;
    enrollment_forget(place->config, &own);
    credential_wipe(place->runtime, &own);
    empty_spool(place, &own);
    bool stopped = own.code == 0;
    int r = disable_at_xapi(place, &own);
    if (stopped && r != ERR_UNSUPPORTED)
        err_prefix(&own, r,
                   "nothing leaves this host any more, but the pool still counts as "
                   "enrolled, so run this again");
    if (own.code == 0)
        place->say(place->context, "Nothing leaves this host any more. Its reports stay where they "
                                   "are.");
    return err_pass(err, own.code, &own);
}
