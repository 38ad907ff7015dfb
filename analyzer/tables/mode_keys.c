/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Mode `keys`: a file of "key: value" lines is one row, if any column gets a value.
 *
 *   pair   regex with groups `key` and `value`; by default the first colon parts them
 *   list, match   as in record.h
 *
 * A file of keys that should become one row a key is a table of mode `lines`.
 */
#include "analyzer/tables/record.h"

#define PAIR_DEFAULT "^\\s*(?<key>[^:]*?)\\s*:\\s*(?<value>.*)$"

static const char *const keys[] = {"pair", "list", "match", NULL};

static int load(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                void **ret_options, struct err *err)
{
    struct record_options *options = arena_alloc(loader_arena(loader), sizeof *options);
    if (!options)
        return err_nomem(err);
    int r = record_load(loader, table, node, PAIR_DEFAULT, options, err);
    if (r < 0)
        return r;
    *ret_options = options;
    return 0;
}

static int begin(const struct table *table, struct row_writer *writer, void **ret_state,
                 struct err *err)
{
    struct record *record = calloc(1, sizeof *record);
    if (!record)
        return err_nomem(err);
    int r = record_init(record, table, table->options, writer, err);
    if (r < 0) {
        free(record);
        return r;
    }
    *ret_state = record;
    return 0;
}

static int feed(void *state, const char *line, size_t length, int64_t number, struct err *err)
{
    return record_line(state, line, length, number, err);
}

static int finish(void *state, bool *malformed, struct err *err)
{
    (void)malformed;
    struct record *record = state;
    return record->any ? record_emit(record, err) : 0;
}

static void keys_free(void *state)
{
    record_release(state);
    free(state);
}

const struct mode mode_keys = {
    .name = "keys",
    .keys = keys,
    .by_line = true,
    .load = load,
    .begin = begin,
    .feed = feed,
    .finish = finish,
    .free = keys_free,
};
