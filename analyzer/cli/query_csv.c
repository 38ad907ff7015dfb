/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --query with --format csv: RFC 4180, for spreadsheets.
 *
 * A spreadsheet takes a cell that begins with = + - @ for a formula, and formulas can fetch and
 * send. Such a cell gets an apostrophe in front, which spreadsheets take for "this is text"; numbers
 * stay numbers. The full-width forms of these characters count too, since East Asian input methods
 * made spreadsheets accept them.
 */
#include <ctype.h>

#include "analyzer/cli/commands.h"
#include "common/escape.h"

static bool begins_formula(const char *text)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                       "\xef\xbc\xa0"};
    for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
        if (strncmp(text, wide[i], strlen(wide[i])) == 0)
            return true;
    return *text && strchr("=+-@\t\r\n", *text);
}

/* Digits with one sign, one point and one exponent: what a database prints for a number. */
static bool is_number(const char *text)
{
    char *end;
    for (const char *c = text; *c; c++)
        if (!isdigit((unsigned char)*c) && !strchr("+-.eE", *c))
            return false;
    strtod(text, &end);
    return *text && *end == '\0';
}

static void add_cell(struct strbuf *out, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    /* Blanks in front do not keep a spreadsheet from seeing a formula. */
    bool is_formula = begins_formula(text + strspn(text, " ")) && !is_number(text);
    escape_terminal(&safe, text, strlen(text), false);
    strbuf_adds(out, is_formula ? "\"'" : "\"");
    for (size_t i = 0; i < safe.length; i++) {
        if (safe.data[i] == '"')
            strbuf_addc(out, '"');
        strbuf_addc(out, safe.data[i]);
    }
    strbuf_addc(out, '"');
    if (!strbuf_ok(&safe))
        out->failed = true;
}

static void add_cells(struct strbuf *out, const char *const *cells, int count)
{
    for (int i = 0; i < count; i++) {
        strbuf_adds(out, i ? "," : "");
        add_cell(out, cells[i] ? cells[i] : "");
    }
    strbuf_adds(out, "\r\n");
}

static int add_row(void *context, const struct result_row *row, struct err *err)
{
    struct strbuf *out = context;
    if (out->length == 0)
        add_cells(out, row->names, row->count);
    add_cells(out, row->values, row->count);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}

int query_csv(const char *sql, struct database *database, struct strbuf *out, struct err *err)
{
    return query_rows(sql, database, add_row, out, err);
}
