/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The visitor: which tables and patterns a member is for, and its way through them.
 *
 * Members are visited by several threads. What is found in one (rows, hits, problems) goes into its
 * outbox, and the thread that reads stores it in its place: so nothing here needs a lock, and the
 * order is that of the report.
 */
#include "analyzer/judge/judge_private.h"

/* A member may feed a handful of tables (df and its inode twin never share a file; families count
 * once). */
#define TABLES_PER_MEMBER 8

/* A member on its way. */
struct passage {
    struct analysis *analysis;
    struct outbox *outbox;
    unsigned host;
    char *path, *logical;
    const struct table *tables[TABLES_PER_MEMBER]; /* made from this member */
    size_t table_count;
    struct extraction *extractions[TABLES_PER_MEMBER]; /* those of them that are wanted */
    size_t extraction_count;
    bool is_open, has_data;
    struct audience *audience; /* NULL: no pattern is about this file */
    struct scan *scan;
    struct presence_probe *probe;
    struct log_watch *watch; /* or NULL; what it saw is taken before the passage is freed */
    unsigned stamp_hint;
};

/* --- What is found, on its way to the stores */

struct found {
    struct parcel parcel; /* first */
    struct passage *passage;
    int (*store)(struct found *found, struct err *err);
    const struct table *table;
    enum problem_kind problem;
    const char *text; /* of the problem; constant */
    unsigned pattern;
    struct hit *hit;
    int64_t line;
    size_t cell_count;
    struct cell cells[]; /* and their texts */
};

static int deliver(struct parcel *parcel, struct err *err)
{
    struct found *found = (struct found *)parcel;
    return found->store(found, err);
}

static void dispose(struct parcel *parcel)
{
    free(((struct found *)parcel)->hit);
    free(parcel);
}

/* `what` has everything but the parcel; its hit is taken over. */
static int send(struct passage *passage, const struct found *what, struct err *err)
{
    struct found *found = malloc(sizeof *found);
    if (!found) {
        free(what->hit);
        return err_nomem(err);
    }
    *found = *what;
    found->passage = passage;
    found->parcel = (struct parcel){
        .size = sizeof *found + (what->hit ? what->hit->size : 0),
        .deliver = deliver,
        .dispose = dispose,
    };
    return outbox_post(passage->outbox, &found->parcel, err);
}

static int store_row(struct found *found, struct err *err)
{
    const struct passage *passage = found->passage;
    return database_insert(passage->analysis->parts.database, found->table, passage->host,
                           passage->path, found->line, found->cells, err);
}

static int send_row(struct passage *passage, const struct table *table, int64_t line,
                    const struct cell *cells, struct err *err)
{
    size_t count = table->column_count, size = sizeof(struct found) + count * sizeof *cells;
    for (size_t i = 0; i < count; i++)
        size += cells[i].length;
    struct found *found = malloc(size);
    if (!found)
        return err_nomem(err);
    *found = (struct found){
        .parcel = {.size = size, .deliver = deliver, .dispose = dispose},
        .passage = passage,
        .store = store_row,
        .table = table,
        .line = line,
        .cell_count = count,
    };
    char *place = (char *)(found->cells + count);
    for (size_t i = 0; i < count; i++) {
        found->cells[i] = (struct cell){cells[i].text ? place : NULL, cells[i].length};
        if (cells[i].text)
            memcpy(place, cells[i].text, cells[i].length);
        place += cells[i].length;
    }
    return outbox_post(passage->outbox, &found->parcel, err);
}

static int on_row(void *context, const struct table *table, int64_t line, const struct cell *cells,
                  struct err *err)
{
    struct passage *passage = context;
    if (!outbox_is_direct(passage->outbox))
        return send_row(passage, table, line, cells, err);
    return database_insert(passage->analysis->parts.database, table, passage->host, passage->path,
                           line, cells, err);
}

static bool passage_wants(void *context, const struct table *table)
{
    struct passage *passage = context;
    return analysis_wants(passage->analysis, table);
}

static int store_hit(struct found *found, struct err *err)
{
    return hits_put(found->passage->analysis->hits, found->pattern, TAKE(found->hit), err);
}

static int on_hit(void *context, const struct line_hit *line, struct err *err)
{
    struct passage *passage = context;
    struct analysis *analysis = passage->analysis;
    struct stamp stamp;
    stamp_read(analysis->parts.formats, line->text, line->length, &passage->stamp_hint, &stamp);
    struct hit *hit = hit_new(analysis->pattern_regexes[line->pattern], passage->host,
                              passage->path, line, &stamp, analysis->parts.context);
    if (!hit)
        return err_nomem(err);
    const struct found found = {.store = store_hit, .pattern = line->pattern, .hit = hit};
    return send(passage, &found, err);
}

/* --- What a member is for */

