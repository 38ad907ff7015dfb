/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/sources/source_child.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "collector/sources/read_child.h"

/* People search reports for it (source: the original). */
static const char timeout_marker[] = "\n** timeout **\n";

struct limited_sink {
    source_sink sink;
    void *context;
    int64_t limit, done;
    bool full;
};

static int pass_on(void *context, const void *bytes, size_t length, struct err *err)
{
    struct limited_sink *limited = context;
    size_t room = length;
    if (limited->limit >= 0 && (int64_t)length > limited->limit - limited->done)
        room = (size_t)(limited->limit - limited->done);
    int r = room ? limited->sink(limited->context, bytes, room, err) : 0;
    if (r < 0)
        return r;
    limited->done += (int64_t)room;
    limited->full = room < length;
    return limited->full ? 1 : 0;
}

/* The first line of what it said on standard error, if that explains a failure. */
static void set_with_errors(struct outcome *outcome, enum outcome_status status,
                            const struct child_end *end)
{
    outcome_set(outcome, status, "%.*s", (int)strcspn(end->errors, "\n"), end->errors);
}

static void judge_exit(const struct child_request *request, const struct child_end *end,
                       int64_t bytes, struct outcome *outcome)
{
    enum outcome_status read = read_child_outcome(end->status);
    bool ours = request->what != CHILD_COMMAND && end->status >= READ_CHILD_BASE;
    if (ours || (request->what == CHILD_READS_FILE && end->status != 0))
        set_with_errors(outcome, read, end);
    else if (end->status != 0)
        set_with_errors(outcome, OUTCOME_EXIT, end);
    else
        outcome_set(outcome, bytes ? OUTCOME_OK : OUTCOME_EMPTY, "%s", "");
    outcome->number = end->status;
}

static void judge(const struct child_request *request, const struct child_end *end, int64_t bytes,
                  struct outcome *outcome)
{
    char reason[80];
    switch (end->outcome) {
    case CHILD_EXITED:
        judge_exit(request, end, bytes, outcome);
        break;
    case CHILD_SIGNALED:
        outcome_set(outcome, OUTCOME_SIGNAL, "ended by signal %d", end->status);
        outcome->number = end->status;
        break;
    case CHILD_TIMEOUT:
        outcome_set(outcome, OUTCOME_TIMEOUT, "not done after %" PRId64 ".%" PRId64 " s",
                    end->duration_ms / 1000, end->duration_ms % 1000 / 100);
        break;
    case CHILD_CUT:
        outcome_set(outcome, OUTCOME_TRUNCATED, "the first %" PRId64 " bytes", bytes);
        break;
    case CHILD_CANCELLED:
        outcome_set(outcome, OUTCOME_OMITTED, "interrupted");
        break;
    case CHILD_NOT_STARTED:
        outcome_set(outcome,
                    end->sysno == ENOENT || end->sysno == ENOTDIR ? OUTCOME_MISSING
                                                                  : OUTCOME_DENIED,
                    "'%s' cannot be started: %s", request->argv[0],
                    strerror_r(end->sysno, reason, sizeof reason));
        break;
    case CHILD_STUCK:
        outcome_set(outcome, OUTCOME_STUCK, "it did not die and was abandoned");
        break;
    }
}

int source_run_child(struct spawner *spawner, const struct child_request *request, source_sink sink,
                     void *context, struct outcome *outcome, struct err *err)
{
    struct limited_sink limited = {.sink = sink, .context = context, .limit = request->limit};
    struct child_spec spec = {.is_function = request->what != CHILD_COMMAND,
                              .argv = request->argv,
                              .input = request->input,
                              .time_limit_ms = request->time_limit_ms,
                              .cancelled = request->cancelled};
    struct child_end end;
    int r = child_run(spawner, &spec, pass_on, &limited, &end, err);
    if (r < 0)
        return r;
    judge(request, &end, limited.done, outcome);
    if (end.outcome == CHILD_TIMEOUT)
        return sink(context, timeout_marker, sizeof timeout_marker - 1, err);
    return 0;
}
