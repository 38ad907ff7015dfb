/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order is what makes it safe. Secrets are noted before anything names them; this host's files
 * come before the pool's keys, because without Enrollment=true they do nothing; the pool's map is
 * written in one call, and looked at again, since others write it whole too. Then either the map
 * names our token, and we are enrolled, or it does not, and all is put back.
 */
#include "healthcheck/enroll/enroll.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/secret.h"
#include "healthcheck/enroll/enrollment.h"
#include "healthcheck/enroll/orphans.h"
#include "healthcheck/enroll/plan.h"
#include "healthcheck/enroll/tokens.h"
#include "healthcheck/enroll/uploader.h"
#include "healthcheck/times/times.h"

#define RETRY_DAYS "7" /* as XenCenter */
#define TRIES      3   /* when others write the map at the same moment */

struct secrets {
    char upload[XAPI_UUID_BYTES], diagnostic[XAPI_UUID_BYTES]; /* uuids, or "" */
};

static void fill_in(const struct enroll_request *request, const struct plan *plan,
                    const struct tokens *tokens, const struct secrets *secrets,
                    struct enrollment *enrollment)
{
    *enrollment =
        (struct enrollment){.credential = tokens->lines[0]     ? ENROLLMENT_LOCAL
                                          : secrets->upload[0] ? ENROLLMENT_XAPI_TOKEN
                                                               : ENROLLMENT_NO_CREDENTIAL};
    snprintf(enrollment->url, sizeof enrollment->url, "%s", request->url);
    snprintf(enrollment->pool, sizeof enrollment->pool, "%s",
             plan->role == XAPI_ABSENT ? "standalone" : plan->facts.pool_uuid);
    snprintf(enrollment->token, sizeof enrollment->token, "%s", secrets->upload);
    times_write_short(time(NULL), enrollment->enrolled);
}

static int create_secret(const struct enroll_place *place, struct xapi *xapi, const char *value,
                         const char *mark, char uuid[XAPI_UUID_BYTES], struct err *err)
{
    const char *const noted[] = {uuid};
    if (!*value)
        return 0;
    int r = xapi_secret_create(xapi, value, mark, uuid, err);
    return r == 0 ? orphans_note(place->state, noted, 1, err) : r;
}

/* The old ones are noted too: nothing will name them. */
static int create_secrets(const struct enroll_place *place, struct xapi *xapi,
                          const struct config *config, const struct tokens *tokens,
                          struct secrets *secrets, struct err *err)
{
    char mark[ORPHANS_MARK_BYTES];
    const char *const old[] = {config_get(config, CONFIG_UPLOAD_TOKEN),
                               config_get(config, CONFIG_DIAGNOSTIC_TOKEN)};
    int r = orphans_note(place->state, old, ARRAY_SIZE(old), err);
    if (r == 0)
        r = orphans_begin(place->state, mark, err);
    if (r == 0)
        r = create_secret(place, xapi, tokens->upload, mark, secrets->upload, err);
    if (r == 0)
        r = create_secret(place, xapi, tokens->diagnostic, mark, secrets->diagnostic, err);
    return r == 0 ? orphans_named(place->state, mark, err) : r;
}

static bool is_ours(const struct config *config, const struct secrets *secrets)
{
    const char *enrollment = config_get(config, CONFIG_ENROLLMENT);
    const char *token = config_get(config, CONFIG_UPLOAD_TOKEN);
    return enrollment && strcmp(enrollment, "true") == 0 &&
           strcasecmp(token ? token : "", secrets->upload) == 0;
}

/* Writes the keys until they are there. */
static int write_keys(struct xapi *xapi, const struct plan *plan, const struct secrets *secrets,
                      struct err *err)
{
    int r = 0;
    for (int i = 0; r == 0 && i < TRIES; i++) {
        CLEANUP(config_cleanup) struct config *before = NULL, *after = NULL;
        r = config_read(xapi, &before, err);
        if (r < 0)
            break;
        const char *request = config_get(before, CONFIG_REQUEST);
        const char *retry = config_get(before, CONFIG_RETRY);
        const struct config_change changes[] = {
            {CONFIG_ENROLLMENT, "true"},
            {CONFIG_INTERVAL, plan->interval},
            {CONFIG_DAY, plan->weekday},
            {CONFIG_HOUR, plan->hour},
            {CONFIG_RETRY, retry ? retry : RETRY_DAYS},
            {CONFIG_REQUEST, request ? request : ""},
            {CONFIG_UPLOAD_TOKEN, secrets->upload[0] ? secrets->upload : NULL},
            {CONFIG_DIAGNOSTIC_TOKEN, secrets->diagnostic[0] ? secrets->diagnostic : NULL},
        };
        r = config_change(xapi, changes, ARRAY_SIZE(changes), NULL, err);
        if (r == 0)
            r = config_read(xapi, &after, err);
        if (r == 0 && is_ours(after, secrets))
            return 0;
    }
    return r < 0 ? r
                 : err_set(err, ERR_AGAIN,
                           "somebody else keeps changing the pool's health_check_config: close "
                           "XenCenter's Health Check dialog and try again");
}

