/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A host whose XAPI is installed but silent counts as standalone for the *local* schedule only: a
 * control domain in trouble is what a health check is for. It never acts for the pool, since
 * without a session it can neither take the lock nor send anything.
 */
#include "healthcheck/run/situation.h"

#include <string.h>

#include "healthcheck/schedule/keys.h"

#define PROGRAM    "xen-healthcheck"
#define STANDALONE "standalone" /* as enrollment.yaml says it */

int situation_open_xapi(const struct settings *settings, int64_t patience_ms,
                        enum xapi_role *ret_role, struct xapi **ret, struct xapi_facts *ret_facts,
                        struct err *err)
{
    struct xapi_options options = {
        .root = settings->xapi.root, .program = PROGRAM, .patience_ms = patience_ms};
    return xapi_open(&options, ret_role, ret, ret_facts, err);
}

static void note_error(struct situation *situation, const char *what, const struct err *err)
{
    char message[800];
    strbuf_addf(&situation->notes, "%s: %s.\n", what, err_message(err, message, sizeof message));
}

static void look_at_pool(const struct situation_place *place, struct situation *situation)
{
    struct err err = ERR_INIT;
    enum xapi_role role = XAPI_ABSENT;
    struct schedule_facts *facts = &situation->facts;
    int r = situation_open_xapi(place->settings, place->patience_ms, &role, &situation->xapi,
                                &situation->about, &err);
    if (r == 0 && role == XAPI_COORDINATOR)
        r = config_read(situation->xapi, &situation->config, &err);
    if (r < 0) {
        note_error(situation, "XAPI does not answer as it should, so this host is looked at alone",
                   &err);
        situation->unreachable = true;
        situation->xapi = xapi_close(situation->xapi);
        return;
    }
    facts->role = role == XAPI_COORDINATOR ? SCHEDULE_COORDINATOR
                  : role == XAPI_SUPPORTER ? SCHEDULE_SUPPORTER
                                           : SCHEDULE_STANDALONE;
    if (situation->config)
        keys_read(situation->config, &facts->pool, &situation->notes);
}

/* Where reports go is for this host's root to say (enrollment.yaml), never for the pool's keys,
 * which every pool operator can write. */
static void look_at_enrollment(const struct situation_place *place, struct situation *situation)
{
    struct err err = ERR_INIT;
    const struct schedule_facts *facts = &situation->facts;
    struct enrollment *enrollment = &situation->enrollment;
    int r = enrollment_load(place->config, enrollment, &err);
    if (r < 0)
        memset(enrollment, 0, sizeof *enrollment);
    situation->unreadable = r < 0 && r != ERR_NOTFOUND;
    if (situation->unreadable)
        note_error(situation, "The enrollment of this host cannot be read, so nothing is sent",
                   &err);
    bool here =
        r == 0 && !situation->unreachable &&
        strcmp(enrollment->pool,
               facts->role == SCHEDULE_COORDINATOR ? situation->about.pool_uuid : STANDALONE) == 0;
    bool coordinator = facts->role == SCHEDULE_COORDINATOR;
    situation->enrolled = coordinator ? facts->pool.enrolled : here;
    if (!situation->enrolled || facts->role == SCHEDULE_SUPPORTER)
        return;
    if (here)
        snprintf(situation->url, sizeof situation->url, "%s", enrollment->url);
}

static void fill_local(const struct situation_place *place, struct schedule_local *local)
{
    const struct settings *settings = place->settings;
    *local = (struct schedule_local){
        .enabled = settings->schedule.enabled,
        .every_days = settings->schedule.every_days,
        .weekday = settings->schedule.weekday,
        .hour = settings->schedule.hour,
        .retry_s = settings->schedule.retry_s,
        .last_success_s = SCHEDULE_NEVER,
        .last_failure_s = SCHEDULE_NEVER,
    };
    if (!place->history)
        return;
    local->forgotten = place->history->lost;
    history_times(place->history, &local->last_success_s, &local->last_failure_s);
}

int situation_look(const struct situation_place *place, struct situation *ret, struct err *err)
{
    struct err why = ERR_INIT;
    memset(ret, 0, sizeof *ret);
    ret->notes = (struct strbuf)STRBUF_INIT;
    ret->facts.now_s = place->now_s;
    ret->facts.own_uuid = ret->uuid;
    ret->facts.pending_s = place->pending ? place->pending->started_s : SCHEDULE_NEVER;
    if (place->store && store_uuid(place->store, ret->uuid, &why) < 0)
        note_error(ret, "The name of this service cannot be read", &why);
    fill_local(place, &ret->facts.local);
    look_at_pool(place, ret);
    look_at_enrollment(place, ret);
    return strbuf_ok(&ret->notes) ? 0 : err_nomem(err);
}

void situation_release(struct situation *situation)
{
    situation->config = config_free(situation->config);
    situation->xapi = xapi_close(situation->xapi);
    strbuf_release(&situation->notes);
}
