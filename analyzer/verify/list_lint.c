/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is wrong with a list although it loads: a number that is none, a row that stands there
 * twice, sources that nobody can look up. A site's rows are looked at also where they add to a
 * built-in list.
 */
#include <ctype.h>
#include <stdlib.h>

#include "analyzer/verify/lint_private.h"
#include "common/io.h"

/* As the database reads numbers: the text begins with one. */
static bool is_number(const char *text)
{
    text += *text == '-' || *text == '+';
    return isdigit((unsigned char)*text) || (*text == '.' && isdigit((unsigned char)text[1]));
}

static void check_values(const struct lint *lint, const struct list *list,
                         const struct doc_node *row)
{
    for (size_t c = 0; c < row->count; c++) {
        bool is_text = list->types[c] == COLUMN_TEXT || list->types[c] == COLUMN_VERSION;
        if (!is_text && row->items[c]->length && !is_number(row->items[c]->text))
            lint_say(lint, row->items[c], "'%.60s' is no number, as column '%s' has them",
                     row->items[c]->text, list->columns[c]);
    }
}

struct row {
    const struct doc_node *node;
    size_t number; /* in the order of the files */
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    for (size_t c = 0; c < left->node->count; c++) {
        int order = strcmp(left->node->items[c]->text, right->node->items[c]->text);
        if (order)
            return order;
    }
    return 0;
}

static int compare_equal_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = compare_rows(a, b);
    return order ? order : left->number < right->number ? -1 : 1;
}

/* The later one of two is said; those of built-in lists only where these are looked at. */
static void check_repeats(const struct lint *lint, const struct list *list, size_t count,
                          size_t built_in)
{
    CLEANUP_FREE struct row *rows = calloc(count + 1, sizeof *rows);
    size_t filled = 0;
    for (size_t p = 0; rows && p < list->parts.count; p++)
        for (size_t i = 0; i < list->parts.items[p].rows->count; i++, filled++)
            rows[filled] = (struct row){list->parts.items[p].rows->items[i], filled};
    if (filled > 1)
        qsort(rows, filled, sizeof *rows, compare_equal_rows);
    for (size_t i = 1; i < filled; i++)
        if (compare_rows(&rows[i - 1], &rows[i]) == 0 &&
            (lint->parts->all || rows[i].number >= built_in))
            lint_say(lint, rows[i].node, "list '%s' has this row already, in %s:%d", list->name,
                     rows[i - 1].node->file, rows[i - 1].node->line);
}

static void check_sources(const struct lint *lint, const struct doc_node *sources)
{
    if (sources->kind == DOC_SCALAR && strncmp(sources->text, "https://", 8) != 0)
        lint_say(lint, sources, "'%.200s' is no https:// address", sources->text);
    for (size_t i = 0; sources->kind == DOC_LIST && i < sources->count; i++)
        check_sources(lint, sources->items[i]);
}

static void check_descriptions(const struct lint *lint, const struct list *list)
{
    for (size_t c = 0; c < list->column_count; c++)
        if (!*list->descriptions[c])
            lint_say(lint, doc_get(list->root, "columns")->keys[c],
                     "column '%s' has no 'description': say what it holds, in which unit, and what "
                     "empty means",
                     list->columns[c]);
}

void lint_list(const struct lint *lint, const struct list *list)
{
    size_t count = 0, built_in = 0;
    if (lint->parts->all || !list->parts.items[0].built_in) {
        lint_file_name(lint, list->root, "list", list->name);
        check_sources(lint, doc_get(list->root, "sources"));
        check_descriptions(lint, list);
    }
    for (size_t p = 0; p < list->parts.count; p++) {
        const struct list_rows *part = &list->parts.items[p];
        count += part->rows->count;
        built_in += part->built_in ? part->rows->count : 0;
        for (size_t i = 0; (lint->parts->all || !part->built_in) && i < part->rows->count; i++)
            check_values(lint, list, part->rows->items[i]);
    }
    check_repeats(lint, list, count, built_in);
}
