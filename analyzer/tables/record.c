/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Collecting one row from many lines. Values are copied, since a line is gone when the next one
 * comes.
 */
#include "analyzer/tables/record.h"

#include <ctype.h>

#include "analyzer/tables/extract.h"

static int find_group(const struct doc_node *node, const struct regex *regex, const char *name,
                      int *ret, struct err *err)
{
    *ret = regex_name_find(regex, name);
    if (*ret >= 0)
        return 0;
    return doc_fail(node, err, "the regex has no group (?<%s>...)", name);
}

static int load_pair(struct table_loader *loader, const struct doc_node *node,
                     struct record_options *options, struct err *err)
{
    int r = loader_regex(loader, node, &options->pair, err);
    if (r == 0)
        r = find_group(node, options->pair, "key", &options->pair_key, err);
    if (r == 0)
        r = find_group(node, options->pair, "value", &options->pair_value, err);
    return r;
}

int record_load(struct table_loader *loader, const struct table *table, const struct doc_node *node,
                const char *pair_default, struct record_options *ret, struct err *err)
{
    struct record_options options = {0};
    const struct doc_node standard = {.kind = DOC_SCALAR,
                                      .file = node->file,
                                      .line = node->line,
                                      .column = node->column,
                                      .text = pair_default,
                                      .length = pair_default ? strlen(pair_default) : 0};
    const struct doc_node *pair = doc_get(node, "pair");
    const struct doc_node *list = doc_get(node, "list");
    if (!pair && pair_default)
        pair = &standard;
    int r = pair ? load_pair(loader, pair, &options, err) : 0;
    if (r == 0 && list) {
        r = loader_regex(loader, list, &options.list, err);
        if (r == 0)
            r = find_group(list, options.list, "value", &options.list_value, err);
    }
    if (r == 0)
        r = bind_regexes(loader, table, doc_get(node, "match"), &options.match, err);
    if (r < 0)
        return r;
    *ret = options;
    return 0;
}

int record_check(const struct table *table, const struct doc_node *node,
                 const struct record_options *options, const struct bound_list *start,
                 const struct bound_list *headers, struct err *err)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (options->pair || table->sources[i].capture >= 0 || bound_fills(&options->match, i) ||
            (start && bound_fills(start, i)) || (headers && bound_fills(headers, i)))
            continue;
        return doc_fail(node, err, "column '%s' has no source: no group is called '%s'",
                        table->columns[i].name, table->sources[i].from);
    }
    return 0;
}

int record_init(struct record *record, const struct table *table,
                const struct record_options *options, struct row_writer *writer, struct err *err)
{
    size_t count = table->column_count;
    *record = (struct record){
        .table = table,
        .options = options,
        .writer = writer,
        .values = calloc(count, sizeof *record->values),
        .set = calloc(count, sizeof *record->set),
        .latest = calloc(count, sizeof *record->latest),
        .cells = calloc(count, sizeof *record->cells),
    };
    for (size_t i = 0; record->values && i < count; i++)
        record->values[i] = (struct strbuf)STRBUF_INIT_MAX(EXTRACT_CELL_MAX);
    if (record->values && record->set && record->latest && record->cells)
        return 0;
    record_release(record);
    return err_nomem(err);
}

void record_release(struct record *record)
{
    for (size_t i = 0; record->values && i < record->table->column_count; i++)
        strbuf_release(&record->values[i]);
    free(record->values);
    free(record->set);
    free(record->latest);
    free(record->cells);
    *record = (struct record){0};
}

/* A value that outgrows EXTRACT_CELL_MAX keeps what it has; only memory is an error. */
static int add_text(struct strbuf *value, const char *text, size_t length, struct err *err)
{
    size_t room = value->maximum - value->length;
    strbuf_add(value, text, length < room ? length : room);
    return strbuf_ok(value) ? 0 : err_nomem(err);
}

static void trim(const char **text, size_t *length)
{
    for (; *length > 0 && isspace((unsigned char)**text); (*length)--)
        (*text)++;
    while (*length > 0 && isspace((unsigned char)(*text)[*length - 1]))
        (*length)--;
}

