/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/run/runlog.h"

#include "collector/redact/redact.h"
#include "common/escape.h"

#define MAX_LOG_BYTES                                                                              \
    (16 * 1024 * 1024) /* some 100 000 lines; the manifest has everything anyway */

/* A line as it may be seen. */
static void add_line(struct run_log *log, const char *line)
{
    struct strbuf safe = STRBUF_INIT;
    redact_text(line, strlen(line), &safe);
    escape_terminal(&log->text, safe.data, safe.length, false);
    strbuf_addc(&log->text, '\n');
    strbuf_release(&safe);
}

void run_log_start(struct run_log *log, int argc, char *const *argv)
{
    const char *path = getenv("PATH");
    log->text = (struct strbuf)STRBUF_INIT_MAX(MAX_LOG_BYTES);
    struct strbuf line = STRBUF_INIT;
    for (int i = 0; i < argc; i++)
        strbuf_addf(&line, "%s%s", i ? " " : "", argv[i]);
    add_line(log, line.data);
    strbuf_clear(&line);
    strbuf_addf(&line, "PATH=%s", path ? path : "");
    add_line(log, line.data);
    strbuf_release(&line);
}

void run_log_add(struct run_log *log, const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    add_line(log, line);
}

void run_log_entry(struct run_log *log, const struct plan_entry *entry)
{
    const struct outcome *outcome = &entry->outcome;
    bool is_child = entry->argv && !entry->path;
    switch (outcome->status) {
    case OUTCOME_OMITTED:
        run_log_add(log, "Omitting %s, %s", entry->source, outcome->reason);
        break;
    case OUTCOME_TIMEOUT:
        run_log_add(log, "'%s' timed out: %s", entry->source, outcome->reason);
        break;
    case OUTCOME_MISSING:
        if (is_child && !entry->decided)
            run_log_add(log, "'%s' failed: %s", entry->source, outcome->reason);
        break;
    case OUTCOME_DENIED:
    case OUTCOME_FAILED:
        if (is_child)
            run_log_add(log, "'%s' failed: %s", entry->source, outcome->reason);
        else
            run_log_add(log, "IOError reading %s: %s", entry->source, outcome->reason);
        break;
    case OUTCOME_STUCK:
    case OUTCOME_SIGNAL:
        run_log_add(log, "'%s': %s", entry->source, outcome->reason);
        break;
    case OUTCOME_EXIT:
        run_log_add(log, "'%s' ended with exit status %d%s%s", entry->source, outcome->number,
                    outcome->reason[0] ? ": " : "", outcome->reason);
        break;
    case OUTCOME_TRUNCATED:
    case OUTCOME_CHANGED:
        run_log_add(log, "%s: %s", entry->source, outcome->reason);
        break;
    case OUTCOME_OK:
    case OUTCOME_EMPTY:
    case OUTCOME_COUNT:
        break;
    }
}

void run_log_release(struct run_log *log)
{
    strbuf_release(&log->text);
}
