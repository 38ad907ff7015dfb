/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One entry from its source to a finished stage: source -> limit -> redactor -> obfuscation ->
 * stage.
 *
 * It fails closed: when a filter does not understand its input, what it let through so far is
 * thrown away and a notice takes its place. A run whose time is up keeps what an entry has so far,
 * if its filters can end anywhere.
 */
#include "collector/run/entry_run.h"

#include <inttypes.h>

#include "collector/redact/redact.h"
#include "collector/sources/source_child.h"
#include "collector/sources/source_file.h"
#include "common/io.h"

#define FILE_CHILD_MS                                                                              \
    30000 /* a file that is read in a child: kernel files answer in microseconds */
#define FILE_CHILD_SHARE    4   /* one that hangs leaves three quarters of the time to the others */
#define FILE_CHILD_LEAST_MS 500
#define THREAD_LEAST_MS     1000 /* a thread cannot be ended, only replaced: not for a busy moment */
#define COMMAND_SHARE       4    /* the same for commands: on a sick host even ps may hang */
#define COMMAND_LEAST_MS    5000 /* what is slow but healthy */

struct pipeline {
    const struct run *run;
    struct read_watch *watch;
    struct stage *stage;
    struct redactor *redactor;
    struct obfuscation *obfuscation; /* NULL: names and addresses stay */
    bool fed;  /* something came from the source */
    bool late; /* stopped by the deadline */
    bool stage_failed, disk_full;
    int redaction_failure;
};

static int to_stage(void *context, const void *bytes, size_t length, struct err *err)
{
    struct pipeline *pipeline = context;
    int r = stage_write(pipeline->stage, bytes, length, err);
    pipeline->stage_failed |= r < 0;
    pipeline->disk_full |= r == ERR_LIMIT;
    return r;
}

static int to_obfuscation(void *context, const void *bytes, size_t length, struct err *err)
{
    struct pipeline *pipeline = context;
    return pipeline->obfuscation ? obfuscation_write(pipeline->obfuscation, bytes, length, err)
                                 : to_stage(context, bytes, length, err);
}

static int from_source(void *context, const void *bytes, size_t length, struct err *err)
{
    struct pipeline *pipeline = context;
    pipeline->fed = true;
    if (io_now_ms() > pipeline->run->deadline_ms) {
        pipeline->late = true;
        return err_set(err, ERR_TIMEOUT, "the time for the whole run was up");
    }
    int r = redactor_write(pipeline->redactor, bytes, length, err);
    pipeline->redaction_failure = pipeline->stage_failed ? 0 : r;
    return r;
}

static int64_t time_left(const struct run *run, int64_t wanted_ms)
{
    int64_t left = run->deadline_ms - io_now_ms();
    return left < wanted_ms ? (left > 0 ? left : 0) : wanted_ms;
}

static int64_t share_of_time(const struct run *run, int divisor, int64_t least_ms,
                             int64_t most_ms)
{
    int64_t share = time_left(run, INT64_MAX) / divisor;
    int64_t wanted = share < least_ms ? least_ms : share;
    return time_left(run, wanted < most_ms ? wanted : most_ms);
}

/*
 * What one call into the kernel may take when a thread reads a local disk: as long as a child may
 * take for a whole file, since even a disk that tries again for half a minute does work.
 */
static int64_t thread_patience(const struct run *run)
{
    int64_t share = share_of_time(run, FILE_CHILD_SHARE, THREAD_LEAST_MS, FILE_CHILD_MS);
    return share > THREAD_LEAST_MS ? share : THREAD_LEAST_MS;
}

static int read_in_child(const struct run *run, struct plan_entry *entry, struct pipeline *pipeline,
                         struct err *err)
{
    char limit[24];
    snprintf(limit, sizeof limit, "%" PRId64, entry->limit);
    const char *const argv[] = {"read-file", entry->path, limit, NULL};
    struct child_request request = {.what = CHILD_READS_FILE,
                                    .argv = argv,
                                    .limit = -1,
                                    .time_limit_ms = share_of_time(run, FILE_CHILD_SHARE,
                                                                   FILE_CHILD_LEAST_MS,
                                                                   FILE_CHILD_MS),
                                    .cancelled = run->cancelled};
    entry->modified = time(NULL);
    return source_run_child(run->spawner, &request, from_source, pipeline, &entry->outcome, err);
}