static int set_value(struct record *record, size_t column, const char *text, size_t length,
                     int64_t number, struct err *err)
{
    if (record->set[column])
        return 0;
    record->set[column] = true;
    if (!record->any && record->line == 0)
        record->line = number;
    record->any = true;
    trim(&text, &length);
    return add_text(&record->values[column], text, length, err);
}

int record_take(struct record *record, const struct bound_regex *regex, int64_t number,
                struct err *err)
{
    const struct regex_scratch *scratch = rows_scratch(record->writer);
    for (size_t i = 0; i < record->table->column_count; i++) {
        const char *text;
        size_t length;
        if (regex->names[i] < 0 ||
            !regex_named(regex->regex, scratch, (size_t)regex->names[i], &text, &length))
            continue;
        int r = set_value(record, i, text, length, number, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int take_pair(struct record *record, int64_t number, struct err *err)
{
    const struct record_options *options = record->options;
    const struct regex_scratch *scratch = rows_scratch(record->writer);
    const char *key, *value = "";
    size_t key_length, value_length = 0;
    record->latest_count = 0;
    if (!regex_named(options->pair, scratch, (size_t)options->pair_key, &key, &key_length))
        return 0;
    trim(&key, &key_length);
    regex_named(options->pair, scratch, (size_t)options->pair_value, &value, &value_length);
    for (size_t i = 0; i < record->table->column_count; i++) {
        const struct column_source *source = &record->table->sources[i];
        if (record->set[i] || source->capture >= 0 || strlen(source->from) != key_length ||
            memcmp(source->from, key, key_length) != 0)
            continue;
        int r = set_value(record, i, value, value_length, number, err);
        if (r < 0)
            return r;
        record->latest[record->latest_count++] = i;
    }
    return 0;
}

static int take_list(struct record *record, struct err *err)
{
    const struct record_options *options = record->options;
    const char *text;
    size_t length;
    if (!regex_named(options->list, rows_scratch(record->writer), (size_t)options->list_value,
                     &text, &length))
        return 0;
    trim(&text, &length);
    int r = 0;
    for (size_t i = 0; r == 0 && i < record->latest_count; i++) {
        struct strbuf *value = &record->values[record->latest[i]];
        if (value->length > 0)
            r = add_text(value, ", ", 2, err);
        if (r == 0)
            r = add_text(value, text, length, err);
    }
    return r;
}

int record_line(struct record *record, const char *line, size_t length, int64_t number,
                struct err *err)
{
    const struct record_options *options = record->options;
    for (size_t i = 0; i < options->match.count; i++) {
        const struct bound_regex *bound = &options->match.items[i];
        if (!rows_match(record->writer, bound->regex, line, length, 0))
            continue;
        int r = record_take(record, bound, number, err);
        if (r < 0)
            return r;
    }
    if (options->list && rows_match(record->writer, options->list, line, length, 0))
        return take_list(record, err);
    if (options->pair && rows_match(record->writer, options->pair, line, length, 0))
        return take_pair(record, number, err);
    return 0;
}

int record_inherit(struct record *record, const struct carry *carry, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < carry->column_count; i++) {
        const struct carried_value *value = &carry->values[i];
        if (value->set)
            r = set_value(record, i, value->text.data, value->text.length, record->line, err);
    }
    return r;
}

int record_emit(struct record *record, struct err *err)
{
    for (size_t i = 0; i < record->table->column_count; i++) {
        const struct strbuf *value = &record->values[i];
        record->cells[i] = (struct cell){0};
        if (record->set[i])
            record->cells[i] = (struct cell){.text = value->data, .length = value->length};
    }
    int r = rows_emit(record->writer, record->table, record->line, record->cells, err);
    for (size_t i = 0; i < record->table->column_count; i++) {
        strbuf_clear(&record->values[i]);
        record->set[i] = false;
    }
    record->any = false;
    record->latest_count = 0;
    record->line = 0;
    return r;
}
