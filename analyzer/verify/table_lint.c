/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is wrong with a table although it loads: files that no report has, patterns that are slow or
 * that no line of its own tests matches, columns that no test looks at or that nobody can
 * understand. A family's columns are those of what it is made from, which describes them.
 */
#include "analyzer/regex/regex.h"
#include "analyzer/verify/lint_private.h"
#include "common/io.h"

/* Keys whose texts are patterns, in whatever mode. */
static const char *const pattern_keys[] = {"row",     "begin", "end",  "join", "repeat",
                                           "inherit", "start", "pair", "list", "match"};

/* Of these, those that look at lines as they stand in the file. */
static const char *const line_keys[] = {"row", "begin", "start"};

static void check_speed(const struct lint *lint, const struct doc_node *node)
{
    if (node && node->kind == DOC_SCALAR)
        lint_speed(lint, node, node->text);
    for (size_t i = 0; node && node->kind == DOC_LIST && i < node->count; i++)
        check_speed(lint, node->items[i]);
}

static bool matches_a_line(const struct regex *regex, struct regex_scratch *scratch,
                           const struct doc_node *content)
{
    const char *line = content->text, *end = line + content->length;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;
        if (regex_match(regex, scratch, line, (size_t)(line_end - line), 0) == REGEX_MATCH)
            return true;
        line = line_end + 1;
    }
    return false;
}

static bool matches_a_test(const struct table *table, const struct regex *regex,
                           struct regex_scratch *scratch)
{
    for (size_t t = 0; t < table->tests->count; t++) {
        const struct doc_node *files = doc_get(table->tests->items[t], "files");
        for (size_t f = 0; files && files->kind == DOC_MAP && f < files->count; f++)
            if (files->items[f]->kind == DOC_SCALAR &&
                matches_a_line(regex, scratch, files->items[f]))
                return true;
    }
    return false;
}

/* A pattern that fits none of the samples is a slip of the pen, or is not tested. */
static void check_example(const struct lint *lint, const struct table *table,
                          const struct doc_node *node)
{
    CLEANUP(regex_cleanup) struct regex *regex = NULL;
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = regex_scratch_new();
    for (size_t i = 0; node && node->kind == DOC_LIST && i < node->count; i++)
        check_example(lint, table, node->items[i]);
    if (!node || node->kind != DOC_SCALAR || !scratch ||
        regex_compile(node->text, node->length, &regex, NULL) < 0)
        return;
    if (!matches_a_test(table, regex, scratch))
        lint_say(lint, node, "no line of the table's tests matches this pattern");
}

static void check_patterns(const struct lint *lint, const struct table *table)
{
    const struct doc_node *columns = doc_get(table->root, "columns");
    for (size_t i = 0; i < ARRAY_SIZE(pattern_keys); i++)
        check_speed(lint, doc_get(table->root, pattern_keys[i]));
    for (size_t i = 0; columns && columns->kind == DOC_MAP && i < columns->count; i++)
        check_speed(lint, doc_get(columns->items[i], "match"));
    /* Lines that are joined do not stand in a file as the patterns see them. */
    if (!table->tests || table->tests->kind != DOC_LIST || doc_get(table->root, "join"))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(line_keys); i++)
        check_example(lint, table, doc_get(table->root, line_keys[i]));
}

static bool is_expected(const struct table *table, const char *column)
{
    for (size_t t = 0; t < table->tests->count; t++) {
        const struct doc_node *rows = doc_get(table->tests->items[t], "rows");
        for (size_t r = 0; rows && rows->kind == DOC_LIST && r < rows->count; r++)
            if (doc_get(rows->items[r], column))
                return true;
    }
    return false;
}

static void check_tests(const struct lint *lint, const struct table *table)
{
    const struct doc_node *columns = doc_get(table->root, "columns");
    if (!table->tests || !table->tests->count) {
        lint_say(lint, table->root, "table '%s' has no test: a file and the rows it gives",
                 table->name);
        return;
    }
    for (size_t i = 0; columns && columns->kind == DOC_MAP && i < columns->count; i++)
        if (!is_expected(table, columns->keys[i]->text))
            lint_say(lint, columns->keys[i], "no test of table '%s' looks at column '%s'",
                     table->name, columns->keys[i]->text);
}

/* A number without its unit is what people get wrong. */
static void check_descriptions(const struct lint *lint, const struct table *table)
{
    const struct doc_node *columns = doc_get(table->root, "columns");
    for (size_t i = 0; columns && columns->kind == DOC_MAP && i < columns->count; i++)
        if (!*table->columns[i].description)
            lint_say(lint, columns->keys[i],
                     "column '%s' has no 'description': say what it holds, in which unit, and what "
                     "NULL means",
                     table->columns[i].name);
}

static bool has_column(const struct table *leader, const char *name)
{
    for (size_t m = 0; m < leader->member_count; m++)
        for (size_t c = 0; c < leader->members[m]->column_count; c++)
            if (strcmp(leader->members[m]->columns[c].name, name) == 0)
                return true;
    return false;
}

static void check_shared_descriptions(const struct lint *lint, const struct table *leader)
{
    const struct doc_node *shared = doc_get(leader->root, "descriptions");
    for (size_t i = 0; shared && i < shared->count; i++)
        if (!has_column(leader, shared->keys[i]->text))
            lint_say(lint, shared->keys[i], "no table of the family has a column '%s'",
                     shared->keys[i]->text);
}

void lint_table(const struct lint *lint, const struct table *table)
{
    bool is_family = table->leader->member_count > 1;
    const struct doc_node *files = doc_get(table->root, "files");
    if (!is_family)
        lint_file_name(lint, table->root, "table", table->name);
    if (!*table->description)
        lint_say(lint, table->root, "table '%s' has no 'description': say what its rows are",
                 table->name);
    if (table->leader != table)
        return;
    for (size_t i = 0; i < table->file_count; i++) {
        const char *why = lint_impossible_path(table->files[i].text);
        if (why)
            lint_say(lint, files, "'%s' finds no file: %s", table->files[i].text, why);
    }
    check_patterns(lint, table);
    check_shared_descriptions(lint, table);
    if (is_family)
        return;
    check_descriptions(lint, table);
    check_tests(lint, table);
}