/* After a failure: did XAPI take the keys all the same, before the connection died? */
static bool is_written(struct xapi *xapi, const struct secrets *secrets)
{
    CLEANUP(config_cleanup) struct config *config = NULL;
    return config_read(xapi, &config, NULL) == 0 && is_ours(config, secrets);
}

static int store(const struct enroll_place *place, const struct enroll_request *request,
                 const struct plan *plan, struct xapi *xapi, const struct tokens *tokens,
                 const struct secrets *secrets, struct err *err)
{
    struct enrollment_backup backup;
    struct enrollment enrollment;
    struct err own = ERR_INIT;
    int r = enrollment_back_up(place->config, &backup, &own);
    if (r == 0) {
        fill_in(request, plan, tokens, secrets, &enrollment);
        r = enrollment_save(place->config, &enrollment, tokens->lines, &own);
        if (r == 0 && xapi) {
            r = write_keys(xapi, plan, secrets, &own);
            if (r < 0 && is_written(xapi, secrets))
                r = 0;
        }
        if (r < 0)
            enrollment_restore(place->config, &backup, NULL);
    }
    enrollment_backup_release(&backup);
    return err_pass(err, r, &own);
}

static int enroll_pool(const struct enroll_place *place, const struct enroll_request *request,
                       const struct plan *plan, struct xapi *xapi, const struct config *config,
                       const struct tokens *tokens, struct err *err)
{
    struct secrets secrets = {.upload = ""};
    struct err own = ERR_INIT;
    int r = create_secrets(place, xapi, config, tokens, &secrets, err);
    if (r == 0)
        r = store(place, request, plan, xapi, tokens, &secrets, err);
    if (orphans_settle(place->state, xapi, &own) < 0)
        place->say(place->context,
                   "A secret of XAPI that nobody needs any more could not be removed; "
                   "the next enroll or disable tries again.");
    return r;
}

static int enroll_host(const struct enroll_place *place, const struct enroll_request *request,
                       const struct plan *plan, struct tokens *tokens, struct err *err)
{
    const struct secrets none = {.upload = ""};
    if (tokens->upload[0]) {
        snprintf(tokens->lines, sizeof tokens->lines, "token=%.4000s\n", tokens->upload);
        secret_forget(tokens->upload, sizeof tokens->upload);
    }
    return store(place, request, plan, NULL, tokens, &none, err);
}

static int agree(const struct enroll_place *place, const struct enroll_request *request,
                 const struct plan *plan, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    plan_describe(request, plan, &text);
    if (!strbuf_ok(&text))
        return err_nomem(err);
    if (request->yes) {
        char *save = NULL;
        for (char *line = strtok_r(text.data, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save))
            place->say(place->context, line);
        return 0;
    }
    if (!place->confirm)
        return err_set(err, ERR_USAGE,
                       "nobody can be asked here whether reports may leave the house: give --yes");
    return place->confirm(place->context, text.data)
               ? 0
               : err_set(err, ERR_CANCELLED, "nothing was changed");
}

static int check_role(const struct plan *plan, struct err *err)
{
    if (plan->role != XAPI_SUPPORTER)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "this host is a supporter of its pool: run it on the coordinator%s%s",
                   plan->facts.coordinator[0] ? ", " : "", plan->facts.coordinator);
}

int enroll_run(const struct enroll_place *place, const struct enroll_request *request,
               struct err *err)
{
    CLEANUP(xapi_cleanup) struct xapi *xapi = NULL;
    CLEANUP(config_cleanup) struct config *config = NULL;
    const struct xapi_options options = {
        .root = place->root, .program = "xen-healthcheck", .cancelled = place->cancelled};
    struct plan plan = {.role = XAPI_ABSENT};
    struct tokens tokens = {.upload = ""};
    int r = xapi_open(&options, &plan.role, &xapi, &plan.facts, err);
    if (r == 0)
        r = check_role(&plan, err);
    if (r == 0 && xapi)
        r = orphans_settle(place->state, xapi, err);
    if (r == 0 && xapi)
        r = config_read(xapi, &config, err);
    if (r == 0)
        r = plan_schedule(request, config, &plan, err);
    if (r == 0)
        r = uploader_check(place, request, err);
    if (r == 0)
        r = agree(place, request, &plan, err);
    if (r == 0)
        r = tokens_get(place, request, &tokens, err);
    if (r == 0 && xapi)
        xapi_finish(xapi);
    if (r == 0)
        r = xapi ? enroll_pool(place, request, &plan, xapi, config, &tokens, err)
                 : enroll_host(place, request, &plan, &tokens, err);
    tokens_forget(&tokens);
    if (r == 0)
        place->say(place->context, "Enrolled. The timer must be on, too: systemctl enable --now "
                                   "xen-healthcheck.timer");
    return r;
}
