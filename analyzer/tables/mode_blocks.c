/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Mode `blocks`: a block of lines is a row.
 *
 *   start    regex or list of regexes: such a line begins a block; its groups are columns
 *   end      regex: such a line ends the block, as the next start or the end of the file do
 *   inherit  header lines outside the blocks, as in mode `lines`; a header ends a block too
 *   pair, list, match   as in record.h, for the lines inside a block
 *
 * A block is a row even if only its first line is there: that there is such a thing is often the
 * finding.
 */
#include "analyzer/tables/record.h"

struct blocks_options {
    struct record_options record;
    struct bound_list start, headers;
    const struct regex *end; /* may be NULL */
};

struct blocks_state {
    const struct blocks_options *options;
    struct record record;
    struct carry carry;
    bool open;
};

static const char *const keys[] = {"start", "end", "inherit", "pair", "list", "match", NULL};

static int load(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                void **ret_options, struct err *err)
{
    struct blocks_options *options = arena_alloc(loader_arena(loader), sizeof *options);
    if (!options)
        return err_nomem(err);
    if (!doc_get(node, "start"))
        return doc_fail(node, err, "'start' is missing: a regex for the first line of a block");
    int r = bind_regexes(loader, table, doc_get(node, "start"), &options->start, err);
    if (r == 0)
        r = bind_regexes(loader, table, doc_get(node, "inherit"), &options->headers, err);
    if (r == 0 && doc_get(node, "end"))
        r = loader_regex(loader, doc_get(node, "end"), &options->end, err);
    if (r == 0)
        r = record_load(loader, table, node, NULL, &options->record, err);
    if (r == 0)
        r = record_check(table, node, &options->record, &options->start, &options->headers, err);
    if (r < 0)
        return r;
    *ret_options = options;
    return 0;
}

static void blocks_free(void *opaque)
{
    struct blocks_state *state = opaque;
    record_release(&state->record);
    carry_release(&state->carry);
    free(state);
}

static int begin(const struct table *table, struct row_writer *writer, void **ret_state,
                 struct err *err)
{
    struct blocks_state *state = calloc(1, sizeof *state);
    if (!state)
        return err_nomem(err);
    state->options = table->options;
    int r = record_init(&state->record, table, &state->options->record, writer, err);
    if (r == 0)
        r = carry_init(&state->carry, &state->options->headers, table->column_count, err);
    if (r < 0) {
        blocks_free(state);
        return r;
    }
    *ret_state = state;
    return 0;
}

static int close_block(struct blocks_state *state, struct err *err)
{
    if (!state->open)
        return 0;
    state->open = false;
    return record_emit(&state->record, err);
}

/* Begins a block if the line does that; *started tells. */
static int try_start(struct blocks_state *state, const char *line, size_t length, int64_t number,
                     bool *started, struct err *err)
{
    struct row_writer *writer = state->record.writer;
    for (size_t i = 0; i < state->options->start.count; i++) {
        const struct bound_regex *start = &state->options->start.items[i];
        if (!rows_match(writer, start->regex, line, length, 0))
            continue;
        *started = true;
        int r = close_block(state, err);
        if (r < 0)
            return r;
        state->open = true;
        state->record.line = number;
        /* Once more: the row that went out may have used the scratch. */
        if (rows_match(writer, start->regex, line, length, 0))
            r = record_take(&state->record, start, number, err);
        return r < 0 ? r : record_inherit(&state->record, &state->carry, err);
    }
    return 0;
}

static int feed(void *opaque, const char *line, size_t length, int64_t number, struct err *err)
{
    struct blocks_state *state = opaque;
    struct row_writer *writer = state->record.writer;
    bool started = false, failed = false;
    int r = try_start(state, line, length, number, &started, err);
    if (r < 0 || started)
        return r;
    if (state->open && state->options->end &&
        rows_match(writer, state->options->end, line, length, 0))
        return close_block(state, err);
    if (carry_header(&state->carry, writer, line, length, &failed))
        return failed ? err_nomem(err) : close_block(state, err);
    return state->open ? record_line(&state->record, line, length, number, err) : 0;
}

static int finish(void *opaque, bool *malformed, struct err *err)
{
    (void)malformed;
    return close_block(opaque, err);
}

const struct mode mode_blocks = {
    .name = "blocks",
    .keys = keys,
    .by_line = true,
    .load = load,
    .begin = begin,
    .feed = feed,
    .finish = finish,
    .free = blocks_free,
};