static int read_file(const struct run *run, struct plan_entry *entry, struct pipeline *pipeline,
                     struct err *err)
{
    struct file_request request = {.root_fd = run->root_fd,
                                   .root = run->root,
                                   .path = entry->path,
                                   .limit = entry->limit,
                                   .avoid = run->mounts,
                                   .watch = pipeline->watch,
                                   .cancelled = run->cancelled};
    struct err risky = ERR_INIT;
    if (entry->unseen)
        return read_in_child(run, entry, pipeline, err);
    pipeline->watch->patience_ms = thread_patience(run);
    int r = source_read_file(&request, from_source, pipeline, &entry->outcome, &entry->modified,
                             &risky);
    if (r == ERR_UNSUPPORTED && !pipeline->fed)
        return read_in_child(run, entry, pipeline, err);
    return err_pass(err, r, &risky);
}

static int run_child(const struct run *run, struct plan_entry *entry, struct pipeline *pipeline,
                     struct err *err)
{
    struct child_request request = {.what = entry->kind == PLAN_FUNCTION ? CHILD_FUNCTION
                                                                         : CHILD_COMMAND,
                                    .argv = entry->argv,
                                    .input = entry->item->input,
                                    .limit = entry->limit,
                                    .time_limit_ms = share_of_time(run, COMMAND_SHARE, COMMAND_LEAST_MS,
                                                                   entry->time_limit_ms),
                                    .cancelled = run->cancelled};
    int r = source_run_child(run->spawner, &request, from_source, pipeline, &entry->outcome, err);
    entry->modified = time(NULL);
    return r;
}

static int replace_by_notice(struct pipeline *pipeline, struct plan_entry *entry, const char *why)
{
    struct strbuf notice = STRBUF_INIT;
    outcome_set(&entry->outcome, OUTCOME_FAILED,
                "left out because secrets could not be removed from it: %s", why);
    strbuf_addf(&notice, "[This entry was %s]\n", entry->outcome.reason);
    struct err ignored = ERR_INIT;
    int r = stage_reset(pipeline->stage, &ignored);
    if (r == 0 && pipeline->run->obfuscator) { /* the reason may tell a name */
        struct strbuf seen = STRBUF_INIT;
        r = obfuscate_text(pipeline->run->obfuscator, notice.data, notice.length, &seen, &ignored);
        strbuf_release(&notice);
        notice = seen;
    }
    if (r == 0)
        r = stage_write(pipeline->stage, notice.data, notice.length, &ignored);
    strbuf_release(&notice);
    return r;
}

/* What the filters still hold. */
static int finish_filters(struct pipeline *pipeline, struct plan_entry *entry, struct err *err)
{
    bool damaged = false;
    int r = redactor_finish(pipeline->redactor, err);
    if (r == 0 && pipeline->obfuscation)
        r = obfuscation_finish(pipeline->obfuscation, &damaged, err);
    if (r == 0 && damaged)
        outcome_set(&entry->outcome, OUTCOME_TRUNCATED,
                    "the compressed data is damaged; what could be read is there");
    return r;
}

/* From the source to the end of the filters. */
static int fetch(const struct run *run, struct plan_entry *entry, struct pipeline *pipeline,
                 struct err *err)
{
    int r =
        entry->path ? read_file(run, entry, pipeline, err) : run_child(run, entry, pipeline, err);
    if (r < 0 || !pipeline->fed)
        return r;
    r = finish_filters(pipeline, entry, err);
    pipeline->redaction_failure = pipeline->stage_failed ? 0 : r;
    return r;
}

/* What a command puts out cannot be had twice, so compressed output is rewritten at once. */
static int new_redactor(const struct plan_entry *entry, struct pipeline *pipeline, bool rewrite,
                        struct err *err)
{
    int r = redactor_new(entry->item->filters, to_obfuscation, pipeline, &pipeline->redactor, err);
    pipeline->obfuscation = obfuscation_free(pipeline->obfuscation);
    if (r == 0 && pipeline->run->obfuscator)
        r = obfuscation_new(pipeline->run->obfuscator, entry->name, to_stage, pipeline,
                            &pipeline->obfuscation, err);
    if (r == 0 && (rewrite || !entry->path))
        redactor_rewrite(pipeline->redactor);
    return r;
}

