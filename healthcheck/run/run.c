/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order of everything. A check that fails is not an error of the run: it is recorded, the pool
 * hears of it, and the schedule knows when to try again.
 *
 * XAPI's session is not kept while a report is collected: that takes minutes or hours, in which the
 * pool may get another coordinator. Who we are is looked at again before anything is sent.
 */
#include "healthcheck/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "common/replace.h"
#include "healthcheck/history/reports.h"
#include "healthcheck/run/step.h"
#include "healthcheck/run/upload_lock.h"

#define MAX_ARGUMENTS 128
#define MAX_ERRORS    (64 << 10) /* of a program's standard error that are kept */
#define MAX_METRICS   (16 << 20)
#define METRICS_MODE  0644 /* node_exporter is not root */
#define LATEST        "latest"
#define MAX_IN_A_ROW  60 /* beyond that it is the clock that was set back */

void run_say(const struct run *run, const char *format, ...)
{
    char line[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (run->options->say)
        run->options->say(run->options->context, line);
}

static void say_lines(const struct run *run, const struct strbuf *lines)
{
    const char *end;
    for (const char *line = lines->data; (end = strchr(line, '\n')); line = end + 1)
        run_say(run, "%.*s", (int)(end - line), line);
}

int run_step(const struct run *run, struct check *check, enum check_step step, struct err *err)
{
    check->step = step;
    return run->tracked ? pending_save(run->store, check, err) : 0;
}

int run_program(const struct run *run, const char *program, const char *const *own,
                const char *const *more, int64_t limit_s, unsigned accepted, struct strbuf *out,
                int *ret_status, struct err *err)
{
    char path[4096];
    const char *argv[MAX_ARGUMENTS];
    size_t count = 0;
    CLEANUP(strbuf_release) struct strbuf errors = STRBUF_INIT_MAX(MAX_ERRORS);
    struct child_end end;
    int r = child_find(program, path, sizeof path, err);
    if (r < 0)
        return r;
    argv[count++] = path;
    for (; *more && count < MAX_ARGUMENTS - 1; more++) /* first: what we say comes last and holds */
        argv[count++] = *more;
    for (; *own && count < MAX_ARGUMENTS - 1; own++)
        argv[count++] = *own;
    if (*own)
        return err_set(err, ERR_LIMIT, "too many arguments for %s", program);
    argv[count] = NULL;
    struct child_spec spec = {.argv = argv,
                              .time_limit_ms = limit_s * 1000,
                              .cancelled = run->options->cancelled,
                              .out = out,
                              .errors = &errors};
    r = child_run(&spec, &end, err);
    if (r < 0)
        return r;
    if (end.outcome != CHILD_EXITED || end.status > 31 || !(accepted & 1U << end.status))
        return child_complain(&spec, &end, ERR_IO, err);
    if (ret_status)
        *ret_status = end.status;
    return 0;
}

static int look_around(const struct run *run, const struct check *pending,
                       struct situation *situation, struct err *err)
{
    struct situation_place place = {.settings = run->options->settings,
                                    .config = run->options->config,
                                    .store = run->store,
                                    .history = &run->history,
                                    .pending = pending,
                                    .now_s = (int64_t)time(NULL)};
    return situation_look(&place, situation, err);
}

/* The report, its analysis, and a copy of the metrics; what is kept stays when the rest fails. */
static int keep_results(struct run *run, const struct check *check, const char *report,
                        struct err *err)
{
    const char *target = run->options->settings->prometheus;
    CLEANUP(strbuf_release) struct strbuf metrics = STRBUF_INIT;
    struct err why = ERR_INIT;
    int r = store_keep(run->store, strrchr(report, '/') + 1, "reports", check->report, err);
    r = r < 0 ? r : store_keep(run->store, "findings.json", LATEST, "findings.json", err);
    r = r < 0 ? r : store_keep(run->store, "report.html", LATEST, "report.html", err);
    r = r < 0 ? r : store_keep(run->store, "xenhealth.prom", LATEST, "xenhealth.prom", err);
    if (r < 0 || !target)
        return r;
    int copied =
        io_read_file(store_fd(run->store), LATEST "/xenhealth.prom", MAX_METRICS, &metrics, &why);
    if (copied == 0)
        copied = replace_path(target, metrics.data, metrics.length, METRICS_MODE, &why);
    if (copied < 0)
        run_say(run, "The metrics could not be copied: %s", why.text);
    return 0;
}

static int collect_and_analyse(struct run *run, struct check *check, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf report = STRBUF_INIT;
    int r = run_step(run, check, CHECK_COLLECTING, err);
    r = r < 0 ? r : collect_report(run, check, &report, err);
    r = r < 0 ? r : run_step(run, check, CHECK_ANALYSING, err);
    if (r < 0)
        return r;
    r = analysis_run(run, check, report.data, err);
    if (r == 0)
        return keep_results(run, check, report.data, err);
    /* A report that could not be analysed is what its makers need. */
    if (store_keep(run->store, strrchr(report.data, '/') + 1, "reports", check->report, NULL) < 0)
        check->report[0] = '\0';
    return r;
}

static void prune(struct run *run, struct check *check)
{
    const struct settings *settings = run->options->settings;
    struct reports_limits limits = {settings->keep.reports, settings->keep.bytes,
                                    settings->keep.free_bytes};
    struct reports_usage usage;
    struct err why = ERR_INIT;
    store_empty_work(run->store, NULL, &why);
    if (reports_prune(run->store, &limits, -1, check->report, &usage, &why) < 0)
        run_say(run, "Old reports cannot be removed: %s", why.text);
    if (!reports_has(run->store, check->report))
        check->report[0] = '\0';
}

/* Ends a check that did not get to its end. Its cause is no error of the run. */
static int fail_check(struct run *run, struct check *check, int r, const struct err *why,
                      struct err *err)
{
    char message[800];
    check->finished_s = (int64_t)time(NULL);
    check->result = r == ERR_CANCELLED ? CHECK_INTERRUPTED : CHECK_FAILED;
    prune(run, check);
    int set = check_set(&check->error, err_message(why, message, sizeof message), err);
    return set < 0 ? set : outcome_record(run, check, err);
}

/* Not sent, for a reason that is known now; the check itself was good. */
static int fail_upload(struct run *run, struct check *check, const char *why, struct err *err)
{
    check->upload = CHECK_UNSENT;
    int r = check_set(&check->upload_error, why, err);
    return r < 0 ? r : outcome_record(run, check, err);
}

static int send_queued(struct run *run, struct check *check, struct err *err)
{
    bool pending;
    if (!run->options->spool_only)
        queue_work(run);
    return settle_sending(run, check, &pending, err);
}

/* From "analysed" to "the uploader has it"; also for a run that takes up what another began. */
static int send_report(struct run *run, struct check *check, struct err *err)
{
    CLEANUP(situation_release) struct situation situation = SITUATION_INIT;
    struct err why = ERR_INIT;
    char message[800];
    int r = run_step(run, check, CHECK_QUEUEING, err);
    if (r < 0)
        return r;
    r = look_around(run, check, &situation, err);
    if (r < 0)
        return r;
    if (situation.unreachable)
        return fail_upload(run, check, "XAPI did not answer when the report was to be sent", err);
    if (!situation.url[0]) /* somebody ended the enrollment meanwhile */
        return outcome_record(run, check, err);
    if (queue_add(run, check, &situation, &why) < 0)
        return fail_upload(run, check, err_message(&why, message, sizeof message), err);
    r = run_step(run, check, CHECK_SENDING, err);
    if (r == 0)
        r = history_put(run->store, &run->history, check, (size_t)run->options->settings->keep.runs,
                        err);
    return r == 0 ? send_queued(run, check, err) : r;
}

static enum check_action to_check_action(enum schedule_action action)
{
    switch (action) {
    case SCHEDULE_SCHEDULED:
        return CHECK_SCHEDULED;
    case SCHEDULE_RETRY:
        return CHECK_RETRY;
    case SCHEDULE_ON_DEMAND:
        return CHECK_ON_DEMAND;
    case SCHEDULE_LOCAL:
    case SCHEDULE_NOTHING:
        break;
    }
    return CHECK_LOCAL;
}

struct plan {
    enum check_action action;
    const char *why;
    bool pool, shared, sends;
};

static void make_plan(const struct run *run, const struct situation *situation,
                      const struct schedule_decision *decision, struct plan *ret)
{
    bool coordinator = situation->facts.role == SCHEDULE_COORDINATOR;
    bool on_behalf = run->options->now || decision->action != SCHEDULE_LOCAL;
    *ret = (struct plan){
        .action = run->options->now ? CHECK_NOW : to_check_action(decision->action),
        .why = run->options->now ? "somebody asked for it on this host" : decision->reason,
        .pool = coordinator && run->options->settings->collect.pool,
        .shared = coordinator && situation->enrolled && on_behalf && run->tracked &&
                  !schedule_is_locked(&situation->facts),
    };
    bool alone = situation->enrolled && situation->facts.role == SCHEDULE_STANDALONE;
    ret->sends = situation->url[0] && run->tracked && (ret->shared || alone);
    if (run->options->now && situation->enrolled && (alone ? !run->tracked : !ret->shared))
        run_say(run, "Another report is on its way, so the one of this check stays here.");
}

/* A check is known by the second in which it began; several may begin in one. */
static int64_t start_of(const struct run *run, int64_t now_s)
{
    const struct history *history = &run->history;
    int64_t last = history->count ? history->checks[history->count - 1].started_s : now_s - 1;
    return last >= now_s && last < now_s + MAX_IN_A_ROW ? last + 1 : now_s;
}

static int begin(const struct run *run, const struct situation *situation, const struct plan *plan,
                 struct check *check, struct err *err)
{
    const char *request = situation->config ? config_get(situation->config, CONFIG_REQUEST) : NULL;
    if (!check_init(check))
        return err_nomem(err);
    check->started_s = check->finished_s = start_of(run, situation->facts.now_s);
    check->action = plan->action;
    check->pool = plan->pool;
    check->shared = plan->shared;
    int r = check_set(&check->why, plan->why, err);
    if (r == 0 && plan->action == CHECK_ON_DEMAND && request)
        r = check_set(&check->request, request, err);
    return r;
}

/* ERR_EXISTS: not ours after all. */
static int take_lock(struct run *run, struct situation *situation, struct check *check,
                     struct err *err)
{
    struct err why = ERR_INIT, undo = ERR_INIT;
    int r = run_step(run, check, CHECK_LOCKING, err);
    if (r < 0)
        return r;
    r = upload_lock_take(situation->xapi, situation->uuid, check->started_s,
                         run->options->settings->xapi.confirm_s, run->options->cancelled, &why);
    if (r == 0)
        return 0;
    int undone = outcome_unlock(run, check, &undo);
    *err = undone < 0 ? undo : why;
    return undone < 0 ? undone : r;
}

static int perform(struct run *run, struct situation *situation, const struct plan *plan,
                   struct run_result *result, struct err *err)
{
    struct check *check = &result->check;
    struct err why = ERR_INIT;
    int r = begin(run, situation, plan, check, err);
    result->checked = r == 0;
    if (r == 0 && plan->shared)
        r = take_lock(run, situation, check, &why);
    situation->config = config_free(situation->config);
    situation->xapi = xapi_close(situation->xapi);
    if (r == ERR_EXISTS || r == ERR_CANCELLED) {
        result->checked = false;
        snprintf(result->reason, sizeof result->reason, "%.200s", why.text);
        return r == ERR_EXISTS ? 0 : err_set(err, r, "interrupted");
    }
    if (r == 0)
        r = collect_and_analyse(run, check, &why);
    if (r < 0)
        return fail_check(run, check, r, &why, err);
    check->finished_s = (int64_t)time(NULL);
    r = history_put(run->store, &run->history, check, (size_t)run->options->settings->keep.runs,
                    err);
    if (r == 0)
        r = plan->sends ? send_report(run, check, err) : outcome_record(run, check, err);
    prune(run, check);
    return r;
}

/* A check of an earlier run whose upload is under way: on with it, as far as it goes now. */
static int go_on(struct run *run, struct check *pending, bool *ret_pending, struct err *err)
{
    CLEANUP(situation_release) struct situation situation = SITUATION_INIT;
    if (pending->step == CHECK_QUEUEING) {
        int r = send_report(run, pending, err);
        *ret_pending = r == 0 && pending->step == CHECK_SENDING;
        return r;
    }
    int r = look_around(run, pending, &situation, err);
    if (r < 0)
        return r;
    queue_credential(run, &situation);
    if (run->options->spool_only)
        return 0;
    queue_work(run);
    r = settle_sending(run, pending, ret_pending, err);
    settle_tell(run, pending);
    return r;
}

static int decide_and_perform(struct run *run, const struct check *pending,
                              struct run_result *result, struct err *err)
{
    CLEANUP(situation_release) struct situation situation = SITUATION_INIT;
    struct schedule_decision decision;
    struct plan plan;
    int r = look_around(run, pending, &situation, err);
    if (r < 0)
        return r;
    say_lines(run, &situation.notes);
    schedule_decide(&situation.facts, &decision);
    snprintf(result->reason, sizeof result->reason, "%s", decision.reason);
    bool supporter = situation.facts.role == SCHEDULE_SUPPORTER;
    if (supporter || (decision.action == SCHEDULE_NOTHING && !run->options->now))
        return 0;
    run->tracked = pending == NULL;
    make_plan(run, &situation, &decision, &plan);
    return perform(run, &situation, &plan, result, err);
}

static int run_locked(struct run *run, struct run_result *result, struct err *err)
{
    CLEANUP(check_release) struct check pending = {.started_s = 0};
    bool is_pending = false;
    int r = history_load(run->store, true, &run->history, &run->notes, err);
    r = r < 0 ? r : settle(run, &pending, &is_pending, err);
    if (r == 0 && is_pending)
        r = go_on(run, &pending, &is_pending, err);
    if (r == 0)
        r = settle_late(run, err);
    say_lines(run, &run->notes);
    return r < 0 ? r : decide_and_perform(run, is_pending ? &pending : NULL, result, err);
}

int run_once(const struct run_options *options, struct store *store, struct run_result *ret,
             struct err *err)
{
    struct run run = {.options = options, .store = store, .tracked = true, .notes = STRBUF_INIT};
    char uuid[STORE_UUID_BYTES];
    memset(ret, 0, sizeof *ret);
    int r = store_lock(store, err);
    r = r < 0 ? r : store_uuid(store, uuid, err);
    r = r < 0 ? r : run_locked(&run, ret, err);
    history_release(&run.history);
    strbuf_release(&run.notes);
    return r;
}
