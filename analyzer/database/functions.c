/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The SQL functions of rules and the collation VERSION.
 *
 * regexp() keeps its compiled pattern with the statement (auxiliary data), which works whenever the
 * pattern is a constant, as it nearly always is. A pattern that reaches its limits makes the
 * statement fail: not to know whether a text matches must not look like "no match".
 */
#include "analyzer/database/database_private.h"

#include "analyzer/regex/regex.h"
#include "common/units.h"
#include "common/version_compare.h"

static int collate_version(void *context, int a_length, const void *a, int b_length, const void *b)
{
    (void)context;
    return version_compare(a, (size_t)a_length, b, (size_t)b_length);
}

static void version_cmp(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const char *a = (const char *)sqlite3_value_text(values[0]);
    const char *b = (const char *)sqlite3_value_text(values[1]);
    if (!a || !b)
        return;
    sqlite3_result_int(context, version_compare(a, (size_t)sqlite3_value_bytes(values[0]), b,
                                                (size_t)sqlite3_value_bytes(values[1])));
}

/* bytes() and duration() leave numbers alone, so that they may be put around any column. */
static void convert(sqlite3_context *context, sqlite3_value *value,
                    bool (*parse)(const char *text, int64_t *ret))
{
    int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        sqlite3_result_value(context, value);
        return;
    }
    const char *text = (const char *)sqlite3_value_text(value);
    int64_t number;
    if (text && parse(text, &number))
        sqlite3_result_int64(context, number);
}

static void bytes(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    convert(context, values[0], units_bytes);
}

static void duration(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    convert(context, values[0], units_seconds);
}

static void free_regex(void *regex)
{
    regex_free(regex);
}

static void free_scratch(void *scratch)
{
    regex_scratch_free(scratch);
}

static struct regex *compiled(sqlite3_context *context, sqlite3_value *pattern)
{
    struct err err = ERR_INIT;
    struct regex *regex = NULL;
    const char *text = (const char *)sqlite3_value_text(pattern);
    int rc = regex_compile(text, (size_t)sqlite3_value_bytes(pattern), &regex, &err);
    if (rc == ERR_NOMEM) {
        sqlite3_result_error_nomem(context);
    } else if (rc < 0) {
        char message[sizeof err.text + 16];
        snprintf(message, sizeof message, "regexp(): %s", err.text);
        sqlite3_result_error(context, message, -1);
    } else {
        sqlite3_set_auxdata(context, 0, regex, free_regex);
        /* It may have been freed at once, when memory is out: only what is kept is safe to use. */
        regex = sqlite3_get_auxdata(context, 0);
        if (!regex)
            sqlite3_result_error_nomem(context);
    }
    return rc < 0 ? NULL : regex;
}

static void regexp(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
        sqlite3_value_type(values[1]) == SQLITE_NULL)
        return;
    const char *text = (const char *)sqlite3_value_text(values[1]);
    size_t length = (size_t)sqlite3_value_bytes(values[1]);
    const struct regex *regex = sqlite3_get_auxdata(context, 0);
    if (!regex)
        regex = compiled(context, values[0]);
    if (!regex)
        return;
    if (!text) {
        sqlite3_result_error_nomem(context);
        return;
    }
    switch (regex_match(regex, sqlite3_user_data(context), text, length, 0)) {
    case REGEX_NO_MATCH:
        sqlite3_result_int(context, 0);
        break;
    case REGEX_MATCH:
        sqlite3_result_int(context, 1);
        break;
    case REGEX_ABORTED:
        sqlite3_result_error(context, "regexp(): the pattern needs too many steps; simplify it",
                             -1);
        break;
    }
}

int database_add_functions(sqlite3 *handle)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    static const struct {
        const char *name;
        int arguments;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {.name = "version_cmp", .arguments = 2, .call = version_cmp},
        {.name = "bytes", .arguments = 1, .call = bytes},
        {.name = "duration", .arguments = 1, .call = duration},
    };
    int rc = sqlite3_create_collation(handle, "VERSION", SQLITE_UTF8, NULL, collate_version);
    for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_SIZE(functions); i++)
        rc = sqlite3_create_function_v2(handle, functions[i].name, functions[i].arguments, flags,
                                        NULL, functions[i].call, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return rc;
    struct regex_scratch *scratch = regex_scratch_new();
    if (!scratch)
        return SQLITE_NOMEM;
    /* The library frees the scratch also when this fails. */
    return sqlite3_create_function_v2(handle, "regexp", 2, flags, scratch, regexp, NULL, NULL,
                                      free_scratch);
}
