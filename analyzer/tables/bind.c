/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Groups to columns. Several columns may take the same group (each with a `match:` of its own), and
 * a column may be filled by groups of several regexes.
 */
#include "analyzer/tables/bind.h"

static int bind_one(struct table_loader *loader, const struct table *table,
                    const struct doc_node *node, struct bound_regex *ret, struct err *err)
{
    const struct regex *regex;
    int r = loader_regex(loader, node, &regex, err);
    if (r < 0)
        return r;
    int *names = arena_array(loader_arena(loader), table->column_count, sizeof *names);
    if (!names)
        return err_nomem(err);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column_source *source = &table->sources[i];
        names[i] = source->capture >= 0 ? -1 : regex_name_find(regex, source->from);
    }
    for (size_t n = 0; n < regex_name_count(regex); n++) {
        bool used = false;
        for (size_t i = 0; i < table->column_count && !used; i++)
            used = names[i] == (int)n;
        if (!used)
            return doc_fail(node, err, "group '%s' is not a column of table '%s'",
                            regex_name_at(regex, n), table->name);
    }
    *ret = (struct bound_regex){.regex = regex, .names = names};
    return 0;
}

int bind_regexes(struct table_loader *loader, const struct table *table,
                 const struct doc_node *node, struct bound_list *ret, struct err *err)
{
    size_t count = !node ? 0 : node->kind == DOC_LIST ? node->count : 1;
    struct bound_regex *items = arena_array(loader_arena(loader), count + 1, sizeof *items);
    if (!items)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct doc_node *item = node->kind == DOC_LIST ? node->items[i] : node;
        int r = bind_one(loader, table, item, &items[i], err);
        if (r < 0)
            return r;
    }
    *ret = (struct bound_list){.items = items, .count = count};
    return 0;
}

bool bound_fills(const struct bound_list *list, size_t column)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].names[column] >= 0)
            return true;
    return false;
}

int carry_init(struct carry *carry, const struct bound_list *headers, size_t column_count,
               struct err *err)
{
    struct carried_value *values = calloc(column_count, sizeof *values);
    if (!values)
        return err_nomem(err);
    for (size_t i = 0; i < column_count; i++)
        values[i].text = (struct strbuf)STRBUF_INIT;
    *carry = (struct carry){.headers = headers, .column_count = column_count, .values = values};
    return 0;
}

void carry_release(struct carry *carry)
{
    for (size_t i = 0; carry->values && i < carry->column_count; i++)
        strbuf_release(&carry->values[i].text);
    free(carry->values);
    carry->values = NULL;
}

bool carry_header(struct carry *carry, struct row_writer *writer, const char *line, size_t length,
                  bool *failed)
{
    for (size_t level = 0; level < carry->headers->count; level++) {
        const struct bound_regex *header = &carry->headers->items[level];
        if (!rows_match(writer, header->regex, line, length, 0))
            continue;
        for (size_t i = 0; i < carry->column_count; i++) {
            struct carried_value *value = &carry->values[i];
            if (value->set && value->level >= level)
                value->set = false;
            const char *text;
            size_t text_length;
            if (header->names[i] < 0 || !regex_named(header->regex, rows_scratch(writer),
                                                     (size_t)header->names[i], &text, &text_length))
                continue;
            strbuf_clear(&value->text);
            strbuf_add(&value->text, text, text_length);
            *failed = *failed || !strbuf_ok(&value->text);
            value->set = true;
            value->level = level;
        }
        return true;
    }
    return false;
}

void carry_fill(const struct carry *carry, struct cell *cells)
{
    for (size_t i = 0; i < carry->column_count; i++) {
        const struct carried_value *value = &carry->values[i];
        if (value->set && !cells[i].text)
            cells[i] = (struct cell){.text = value->text.data, .length = value->text.length};
    }
}
