/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The visitor: which tables and patterns a member is for, and its way through them.
 */
#include "analyzer/judge/judge_private.h"

/* A member may feed a handful of tables (df and its inode twin never share a file; families count
 * once). */
#define TABLES_PER_MEMBER 8

/* A member on its way. */
struct passage {
    struct analysis *analysis;
    unsigned host;
    char *path;
    const struct table *tables[TABLES_PER_MEMBER]; /* made from this member */
    size_t table_count;
    struct extraction *extractions[TABLES_PER_MEMBER]; /* those of them that are wanted */
    size_t extraction_count;
    bool has_data;
    struct scan *scan;
    unsigned stamp_hint;
};

static int on_row(void *context, const struct table *table, int64_t line, const struct cell *cells,
                  struct err *err)
{
    struct passage *passage = context;
    return database_insert(passage->analysis->parts.database, table, passage->host, passage->path,
                           line, cells, err);
}

static bool passage_wants(void *context, const struct table *table)
{
    struct passage *passage = context;
    return analysis_wants(passage->analysis, table);
}

static int on_hit(void *context, const struct line_hit *hit, struct err *err)
{
    struct passage *passage = context;
    struct analysis *analysis = passage->analysis;
    struct stamp stamp;
    stamp_read(analysis->parts.formats, hit->text, hit->length, &passage->stamp_hint, &stamp);
    return hits_add(analysis->hits, analysis->pattern_regexes[hit->pattern], passage->host,
                    passage->path, hit, &stamp, err);
}

static bool covers(const struct table *table, const char *logical)
{
    for (size_t i = 0; i < table->file_count; i++)
        if (path_pattern_match(&table->files[i], logical, NULL))
            return true;
    return false;
}

static bool any_member_wanted(const struct analysis *analysis, const struct table *table)
{
    for (size_t i = 0; i < table->member_count; i++)
        if (analysis_wants(analysis, table->members[i]))
            return true;
    return false;
}

static int begin_extractions(struct passage *passage, const struct member *member, struct err *err)
{
    struct analysis *analysis = passage->analysis;
    for (size_t i = 0; i < table_set_count(analysis->parts.tables); i++) {
        const struct table *table = table_set_at(analysis->parts.tables, i);
        if (table->leader != table || !covers(table, member->logical) ||
            passage->table_count == TABLES_PER_MEMBER)
            continue;
        passage->tables[passage->table_count++] = table;
        if (!any_member_wanted(analysis, table))
            continue;
        struct extraction **slot = &passage->extractions[passage->extraction_count];
        int r = extraction_begin(table, member->logical, on_row, passage, slot, err);
        if (r < 0)
            return r;
        extraction_choose(*slot, passage_wants);
        passage->extraction_count++;
    }
    return 0;
}

static int note_log_sources(struct analysis *analysis, const struct member *member, struct err *err)
{
    for (size_t i = 0; i < analysis->pattern_count; i++) {
        if (!matcher_covers(analysis->matcher, (unsigned)i, member->logical))
            continue;
        while (analysis->sources[i].hosts.count <= member->host) {
            bool *added = vec_push(&analysis->sources[i].hosts);
            if (!added)
                return err_nomem(err);
        }
        analysis->sources[i].hosts.items[member->host] = true;
    }
    return 0;
}

static void *passage_free(struct passage *passage)
{
    for (size_t i = 0; i < passage->extraction_count; i++)
        extraction_free(passage->extractions[i]);
    scan_free(passage->scan);
    free(passage->path);
    free(passage);
    return NULL;
}

static void *visit_begin(void *context, const struct member *member)
{
    struct analysis *analysis = context;
    struct passage *passage = calloc(1, sizeof *passage);
    if (!passage) {
        err_nomem(&analysis->failure);
        return NULL;
    }
    passage->analysis = analysis;
    passage->host = member->host;
    passage->path = strdup(member->path);
    struct err *err = &analysis->failure;
    int r = passage->path ? note_log_sources(analysis, member, err) : err_nomem(err);
    if (r == 0)
        r = begin_extractions(passage, member, err);
    if (r == 0)
        r = scan_begin(analysis->matcher, member->logical, on_hit, passage, &passage->scan, err);
    if (r < 0 || (!passage->scan && passage->table_count == 0))
        return passage_free(passage);
    return passage;
}

/* The first byte is there: the tables made from this member have a source. */
static int note_sources(struct passage *passage, struct err *err)
{
    int r = 0;
    passage->has_data = true;
    for (size_t i = 0; r == 0 && i < passage->table_count; i++)
        r = database_note_source(passage->analysis->parts.database, passage->tables[i],
                                 passage->host, err);
    return r;
}

static int note_silence(struct passage *passage, struct err *err)
{
    for (size_t i = 0; i < passage->table_count; i++) {
        struct silent_member *silent = vec_push(&passage->analysis->silent);
        if (!silent || !(silent->path = strdup(passage->path)))
            return err_nomem(err);
        silent->table = passage->tables[i];
        silent->host = passage->host;
    }
    return 0;
}

static int visit_data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct passage *passage = state;
    int r = passage->has_data || length == 0 ? 0 : note_sources(passage, err);
    if (r == 0 && passage->scan)
        r = scan_feed(passage->scan, bytes, length, err);
    for (size_t i = 0; r == 0 && i < passage->extraction_count; i++)
        r = extraction_feed(passage->extractions[i], bytes, length, err);
    return r;
}

static void add_problem(const struct passage *passage, enum problem_kind kind, const char *text)
{
    struct report_set *reports = passage->analysis->parts.reports;
    if (reports)
        report_set_add_problem(reports, kind, passage->host, passage->path, text);
}

static int visit_end(void *state, bool complete, struct err *err)
{
    (void)complete; /* what is missing is a problem of the report, which the reader records */
    struct passage *passage = state;
    int r = passage->scan ? scan_end(passage->scan, err) : 0;
    for (size_t i = 0; r == 0 && i < passage->extraction_count; i++) {
        bool timed_out = false, malformed = false;
        r = extraction_end(passage->extractions[i], &timed_out, &malformed, err);
        if (r == 0 && timed_out)
            add_problem(passage, PROBLEM_TIMEOUT,
                        "the command did not end in time; its output is cut");
        if (r == 0 && malformed)
            add_problem(passage, PROBLEM_DAMAGED, "not what it should be; rows may be missing");
    }
    if (r == 0 && !passage->has_data)
        r = note_silence(passage, err);
    passage_free(passage);
    return r;
}

struct report_visitor analysis_visits(struct analysis *analysis)
{
    return (struct report_visitor){visit_begin, visit_data, visit_end, analysis};
}