/* Secrets were found in a compressed file: reads it again and changes it on the way. */
static int fetch_rewritten(const struct run *run, struct plan_entry *entry,
                           struct pipeline *pipeline, struct err *err)
{
    redactor_free(TAKE(pipeline->redactor));
    pipeline->fed = false;
    pipeline->redaction_failure = 0;
    int r = stage_reset(pipeline->stage, err);
    if (r == 0)
        r = new_redactor(entry, pipeline, true, err);
    return r == 0 ? fetch(run, entry, pipeline, err) : r;
}

/*
 * Turns a failure on the way into an outcome. Returns negative when the stage must not be used.
 */
static int settle(struct pipeline *pipeline, struct plan_entry *entry, int r, const struct err *why)
{
    struct err finish = ERR_INIT;
    if (r < 0 && !pipeline->late && !pipeline->redaction_failure) {
        outcome_set(&entry->outcome, pipeline->disk_full ? OUTCOME_OMITTED : OUTCOME_FAILED, "%s",
                    why->text);
        return r;
    }
    if (pipeline->redactor)
        entry->redactions = redactor_count(pipeline->redactor);
    if (pipeline->redaction_failure)
        return replace_by_notice(pipeline, entry, why->text);
    if (pipeline->late) {
        if (pipeline->fed && finish_filters(pipeline, entry, &finish) < 0)
            return replace_by_notice(pipeline, entry, finish.text);
        entry->redactions = redactor_count(pipeline->redactor);
        outcome_set(&entry->outcome, OUTCOME_TRUNCATED, "the time for the whole run was up");
    }
    return 0;
}

/* What could not be started still has an empty member, as readers of such archives expect. */
static bool wants_member(const struct plan_entry *entry)
{
    const enum outcome_status status = entry->outcome.status;
    bool command = entry->kind == PLAN_COMMAND && !entry->path;
    return outcome_has_member(status) || status == OUTCOME_FAILED ||
           (command && (status == OUTCOME_MISSING || status == OUTCOME_DENIED));
}

static int collect(const struct run *run, struct plan_entry *entry, struct pipeline *pipeline)
{
    struct err why = ERR_INIT;
    int r = fetch(run, entry, pipeline, &why);
    if (pipeline->redaction_failure && redactor_wants_rewrite(pipeline->redactor)) {
        why = (struct err)ERR_INIT;
        r = fetch_rewritten(run, entry, pipeline, &why);
    }
    if (r == ERR_CANCELLED) {
        outcome_set(&entry->outcome, OUTCOME_OMITTED, "interrupted");
        return r;
    }
    r = settle(pipeline, entry, r, &why);
    if (r < 0)
        return r;
    struct err finish = ERR_INIT;
    r = stage_finish(pipeline->stage, &finish);
    if (r < 0)
        outcome_set(&entry->outcome, r == ERR_LIMIT ? OUTCOME_OMITTED : OUTCOME_FAILED, "%s",
                    finish.text);
    return r;
}

static void record(struct plan_entry *entry, const struct stage *stage)
{
    entry->bytes = stage_size(stage);
    snprintf(entry->md5, sizeof entry->md5, "%s", stage_md5(stage));
    snprintf(entry->sha256, sizeof entry->sha256, "%s", stage_sha256(stage));
}

int entry_run(const struct run *run, struct plan_entry *entry, struct read_watch *watch,
              struct stage **ret, struct err *err)
{
    struct pipeline pipeline = {.run = run, .watch = watch};
    struct err why = ERR_INIT;
    int64_t begun = io_now_ms();
    *ret = NULL;
    struct stage_options options = run->stage;
    options.room = run->room;
    if (entry->item->pack)
        options.encoding = STAGE_PLAIN; /* the tar around it is what gets compressed */
    int r = stage_new(&options, &pipeline.stage, &why);
    if (r == 0)
        r = new_redactor(entry, &pipeline, false, &why);
    if (r < 0)
        outcome_set(&entry->outcome, OUTCOME_FAILED, "%s", why.text);
    else
        r = collect(run, entry, &pipeline);
    if (pipeline.redactor)
        redactor_free(pipeline.redactor);
    obfuscation_free(pipeline.obfuscation);
    entry->duration_ms = io_now_ms() - begun;
    if (r == 0 && wants_member(entry)) {
        record(entry, pipeline.stage);
        *ret = TAKE(pipeline.stage);
    }
    if (pipeline.stage)
        stage_free(pipeline.stage);
    return r == ERR_CANCELLED ? err_set(err, r, "interrupted") : 0;
}