static bool any_member_wanted(const struct analysis *analysis, const struct table *table)
{
    for (size_t i = 0; i < table->member_count; i++)
        if (analysis_wants(analysis, table->members[i]))
            return true;
    return false;
}

static void choose_tables(struct passage *passage, const struct member *member)
{
    const struct table_set *tables = passage->analysis->parts.tables;
    for (size_t i = 0; i < table_set_count(tables); i++) {
        const struct table *table = table_set_at(tables, i);
        if (table->leader == table && table_covers(table, member->logical) &&
            passage->table_count < TABLES_PER_MEMBER)
            passage->tables[passage->table_count++] = table;
    }
}

static int begin_extractions(struct passage *passage, struct err *err)
{
    for (size_t i = 0; i < passage->table_count; i++) {
        const struct table *table = passage->tables[i];
        if (!any_member_wanted(passage->analysis, table))
            continue;
        struct extraction **slot = &passage->extractions[passage->extraction_count];
        int r = extraction_begin(table, passage->logical, on_row, passage, slot, err);
        if (r < 0)
            return r;
        extraction_choose(*slot, passage_wants);
        passage->extraction_count++;
    }
    return 0;
}

/* Which patterns have one of their files on this host. */
static int store_log(struct found *found, struct err *err)
{
    const struct passage *passage = found->passage;
    struct analysis *analysis = passage->analysis;
    for (size_t i = 0; i < analysis->pattern_count; i++) {
        if (!audience_has(passage->audience, (unsigned)i))
            continue;
        while (analysis->sources[i].hosts.count <= passage->host) {
            bool *added = vec_push(&analysis->sources[i].hosts);
            if (!added)
                return err_nomem(err);
        }
        analysis->sources[i].hosts.items[passage->host] = true;
    }
    return 0;
}

/*
 * What only the reading needs. It is more than a megabyte, and hundreds of members may be read and
 * wait until what was found in them is delivered.
 */
static void drop_tools(struct passage *passage)
{
    while (passage->extraction_count > 0)
        extraction_free(passage->extractions[--passage->extraction_count]);
    passage->scan = scan_free(passage->scan);
}

static void passage_free(struct passage *passage)
{
    drop_tools(passage);
    audience_release(passage->audience);
    presence_probe_free(passage->probe);
    log_watch_free(passage->watch);
    free(passage->path);
    free(passage->logical);
    free(passage);
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
    passage->outbox = member->outbox;
    passage->host = member->host;
    passage->path = strdup(member->path);
    passage->logical = strdup(member->logical);
    if (!passage->path || !passage->logical ||
        matcher_audience(analysis->matcher, member->logical, &passage->audience,
                         &analysis->failure) < 0) {
        err_nomem(&analysis->failure);
        passage_free(passage);
        return NULL;
    }
    choose_tables(passage, member);
    if (passage->audience || passage->table_count)
        return passage;
    log_clock_skip(analysis->clock, passage->host, passage->logical, &analysis->failure);
    passage_free(passage);
    return NULL;
}

/* --- On its way */

/* Only now, and on the thread that reads the member: many may wait that are not begun. */
static int open_passage(struct passage *passage, struct err *err)
{
    static const struct found log = {.store = store_log};
    passage->is_open = true;
    int r = passage->audience ? send(passage, &log, err) : 0;
    if (r == 0)
        r = begin_extractions(passage, err);
    if (r == 0 && passage->audience)
        r = scan_begin(passage->analysis->matcher, passage->audience, on_hit, passage,
                       &passage->scan, err);
    if (r == 0)
        r = presence_begin(passage->analysis->presence, passage->logical, passage->host,
                           &passage->probe, err);
    if (r == 0)
        r = log_watch_begin(passage->analysis->clock, passage->logical, &passage->watch, err);
    return r;
}

static int store_source(struct found *found, struct err *err)
{
    return database_note_source(found->passage->analysis->parts.database, found->table,
                                found->passage->host, err);
}

/* The first byte is there: the tables made from this member have a source. */
static int note_sources(struct passage *passage, struct err *err)
{
    int r = 0;
    passage->has_data = true;
    for (size_t i = 0; r == 0 && i < passage->table_count; i++) {
        const struct found source = {.store = store_source, .table = passage->tables[i]};
        r = send(passage, &source, err);
    }
    return r;
}

static int store_silence(struct found *found, struct err *err)
{
    const struct passage *passage = found->passage;
    struct silent_member *silent = vec_push(&passage->analysis->silent);
    if (!silent || !(silent->path = strdup(passage->path)))
        return err_nomem(err);
    silent->table = found->table;
    silent->host = passage->host;
    return 0;
}

static int note_silence(struct passage *passage, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < passage->table_count; i++) {
        const struct found silence = {.store = store_silence, .table = passage->tables[i]};
        r = send(passage, &silence, err);
    }
    return r;
}

