/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Written by hand, entry by entry, rather than through a tree of JSON objects: a plan can have very
 * many, and dom0 is short of memory when reports matter. Foreign text becomes valid UTF-8 first.
 */
#include "collector/run/manifest.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "collector/redact/redact.h"
#include "common/escape.h"
#include "common/version.h"

static void text(struct strbuf *out, const char *value)
{
    struct strbuf valid = STRBUF_INIT;
    escape_utf8(&valid, value, strlen(value));
    strbuf_addc(out, '"');
    for (const char *c = valid.data; *c; c++) {
        if (*c == '"' || *c == '\\')
            strbuf_addf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            strbuf_addf(out, "\\u%04x", (unsigned char)*c);
        else
            strbuf_addc(out, *c);
    }
    strbuf_addc(out, '"');
    strbuf_release(&valid);
}

static void member(struct strbuf *out, const char *name, const char *value)
{
    strbuf_addf(out, "\"%s\": ", name);
    text(out, value);
}

static void stamp(struct strbuf *out, const char *name, int64_t when)
{
    char value[40];
    struct tm parts;
    time_t clock = (time_t)when;
    gmtime_r(&clock, &parts);
    strftime(value, sizeof value, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
    member(out, name, value);
}

/*
 * One argument of our own command line. Whether it is a secret may be told by the one before it.
 */
static void option(struct strbuf *out, const char *before, const char *value)
{
    struct strbuf both = STRBUF_INIT, safe_before = STRBUF_INIT, safe = STRBUF_INIT;
    strbuf_addf(&both, "%s %s", strchr(before, '=') ? "" : before, value);
    redact_text(both.data, both.length - strlen(value) - 1, &safe_before);
    redact_text(both.data, both.length, &safe);
    size_t n = safe_before.length;
    bool kept =
        safe.length > n && memcmp(safe.data, safe_before.data, n) == 0 && safe.data[n] == ' ';
    text(out, kept ? safe.data + n + 1 : "REMOVED");
    strbuf_release(&both);
    strbuf_release(&safe_before);
    strbuf_release(&safe);
}

static void write_run(const struct manifest_run *run, struct strbuf *out)
{
    strbuf_adds(out, " \"run\": {");
    stamp(out, "started", run->started);
    strbuf_adds(out, ", ");
    stamp(out, "finished", run->finished);
    strbuf_addf(out, ", \"duration_ms\": %" PRId64 ",\n  \"options\": [",
                run->reproducible ? 0 : run->duration_ms);
    for (int i = 1; i < run->argc; i++) {
        strbuf_adds(out, i > 1 ? ", " : "");
        option(out, run->argv[i - 1], run->argv[i]);
    }
    strbuf_adds(out, "],\n  \"capabilities\": [");
    for (size_t i = 0; i < run->selection_count; i++) {
        strbuf_adds(out, i ? ", " : "");
        text(out, run->selections[i].capability->key);
    }
    strbuf_adds(out, "],\n  ");
    member(out, "root", run->root);
    strbuf_addf(out, ", \"deadline_reached\": %s},\n", run->deadline_reached ? "true" : "false");
}

static void write_totals(const struct plan *plan, struct strbuf *out)
{
    size_t by_status[OUTCOME_COUNT] = {0}, collected = 0;
    int64_t bytes = 0, redactions = 0;
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        by_status[entry->outcome.status]++;
        collected += outcome_has_member(entry->outcome.status);
        bytes += entry->bytes;
        redactions += entry->redactions;
    }
    strbuf_addf(out,
                " \"totals\": {\"planned\": %zu, \"collected\": %zu, \"bytes\": %" PRId64
                ", \"redactions\": %" PRId64 ", \"by_status\": {",
                plan->entries.count, collected, bytes, redactions);
    const char *separator = "";
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (by_status[i]) {
            strbuf_addf(out, "%s\"%s\": %zu", separator, outcome_name((enum outcome_status)i),
                        by_status[i]);
            separator = ", ";
        }
    strbuf_adds(out, "}},\n");
}

static void write_entry(const struct plan_entry *entry, bool reproducible, struct strbuf *out)
{
    strbuf_adds(out, "  {");
    member(out, "capability", entry->capability->key);
    strbuf_adds(out, ", ");
    member(out, "kind", plan_kind_name(entry->kind));
    strbuf_adds(out, ", ");
    member(out, "source", entry->source);
    strbuf_adds(out, ", ");
    member(out, "name", entry->name);
    strbuf_adds(out, ", ");
    member(out, "status", outcome_name(entry->outcome.status));
    strbuf_adds(out, ", ");
    member(out, "reason", entry->outcome.reason);
    if (entry->item->pack) {
        strbuf_adds(out, ", ");
        member(out, "inside", entry->item->pack);
    }
    strbuf_addf(out, ", \"bytes\": %" PRId64 ", ", entry->bytes);
    member(out, "sha256", entry->sha256);
    strbuf_addf(out, ", \"duration_ms\": %" PRId64 ", \"redactions\": %" PRId64,
                reproducible ? 0 : entry->duration_ms, entry->redactions);
    if (entry->outcome.status == OUTCOME_EXIT)
        strbuf_addf(out, ", \"exit\": %d", entry->outcome.number);
    if (entry->outcome.status == OUTCOME_SIGNAL)
        strbuf_addf(out, ", \"signal\": %d", entry->outcome.number);
    strbuf_addc(out, '}');
}

void manifest_write(const struct plan *plan, const struct host *host,
                    const struct manifest_run *run, struct own_member *own)
{
    struct strbuf *out = own_member_text(own);
    strbuf_adds(out, "{\"schema\": \"xenhealth-manifest/1\",\n"
                     " \"tool\": {\"name\": \"xen-bugtool\", \"version\": \"" XENHEALTH_VERSION
                     "\"},\n \"host\": {");
    member(out, "name", host->name);
    strbuf_adds(out, ", ");
    member(out, "uname", host->uname);
    strbuf_adds(out, ", ");
    member(out, "product", host->product);
    strbuf_adds(out, "},\n");
    write_run(run, out);
    write_totals(plan, out);
    strbuf_adds(out, " \"entries\": [\n");
    for (size_t i = 0; i < plan->entries.count; i++) {
        out = own_member_text(own);
        write_entry(&plan->entries.items[i], run->reproducible, out);
        strbuf_adds(out, i + 1 < plan->entries.count ? ",\n" : "\n");
    }
    strbuf_adds(out, " ]}\n");
}
