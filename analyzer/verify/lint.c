/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lint: everything that was given, one kind after the other.
 */
#include "analyzer/verify/lint_private.h"
#include "common/io.h"

/* Counted repeats of thousands need gigabytes in the compiler of the multi-pattern engine. */
#define REPEAT_MAX 1000

void lint_say(const struct lint *lint, const struct doc_node *place, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lint->remark(lint->context, place, text);
}

const char *lint_impossible_path(const char *path)
{
    static const char *const suffixes[] = {".gz", ".xz", ".bz2", ".zst", ".1"};
    size_t length = strlen(path);
    if (strstr(path, "//") || strstr(path, "../"))
        return "no path in a report has '//' or '..'";
    if (length && path[length - 1] == '/')
        return "a folder has no lines; name files, for example with '*'";
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (length > strlen(suffixes[i]) &&
            strcmp(path + length - strlen(suffixes[i]), suffixes[i]) == 0)
            return "rotations and compression are implied; leave the suffix out";
    return NULL;
}

struct pattern_shape lint_speed(const struct lint *lint, const struct doc_node *place,
                                const char *pattern)
{
    struct pattern_shape shape = pattern_shape_of(pattern);
    if (shape.repeats_repetition)
        lint_say(lint, place,
                 "a repetition inside a repetition, as in (a+)+, can take for ever on a line that "
                 "nearly fits; repeat only one of them");
    if (shape.largest_repeat > REPEAT_MAX)
        lint_say(lint, place, "a repeat of %ld is too many to compile; use at most %d",
                 shape.largest_repeat, REPEAT_MAX);
    return shape;
}

void lint_file_name(const struct lint *lint, const struct doc_node *place, const char *kind,
                    const char *name)
{
    const char *slash = strrchr(place->file, '/');
    const char *file = slash ? slash + 1 : place->file;
    size_t length = strlen(name);
    if (strncmp(file, name, length) != 0 || strcmp(file + length, ".yaml") != 0)
        lint_say(lint, place, "the file of %s '%s' should be called '%s.yaml'", kind, name, name);
}

int verify_lint(const struct verify_parts *parts, lint_remark remark, void *context,
                struct err *err)
{
    struct lint lint = {.parts = parts, .remark = remark, .context = context};
    int r = database_open(parts->tables, NULL, &lint.database, err);
    if (r == 0)
        r = lists_fill(parts->lists, lint.database, err);
    if (r == 0)
        r = facts_declare(parts->facts, lint.database, err);
    for (size_t i = 0; r == 0 && i < rule_set_count(parts->rules); i++)
        lint_rule(&lint, rule_set_at(parts->rules, i));
    for (size_t i = 0; r == 0 && i < table_set_count(parts->tables); i++)
        if (parts->all || !table_set_at(parts->tables, i)->built_in)
            lint_table(&lint, table_set_at(parts->tables, i));
    for (size_t i = 0; r == 0 && i < list_set_count(parts->lists); i++)
        lint_list(&lint, list_set_at(parts->lists, i));
    database_free(lint.database);
    return r;
}
