/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Mode `lines`: a line that matches is a row.
 *
 *   row      regex, or a list of which the first that matches counts; groups are columns
 *   begin    rows start behind the first line that matches
 *   end      the first line that matches ends the rows (another `begin` may follow)
 *   join     a line that matches is put together with the next one, with a blank between
 *   repeat   true: every match in a line is a row, not only the first
 *   inherit  header lines whose groups hold for the rows below; a list goes from the outer level
 *            to the inner one
 */
#include "analyzer/tables/bind.h"
#include "analyzer/tables/extract.h"

struct lines_options {
    struct bound_list rows, headers;
    const struct regex *begin, *end, *join; /* may be NULL */
    bool repeat;
};

struct lines_state {
    const struct table *table;
    const struct lines_options *options;
    struct row_writer *writer;
    struct carry carry;
    struct cell *cells;
    bool running;         /* behind `begin`, before `end` */
    struct strbuf joined; /* lines that wait for their rest */
    int64_t joined_line;
};

static const char *const keys[] = {"row", "begin", "end", "join", "repeat", "inherit", NULL};

static int optional_regex(struct table_loader *loader, const struct doc_node *node, const char *key,
                          const struct regex **ret, struct err *err)
{
    const struct doc_node *value = doc_get(node, key);
    return value ? loader_regex(loader, value, ret, err) : 0;
}

static int load(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                void **ret_options, struct err *err)
{
    struct lines_options *options = arena_alloc(loader_arena(loader), sizeof *options);
    if (!options)
        return err_nomem(err);
    if (!doc_get(node, "row"))
        return doc_fail(node, err, "'row' is missing: a regex whose named groups are columns");
    int r = bind_regexes(loader, table, doc_get(node, "row"), &options->rows, err);
    if (r == 0)
        r = bind_regexes(loader, table, doc_get(node, "inherit"), &options->headers, err);
    if (r == 0)
        r = optional_regex(loader, node, "begin", &options->begin, err);
    if (r == 0)
        r = optional_regex(loader, node, "end", &options->end, err);
    if (r == 0)
        r = optional_regex(loader, node, "join", &options->join, err);
    if (r == 0 && doc_get(node, "repeat"))
        r = doc_bool(doc_get(node, "repeat"), &options->repeat, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->sources[i].capture < 0 && !bound_fills(&options->rows, i) &&
            !bound_fills(&options->headers, i))
            return doc_fail(node, err, "column '%s' has no source: no group is called '%s'",
                            table->columns[i].name, table->sources[i].from);
    *ret_options = options;
    return 0;
}

static void lines_free(void *opaque)
{
    struct lines_state *state = opaque;
    carry_release(&state->carry);
    strbuf_release(&state->joined);
    free(state->cells);
    free(state);
}

static int begin(const struct table *table, struct row_writer *writer, void **ret_state,
                 struct err *err)
{
    const struct lines_options *options = table->options;
    struct lines_state *state = calloc(1, sizeof *state);
    if (!state)
        return err_nomem(err);
    *state = (struct lines_state){
        .table = table,
        .options = options,
        .writer = writer,
        .cells = calloc(table->column_count, sizeof *state->cells),
        .running = !options->begin,
        .joined = STRBUF_INIT_MAX(EXTRACT_LINE_MAX),
    };
    int r = carry_init(&state->carry, &options->headers, table->column_count, err);
    if (r == 0 && !state->cells)
        r = err_nomem(err);
    if (r < 0) {
        lines_free(state);
        return r;
    }
    *ret_state = state;
    return 0;
}

static int emit_match(struct lines_state *state, const struct bound_regex *row, int64_t number,
                      struct err *err)
{
    const struct regex_scratch *scratch = rows_scratch(state->writer);
    for (size_t i = 0; i < state->table->column_count; i++) {
        struct cell *cell = &state->cells[i];
        *cell = (struct cell){0};
        if (row->names[i] >= 0)
            regex_named(row->regex, scratch, (size_t)row->names[i], &cell->text, &cell->length);
    }
    carry_fill(&state->carry, state->cells);
    return rows_emit(state->writer, state->table, number, state->cells, err);
}

static bool matches(const struct lines_state *state, const struct regex *regex, const char *line,
                    size_t length)
{
    return regex && rows_match(state->writer, regex, line, length, 0);
}

static int read_rows(struct lines_state *state, const char *line, size_t length, int64_t number,
                     struct err *err)
{
    const struct bound_list *rows = &state->options->rows;
    for (size_t k = 0; k < rows->count; k++) {
        const struct bound_regex *row = &rows->items[k];
        size_t offset = 0;
        bool matched = false;
        while (offset <= length && rows_match(state->writer, row->regex, line, length, offset)) {
            const char *text;
            size_t text_length;
            matched = true;
            if (!regex_group(row->regex, rows_scratch(state->writer), 0, &text, &text_length))
                break;
            /* An empty match moves on by one, or it would be found for ever. */
            offset = (size_t)(text - line) + (text_length ? text_length : 1);
            int r = emit_match(state, row, number, err);
            if (r < 0)
                return r;
            if (!state->options->repeat)
                break;
        }
        if (matched)
            return 0;
    }
    return 0;
}

static int read_line(struct lines_state *state, const char *line, size_t length, int64_t number,
                     struct err *err)
{
    if (!state->running) {
        state->running = matches(state, state->options->begin, line, length);
        return 0;
    }
    if (matches(state, state->options->end, line, length)) {
        state->running = false;
        return 0;
    }
    bool failed = false;
    if (carry_header(&state->carry, state->writer, line, length, &failed))
        return failed ? err_nomem(err) : 0;
    return read_rows(state, line, length, number, err);
}

static int feed(void *opaque, const char *line, size_t length, int64_t number, struct err *err)
{
    struct lines_state *state = opaque;
    bool joins = state->running && matches(state, state->options->join, line, length);
    if (!joins && state->joined.length == 0)
        return read_line(state, line, length, number, err);
    if (state->joined.length == 0)
        state->joined_line = number;
    else
        strbuf_addc(&state->joined, ' ');
    strbuf_add(&state->joined, line, length); /* cut at the longest line there may be */
    if (joins)
        return 0;
    int r = read_line(state, state->joined.data, state->joined.length, state->joined_line, err);
    strbuf_clear(&state->joined);
    return r;
}

static int finish(void *opaque, bool *malformed, struct err *err)
{
    (void)malformed;
    struct lines_state *state = opaque;
    if (state->joined.length == 0)
        return 0;
    return read_line(state, state->joined.data, state->joined.length, state->joined_line, err);
}

const struct mode mode_lines = {
    .name = "lines",
    .keys = keys,
    .by_line = true,
    .load = load,
    .begin = begin,
    .feed = feed,
    .finish = finish,
    .free = lines_free,
};