static int visit_data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct passage *passage = state;
    int r = passage->is_open ? 0 : open_passage(passage, err);
    if (r == 0 && !passage->has_data && length > 0)
        r = note_sources(passage, err);
    if (r == 0 && passage->scan)
        r = scan_feed(passage->scan, bytes, length, err);
    if (r == 0 && passage->probe)
        r = presence_feed(passage->probe, bytes, length, err);
    if (r == 0 && passage->watch)
        log_watch_feed(passage->watch, bytes, length);
    for (size_t i = 0; r == 0 && i < passage->extraction_count; i++)
        r = extraction_feed(passage->extractions[i], bytes, length, err);
    return r;
}

static int store_problem(struct found *found, struct err *err)
{
    (void)err;
    const struct passage *passage = found->passage;
    struct report_set *reports = passage->analysis->parts.reports;
    if (reports)
        report_set_add_problem(reports, found->problem, passage->host, passage->path, found->text);
    return 0;
}

static int add_problem(struct passage *passage, enum problem_kind kind, const char *text,
                       struct err *err)
{
    const struct found problem = {.store = store_problem, .problem = kind, .text = text};
    return send(passage, &problem, err);
}

static int store_gap(struct found *found, struct err *err)
{
    const struct passage *passage = found->passage;
    struct sources *sources = &passage->analysis->sources[found->pattern];
    while (sources->gaps.count <= passage->host) {
        char **added = vec_push(&sources->gaps);
        if (!added)
            return err_nomem(err);
    }
    char **gap = &sources->gaps.items[passage->host];
    if (!*gap && !(*gap = strdup(passage->path)))
        return err_nomem(err);
    return 0;
}

/* Patterns were given up: their rules must not pass. */
static int note_gaps(struct passage *passage, struct err *err)
{
    /* Not "refused": the log was read to its end, and the other patterns had their say. */
    int r = add_problem(
        passage, PROBLEM_SUSPICIOUS,
        "its lines keep a rule's pattern busy beyond the limits; hits may be missing", err);
    for (size_t i = 0; r == 0 && i < passage->analysis->pattern_count; i++) {
        const struct found gap = {.store = store_gap, .pattern = (unsigned)i};
        if (scan_gave_up(passage->scan, (unsigned)i))
            r = send(passage, &gap, err);
    }
    return r;
}

static int end_extractions(struct passage *passage, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < passage->extraction_count; i++) {
        bool timed_out = false, malformed = false;
        r = extraction_end(passage->extractions[i], &timed_out, &malformed, err);
        if (r == 0 && timed_out)
            r = add_problem(passage, PROBLEM_TIMEOUT,
                            "the command did not end in time; its output is cut", err);
        if (r == 0 && malformed)
            r = add_problem(passage, PROBLEM_DAMAGED, "not what it should be; rows may be missing",
                            err);
    }
    return r;
}

static int store_nothing(struct found *found, struct err *err)
{
    (void)found;
    (void)err;
    return 0;
}

static void dispose_passage(struct parcel *parcel)
{
    passage_free(((struct found *)parcel)->passage);
    free(parcel);
}

/* Parcels speak of the passage, so it goes behind them. */
static int send_end(struct passage *passage, struct err *err)
{
    struct found *found = malloc(sizeof *found);
    if (!found)
        return err_nomem(err); /* it is lost, but the run ends anyhow */
    *found = (struct found){
        .parcel = {.size = sizeof *found, .deliver = deliver, .dispose = dispose_passage},
        .passage = passage,
        .store = store_nothing,
    };
    return outbox_post(passage->outbox, &found->parcel, err);
}

static int store_times(struct found *found, struct err *err)
{
    const struct passage *passage = found->passage;
    return log_clock_take(passage->analysis->clock, passage->host, passage->path, passage->watch,
                          err);
}

static int end_watch(struct passage *passage, bool complete, struct err *err)
{
    static const struct found times = {.store = store_times};
    log_watch_end(passage->watch, complete);
    return send(passage, &times, err);
}

static int visit_end(void *state, bool complete, struct err *err)
{
    struct passage *passage = state;
    struct err ignored = ERR_INIT;
    int r = passage->is_open ? 0 : open_passage(passage, err);
    if (r == 0 && passage->scan)
        r = scan_end(passage->scan, err);
    if (r == 0 && passage->scan && scan_was_aborted(passage->scan))
        r = note_gaps(passage, err);
    if (r == 0)
        r = presence_end(TAKE(passage->probe), err);
    if (r == 0 && passage->watch)
        r = end_watch(passage, complete, err);
    if (r == 0)
        r = end_extractions(passage, err);
    if (r == 0 && !passage->has_data)
        r = note_silence(passage, err);
    drop_tools(passage);
    int end_rc = send_end(passage, r == 0 ? err : &ignored);
    return r == 0 ? end_rc : r;
}

struct report_visitor analysis_visits(struct analysis *analysis)
{
    return (struct report_visitor){visit_begin, visit_data, visit_end, analysis};
}
